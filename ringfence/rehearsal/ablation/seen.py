"""How an attack went, and which layer stopped it.

An attack counts as stopped only where a layer of ours says so: by its name in the answer, or by the policy that refused
in AWS. A server that fails, a tool that is not there and an AWS that cannot do something are not layers.
"""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.rehearsal.scenarios.calls import Outcome

THROUGH = "through"
NO_LAYER = "no layer"
MADE_HARMLESS = "made harmless"
_TELLING = ("ingress", "request", "policy", "runtime", "response")
# Refusals of the host that are no check: nothing about the call was found wrong.
_TROUBLE = frozenset(
    {
        "malformed-message",
        "internal-error",
        "interceptor-failed",
        "not-recorded",
        "unreachable",
        "runtime-not-started",
        "session-busy",
        "key-unavailable",
    }
)
_TOO_LARGE = "result-too-large"  # the host says so of what a server answered


@dataclass(frozen=True)
class Seen:
    """How one attack went.

    Attributes:
        stopped_by: the layer, `THROUGH`, or `NO_LAYER` where it failed for another reason.
        why: the rule or statement, or what else happened, in a few words.
        text: what the attacker was told.
    """

    stopped_by: str
    why: str
    text: str = ""


@dataclass(frozen=True)
class Effect:
    """What a service does later with the session that a call was made in.

    Attributes:
        service: the service, as `athena.amazonaws.com`.
        action: what it does.
        resource: with what.
        account: whose that is.
    """

    service: str
    action: str
    resource: str
    account: str


def by_the_answer(outcome: Outcome, text: str) -> Seen | None:
    """The layer that names itself in an answer, or None."""
    if outcome.refused and outcome.layer in _TELLING and outcome.rule not in _TROUBLE:
        return Seen(str(outcome.layer), str(outcome.rule), text)
    return Seen("runtime", _TOO_LARGE, text) if outcome.rule == _TOO_LARGE else None


def by_aws(layer: str | None, why: str, text: str = "") -> Seen:
    """The kind of policy that refused in AWS."""
    if layer in (None, "undecided"):
        return Seen(NO_LAYER, f"the local AWS cannot decide {why}", text)
    return Seen("endpoint" if layer == "network" else str(layer), why, text)


def by_none(outcome: Outcome, text: str, *, unseen: str | None) -> Seen:
    """An attack that no layer stopped and that came to nothing; `unseen` is the AWS action that it wanted."""
    why = "answered"
    if outcome.refused:
        said = f"the server: {outcome.rule}" if outcome.rule else "the server refused it, or failed"
        why = "the gateway has no such target" if "No target" in outcome.text else said
    return Seen(NO_LAYER, f"{why}; AWS never saw {unseen}" if unseen else why, text)

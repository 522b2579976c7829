"""Decides an AWS request from policy documents, layer by layer.

The rules, after the IAM reference: an explicit Deny in any layer decides. Otherwise every layer that is present must
allow, with one union: in the same account an identity policy or a resource policy that names the caller may grant. A
boundary, session policy, service control policy (`scp`), resource control policy (`rcp`) or endpoint policy only
limits. A role's trust policy (`trust`) and a key policy (`key`) are vetoes of their own: if present, they must allow.

Two simplifications, both on the strict side: a resource policy that names a role *session* lifts neither boundary nor
session policy here, and a trust policy that names a role does not replace that role's own permission to assume.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.iam.policy import EVERYONE, EVERYTHING, Policy, Request, Statement
from ringfence.iam.problems import UndecidablePolicy

__all__ = ["EVERYONE", "EVERYTHING", "LAYERS", "Decision", "Policy", "Request", "UndecidablePolicy", "decide"]

# In the order in which a refusal is reported.
LAYERS = ("scp", "rcp", "endpoint", "boundary", "session", "identity", "resource", "trust", "key")
_WITH_PRINCIPAL = ("rcp", "endpoint", "resource", "trust", "key")
_IMPLICIT_ORDER = ("identity", "boundary", "session", "scp", "rcp", "endpoint", "trust", "key")

Document = Policy | Mapping[str, Any]


@dataclass(frozen=True)
class Decision:
    """The outcome.

    Attributes:
        allowed: whether the request may proceed.
        layer: the layer that refused, or None.
        sid: the statement that decided: the Deny, or the granting Allow; None when no statement matched.
        explicit: whether a Deny statement refused, as opposed to nothing allowing.
        reason: one sentence.
    """

    allowed: bool
    layer: str | None
    sid: str | None
    explicit: bool
    reason: str


def decide(request: Request, layers: Mapping[str, Iterable[Document]]) -> Decision:
    """Decide a request.

    Args:
        request: who does what to which resource.
        layers: policy documents by layer (see `LAYERS`). A layer that is present but empty allows nothing; leave a
            layer out when it does not exist (a role without a boundary has no `boundary` key).

    Raises:
        UndecidablePolicy: a layer, element or operator is unknown.
    """
    parsed = {layer: _parse(layer, documents) for layer, documents in layers.items()}
    context = request.lowered_context()
    speaking = {
        layer: [s for policy in policies for s in policy.statements if s.applies(request, context)]
        for layer, policies in parsed.items()
    }
    return _explicit_deny(request, speaking) or _implicit_deny(request, speaking) or _allow(request, speaking)


def granted_resources(action: str, layers: Mapping[str, Iterable[Document]]) -> bool:
    """Whether any statement about an action restricts it to certain resources.

    When this is False, the outcome does not depend on which resource the request is about.
    """
    return any(
        statement.covers_action(action) and statement.restricts_resources
        for layer, documents in layers.items()
        for policy in _parse(layer, documents)
        for statement in policy.statements
    )


def _parse(layer: str, documents: Iterable[Document]) -> list[Policy]:
    if layer not in LAYERS:
        raise UndecidablePolicy(f"policy layer {layer!r} is unknown; layers are {', '.join(LAYERS)}")
    policies = [document if isinstance(document, Policy) else Policy.parse(document) for document in documents]
    for policy in policies:
        for statement in policy.statements:
            _check_shape(layer, statement)
    return policies


def _check_shape(layer: str, statement: Statement) -> None:
    has_principal = statement.principals is not None or statement.not_principals is not None
    if has_principal != (layer in _WITH_PRINCIPAL):
        raise UndecidablePolicy(f"{statement.sid}: a principal is {'un' if has_principal else ''}expected in {layer}")
    if layer != "trust" and not (statement.resources or statement.not_resources):
        raise UndecidablePolicy(f"{statement.sid}: a resource is missing in {layer}")


def _explicit_deny(request: Request, speaking: Mapping[str, list[Statement]]) -> Decision | None:
    for layer in LAYERS:
        for statement in speaking.get(layer, []):
            if not statement.allows:
                reason = f"{request.action} on {request.resource} is denied by {statement.sid} of the {layer} policy"
                return Decision(False, layer, statement.sid, True, reason)
    return None


def _implicit_deny(request: Request, speaking: Mapping[str, list[Statement]]) -> Decision | None:
    granted_by_resource = any(statement.names_directly(request) for statement in speaking.get("resource", []))
    for layer in _IMPLICIT_ORDER:
        if layer not in speaking or speaking[layer]:
            continue
        if layer == "identity" and granted_by_resource:
            continue
        reason = f"{request.action} on {request.resource} is allowed by no statement of the {layer} policy"
        return Decision(False, layer, None, False, reason)
    if "identity" not in speaking and "trust" not in speaking and not granted_by_resource:
        layer = "resource" if "resource" in speaking else "identity"
        reason = f"{request.action} on {request.resource} is granted by no policy"
        return Decision(False, layer, None, False, reason)
    return None


def _allow(request: Request, speaking: Mapping[str, list[Statement]]) -> Decision:
    granting = next(speaking[layer][0] for layer in ("identity", "resource", "trust") if speaking.get(layer))
    reason = f"{request.action} on {request.resource} is allowed by {granting.sid}"
    return Decision(True, None, granting.sid, False, reason)

"""A refusal names the layer and the rule, in a sentence the caller can act on, the same way everywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

LAYERS = ("ingress", "request", "policy", "runtime", "credentials", "server", "aws", "response")

# The `_meta` keys by which every layer, the rehearsal and the reports recognise a call and its refusal.
META_CALL_ID = "ringfence/call_id"
META_LAYER = "ringfence/layer"
META_RULE = "ringfence/rule"
META_OUTCOME = "ringfence/outcome"
META_OWN_WORDS = "ringfence/own_words"  # the body is this project's sentence, and holds no word of anybody else
META_OWN_SENTENCE = "ringfence/own_sentence"  # the first part is, and what follows it are a server's or AWS's words

OUTCOMES = ("allowed", "failed", "refused")
"""What became of a call: `refused` by a lock before it had an effect, IAM's included; `failed` once it was under way,
so that it may have had one; or `allowed`, and done."""


# How a sentence ends; behind it a server's words may follow.
_ENDING = re.compile(r" \((?=rule [a-z-]+, layer [a-z]+\)\. Call [0-9A-Z]{26}\.)([^)]+\)\. Call [0-9A-Z]{26}\.)")


class Refusal(Exception):
    """A call was refused.

    Attributes:
        layer: one of `LAYERS`.
        rule: the rule's id in kebab-case, such as `unknown-argument`.
        message: one plain sentence for the caller. It names fields and remedies, never the value that was refused.
    """

    def __init__(self, layer: str, rule: str, message: str) -> None:
        if layer not in LAYERS:
            raise ValueError(f"layer is {layer!r}; use one of {', '.join(LAYERS)}")
        super().__init__(message)
        self.layer = layer
        self.rule = rule
        self.message = message


def refusal_result(
    refusal: Refusal, call_id: str, *, outcome: str = "refused", words: Sequence[object] = ()
) -> dict[str, object]:
    """Return the MCP `tools/call` result that tells the caller about a refusal, or a failure, in our own words.

    Args:
        refusal: what is told.
        call_id: the call's id.
        outcome: what became of the call.
        words: parts of content in which a server, or AWS, says why. They follow our sentence, and the response
            interceptor redacts them and marks them as others'.
    """
    whose = "AWS" if refusal.layer == "aws" else "The server"
    told = _sentence(refusal, call_id) + (f" {whose} says:" if words else "")
    return {
        "content": [{"type": "text", "text": told}, *words],
        "isError": True,
        "_meta": {
            **refusal_meta(refusal, call_id, outcome=outcome),
            (META_OWN_SENTENCE if words else META_OWN_WORDS): True,
        },
    }


def refusal_meta(refusal: Refusal, call_id: str, *, outcome: str) -> dict[str, object]:
    """Return the `_meta` of a result that was refused or has failed."""
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome is {outcome!r}; use one of {', '.join(OUTCOMES)}")
    return {META_CALL_ID: call_id, META_LAYER: refusal.layer, META_RULE: refusal.rule, META_OUTCOME: outcome}


def refusal_error(refusal: Refusal, call_id: str, code: int) -> dict[str, object]:
    """Return the JSON-RPC error object (without its envelope) that tells the caller about a refusal."""
    return {
        "code": code,
        "message": _sentence(refusal, call_id),
        "data": {"call_id": call_id, "layer": refusal.layer, "rule": refusal.rule},
    }


def completed(sentence: str, *, tools: Sequence[str], next_step: str, contact: str) -> str:
    """Return a refusal's sentence with the tool, the next step and whom to ask, where it does not name them.

    Args:
        sentence: as `refusal_result` or `refusal_error` made it; any other text comes back as it is.
        tools: the names of the tool, the one that models are shown first; empty for none.
        next_step: what may be done next by the refusal's rule. A sentence that says it itself does so behind a colon
            or a semicolon, in a question, or by naming the contact.
        contact: whom to ask, or the empty text where the department names nobody.
    """
    ending = _ENDING.search(sentence)
    if ending is None:
        return sentence
    reason, rest = sentence[: ending.start()], sentence[ending.end() :]
    tool = f"tool {tools[0]}, " if tools and not any(name in reason for name in tools) else ""
    asks = bool(contact) and contact in reason
    step = "" if not next_step or asks or any(mark in reason for mark in (": ", "; ", "?")) else f" {next_step}"
    ask = f" If you cannot go on, ask {contact}." if contact and not asks else ""
    return f"{reason} ({tool}{ending[1]}{step}{ask}{rest}"


def _sentence(refusal: Refusal, call_id: str) -> str:
    return f"{refusal.message.rstrip('. ')} (rule {refusal.rule}, layer {refusal.layer}). Call {call_id}."

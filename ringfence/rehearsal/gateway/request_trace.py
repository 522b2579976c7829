"""How one request went through the gateway, for reports and attacks; never shown to clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callpath.refusal import META_CALL_ID, META_LAYER, META_RULE
from ringfence.rehearsal.gateway.messages import Answer


@dataclass
class RequestTrace:
    """One request's way.

    Attributes:
        tool: published tool name of a tool call.
        claims: the verified claims, or None when ingress refused.
        call_id: the call, where the request interceptor made one.
        told_id: the call id that the caller reads, or None; another where a lost refusal was derived again (ADR 21).
        layer: the layer that refused, or None.
        rule: the rule it named, or None: without one, the layer answered in the server's place.
        words: what an error of the gateway's own says, where no rule names it.
        cause: why an interceptor failed; may quote what it was working on.
        latency_ms: milliseconds in the gateway.
        forwarded: headers and body as sent to the runtime, or None.
    """

    http_method: str = ""
    path: str = ""
    status: int = 0
    method: str = ""
    tool: str = ""
    claims: Mapping[str, Any] | None = None
    call_id: str | None = None
    told_id: str | None = None
    layer: str | None = None
    rule: str | None = None
    words: str = ""
    cause: str | None = None
    latency_ms: float = 0.0
    forwarded: tuple[dict[str, str], bytes] | None = None

    def refused(self, layer: str, rule: str) -> None:
        """Note who refused."""
        self.layer, self.rule = layer, rule

    def take_metadata(self, body: Any, *, default_layer: str | None = None) -> None:
        """Note what our own layers wrote into a result or an error."""
        layer, rule, call_id = refusal_metadata(body)
        self.layer, self.rule = layer or default_layer, rule
        self.call_id = call_id or self.call_id


def error_words(body: Any) -> str:
    """What a JSON-RPC error says, or nothing."""
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("message", "")) if isinstance(error, dict) else ""


class EndRequest(Exception):
    """The request ends here."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(str(answer.status))


def refusal_metadata(body: Any) -> tuple[str | None, str | None, str | None]:
    """Layer, rule and call id that our own layers write into results (`_meta`) and errors (`data`)."""
    if not isinstance(body, dict):
        return None, None, None
    data = (body.get("error") or {}).get("data") or {}
    meta = (body.get("result") or {}).get("_meta") or {}
    return (
        data.get("layer") or meta.get(META_LAYER),
        data.get("rule") or meta.get(META_RULE),
        data.get("call_id") or meta.get(META_CALL_ID),
    )

"""The RESPONSE interceptor: every answer of one persona's gateway passes here last.

It shows a clean answer or none at all. It never raises, because what the gateway does then is not documented.
"""

from __future__ import annotations

import os
import secrets
import time
from functools import cache
from pathlib import Path
from typing import Any

from callpath.call_record import new_call_id
from callpath.record_log import log_fault, record_logger
from callpath.refusal import Refusal
from response_interceptor.answer_context import AnswerContext
from response_interceptor.decision import decide, held_back
from response_interceptor.redaction import Marks
from response_interceptor.rules import Rules, read_rules

RULES_PATH = Path(__file__).parents[1] / "rules.json"
SESSION_HEADER = "Mcp-Session-Id"
OK = 200
# Of this instance of the function alone: made when it starts, never written anywhere.
MARK_KEY = secrets.token_bytes(32)
LOGGER = record_logger("response-interceptor")


@cache
def rules() -> Rules:
    """The rules in the zip, read once. A failure is not remembered: it is met, and refused, at every response."""
    return read_rules(RULES_PATH)


def handler(event: Any, _context: object) -> dict[str, Any]:
    """Answer the gateway with the response to show."""
    context = AnswerContext(call_id=new_call_id(), now=time.time())
    try:
        answer = decide(event, context=context, rules=rules(), marks=_marks(event), new_nonce=_new_nonce)
        if answer is None:
            return _output(event, None)
        LOGGER.info(context.record(rules(), answer=answer))
        if (metrics := context.metrics(rules())) is not None:
            LOGGER.info(metrics)
        if context.unheard:
            return _output(event, None)
        # The status of an answer that was lost is nobody's word on ours: with 202 or an error's, hosts read no result.
        return _transformed(event, OK, answer) if context.unanswered else _output(event, answer)
    except Refusal as refusal:
        return _held_back(refusal, context, event)
    except Exception as exception:
        log_fault(LOGGER, exception, call_id=context.call_id)
        message = "Ringfence could not check the answer, so it is not shown: tell your platform team"
        return _held_back(Refusal("response", "internal-error", message), context, event)


def _marks(event: Any) -> Marks:
    """Return the marks of the session that a request names in its header; where none is shown, those of all."""
    return Marks(MARK_KEY, _header(event, "gatewayRequest") or "")


def _new_nonce() -> str:
    return secrets.token_hex(8)


def _rules_if_any() -> Rules | None:
    try:
        return rules()
    except Exception:  # without rules nothing is shown, and nobody is named
        return None


def _held_back(refusal: Refusal, context: AnswerContext, event: Any) -> dict[str, Any]:
    answer = held_back(refusal, context=context, event=event, rules=_rules_if_any())
    try:
        LOGGER.info(context.record(rules(), answer=answer, refusal=refusal))
    except Exception as exception:  # nothing is shown either way; the fault's own line takes the record's place
        log_fault(LOGGER, exception, call_id=context.call_id)
    return _output(event, None) if context.unheard else _transformed(event, OK, answer)


def _output(event: Any, answer: dict[str, Any] | None) -> dict[str, Any]:
    status = event["mcp"]["gatewayResponse"].get("statusCode")
    return _transformed(event, status if isinstance(status, int) and 100 <= status <= 599 else OK, answer)


def _transformed(event: Any, status: int, answer: dict[str, Any] | None) -> dict[str, Any]:
    response: dict[str, Any] = {"statusCode": status, "body": answer}
    if session := _session_id(event):
        response["headers"] = {SESSION_HEADER: session}
    return {"interceptorOutputVersion": "1.0", "mcp": {"transformedGatewayResponse": response}}


def _session_id(event: Any) -> str | None:
    """Return the session id of the gateway's answer.

    It travels in a header of the answer to `initialize` and nowhere else, and without it every later request is refused
    (AgentCore developer guide, "gateway-sessions"). Whether headers that an interceptor does not name survive is not
    documented for MCP targets ("gateway-interceptors-types"; both read 28 November 2026), so this one is named.
    """
    return _header(event, "gatewayResponse")


def _header(event: Any, part: str) -> str | None:
    try:
        headers = event["mcp"][part]["headers"]
        found = [value for name, value in headers.items() if name.lower() == SESSION_HEADER.lower()]
    except (KeyError, TypeError, AttributeError):
        return None
    return found[0] if len(found) == 1 and isinstance(found[0], str) and found[0] else None


if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:  # set by Lambda alone: use its start-up, when the processor is free
    try:
        rules()
    except Exception as exception:
        LOGGER.error("start-up failed; every answer will be held back", extra={"error": type(exception).__name__})

"""Reads the gateway's event and the one JSON-RPC message in it, and refuses everything that is not plainly one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from callpath.characters import hides
from callpath.json_limits import RepeatedField, deeper_than, usable_id, without_repeats
from callpath.refusal import Refusal
from callpath.request.rules import Rules

PARSE_ERROR = -32700
INVALID_REQUEST = -32600

_REMOVE = "remove them, or type the text anew"
_METHOD = re.compile(r"[A-Za-z]{1,32}(?:/[A-Za-z_]{1,32}){0,3}")


@dataclass(frozen=True, kw_only=True)
class GatewayRequest:
    """What the gateway hands over: the headers as they came, and the body as the gateway parsed it and as it came."""

    headers: dict[str, str]
    body: Any
    raw: str | None
    size: int

    def header_values(self, name: str) -> list[str]:
        """Return the values of a header in any letter case: the gateway has been seen to lower names."""
        return [value for found, value in self.headers.items() if found.lower() == name.lower()]


@dataclass(frozen=True, kw_only=True)
class Message:
    """A JSON-RPC request, or a notification when `id` is None."""

    id: str | int | None
    method: str
    params: dict[str, Any]


class Malformed(Refusal):
    """The request is not a JSON-RPC message this gateway takes; `code` is JSON-RPC's code for that."""

    def __init__(self, message: str, code: int = INVALID_REQUEST, rule: str = "malformed-request") -> None:
        super().__init__("request", rule, message)
        self.code = code


def read_event(event: Any) -> GatewayRequest:
    """Return the request in an interceptor event.

    Raises:
        Malformed: the event is not what the gateway sends, or its body is not JSON.
    """
    try:
        request = event["mcp"]["gatewayRequest"]
        headers = request.get("headers") or {}
        body = request.get("body")
        raw = (event["mcp"].get("rawGatewayRequest") or {}).get("body")
    except (KeyError, TypeError, AttributeError):
        raise Malformed("The gateway's event holds no request") from None
    if not isinstance(headers, dict):
        raise Malformed("The gateway's event holds no headers")
    if isinstance(body, str):
        raw = body if raw is None else raw
        body = _parsed(body)
    raw = raw if isinstance(raw, str) else None
    size = len(json.dumps(body)) if raw is None else len(raw.encode("utf-8", "surrogatepass"))
    return GatewayRequest(
        headers={name: value for name, value in headers.items() if isinstance(value, str)},
        body=body,
        raw=raw,
        size=size,
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("The request is not valid JSON", PARSE_ERROR) from None


def check_size(request: GatewayRequest, *, rules: Rules) -> None:
    """Refuse what is too large or nested too deeply to look at, before anything looks at it.

    Raises:
        Malformed: rule `request-too-large` or `request-too-deep`.
    """
    if request.size > rules.request_bytes:
        raise Malformed(f"The request is larger than {rules.request_bytes} bytes", rule="request-too-large")
    if deeper_than(request.body, rules.depth):
        raise Malformed(f"The request is nested deeper than {rules.depth} levels", rule="request-too-deep")


def check_reading(request: GatewayRequest) -> None:
    """Refuse a request that two readers could read differently. Called once its size and depth are known.

    What passes on is built from the gateway's reading alone; but the host, and the person who approved the call, may
    have read the other.

    Raises:
        Malformed: a field is given twice, or the call that the gateway read is not the one that was sent.
    """
    if request.raw is None:
        return
    try:
        sent = json.loads(request.raw, object_pairs_hook=without_repeats)
    except RepeatedField:
        raise Malformed("The request has a field twice: give each once") from None
    except (ValueError, RecursionError):
        raise Malformed("The request is not valid JSON", PARSE_ERROR) from None
    if _asked(sent) != _asked(request.body):
        raise Malformed("The request was not read as it was sent")


def _asked(body: Any) -> tuple[Any, ...]:
    """What a message asks for: its method, and a call's tool and arguments."""
    params = body.get("params") if isinstance(body, dict) else None
    tool, arguments = (params.get("name"), params.get("arguments")) if isinstance(params, dict) else (None, None)
    return (body.get("method") if isinstance(body, dict) else body, tool, arguments)


def message_id(body: Any) -> str | int | None:
    """Return the id to answer to, or None when there is no usable one."""
    return usable_id(body.get("id")) if isinstance(body, dict) else None


def message_method(body: Any) -> str | None:
    """Return the method, or None when there is no plain one."""
    found = body.get("method") if isinstance(body, dict) else None
    return found if isinstance(found, str) and _METHOD.fullmatch(found) else None


def is_notification(body: Any) -> bool:
    """Say whether a message is one that nobody waits for the answer to, whatever else is wrong with it."""
    return isinstance(body, dict) and "id" not in body and (message_method(body) or "").startswith("notifications/")


def read_message(body: Any) -> Message:
    """Return the one message of a body.

    Raises:
        Malformed: a batch, an answer instead of a request, or anything else that is not one JSON-RPC 2.0 request.
    """
    if isinstance(body, list):
        raise Malformed("Batches are not accepted: send one request at a time")
    if not isinstance(body, dict) or body.get("jsonrpc") != "2.0":
        raise Malformed("The request is not a JSON-RPC 2.0 request")
    if body.keys() - {"jsonrpc", "id", "method", "params"}:
        raise Malformed("The request has fields that a JSON-RPC request does not have")
    method, params = message_method(body), body.get("params", {})
    if method is None:
        raise Malformed("The request's method is missing or is not a plain word")
    if not isinstance(params, dict):
        raise Malformed("The request's params must be an object")
    if "id" in body and message_id(body) is None:
        raise Malformed("The request's id must be text of 1 to 128 visible characters or a whole number within 2^53")
    if method.startswith("notifications/") is ("id" in body):
        raise Malformed("A request needs an id, and a notification must not have one")
    return Message(id=message_id(body), method=method, params=params)


def check_characters(params: dict[str, Any], *, declared: frozenset[str]) -> None:
    """Refuse control, bidirectional, zero-width and tag characters anywhere in the params.

    They are refused rather than removed: a call that a person approved by eye must be the call that runs.

    Args:
        params: the message's.
        declared: the arguments that may be named to the caller, which are the tool's own.

    Raises:
        Refusal: rule `hidden-characters`.
    """
    given = params.get("arguments")
    arguments = given if isinstance(given, dict) else {}
    for name, value in arguments.items():
        if name in declared and _hides_anywhere(value):
            raise Refusal(
                "request", "hidden-characters", f'"{name}" contains characters that cannot be seen: {_REMOVE}'
            )
    if _hides_anywhere(params):
        raise Refusal("request", "hidden-characters", f"The request contains characters that cannot be seen: {_REMOVE}")


def _hides_anywhere(value: Any) -> bool:
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and hides(item):
            return True
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return False

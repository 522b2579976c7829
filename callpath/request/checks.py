"""What a request is held to by itself, whoever sent it: pure functions of the message and the rules.

Both interceptors decide with them. The request interceptor refuses; the response interceptor, to which a gateway may
show the request without the refusal, finds the refusal again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from callpath.arguments import check_arguments
from callpath.call_record import ArgumentSummary, request_record, summarise_arguments
from callpath.digest import canonical_digest
from callpath.refusal import Refusal, refusal_error, refusal_result
from callpath.request.message import (
    GatewayRequest,
    Malformed,
    Message,
    check_characters,
    check_reading,
    check_size,
    is_notification,
    message_id,
    message_method,
    read_event,
    read_message,
)
from callpath.request.rules import Rules, Tool

METHOD_NOT_FOUND = -32601
INTERNAL_ERROR = -32603
REFUSED = -32003

# The params of the methods that are no tool call (MCP 2025-11-25, schema reference).
_PARAMS: dict[str, dict[str, type]] = {
    "initialize": {"protocolVersion": str, "capabilities": dict, "clientInfo": dict},
    "tools/list": {"cursor": str},
    "notifications/cancelled": {"requestId": object, "reason": str},
}
_LONGEST_PARAM = 1024  # characters of text


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A person, through one MCP host."""

    staff_id: str
    client_id: str
    token_id: str
    session: str | None


@dataclass(kw_only=True)
class CallContext:
    """What is known about a request so far: a refusal's record tells as much as was found out before it."""

    call_id: str
    now: float
    body: Any = None
    request_sha256: str | None = None
    caller: Caller | None = None
    tool: Tool | None = None
    tool_name: str | None = None
    operation: str | None = None
    arguments: ArgumentSummary | None = None

    def note(self, request: GatewayRequest, *, rules: Rules) -> None:
        """Note the request and its digest, by which both halves of a record find each other without a call id."""
        self.body = request.body
        if request.size <= rules.request_bytes:  # what is larger is not looked at
            self.request_sha256, _ = canonical_digest(request.body)

    @property
    def method(self) -> str | None:
        """The method that was asked for, whatever else is wrong with the request."""
        return message_method(self.body)

    def record(self, rules: Rules, refusal: Refusal | None = None) -> dict[str, object]:
        """Return the request half of the call record."""
        caller, tool = self.caller, self.tool
        return request_record(
            call_id=self.call_id,
            request_sha256=self.request_sha256,
            now=self.now,
            department=rules.department,
            persona=rules.persona,
            policy_version=rules.policy_version,
            outcome="refused" if refusal else "allowed",
            layer=refusal.layer if refusal else None,
            rule=refusal.rule if refusal else None,
            staff_id=caller.staff_id if caller else None,
            client_id=caller.client_id if caller else None,
            token_id=caller.token_id if caller else None,
            session=caller.session if caller else None,
            method=self.method,
            server=tool.server if tool else None,
            tool=tool.name if tool else self.tool_name,
            level=tool.level_of(self.operation) if tool else None,
            arguments=self.arguments,
        )


def checked_message(request: GatewayRequest, *, rules: Rules) -> Message:
    """Return the message of a request that may be looked at further.

    Raises:
        Refusal: it must not pass, whatever it asks for.
    """
    check_size(request, rules=rules)
    check_reading(request)
    message = read_message(request.body)
    if message.method not in rules.methods and message.method not in rules.empty_lists:
        raise Refusal("request", "method-refused", "The request's method is not available through this gateway")
    check_characters(message.params, declared=rules.arguments_of(message.params.get("name")))
    _check_meta(message.params)
    return message


def checked_call(message: Message, *, context: CallContext, rules: Rules) -> tuple[dict[str, Any], Tool, str]:
    """Check a tool call and return its params with the forced arguments, its tool, and the arguments' digest.

    Raises:
        Refusal: the call must not pass.
    """
    params = message.params
    if params.keys() - {"name", "arguments", "_meta"}:
        raise Malformed("A tool call takes a name and arguments, nothing else")
    name = rules.published(params.get("name"))
    context.tool_name = name if isinstance(name, str) else None
    context.tool = tool = rules.tools.get(name) if isinstance(name, str) else None
    context.arguments = summarise_arguments(params.get("arguments"), declared=tool.rule.declared if tool else ())
    if tool is None:
        raise Refusal("request", "unknown-tool", rules.unknown(name))
    arguments = check_arguments(tool.rule, params.get("arguments"))
    context.arguments = summary = summarise_arguments(arguments, declared=tool.rule.declared)
    if summary.sha256 is None:
        raise Malformed("The arguments hold a number or a character that JSON cannot carry exactly")
    context.operation = tool.operation_in(arguments)
    return {**params, "name": name, "arguments": arguments}, tool, summary.sha256


def known_params(message: Message) -> dict[str, Any]:
    """Return the params that a method other than `tools/call` has, and leave out what nobody here would read.

    Raises:
        Malformed: one of them is of another type.
    """
    known = {**_PARAMS.get(message.method, {}), "_meta": dict}
    params = {name: value for name, value in message.params.items() if name in known}
    for name, value in params.items():
        if not isinstance(value, known[name]) or (isinstance(value, str) and len(value) > _LONGEST_PARAM):
            raise Malformed(f"The request's {name} is not what {message.method} takes")
    return params


def refusal_again(event: Any, *, context: CallContext, rules: Rules) -> Refusal | None:
    """Return why a request must not pass, or None where the request alone does not tell.

    For the response interceptor, to which a gateway may show the request and not the refusal. What `decide` looks at
    besides cannot be told from there: whom the access token names, which comes first, and whether the key signs.
    """
    try:
        request = read_event(event)
        context.note(request, rules=rules)
        message = checked_message(request, rules=rules)
        if message.method == "tools/call":
            checked_call(message, context=context, rules=rules)
        elif message.method not in rules.empty_lists:
            known_params(message)
    except Refusal as refusal:
        return refusal
    return None


def answer_to(refusal: Refusal, *, context: CallContext) -> dict[str, dict[str, Any]]:
    """Return the gateway's `transformedGatewayResponse` that tells the caller about a refusal.

    A refused tool call is a tool result, so that the model reads why and can do better; anything else is an error. A
    notification is accepted and dropped: JSON-RPC has no answer to it, and a strict host gives up when it gets one
    (awslabs/mcp pull request 3324).
    """
    if is_notification(context.body):
        return answered(None, status=202)
    answer: dict[str, Any] = {"jsonrpc": "2.0", "id": message_id(context.body)}
    if context.method == "tools/call" and not isinstance(refusal, Malformed):
        answer["result"] = refusal_result(refusal, context.call_id)
    else:
        answer["error"] = refusal_error(refusal, context.call_id, _code(refusal))
    return answered(answer)


def answered(answer: dict[str, Any] | None, *, status: int = 200) -> dict[str, dict[str, Any]]:
    """Return the gateway's `transformedGatewayResponse`, which ends the request."""
    return {"transformedGatewayResponse": {"statusCode": status, "body": answer}}


def _code(refusal: Refusal) -> int:
    if isinstance(refusal, Malformed):
        return refusal.code
    return {"method-refused": METHOD_NOT_FOUND, "internal-error": INTERNAL_ERROR}.get(refusal.rule, REFUSED)


def _check_meta(params: dict[str, Any]) -> None:
    meta = params.get("_meta", {})
    if not isinstance(meta, dict) or any(name.lower().startswith("ringfence/") for name in meta):
        raise Malformed("The request's _meta must be an object without ringfence/ fields: those are not the caller's")

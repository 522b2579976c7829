"""Decides one request: a pure function of the event, the rules, the clock and the signer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from callpath.arguments import check_arguments
from callpath.call_record import ArgumentSummary, request_record, summarise_arguments
from callpath.refusal import META_CALL_ID, Refusal, refusal_error, refusal_result
from callpath.txn_token import HEADER, LIFETIME_SECONDS, NO_TOKEN, TxnToken
from request_interceptor.caller import Caller, TrustedIssuer, read_caller
from request_interceptor.message import (
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
from request_interceptor.rules import Rules, Tool

METHOD_NOT_FOUND = -32601
INTERNAL_ERROR = -32603
REFUSED = -32003

# The only `_meta` that passes. MCP 2026-07-28 puts the protocol version and the client's capabilities there; everything
# else, `ringfence/...` above all, is ours to write or of no use to a stateless call.
_META_PREFIX = "io.modelcontextprotocol/"

# The params of the methods that are no tool call (MCP 2025-11-25, schema reference).
_PARAMS: dict[str, dict[str, type]] = {
    "initialize": {"protocolVersion": str, "capabilities": dict, "clientInfo": dict},
    "tools/list": {"cursor": str},
    "notifications/cancelled": {"requestId": object, "reason": str},
}
_LONGEST_PARAM = 1024  # characters of text


@dataclass(kw_only=True)
class Story:
    """What is known about a request so far: a refusal's record tells as much as was found out before it."""

    call_id: str
    now: float
    body: Any = None
    caller: Caller | None = None
    tool: Tool | None = None
    tool_name: str | None = None
    operation: str | None = None
    arguments: ArgumentSummary | None = None

    @property
    def method(self) -> str | None:
        """The method that was asked for, whatever else is wrong with the request."""
        return message_method(self.body)

    def record(self, rules: Rules, refusal: Refusal | None = None) -> dict[str, object]:
        """Return the request half of the call record."""
        caller, tool = self.caller, self.tool
        return request_record(
            call_id=self.call_id,
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


def decide(
    event: Any, *, story: Story, rules: Rules, trusted: TrustedIssuer, mint: Callable[[TxnToken], str]
) -> dict[str, dict[str, Any]]:
    """Return the request to pass on, or the answer that ends it here.

    Args:
        event: the gateway's event.
        story: is told everything on the way.
        rules: this persona's rules.
        trusted: whose access tokens count.
        mint: signs a transaction token.

    Returns:
        `transformedGatewayRequest`, or, where nobody else need be asked, `transformedGatewayResponse`.

    Raises:
        Refusal: the request must not pass.
    """
    request = read_event(event)
    story.body = request.body
    story.caller = caller = read_caller(request, trusted=trusted, persona=rules.persona, now=story.now)
    message = _checked_message(request, rules=rules)
    if message.method in rules.empty_lists:
        result = {rules.empty_lists[message.method]: [], "_meta": {META_CALL_ID: story.call_id}}
        return _answered({"jsonrpc": "2.0", "id": message.id, "result": result})
    params, token = _known_params(message), NO_TOKEN
    if message.method == "tools/call":
        params, stated = _call(message, story=story, rules=rules, caller=caller)
        token = mint(stated)
    passed_on = _passed_on(request, story=story, message=message, params=params, token=token)
    return {"transformedGatewayRequest": passed_on}


def refusal_again(event: Any, *, story: Story, rules: Rules) -> Refusal | None:
    """Return why a request must not pass, as far as the request alone tells, or None where it does not.

    For the response interceptor, to which a gateway may show the request and not the refusal. What the token or the
    signing key decides is left out: the gateway has checked the one, and nobody but `decide` may use the other.
    """
    try:
        request = read_event(event)
        story.body = request.body
        message = _checked_message(request, rules=rules)
        if message.method == "tools/call":
            _checked_call(message, story=story, rules=rules)
        elif message.method not in rules.empty_lists:
            _known_params(message)
    except Refusal as refusal:
        return refusal
    return None


def answer_to(refusal: Refusal, *, story: Story) -> dict[str, dict[str, Any]]:
    """Return the gateway's `transformedGatewayResponse` that tells the caller about a refusal.

    A refused tool call is a tool result, so that the model reads why and can do better; anything else is an error. A
    notification is accepted and dropped: JSON-RPC has no answer to it, and a strict host gives up when it gets one
    (awslabs/mcp pull request 3324).
    """
    if is_notification(story.body):
        return _answered(None, status=202)
    answer: dict[str, Any] = {"jsonrpc": "2.0", "id": message_id(story.body)}
    if story.method == "tools/call" and not isinstance(refusal, Malformed):
        answer["result"] = refusal_result(refusal, story.call_id)
    else:
        answer["error"] = refusal_error(refusal, story.call_id, _code(refusal))
    return _answered(answer)


def _answered(answer: dict[str, Any] | None, *, status: int = 200) -> dict[str, dict[str, Any]]:
    return {"transformedGatewayResponse": {"statusCode": status, "body": answer}}


def _code(refusal: Refusal) -> int:
    if isinstance(refusal, Malformed):
        return refusal.code
    return {"method-refused": METHOD_NOT_FOUND, "internal-error": INTERNAL_ERROR}.get(refusal.rule, REFUSED)


def _checked_message(request: GatewayRequest, *, rules: Rules) -> Message:
    check_size(request, rules=rules)
    check_reading(request)
    message = read_message(request.body)
    if message.method not in rules.methods and message.method not in rules.empty_lists:
        raise Refusal("request", "method-refused", f"{message.method} is not available through this gateway")
    check_characters(message.params)
    _check_meta(message.params)
    return message


def _checked_call(message: Message, *, story: Story, rules: Rules) -> tuple[dict[str, Any], Tool, str]:
    """Check a tool call and return its params with the forced arguments, its tool, and the arguments' digest."""
    params = message.params
    if params.keys() - {"name", "arguments", "_meta"}:
        raise Malformed("A tool call takes a name and arguments, nothing else")
    name = rules.published(params.get("name"))
    story.tool_name = name if isinstance(name, str) else None
    story.tool = tool = rules.tools.get(name) if isinstance(name, str) else None
    story.arguments = summarise_arguments(params.get("arguments"), declared=tool.rule.declared if tool else ())
    if tool is None:
        raise Refusal("request", "unknown-tool", rules.unknown(name))
    arguments = check_arguments(tool.rule, params.get("arguments"))
    story.arguments = summary = summarise_arguments(arguments, declared=tool.rule.declared)
    if summary.sha256 is None:
        raise Malformed("The arguments hold a number or a character that JSON cannot carry exactly")
    story.operation = tool.operation_in(arguments)
    return {**params, "name": name, "arguments": arguments}, tool, summary.sha256


def _call(message: Message, *, story: Story, rules: Rules, caller: Caller) -> tuple[dict[str, Any], TxnToken]:
    """Return the params of a checked tool call, and the token that states it."""
    params, tool, sha256 = _checked_call(message, story=story, rules=rules)
    issued_at = int(story.now)
    token = TxnToken(
        issuer=rules.issuer,
        audience=tool.audience,
        issued_at=issued_at,
        expires_at=issued_at + LIFETIME_SECONDS,
        call_id=story.call_id,
        staff_id=caller.staff_id,
        persona=rules.persona,
        tool=tool.name,
        arguments_sha256=sha256,
        token_id=caller.token_id,
        client_id=caller.client_id,
        session=caller.session,
    )
    return params, token


def _known_params(message: Message) -> dict[str, Any]:
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


def _check_meta(params: dict[str, Any]) -> None:
    meta = params.get("_meta", {})
    if not isinstance(meta, dict) or any(name.lower().startswith("ringfence/") for name in meta):
        raise Malformed("The request's _meta must be an object without ringfence/ fields: those are not the caller's")


def _passed_on(
    request: GatewayRequest, *, story: Story, message: Message, params: dict[str, Any], token: str
) -> dict[str, Any]:
    """Build the request anew, from checked parts only.

    The token header is written under our name and under every spelling the client sent, for every method: whether the
    gateway merges headers or replaces them, and whatever it makes of letter case, nothing of the client's survives.
    """
    spellings = {name for name in request.headers if name.lower() == HEADER.lower()}
    body: dict[str, Any] = {"jsonrpc": "2.0", "method": message.method}
    kept = {name: value for name, value in params.get("_meta", {}).items() if name.startswith(_META_PREFIX)}
    if message.id is not None:
        body["id"] = message.id
        kept[META_CALL_ID] = story.call_id  # so that the response interceptor can name the call
    params = {name: value for name, value in params.items() if name != "_meta"}
    if kept:
        params["_meta"] = kept
    if params:
        body["params"] = params
    return {"headers": dict.fromkeys([*sorted(spellings - {HEADER}), HEADER], token), "body": body}

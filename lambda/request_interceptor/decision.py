"""Decides one request: a pure function of the event, the rules, the clock and the signer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callpath.refusal import META_CALL_ID
from callpath.request.checks import CallContext, Caller, answered, checked_call, checked_message, known_params
from callpath.request.message import GatewayRequest, Message, read_event
from callpath.request.rules import Rules
from callpath.txn_token import HEADER, LIFETIME_SECONDS, NO_TOKEN, TxnToken
from request_interceptor.caller import TrustedIssuer, read_caller

# The only `_meta` that passes. MCP 2026-07-28 puts the protocol version and the client's capabilities there; everything
# else, `ringfence/...` above all, is ours to write or of no use to a stateless call.
_META_PREFIX = "io.modelcontextprotocol/"


def decide(
    event: Any, *, context: CallContext, rules: Rules, trusted: TrustedIssuer, mint: Callable[[TxnToken], str]
) -> dict[str, dict[str, Any]]:
    """Return the request to pass on, or the answer that ends it here.

    Args:
        event: the gateway's event.
        context: is told everything on the way.
        rules: this persona's rules.
        trusted: whose access tokens count.
        mint: signs a transaction token.

    Returns:
        `transformedGatewayRequest`, or, where nobody else need be asked, `transformedGatewayResponse`.

    Raises:
        Refusal: the request must not pass.
    """
    request = read_event(event)
    context.note(request, rules=rules)
    context.caller = caller = read_caller(request, trusted=trusted, persona=rules.persona, now=context.now)
    message = checked_message(request, rules=rules)
    if message.method in rules.empty_lists:
        result = {rules.empty_lists[message.method]: [], "_meta": {META_CALL_ID: context.call_id}}
        return answered({"jsonrpc": "2.0", "id": message.id, "result": result})
    params, token = known_params(message), NO_TOKEN
    if message.method == "tools/call":
        params, stated = _call(message, context=context, rules=rules, caller=caller)
        token = mint(stated)
    passed_on = _passed_on(request, context=context, message=message, params=params, token=token)
    return {"transformedGatewayRequest": passed_on}


def _call(message: Message, *, context: CallContext, rules: Rules, caller: Caller) -> tuple[dict[str, Any], TxnToken]:
    """Return the params of a checked tool call, and the token that states it."""
    params, tool, sha256 = checked_call(message, context=context, rules=rules)
    issued_at = int(context.now)
    token = TxnToken(
        issuer=rules.issuer,
        audience=tool.audience,
        issued_at=issued_at,
        expires_at=issued_at + LIFETIME_SECONDS,
        call_id=context.call_id,
        staff_id=caller.staff_id,
        persona=rules.persona,
        tool=tool.name,
        arguments_sha256=sha256,
        token_id=caller.token_id,
        client_id=caller.client_id,
        session=caller.session,
    )
    return params, token


def _passed_on(
    request: GatewayRequest, *, context: CallContext, message: Message, params: dict[str, Any], token: str
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
        kept[META_CALL_ID] = context.call_id  # so that the response interceptor can name the call
    params = {name: value for name, value in params.items() if name != "_meta"}
    if kept:
        params["_meta"] = kept
    if params:
        body["params"] = params
    return {"headers": dict.fromkeys([*sorted(spellings - {HEADER}), HEADER], token), "body": body}

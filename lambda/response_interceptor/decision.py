"""Decides one response: a pure function of the event, the rules and the source of randomness."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from callpath.call_record import is_call_id
from callpath.digest import LARGEST_INTEGER
from callpath.json_limits import usable_id
from callpath.refusal import (
    META_CALL_ID,
    META_LAYER,
    META_OUTCOME,
    META_OWN_SENTENCE,
    META_OWN_WORDS,
    META_RULE,
    Refusal,
    completed,
    refusal_error,
    refusal_result,
)
from callpath.request import checks
from callpath.request.message import is_notification
from response_interceptor.answer_context import AnswerContext
from response_interceptor.caveats import caveats_of, with_caveats
from response_interceptor.gateway_fault import RUNTIME_ENDED, gateway_fault
from response_interceptor.neutralise import closing_mark, opening_mark
from response_interceptor.redaction import Marks, Redaction
from response_interceptor.rules import Rules
from response_interceptor.tool_list import locked_list
from response_interceptor.tool_result import Cleaner, clean_result, source_of

INTERNAL_ERROR = -32603
ACCEPTED = 202
# How AgentCore Gateway words a denial: "AuthorizeActionException - Tool Execution Denied: ...".
_POLICY_WORD = "AuthorizeActionException"
_NO_ANSWER = (
    "No answer came back, and the request does not say why: if it may have changed something, look at that before you "
    "call once more; if that changes nothing, sign in again, and then tell your platform team the call id"
)
# Whoever comes this far has the persona's client, scope and group. What the policy compares besides is the audience,
# which a host that spells the gateway's address otherwise gets wrong (anthropics/claude-code, issue 52871, April 2026).
_NOTHING_PERMITTED = Refusal(
    "policy",
    "nothing-permitted",
    "The gateway's policy permits this access token no tool, as when the host signed in for another spelling of the "
    "gateway's address: connect to exactly the address that you were given, sign out in the host, and sign in again",
)
_LONGEST_ERROR = 4096  # characters of an error's message
_RULE = re.compile(r"[a-z]+(?:-[a-z]+){0,5}")
_NOT_DONE = ("failed", "refused")
_REFUSING_LAYERS = ("request", "policy", "runtime", "credentials", "server", "aws")


def decide(
    event: Any, *, context: AnswerContext, rules: Rules, marks: Marks, new_nonce: Callable[[], str]
) -> dict[str, Any] | None:
    """Return the JSON-RPC message the caller may see, or None for an answer without a body.

    Whoever refused or failed, our sentence about it names the tool and the department's contact.

    Args:
        event: the gateway's event.
        context: is told everything on the way.
        rules: this persona's rules.
        marks: what stands in place of redacted values.
        new_nonce: makes the random part of the marks around untrusted text.

    Raises:
        Refusal: nothing of the answer may be shown.
    """
    answer = _decided(event, context=context, rules=rules, marks=marks, new_nonce=new_nonce)
    if answer is None or context.rule is None or not (context.own_words or context.own_sentence):
        return answer
    return _completed(answer, context.rule, context=context, rules=rules)


def _decided(
    event: Any, *, context: AnswerContext, rules: Rules, marks: Marks, new_nonce: Callable[[], str]
) -> dict[str, Any] | None:
    request, answer = _request(event), _answer(event)
    context.unanswered = answer is None
    method, params = request.get("method"), request.get("params")
    known = isinstance(method, str) and (method in rules.methods or method in rules.empty_lists)
    context.method = method if known else None
    name = params.get("name") if method == "tools/call" and isinstance(params, dict) else None
    context.tool = rules.called(name)
    if answer is None:
        if is_notification(request):
            return None
        context.unheard = _nobody_waits(event, request)
        answer = _answered_again(event, request, rules=rules, context=context)
    listed = rules.empty_lists.get(str(method))
    # An empty list is the request interceptor's own answer and never passed on: a call id in its request is a caller's.
    context.call_id = _call_id({} if listed else request, answer) or context.call_id
    if listed is not None and "result" in answer:
        return {"jsonrpc": "2.0", "id": _id({}, request), "result": {listed: []}}
    redaction = Redaction(rules.redactor, marks)
    context.redactions = redaction.counts
    _note_outcome(answer, context=context)
    # Our own sentences hold no word of anybody else. A failure may be told in anybody's, whatever the tool.
    untrusted = not context.own_words and (
        context.tool is None or context.tool.untrusted or context.outcome != "allowed"
    )
    cleaner = Cleaner(redaction=redaction, context=context, untrusted=untrusted, contact=rules.contact)
    envelope = {"jsonrpc": "2.0", "id": _id(answer, request)}
    if "error" in answer:
        return envelope | _shown_error(
            answer["error"],
            method=method,
            cleaner=cleaner,
            context=context,
            mark=(source_of(context, rules), new_nonce),
        )
    result = answer.get("result")
    if not isinstance(result, dict):
        raise Refusal("response", "unexpected-result", "The gateway's answer holds neither a result nor an error")
    clean = _clean(
        result, method=method, params=params, cleaner=cleaner, rules=rules, context=context, new_nonce=new_nonce
    )
    return envelope | {"result": _with_version_fields(clean, result)}


def _clean(
    result: dict[str, Any],
    *,
    method: Any,
    params: Any,
    cleaner: Cleaner,
    rules: Rules,
    context: AnswerContext,
    new_nonce: Callable[[], str],
) -> dict[str, Any]:
    """Return what is shown of the result of a method.

    Raises:
        Refusal: nothing of it.
    """
    if method == "tools/call":
        if _is_policy_denial(result):
            return _refused_before(_policy_denied(rules, context), context)
        if context.tool is None and context.rule is None:
            raise Refusal("response", "unknown-tool", "The persona has no such tool, so its answer is not shown")
        caveats = caveats_of(context.tool.caveats, params, result) if context.tool else []
        clean = clean_result(result, cleaner=cleaner, rules=rules, context=context, new_nonce=new_nonce)
        return with_caveats(clean, caveats)
    if context.method is None:
        raise Refusal("response", "method-refused", "The method is not available through this gateway")
    if method == "tools/list":
        if _shows_nothing(result, params) and rules.tools:
            raise _NOTHING_PERMITTED
        return locked_list(result, rules=rules, context=context, redaction=cleaner.redaction)
    return _reduced(result, cleaner=cleaner)


def held_back(refusal: Refusal, *, context: AnswerContext, event: Any, rules: Rules | None) -> dict[str, Any]:
    """Return the JSON-RPC message that says why an answer is not shown. Holds nothing of the answer.

    Args:
        refusal: why.
        context: what is known of the answer.
        event: the gateway's event.
        rules: this persona's rules; None where they cannot be read, and nobody can be named.
    """
    request = _request(event)
    answer: dict[str, Any] = {"jsonrpc": "2.0", "id": _id({}, request)}
    if request.get("method") == "tools/call":
        answer["result"] = refusal_result(refusal, context.call_id)
    else:
        answer["error"] = refusal_error(refusal, context.call_id, INTERNAL_ERROR)
    return _completed(answer, refusal.rule, context=context, rules=rules) if rules else answer


def _completed(answer: dict[str, Any], rule: str, *, context: AnswerContext, rules: Rules) -> dict[str, Any]:
    """Return an answer that begins with a sentence of ours, with that sentence complete."""
    holder, field = answer.get("error"), "message"
    if "result" in answer and (content := answer["result"].get("content")):
        holder, field = content[0], "text"
    if holder is not None:
        tools = (context.tool.shown["name"], context.tool.name) if context.tool else ()
        step = rules.next_steps.get(rule, "")
        holder[field] = completed(holder[field], tools=tools, next_step=step, contact=rules.contact)
    return answer


def _request(event: Any) -> dict[str, Any]:
    """Return the request's message, or an empty one when there is none that can be read.

    The request interceptor has answered a malformed request with an error; that answer must still pass.
    """
    try:
        body = _parsed(event["mcp"]["gatewayRequest"]["body"])
    except (KeyError, TypeError):
        return {}
    return body if isinstance(body, dict) else {}


def _answer(event: Any) -> dict[str, Any] | None:
    try:
        body = _parsed(event["mcp"]["gatewayResponse"].get("body"))
    except (KeyError, TypeError, AttributeError):
        raise Refusal("response", "unexpected-result", "The gateway's event holds no answer") from None
    if body is None or isinstance(body, dict):
        return body or None
    raise Refusal("response", "unexpected-result", "The gateway's answer is not one JSON-RPC message")


def _answered_again(event: Any, request: dict[str, Any], *, rules: Rules, context: AnswerContext) -> dict[str, Any]:
    """Return the request interceptor's answer, found again in the request that a gateway shows without it: a refusal,
    or a list that is always empty. Some gateways lose both (aws/bedrock-agentcore-sdk-python issue 409, April 2026).

    Only where there is no answer at all, so that none is ever refused by this. The call id is this function's own: the
    event has nothing that both could have made it of, and that no caller could have written. The digest of the request
    joins the halves instead. Any other request with a call id was either passed on or forged, and tells nothing.

    Raises:
        Refusal: the request does not say why there is no answer.
    """
    asked = checks.CallContext(call_id=context.call_id, now=context.now)
    listed = rules.empty_lists.get(str(request.get("method")))
    refusal = None
    body: dict[str, Any] | None = None
    if _shows_request(event) and (listed is not None or not _has_call_id(request)):
        refusal = checks.refusal_again(event, context=asked, rules=rules.asked)
        context.request_sha256 = asked.request_sha256
        if refusal is None and listed is not None:
            return {"result": {listed: []}}
    if refusal is not None:
        body = checks.answer_to(refusal, context=asked)["transformedGatewayResponse"]["body"]
    if refusal is None or body is None:
        raise Refusal("response", "no-answer", _NO_ANSWER)
    context.derived = True
    return body


def _shows_request(event: Any) -> bool:
    shown = event["mcp"].get("gatewayRequest")
    return isinstance(shown, dict) and shown.get("body") not in (None, "")


def _has_call_id(request: dict[str, Any]) -> bool:
    params = request.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    return isinstance(meta, dict) and is_call_id(meta.get(META_CALL_ID))


def _nobody_waits(event: Any, request: dict[str, Any]) -> bool:
    """Say whether the gateway accepted a request without an id: what is said of it is recorded, and nobody is told."""
    return "id" not in request and event["mcp"]["gatewayResponse"].get("statusCode") == ACCEPTED


def _parsed(body: Any) -> Any:
    if not isinstance(body, str):
        return body
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _id(answer: dict[str, Any], request: dict[str, Any]) -> str | int | None:
    for message in (answer, request):
        if (found := usable_id(message.get("id"))) is not None:
            return found
    return None


def _call_id(request: dict[str, Any], answer: dict[str, Any]) -> str | None:
    """Return the call's id from wherever it survived: the answer, or the request as passed on.

    The request interceptor refuses a caller's own `ringfence/` fields, so none is forged. The token header is not read:
    the guide does not say whether this event shows the request as it was passed on or as the caller sent it.
    """
    result, error, params = answer.get("result"), answer.get("error"), request.get("params")
    places = [
        result.get("_meta") if isinstance(result, dict) else None,
        {META_CALL_ID: error["data"].get("call_id")}
        if isinstance(error, dict) and isinstance(error.get("data"), dict)
        else None,
        params.get("_meta") if isinstance(params, dict) else None,
    ]
    for place in places:
        found = place.get(META_CALL_ID) if isinstance(place, dict) else None
        if is_call_id(found):
            return str(found)
    return None


def _note_outcome(answer: dict[str, Any], *, context: AnswerContext) -> None:
    """Note what an earlier layer of ours says of the call. The host takes such marks off what a server answers."""
    result, error = answer.get("result"), answer.get("error")
    if isinstance(error, dict) and isinstance(data := error.get("data"), dict) and is_call_id(data.get("call_id")):
        meta: Any = {META_LAYER: data.get("layer"), META_RULE: data.get("rule"), META_OWN_WORDS: True}
    else:
        meta = result.get("_meta") if isinstance(result, dict) else None
    if "error" in answer or (isinstance(result, dict) and result.get("isError") is True):
        context.outcome = "failed"
    if not isinstance(meta, dict):
        return
    layer, rule, outcome = meta.get(META_LAYER), meta.get(META_RULE), meta.get(META_OUTCOME, "refused")
    if layer in _REFUSING_LAYERS and isinstance(rule, str) and _RULE.fullmatch(rule) and outcome in _NOT_DONE:
        context.layer, context.rule, context.outcome = layer, rule, outcome
        context.own_words = meta.get(META_OWN_WORDS) is True
        context.own_sentence = meta.get(META_OWN_SENTENCE) is True


def _is_policy_denial(result: dict[str, Any]) -> bool:
    """Say whether the gateway's policy engine refused the call; its own words help nobody."""
    meta, content = result.get("_meta"), result.get("content")
    if result.get("isError") is not True or not isinstance(content, list):
        return False
    ours = isinstance(meta, dict) and META_CALL_ID in meta  # the runtime puts its call id into every result
    return not ours and any(isinstance(part, dict) and _POLICY_WORD in str(part.get("text")) for part in content)


def _shows_nothing(result: dict[str, Any], params: Any) -> bool:
    """Say whether the gateway's policy leaves a caller no tool at all: one page, and nothing on it."""
    later = isinstance(params, dict) and "cursor" in params
    return result.get("tools") == [] and "nextCursor" not in result and not later


def _policy_denied(rules: Rules, context: AnswerContext) -> Refusal:
    """Return what is said of a denial: the request interceptor admitted the call, so the two disagree."""
    called = f"this call of {context.tool.shown['name']}" if context.tool else "this call"
    ask = f"ask {rules.contact} with the call id" if rules.contact else "tell your platform team the call id"
    message = f"The gateway's policy does not permit {called}: keep to the arguments that are listed; if you did, {ask}"
    return Refusal("policy", "policy-denied", message)


def _refused_before(refusal: Refusal, context: AnswerContext) -> dict[str, Any]:
    """Return our own words for what the gateway says of a call, and note it."""
    context.outcome = "failed" if refusal.rule == RUNTIME_ENDED else "refused"
    context.layer, context.rule, context.own_words = refusal.layer, refusal.rule, True
    return refusal_result(refusal, context.call_id, outcome=context.outcome)


def _shown_error(
    error: Any, *, method: Any, cleaner: Cleaner, context: AnswerContext, mark: tuple[str, Callable[[], str]]
) -> dict[str, Any]:
    """Return what is shown of an error: ours as it is, the service's own with what to do about it."""
    if (refusal := gateway_fault(error)) is None:
        return {"error": _clean_error(error, cleaner=cleaner, context=context, mark=mark)}
    result = _refused_before(refusal, context)
    if method == "tools/call":  # a result, because hosts show the model no errors
        return {"result": result}
    return {"error": refusal_error(refusal, context.call_id, error["code"])}


def _clean_error(
    error: Any, *, cleaner: Cleaner, context: AnswerContext, mark: tuple[str, Callable[[], str]]
) -> dict[str, Any]:
    if not isinstance(error, dict):
        raise Refusal("response", "unexpected-result", "The gateway's answer is an error that cannot be read")
    code, message = error.get("code"), error.get("message")
    text = message if isinstance(message, str) else "The gateway gave no reason"
    said = (cleaner.own(text) if context.own_words else cleaner.text(text))[:_LONGEST_ERROR]
    if cleaner.untrusted:
        (source, new_nonce) = mark
        nonce = new_nonce()
        said = f"{opening_mark(nonce, source)}\n{said}\n{closing_mark(nonce)}"
    clean: dict[str, Any] = {
        "code": code if type(code) is int and abs(code) <= LARGEST_INTEGER else INTERNAL_ERROR,
        "message": said,
    }
    if context.rule is not None:
        clean["data"] = {"call_id": context.call_id, "layer": context.layer, "rule": context.rule}
    return clean


def _reduced(result: dict[str, Any], *, cleaner: Cleaner) -> dict[str, Any]:
    """Return the answer to `initialize`, `server/discover` or `ping`, reduced to what a client needs.

    `instructions` go, since hosts put them before the model; so do all capabilities but tools, since they are refused,
    and of the server's words all but its name and version: icons and addresses are there for a host to fetch.
    """
    kept: dict[str, Any] = {name: result[name] for name in ("protocolVersion", "supportedVersions") if name in result}
    server = result.get("serverInfo")
    if isinstance(server, dict):
        kept["serverInfo"] = {name: server[name] for name in ("name", "version") if isinstance(server.get(name), str)}
    clean: dict[str, Any] = cleaner.value(kept)
    if "capabilities" in result:
        clean["capabilities"] = {"tools": {}}
    return clean


def _with_version_fields(clean: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """Add what MCP 2026-07-28 demands of every result, when the answer has it."""
    if result.get("resultType") == "complete":
        clean["resultType"] = "complete"
    if "cacheScope" in result:
        clean["cacheScope"] = "private"  # what a person may see is nobody else's to be shown
        life = result.get("ttlMs")
        clean["ttlMs"] = life if type(life) is int and 0 <= life <= LARGEST_INTEGER else 0
    return clean

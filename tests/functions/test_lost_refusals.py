"""A gateway that loses the request interceptor's refusal loses no reason: the request that it shows tells it again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from callpath.digest import digest
from callpath.request import checks
from request_interceptor import decision as request_decision
from request_interceptor import handler as request_handler
from response_interceptor import decision as asking
from response_interceptor import handler as response_handler
from ringfence.assets.zips import base_zips

USERS = "iam___list_users"
LIST = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}
NESTED: Any = None
for _ in range(40):
    NESTED = [NESTED]


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


@pytest.fixture
def lost(ask, show, request_event, response_event):
    """Refuses a request by the one handler, and lets the other see the request alone, with its raw body or without."""

    def lose(body: Any, *, raw: bool = True, kept: Any = None, **changes: Any):
        event = request_event(body=body, **changes)
        shown = response_event(asked=event["mcp"]["gatewayRequest"]["body"], body=kept)
        if raw:
            shown["mcp"]["rawGatewayRequest"] = event["mcp"]["rawGatewayRequest"]
        return ask(event), show(shown)

    return lose


REFUSED = [
    (call("iam___create_user"), "unknown-tool", "The auditor may not call iam___create_user."),
    (call("iam___list_user"), "unknown-tool", "Did you mean iam___list_users?"),
    (call("iam___get_user"), "missing-argument", '"user_name" is required'),
    (call(USERS, colour="red"), "unknown-argument", "one is not an argument of this tool"),
    (call("iam___get_user", user_name="sam\u200bexample"), "hidden-characters", "characters that cannot be seen"),
    (call(USERS, path_prefix="x" * 200_000), "request-too-large", "larger than 131072 bytes"),
    (
        {"jsonrpc": "2.0", "id": 7, "method": "resources/read"},
        "method-refused",
        "The request's method is not available",
    ),
    ({"jsonrpc": "2.0", "id": 7, "method": "notifications/initialized"}, "malformed-request", "must not have one"),
    ({"id": 7, "method": ["ping"]}, "malformed-request", "not a JSON-RPC 2.0 request"),
    ({**LIST, "params": {"cursor": 5}}, "malformed-request", "cursor is not what tools/list takes"),
    (call(USERS, max_items="all"), "wrong-type", '"max_items"'),
    (call(USERS, path_prefix=NESTED), "request-too-deep", "deeper than 32 levels"),
]


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize(("body", "rule", "says"), REFUSED)
def test_a_lost_refusal_is_told_again_in_the_same_words(lost, body, rule, says, raw):
    refused, shown = lost(body, raw=raw)
    _, kept = lost(body, raw=raw, kept=refused.shown)
    assert refused.rule == shown.rule == kept.rule == rule
    assert says in json.dumps(shown.shown, ensure_ascii=False).replace('\\"', '"')
    assert shown.shown["id"] == 7
    told = json.dumps(shown.shown).replace(shown.record["call_id"], refused.record["call_id"])
    assert json.loads(told) == kept.shown


@pytest.mark.parametrize("body", [[], {}, [call(USERS)], "{", "null", 7])
def test_what_is_no_message_is_told_again_too_and_without_an_id(lost, body):
    refused, shown = lost(body)
    assert refused.rule == shown.rule == "malformed-request"
    assert shown.shown["id"] is None
    assert shown.shown["error"]["code"] == refused.shown["error"]["code"]


@pytest.mark.parametrize("status", [200, 202, 204, 403, 500, 504])
@pytest.mark.parametrize("body", [call("iam___create_user"), {**LIST, "method": "resources/list"}, call(USERS)])
def test_what_is_told_in_place_of_a_lost_answer_goes_out_as_an_answer(show, response_event, body, status):
    """Hosts read no result that comes with 202, nor with an error's status (the MCP SDK for Python, 1.28)."""
    event = response_event(asked=body, body=None)
    event["mcp"]["gatewayResponse"]["statusCode"] = status
    shown = show(event)
    assert shown.content["transformedGatewayResponse"]["statusCode"] == 200
    assert "result" in shown.shown


def test_the_record_says_that_the_refusal_was_found_again_and_names_the_request_half(lost):
    refused, shown = lost(call("iam___create_user"))
    assert (shown.record["derived"], shown.record["layer"], shown.record["outcome"]) == (True, "request", "refused")
    assert shown.record["call_id"] != refused.record["call_id"]  # nothing in the event is both sides' and no caller's
    assert shown.record["request_sha256"] == refused.record["request_sha256"]
    assert shown.record["request_sha256"] == digest(call("iam___create_user"))


def test_a_request_that_is_too_large_to_look_at_is_not_digested(lost):
    refused, shown = lost(call(USERS, path_prefix="x" * 200_000))
    assert refused.record["request_sha256"] is shown.record["request_sha256"] is None


def test_a_refusal_that_is_there_is_kept_with_its_call_id(ask, show, request_event, response_event):
    event = request_event(body=call("iam___create_user"))
    refused = ask(event)
    shown = show(response_event(asked=event["mcp"]["gatewayRequest"]["body"], body=refused.shown))
    assert shown.texts == refused.texts
    assert shown.record["call_id"] == refused.record["call_id"]
    assert (shown.record["derived"], shown.record["request_sha256"]) == (False, None)


@pytest.mark.parametrize(("body", "rule", "says"), REFUSED)
@pytest.mark.parametrize("kind", ["result", "error"])
def test_an_answer_that_is_there_is_never_refused_for_what_was_asked(show, response_event, body, rule, says, kind):
    """As when the two functions have other rules for a moment: what came back is shown, or held back for what it is."""
    answer = {"result": {"content": [{"type": "text", "text": "an answer"}], "isError": False}}
    answer = answer if kind == "result" else {"error": {"code": -32603, "message": "an answer"}}
    shown = show(response_event(asked=body, body={"jsonrpc": "2.0", "id": 7, **answer}))
    assert shown.record["derived"] is False and shown.record["layer"] != "request"
    assert says not in str(shown.shown)


def test_a_refusal_of_the_caller_is_not_told_again_and_the_records_still_meet(lost):
    """The token comes first and decides; the response interceptor knows nobody whom it could refuse."""
    refused, shown = lost(call(USERS), headers={"authorization": "Bearer none"})
    assert refused.rule == "token-missing"
    assert shown.rule == "no-answer" and "sign in again" in shown.texts[0]
    assert shown.record["request_sha256"] == refused.record["request_sha256"] == digest(call(USERS))


def test_a_request_that_passes_says_nothing_of_why_there_is_no_answer(ask, show, request_event, response_event):
    event = request_event(body=call(USERS))
    passed = ask(event).passed_on["body"]
    for asked in (call(USERS), passed):
        shown = show(response_event(asked=asked, body=None))
        assert shown.rule == "no-answer" and shown.record["derived"] is False


def test_a_notification_is_not_answered_whatever_is_wrong_with_it(lost):
    body = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7, "reason": 5}}
    _, shown = lost(body)
    assert shown.shown is None and shown.lines == []


def test_a_forged_call_id_tells_nothing(lost):
    body = call("iam___create_user")
    body["params"]["_meta"] = {"ringfence/call_id": "0" * 26}
    refused, shown = lost(body)
    assert (refused.rule, shown.rule) == ("malformed-request", "no-answer")
    assert shown.record["call_id"] != "0" * 26


LISTS = ["resources/list", "resources/templates/list", "prompts/list"]


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("method", LISTS)
def test_a_lost_empty_list_is_recorded_under_no_call_id_of_the_callers(lost, method, raw):
    """Such a request is never passed on, so whoever put a call id into it was refused, and is so again."""
    body = {**LIST, "method": method, "params": {"_meta": {"ringfence/call_id": "0" * 26}}}
    refused, shown = lost(body, raw=raw)
    assert refused.rule == shown.rule == "malformed-request"
    assert shown.record["derived"] is True and shown.record["call_id"] != "0" * 26
    assert shown.record["request_sha256"] == refused.record["request_sha256"] == digest(body)


@pytest.mark.parametrize("method", LISTS)
def test_a_lost_empty_list_is_joined_by_the_digest_of_its_request(lost, method):
    listed, shown = lost({**LIST, "method": method})
    assert listed.record["outcome"] == shown.record["outcome"] == "allowed"
    assert list(shown.result.values()) == [[]] and shown.record["derived"] is False
    assert shown.record["request_sha256"] == listed.record["request_sha256"] == digest({**LIST, "method": method})


@pytest.mark.parametrize("method", LISTS)
def test_an_empty_list_that_comes_back_without_a_call_id_takes_none_from_the_caller(lost, method):
    forged = {**LIST, "method": method, "params": {"_meta": {"ringfence/call_id": "0" * 26}}}
    _, shown = lost(forged, kept={"jsonrpc": "2.0", "id": 7, "result": {}})
    assert shown.record["call_id"] != "0" * 26


@pytest.mark.parametrize(("meta", "rule"), [({}, "malformed-request"), ({"ringfence/call_id": "0" * 26}, "no-answer")])
def test_a_request_without_an_id_that_was_accepted_is_recorded_and_not_answered(show, response_event, meta, rule):
    asked = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": USERS, "_meta": meta}}
    shown = show(response_event(asked=asked, body=None, statusCode=202))
    assert shown.content["transformedGatewayResponse"] == {"statusCode": 202, "body": None}
    assert (shown.record["outcome"], shown.record["rule"]) == ("refused", rule)
    assert shown.record["derived"] is (rule == "malformed-request")
    assert (shown.record["result_sha256"], shown.record["result_bytes"]) == (None, None)
    assert shown.record["request_sha256"] == (digest(asked) if shown.record["derived"] else None)


def test_something_under_the_name_of_a_call_id_that_is_none_hides_no_reason(lost):
    body = call(USERS)
    body["params"]["_meta"] = {"ringfence/call_id": "7"}
    refused, shown = lost(body)
    assert refused.rule == shown.rule == "malformed-request"


def test_both_functions_decide_with_the_same_code_and_the_same_rules(ask, show):
    """No second copy of a rule: both hold the functions of `callpath.request`, and read one `rules.json` with it."""
    assert asking.checks.checked_call is request_decision.checked_call is checks.checked_call
    assert response_handler.rules().asked.policy_version == request_handler.rules().policy_version
    zips = base_zips()
    shared = [
        {entry.name: entry.source for entry in zips[name].sources if entry.name.startswith("callpath/request/")}
        for name in ("request_interceptor", "response_interceptor")
    ]
    assert shared[0] == shared[1] and "callpath/request/checks.py" in shared[0]

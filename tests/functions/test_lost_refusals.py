"""A gateway that loses the request interceptor's refusal loses no reason: the request that it shows tells it again."""

from __future__ import annotations

from typing import Any

import pytest

USERS = "iam___list_users"


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


@pytest.fixture
def lost(ask, show, request_event, response_event):
    """Refuses a request by the one handler, and lets the other see the request alone."""

    def lose(body: Any):
        event = request_event(body=body)
        refused = ask(event)
        shown = show(response_event(asked=event["mcp"]["gatewayRequest"]["body"], body=None))
        return refused, shown

    return lose


REFUSED = [
    (call("iam___create_user"), "unknown-tool", "The auditor may not call iam___create_user."),
    (call("iam___list_user"), "unknown-tool", "Did you mean iam___list_users?"),
    (call("iam___get_user"), "missing-argument", '"user_name" is required'),
    (call(USERS, colour="red"), "unknown-argument", '"colour" is not an argument of this tool'),
    (call("iam___get_user", user_name="sam\u200bexample"), "hidden-characters", "characters that cannot be seen"),
    (call(USERS, path_prefix="x" * 200_000), "request-too-large", "larger than 131072 bytes"),
    ({"jsonrpc": "2.0", "id": 7, "method": "resources/read"}, "method-refused", "resources/read is not available"),
    ({"jsonrpc": "2.0", "id": 7, "method": "notifications/initialized"}, "malformed-request", "must not have one"),
    ({"id": 7, "method": ["ping"]}, "malformed-request", "not a JSON-RPC 2.0 request"),
]


@pytest.mark.parametrize(("body", "rule", "says"), REFUSED)
def test_a_lost_refusal_is_told_again_in_the_same_words(lost, body, rule, says):
    refused, shown = lost(body)
    assert refused.rule == shown.rule == rule
    if "result" in refused.shown:
        (before,), (after,) = refused.texts, shown.texts
    else:
        assert refused.shown["error"]["code"] == shown.shown["error"]["code"]
        before, after = refused.shown["error"]["message"], shown.shown["error"]["message"]
    assert says in after
    assert after.partition(" Call ")[0] == before.partition(" Call ")[0]
    assert shown.shown["id"] == refused.shown["id"] == 7


def test_the_record_says_that_the_refusal_was_found_again(lost):
    refused, shown = lost(call("iam___create_user"))
    assert (shown.record["derived"], shown.record["layer"], shown.record["outcome"]) == (True, "request", "refused")
    assert shown.record["call_id"] != refused.record["call_id"]  # nothing in the event is both sides' and no caller's


def test_a_refusal_that_is_there_is_kept_with_its_call_id(ask, show, request_event, response_event):
    event = request_event(body=call("iam___create_user"))
    refused = ask(event)
    shown = show(response_event(asked=event["mcp"]["gatewayRequest"]["body"], body=refused.shown))
    assert shown.texts == refused.texts
    assert shown.record["call_id"] == refused.record["call_id"] and shown.record["derived"] is False


def test_a_request_that_passes_says_nothing_of_why_there_is_no_answer(ask, show, request_event, response_event):
    event = request_event(body=call(USERS))
    passed = ask(event).passed_on["body"]
    for asked in (event["mcp"]["gatewayRequest"]["body"], passed):
        shown = show(response_event(asked=asked, body=None))
        assert shown.rule == "no-answer" and shown.record["derived"] is False

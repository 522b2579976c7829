"""The REQUEST interceptor: what passes, as what, and what is refused, by which rule."""

from __future__ import annotations

import json
import re
import time

import pytest

from callpath.digest import digest
from callpath.txn_token import HEADER, LIFETIME_SECONDS, Verifier
from request_interceptor import handler as request_handler

QUERY = "cloudwatch___execute_log_insights_query"


@pytest.fixture
def verifier(public_key_der, rules_json) -> Verifier:
    """What the runtime does with the token."""
    return Verifier(
        public_key_der=public_key_der,
        issuer=rules_json["issuer"],
        audience=rules_json["tools"]["iam___list_users"]["audience"],
    )


def test_a_granted_tool_passes_with_a_token_the_runtime_accepts(ask, tool_call, verifier):
    answered = ask(tool_call("iam___list_users", max_items=5))
    body, headers = answered.passed_on["body"], answered.passed_on["headers"]
    assert body["params"]["name"] == "iam___list_users"
    token = verifier.verify(headers[HEADER], tool="list_users", arguments=body["params"]["arguments"])
    assert token.staff_id == "HO-204518"
    assert token.persona == "auditor"
    assert token.client_id == "4example5client6id"
    assert token.token_id == "0b6f1c1e-6a4b-4f0e-9a55-2f3f3a6f7a11"
    assert token.session == "session-1"
    assert token.expires_at - token.issued_at == LIFETIME_SECONDS
    assert token.call_id == answered.record["call_id"] == body["params"]["_meta"]["ringfence/call_id"]


def test_the_record_tells_the_story_before_the_answer(ask, tool_call, rules_json):
    record = ask(tool_call("iam___list_users", max_items=5)).record
    assert record == {
        "record": "ringfence.call",
        "version": 1,
        "half": "request",
        "call_id": record["call_id"],
        "time": record["time"],
        "department": "example-production",
        "persona": "auditor",
        "staff_id": "HO-204518",
        "client_id": "4example5client6id",
        "token_id": "0b6f1c1e-6a4b-4f0e-9a55-2f3f3a6f7a11",
        "session": "session-1",
        "method": "tools/call",
        "server": "iam",
        "tool": "list_users",
        "level": "read",
        "arguments_sha256": digest({"max_items": 5}),
        "argument_names": ["max_items"],
        "argument_bytes": 15,
        "request_sha256": digest(tool_call("iam___list_users", max_items=5)["mcp"]["gatewayRequest"]["body"]),
        "outcome": "allowed",
        "layer": None,
        "rule": None,
        "policy_version": rules_json["policy_version"],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])


def test_forced_arguments_are_filled_in_and_the_token_covers_them(ask, tool_call, rules_json, public_key_der):
    name, tool = next((name, tool) for name, tool in rules_json["tools"].items() if tool["forced"])
    required = tool["definition"]["inputSchema"].get("required", [])
    if required:
        pytest.skip("the tool needs more arguments than a test should know")
    answered = ask(tool_call(name))
    arguments = answered.passed_on["body"]["params"]["arguments"]
    assert arguments == tool["forced"]
    assert answered.record["arguments_sha256"] == digest(arguments)


@pytest.mark.parametrize(
    "method",
    ["initialize", "notifications/initialized", "notifications/cancelled", "ping", "tools/list"],
)
def test_methods_of_a_tool_gateway_pass_without_a_token_and_with_a_record(ask, request_event, method):
    answered = ask(request_event(method))
    assert answered.passed_on["headers"] == {HEADER: "none"}, "never empty: what a gateway makes of that is not known"
    assert answered.passed_on["body"]["method"] == method
    assert (answered.record["method"], answered.record["outcome"]) == (method, "allowed")
    assert answered.record["tool"] is None


@pytest.mark.parametrize(
    "method",
    [
        "resources/read", "resources/List", "resources/subscribe",
        "prompts/get", "completion/complete", "logging/setLevel", "sampling/createMessage", "elicitation/create",
        "roots/list", "tasks/list", "tools/Call", "tools", "Tools/call", "rpc/discover", "server/discover",
        "initialise",
    ],
)  # fmt: skip
def test_any_other_method_is_refused(ask, request_event, method):
    answered = ask(request_event(method))
    assert answered.rule == "method-refused"
    assert answered.shown["error"]["code"] == -32601
    assert "is not available through this gateway" in answered.shown["error"]["message"]
    assert answered.record["staff_id"] == "HO-204518", "a refused attempt has a name too"


@pytest.mark.parametrize(
    ("method", "field"),
    [("resources/list", "resources"), ("resources/templates/list", "resourceTemplates"), ("prompts/list", "prompts")],
)
def test_a_list_that_hosts_ask_for_on_connect_is_empty_and_asks_nobody(ask, request_event, method, field):
    """Refused, it shows as a failed connection in some hosts (P15)."""
    answered = ask(request_event(method, {"cursor": "x"}))
    assert answered.shown["id"] == 7
    assert answered.shown["result"][field] == []
    assert answered.shown["result"]["_meta"] == {"ringfence/call_id": answered.record["call_id"]}
    assert (answered.record["method"], answered.record["outcome"]) == (method, "allowed")
    assert answered.record["staff_id"] == "HO-204518"


def test_an_empty_list_too_is_for_people_of_the_persona(ask, request_event, claims):
    assert ask(request_event("resources/list", claims=claims | {"cognito:groups": ["operator"]})).rule is not None


@pytest.mark.parametrize(
    "method",
    [f"notifications/{name}" for name in ("progress", "message", "tools/list_changed", "roots/list_changed")],
)
def test_a_notification_that_does_not_pass_is_dropped_without_a_body(ask, request_event, method):
    """A strict host gives up when a notification is answered (awslabs/mcp pull request 3324; P16)."""
    answered = ask(request_event(method))
    assert answered.content == {"transformedGatewayResponse": {"statusCode": 202, "body": None}}
    assert (answered.record["outcome"], answered.record["rule"]) == ("refused", "method-refused")


def test_a_notification_with_hidden_characters_is_dropped_too(ask, request_event):
    answered = ask(request_event("notifications/cancelled", {"reason": "x\u200by"}))
    assert answered.content == {"transformedGatewayResponse": {"statusCode": 202, "body": None}}
    assert answered.record["rule"] == "hidden-characters"


@pytest.mark.parametrize("tool", ["iam___create_user", "list_users", "iam___list_users ", "IAM___list_users", "", "__"])
def test_an_unknown_tool_is_refused_as_a_result_the_model_can_read(ask, tool_call, tool):
    answered = ask(tool_call(tool))
    assert answered.rule == "unknown-tool"
    assert answered.result["isError"] is True


def test_the_search_tool_of_the_gateway_is_no_tool_of_ours(ask, tool_call):
    assert ask(tool_call("x_amz_bedrock_agentcore_search", query="users")).rule == "unknown-tool"


@pytest.mark.parametrize("name", [None, 7, ["iam___list_users"], {"a": 1}, True])
def test_a_tool_name_that_is_no_text(ask, request_event, name):
    assert ask(request_event(params={"name": name, "arguments": {}})).rule == "unknown-tool"


def test_arguments_are_held_to_the_lock(ask, tool_call):
    answered = ask(tool_call("iam___list_users", profile="admin"))
    assert answered.rule == "unknown-argument"
    assert "one is not an argument of this tool" in answered.texts[0]
    assert answered.record["argument_names"] == ["(undeclared)"]


def test_another_region_is_refused(ask, tool_call, rules_json):
    names = [name for name, tool in rules_json["tools"].items() if "region" in tool["forced"]]
    assert names, "at least one granted tool takes a region"
    for name in names:
        assert ask(tool_call(name, region="us-east-1")).rule == "forced-argument"


@pytest.mark.parametrize(
    ("changed", "value", "rule"),
    [
        ("iss", "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Other", "wrong-issuer"),
        ("iss", None, "wrong-issuer"),
        ("token_use", "id", "wrong-token-use"),
        ("client_id", "stranger", "wrong-client"),
        ("client_id", "", "wrong-client"),
        ("client_id", ["4example5client6id"], "wrong-client"),
        pytest.param("exp", int(time.time()) - 1, "token-expired", id="exp-a-second-ago"),
        ("exp", "tomorrow", "token-malformed"),
        ("exp", True, "token-malformed"),
        ("exp", None, "token-malformed"),
        ("scope", "openid", "wrong-scope"),
        ("scope", "openid ringfence/operator", "wrong-scope"),
        ("scope", "xringfence/auditor ringfence/auditors", "wrong-scope"),
        ("scope", ["ringfence/auditor"], "wrong-scope"),
        ("cognito:groups", [], "wrong-persona"),
        ("cognito:groups", None, "wrong-persona"),
        ("cognito:groups", ["Auditor", "auditors", "nonauditor"], "wrong-persona"),
        ("cognito:groups", "auditor", "wrong-persona"),
        ("cognito:groups", {"auditor": 1}, "wrong-persona"),
        ("staff_id", None, "staff-id"),
        ("staff_id", "", "staff-id"),
        ("staff_id", "X", "staff-id"),
        ("staff_id", "x" * 65, "staff-id"),
        ("staff_id", "two words", "staff-id"),
        ("staff_id", "HO-204518\n", "staff-id"),
        ("staff_id", "HO/204518", "staff-id"),
        ("staff_id", "\uff28\uff2f-204518", "staff-id"),
        ("exp", float("nan"), "token-malformed"),
        ("exp", float("inf"), "token-malformed"),
        ("exp", 10**400, "token-malformed"),
        ("iat", "yesterday", "token-malformed"),
        ("nbf", None, "token-malformed"),
        ("jti", None, "token-malformed"),
        ("jti", "two words", "token-malformed"),
    ],
)
def test_each_claim_is_checked_again(ask, request_event, claims, changed, value, rule):
    claims[changed] = value
    answered = ask(request_event(params={"name": "iam___list_users", "arguments": {}}, claims=claims))
    assert answered.rule == rule
    assert answered.record["staff_id"] is None
    assert answered.result["isError"] is True


@pytest.mark.parametrize(
    ("claim", "seconds", "rule"),
    [
        ("exp", 90_000, "token-too-long"),
        ("iat", -90_000, "token-too-long"),
        ("iat", 600, "token-not-yet-valid"),
        ("nbf", 600, "token-not-yet-valid"),
        ("auth_time", 600, "token-not-yet-valid"),
    ],
)
def test_a_token_has_begun_and_lives_no_longer_than_a_day(ask, request_event, claims, claim, seconds, rule):
    claims[claim] = time.time() + seconds
    assert ask(request_event("tools/list", claims=claims)).rule == rule


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({"authorization": None}, "token-missing"),
        ({"authorization": ""}, "token-missing"),
        ({"authorization": "Basic dXNlcjpwYXNz"}, "token-missing"),
        ({"authorization": "Bearer x"}, "token-missing"),
        ({"authorization": "Bearer a.b.c"}, "token-malformed"),
        ({"authorization": "Bearer a.W10.c"}, "token-malformed"),
        ({"Authorization": "Bearer a.b.c"}, "token-missing"),  # beside the good one: which one did the gateway check?
        ({"authorization": 7}, "token-missing"),
    ],
)
def test_a_token_that_is_missing_or_no_token(ask, request_event, headers, rule):
    assert ask(request_event("tools/list", headers=headers)).rule == rule


def test_the_letter_case_of_header_names_does_not_matter(ask, request_event):
    event = request_event("tools/list")
    headers = event["mcp"]["gatewayRequest"]["headers"]
    headers["AUTHORIZATION"] = headers.pop("authorization")
    headers["MCP-SESSION-ID"] = headers.pop("mcp-session-id")
    assert ask(event).record["session"] == "session-1"


@pytest.mark.parametrize(
    "spelling", [HEADER, HEADER.lower(), HEADER.upper(), HEADER.swapcase(), HEADER.replace("Token", "tOKEN")]
)
@pytest.mark.parametrize("method", ["tools/list", "tools/call", "initialize", "notifications/initialized"])
def test_a_smuggled_transaction_token_never_passes(ask, request_event, spelling, method):
    params = {"name": "iam___list_users", "arguments": {}} if method == "tools/call" else None
    headers = ask(request_event(method, params, headers={spelling: "forged"})).passed_on["headers"]
    assert {name.lower() for name in headers} == {HEADER.lower()}
    assert HEADER in headers and spelling in headers, "written under our name and over theirs"
    (value,) = set(headers.values())
    assert value != "forged"
    assert (value == "none") is (method != "tools/call")


def test_the_answer_repeats_no_other_header_of_the_client(ask, tool_call):
    headers = ask(tool_call("iam___list_users")).passed_on["headers"]
    assert list(headers) == [HEADER], "above all not the person's own token"


@pytest.mark.parametrize("name", ["ringfence/call_id", "ringfence/layer", "Ringfence/rule", "ringfence/x"])
def test_a_caller_cannot_speak_for_ringfence(ask, request_event, name):
    answered = ask(request_event("tools/list", {"_meta": {name: "01M82D1GBV9C24C2NE7EYF6AR4"}}))
    assert answered.rule == "malformed-request"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"method": "tools/call"', '"method": "tools/list", "method": "tools/call"'),
        ('"name": "iam___list_users"', '"name": "iam___get_user", "name": "iam___list_users"'),
        ('"arguments": {', '"arguments": {"max_items": 1}, "arguments": {'),
        ('"max_items": 3', '"max_items": 1, "max_items": 3'),
        ('"max_items": 3', '"max_items": 3, "max_\\u0069tems": 3'),
        ('"id": 7', '"id": 8, "id": 7'),
    ],
)
def test_a_field_that_is_given_twice_is_refused(ask, tool_call, before, after):
    event = tool_call("iam___list_users", max_items=3)
    raw = event["mcp"]["rawGatewayRequest"]["body"]
    assert raw.count(before) == 1
    event["mcp"]["rawGatewayRequest"]["body"] = raw.replace(before, after)
    assert ask(event).rule == "malformed-request"


@pytest.mark.parametrize("before", ["tools/call", "iam___list_users", '"max_items": 3'])
def test_a_call_that_the_gateway_read_otherwise_than_it_was_sent_is_refused(ask, tool_call, before):
    event = tool_call("iam___list_users", max_items=3)
    assert ask(event).passed_on
    raw = event["mcp"]["rawGatewayRequest"]["body"]
    event["mcp"]["rawGatewayRequest"]["body"] = raw.replace(before, before[::-1] if before[0] != '"' else '"x": 3')
    assert ask(event).rule == "malformed-request"


@pytest.mark.parametrize("raw", ["", "{", "[" * 100_000, '{"a": ' + "9" * 5_000 + "}", "\ud800"])
def test_a_raw_body_that_cannot_be_read_is_refused(ask, tool_call, raw):
    event = tool_call("iam___list_users")
    event["mcp"]["rawGatewayRequest"]["body"] = raw
    assert ask(event).rule == "malformed-request"


@pytest.mark.parametrize(
    ("method", "known"),
    [
        ("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x"}}),
        ("ping", {}),
        ("tools/list", {"cursor": "c"}),
        ("notifications/initialized", {}),
        ("notifications/cancelled", {"requestId": 3, "reason": "enough"}),
    ],
)
def test_of_a_methods_params_only_those_it_has_pass(ask, request_event, method, known):
    passed = ask(request_event(method, {**known, "name": "iam___list_users", "x": {"y": 1}})).passed_on["body"]
    assert {name: value for name, value in passed.get("params", {}).items() if name != "_meta"} == known


@pytest.mark.parametrize("text", ["fields @message\r| limit 5", "a\r", "\r\r\n"])
def test_a_carriage_return_that_ends_no_line_is_hidden(ask, tool_call, text):
    assert ask(tool_call(QUERY, query_string=text)).rule == "hidden-characters"


def test_only_mcps_own_meta_passes(ask, request_event):
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "progressToken": 3, "com.example/x": 1}
    passed = ask(request_event("tools/list", {"cursor": "c", "_meta": meta})).passed_on["body"]["params"]
    assert passed["cursor"] == "c"
    assert sorted(passed["_meta"]) == ["io.modelcontextprotocol/protocolVersion", "ringfence/call_id"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], -32600),
        ([{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}], -32600),
        ({}, -32600),
        ("", -32700),
        ("{", -32700),
        ('{"jsonrpc":', -32700),
        ("[" * 100_000, -32700),
        (None, -32600),
        (7, -32600),
        ({"jsonrpc": "1.0", "id": 1, "method": "ping"}, -32600),
        ({"id": 1, "method": "ping"}, -32600),
        ({"jsonrpc": "2.0", "id": 1}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": 5}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list\n"}, -32600),
        ({"jsonrpc": "2.0", "id": None, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": True, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": {}, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": "\ud800", "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": "a\u202eb", "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": "", "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": "x" * 129, "method": "tools/call", "params": {}}, -32600),
        ({"jsonrpc": "2.0", "id": 2**53, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": 10**400, "method": "tools/call", "params": {}}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": 7}}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": "x" * 2000}}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": "all"}}, -32600),
        ({"jsonrpc": "2.0", "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "method": "tools/call", "params": {}}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "notifications/initialized"}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "result": {}}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "ping", "result": {}}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": []}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": None}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": []}}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "x", "task": {}}}, -32600),
    ],
)
def test_what_is_not_one_plain_request_is_refused(ask, request_event, body, code):
    answered = ask(request_event(body=body))
    assert answered.rule == "malformed-request"
    assert answered.shown["error"]["code"] == code


@pytest.mark.parametrize(
    "event",
    [None, [], {}, "x", {"mcp": None}, {"mcp": {}}, {"mcp": {"gatewayRequest": []}},
     {"mcp": {"gatewayRequest": {"headers": ["a"], "body": {}}}}],
)  # fmt: skip
def test_an_event_that_is_none_is_refused_and_does_not_raise(ask, event):
    assert ask(event).rule == "malformed-request"


def test_a_request_beyond_the_size_limit_is_refused(ask, tool_call, rules_json):
    limit = rules_json["limits"]["request_bytes"]
    assert ask(tool_call("iam___list_users", x="a" * limit)).rule == "request-too-large"


def test_the_size_is_counted_in_bytes_of_what_was_sent(ask, tool_call, rules_json):
    event = tool_call("iam___list_users")
    event["mcp"]["rawGatewayRequest"]["body"] += " " * rules_json["limits"]["request_bytes"]
    assert ask(event).rule == "request-too-large"
    del event["mcp"]["rawGatewayRequest"]
    assert ask(event).record["outcome"] == "allowed", "the gateway sends it always; without it the body is measured"


@pytest.mark.parametrize("opening", [list, dict])
def test_a_request_nested_too_deeply_is_refused(ask, tool_call, rules_json, opening):
    value: object = 1
    for _ in range(rules_json["limits"]["depth"]):
        value = [value] if opening is list else {"a": value}
    assert ask(tool_call("iam___list_users", x=value)).rule == "request-too-deep"


@pytest.mark.parametrize(
    "hidden",
    [
        "\u200b",
        "\u202e",
        "\u2066",
        "\ufeff",
        "\u00ad",
        "\x00",
        "\x1b[31m",
        "\x7f",
        "\U000e0041\U000e0042",
        "\U000e0101",
    ],
)
@pytest.mark.parametrize("place", ["value", "nested", "key", "method's params"])
def test_hidden_characters_are_refused_wherever_they_are(ask, request_event, hidden, place):
    text = f"fields @message{hidden}"
    arguments = {
        "value": {"query_string": text},
        "nested": {"log_group_names": [{"a": [text]}]},
        "key": {text: 1},
        "method's params": {},
    }[place]
    method, params = "tools/call", {"name": QUERY, "arguments": arguments}
    if place == "method's params":
        method, params = "tools/list", {"cursor": text}
    answered = ask(request_event(method, params))
    assert answered.rule == "hidden-characters"


def test_a_query_over_several_lines_is_no_hidden_character(ask, tool_call, rules_json):
    answered = ask(tool_call(QUERY, query_string="fields @message\n\t| limit 5\r\n# café £ 漢字"))
    assert "hidden-characters" not in json.dumps(answered.lines)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 2**53, -(2**60)])
def test_a_number_json_cannot_carry_exactly_gets_no_token(ask, tool_call, number):
    answered = ask(tool_call("iam___list_users", max_items=number))
    assert "transformedGatewayResponse" in answered.content
    assert answered.record["arguments_sha256"] is None


def test_a_fault_is_a_refusal_with_a_record(ask, tool_call, monkeypatch):
    class BrokenSigner:
        def mint(self, _token):
            raise RuntimeError("AccessDenied for HO-204518 and max_items=5")

    monkeypatch.setattr(request_handler, "signer", BrokenSigner)
    answered = ask(tool_call("iam___list_users", max_items=5))
    assert answered.rule == "internal-error"
    assert answered.record["arguments_sha256"] == digest({"max_items": 5})
    (fault,) = [line for line in answered.lines if "error" in line]
    assert fault["error"] == "RuntimeError"
    assert "max_items=5" not in json.dumps(answered.lines), "an exception's text may quote an argument"


def test_a_call_that_cannot_be_recorded_does_not_go_ahead(ask, tool_call):
    class FullDisk:
        def write(self, _text):
            raise OSError("no space left")

        def flush(self):
            raise OSError("no space left")

    for handler in request_handler.LOGGER.handlers:
        handler.stream = FullDisk()
    answer = request_handler.handler(tool_call("iam___list_users"), None)
    assert "transformedGatewayRequest" not in answer["mcp"]
    assert "internal-error" in json.dumps(answer["mcp"]["transformedGatewayResponse"])


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[]", b'{"version": 1}'])
def test_without_rules_everything_is_refused(ask, tool_call, tmp_path, monkeypatch, content):
    path = tmp_path / "rules.json"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(request_handler, "RULES_PATH", path)
    request_handler.rules.cache_clear()
    answered = ask(tool_call("iam___list_users"))
    assert "internal-error" in json.dumps(answered.shown)


@pytest.mark.parametrize("missing", ["ISSUER", "CLIENT_IDS"])
def test_without_its_settings_everything_is_refused(ask, tool_call, monkeypatch, missing):
    monkeypatch.delenv(missing)
    request_handler.trusted.cache_clear()
    assert ask(tool_call("iam___list_users")).rule == "internal-error"


@pytest.mark.parametrize("clients", ["", ","])
def test_an_empty_list_of_hosts_admits_nobody(ask, tool_call, monkeypatch, clients):
    monkeypatch.setenv("CLIENT_IDS", clients)
    request_handler.trusted.cache_clear()
    assert ask(tool_call("iam___list_users")).rule == "wrong-client"

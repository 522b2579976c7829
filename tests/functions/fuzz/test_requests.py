"""Whatever a client sends: the request interceptor answers, and nothing passes that the catalogue does not grant."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.proofs.expected_permissions import ExpectedPermissions, HeldTool
from tests.functions.fuzz.inputs import JSON, changed, respelt

PERSONA = "auditor"


@pytest.fixture(scope="module")
def tools(expected: ExpectedPermissions) -> dict[str, HeldTool]:
    return {tool.published: tool for tool in expected.tools(PERSONA)}


@pytest.fixture(scope="module")
def ungranted(tools: dict[str, HeldTool]) -> Callable[[dict[str, Any]], str | None]:
    """Says what of a tool call the catalogue's files do not grant, by a validator that the functions do not use."""

    def judge(call: dict[str, Any]) -> str | None:
        tool = tools.get(call["name"])
        return "no such tool" if tool is None else next(faults(tool, call["arguments"]), None)

    return judge


@pytest.fixture(scope="module")
def calls(expected: ExpectedPermissions, tools: dict[str, HeldTool]) -> list[dict[str, Any]]:
    """A real call of each tool, as the catalogue gives examples of it."""
    found = []
    for name, tool in tools.items():
        entry = expected.servers[tool.server]["tools"][tool.name]
        operations = [entry.get("operations", {}).get(call.operation or "", {}) for call in tool.calls]
        for example in [each for facts in [entry, *operations] for each in facts.get("examples", [])]:
            found.append({"name": name, "arguments": json.loads(expected.filled(json.dumps(example)))})
    assert len({call["name"] for call in found}) > 10
    return found


def holds(text: str, value: Any) -> bool:
    """Whether a pattern is found in a text of a JSON value, its keys among them."""
    if isinstance(value, str):
        return re.search(text, value) is not None
    if isinstance(value, dict):
        return any(holds(text, part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(holds(text, item) for item in value)


def faults(tool: HeldTool, arguments: dict[str, Any]) -> Iterator[str]:
    schema = dict(tool.locked["inputSchema"]) | {"additionalProperties": False}
    hidden = {name for name, rule in tool.rules.items() if rule["mode"] == "hidden"}
    schema["required"] = [name for name in schema.get("required", []) if name not in hidden]
    yield from (fault.message for fault in jsonschema.Draft202012Validator(schema).iter_errors(arguments))
    for name, rule in tool.rules.items():
        if name not in arguments:
            if rule["mode"] == "forced" or rule.get("required"):
                yield f"{name} is missing"
        elif not FORMS[rule["mode"]](rule, arguments[name]):
            yield f"{name} is not what its rule says"
    yield from (f"holds {word}" for word, pattern in tool.without.items() if holds(pattern, arguments))
    if tool.window and {tool.window["begin"], tool.window["end"]} <= arguments.keys():
        begin, end = (datetime.fromisoformat(arguments[tool.window[each]]) for each in ("begin", "end"))
        if begin.tzinfo and end.tzinfo and not 0 <= (end - begin).total_seconds() <= tool.window["hours"] * 3600:
            yield "looks too far"


def matches(rule: Mapping[str, Any], value: Any) -> bool:
    given = value if isinstance(value, list) else [value]
    within = len(given) <= rule.get("most", 1)
    return value is None or (within and all(re.fullmatch(rule["pattern"].rstrip("$"), each) for each in given))


FORMS: dict[str, Callable[[Mapping[str, Any], Any], bool]] = {
    "forced": lambda rule, value: value == rule["value"],
    "hidden": lambda _, value: False,
    "allowed": lambda rule, value: value in rule["values"],
    "bounded": lambda rule, value: 1 <= value <= rule["most"],
    "matching": matches,
}
"""What an argument may be, by the mode of its rule."""


def exact(value: Any) -> bool:
    """Whether JSON carries a value from one reader to the next without a change."""
    try:
        return json.loads(json.dumps(value, allow_nan=False).encode()) == value
    except ValueError:
        return False


@given(st.data())
def test_a_real_call_that_is_changed_passes_only_as_it_is_granted(
    ask: Callable[..., Any],
    request_event: Callable[..., dict[str, Any]],
    ungranted: Callable[[dict[str, Any]], str | None],
    calls: list[dict[str, Any]],
    data: st.DataObject,
) -> None:
    params = data.draw(changed(st.sampled_from(calls)))
    answered = ask(request_event(params=params))
    if "transformedGatewayRequest" in answered.content:
        passed = answered.passed_on["body"]
        assert passed["method"] == "tools/call" and answered.record["outcome"] == "allowed"
        assert ungranted(passed["params"]) is None
        assert exact(passed) and set(passed["params"]) == {"name", "arguments", "_meta"}
        sent = params.get("arguments") or {}
        held = passed["params"]["arguments"]
        # Null and empty text may count as left out; whatever else was sent is there, as it was sent.
        kept = {name: value for name, value in sent.items() if name in held or value not in (None, "")}
        assert {name: held[name] for name in kept} == kept
        # What has passed passes again, and is the same.
        again = ask(request_event(params={"name": params["name"], "arguments": passed["params"]["arguments"]}))
        assert again.passed_on["body"]["params"]["arguments"] == passed["params"]["arguments"]
    else:
        assert answered.record["outcome"] == "refused"
        assert answered.shown["id"] == 7


def test_the_judge_of_what_is_granted_sees_what_is_not(
    ask: Callable[..., Any],
    request_event: Callable[..., dict[str, Any]],
    ungranted: Callable[[dict[str, Any]], str | None],
    calls: list[dict[str, Any]],
) -> None:
    (query,) = [call for call in calls if call["name"] == "cloudwatch___execute_log_insights_query"]
    passed = ask(request_event(params=query)).passed_on["body"]["params"]
    assert ungranted(passed) is None
    for wrong in (
        {"limit": 1001},
        {"limit": 0},
        {"region": "us-east-1"},
        {"query_string": "SOURCE x"},
        {"log_group_names": ["/ringfence/a"]},
        {"log_group_names": ["/a"] * 11},
        {"start_time": "2026-11-01T09:00:00+00:00"},
        {"profile": "x"},
    ):
        assert ungranted({**passed, "arguments": passed["arguments"] | wrong})
    assert ungranted({**passed, "name": "eks___delete_cluster"}) == "no such tool"
    del passed["arguments"]["region"]
    assert ungranted(passed) == "region is missing"


@given(st.data())
def test_an_event_that_is_changed_is_answered_and_recorded(
    ask: Callable[..., Any],
    request_event: Callable[..., dict[str, Any]],
    ungranted: Callable[[dict[str, Any]], str | None],
    calls: list[dict[str, Any]],
    data: st.DataObject,
) -> None:
    methods = st.sampled_from(["tools/call", "tools/list", "initialize", "ping", "notifications/initialized"])
    event = data.draw(changed(st.just(request_event(data.draw(methods), calls[0]))))
    answered = ask(event)
    assert len(answered.content) == 1
    assert answered.record["outcome"] in ("allowed", "refused")
    if "transformedGatewayRequest" in answered.content:
        passed = answered.passed_on["body"]
        assert passed["method"] != "tools/call" or ungranted(passed["params"]) is None


@given(JSON)
def test_any_event_at_all_is_refused(ask: Callable[..., Any], event: Any) -> None:
    answered = ask(event)
    assert answered.record["outcome"] == "refused"
    assert "transformedGatewayResponse" in answered.content


@given(st.data())
def test_claims_that_are_changed_pass_only_for_one_who_is_named_and_may(
    ask: Callable[..., Any],
    request_event: Callable[..., dict[str, Any]],
    claims: dict[str, Any],
    calls: list[dict[str, Any]],
    data: st.DataObject,
) -> None:
    theirs = data.draw(changed(st.just(claims)))
    asked = time.time()
    answered = ask(request_event(params=calls[0], claims=theirs))
    if "transformedGatewayRequest" in answered.content:
        assert isinstance(theirs, dict)
        assert all(theirs[name] == claims[name] for name in ("iss", "client_id", "token_use"))
        assert f"ringfence/{PERSONA}" in theirs["scope"].split(" ")
        assert re.fullmatch(r"[A-Za-z0-9_+=,.@-]{2,64}", theirs["staff_id"])
        assert math.isfinite(theirs["exp"]) and answered.record["staff_id"] == theirs["staff_id"]
        assert theirs["exp"] > asked


@given(st.data())
def test_a_body_that_is_respelt_passes_only_as_everybody_reads_it(
    ask: Callable[..., Any],
    request_event: Callable[..., dict[str, Any]],
    calls: list[dict[str, Any]],
    data: st.DataObject,
) -> None:
    """The gateway hands over what it read and what was sent; two readers may differ on the latter."""
    event = request_event(params=data.draw(st.sampled_from(calls)))
    raw = data.draw(respelt(st.just(json.dumps(event["mcp"]["gatewayRequest"]["body"]))))
    event["mcp"]["rawGatewayRequest"]["body"] = raw
    try:
        event["mcp"]["gatewayRequest"]["body"] = json.loads(raw)
    except ValueError:
        pass  # the gateway read something; what, nobody knows
    answered = ask(event)
    if "transformedGatewayRequest" in answered.content:
        names: list[list[str]] = []
        json.loads(raw, object_pairs_hook=lambda pairs: names.append([name for name, _ in pairs]))
        assert all(len(set(each)) == len(each) for each in names)


WORDS = [
    *(
        "fields @message",
        "filter a = 'b'",
        "stats count(*) by a",
        "filter a in (",
        "source",
        "SOURCE '/fisheries/a' ",
        "join ",
        "lookup ",
        "diff",
    ),
    *(
        " previousMonth",
        "logcompare timeshift 365d",
        "| ",
        "|",
        " ",
        "\n",
        "\t",
        "# why",
        "# why\n",
        "#",
        ")",
        "(",
        "[",
        "{",
        "= 1",
        ", a",
    ),
    *(
        "'",
        '"',
        "`",
        "'/ringfence/a'",
        "logGroups()",
        "unmask(@message)",
        "UNMASK (a)",
        "limit ",
        "any ",
        "5",
        "1000",
        "1001",
        "99999",
    ),
]
ELSEWHERE = {"source", "join", "lookup", "diff", "logcompare"}


def looks_elsewhere(text: str) -> bool:
    """Whether a command of a query looks elsewhere, read word by word; quotations are values, comments nothing."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`|(#[^\n\r]*)", lambda found: " " if found[1] else " 0 ", text).lower()
    for command in re.split(r"[|(\[{]", bare):
        word = re.match(r"\s*([a-z]+)(?!\w)\s*(.?)", command, re.DOTALL)
        if word and word[1] in ELSEWHERE and word[2] not in {"=", ",", ")", "]", "!", "<", ">"}:
            return True
    numbers = re.findall(r"\blimit\s+(?:any\s+)?(\d+)", bare)
    return "unmask" in re.findall(r"\w+", text.lower()) or any(int(number) > 1000 for number in numbers)


@given(text=st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map("".join), hours=st.integers(-2, 400))
def test_a_query_that_passes_looks_where_and_when_its_arguments_say(
    ask: Callable[..., Any], tool_call: Callable[..., dict[str, Any]], text: str, hours: int
) -> None:
    end = datetime(2026, 11, 27, 9, tzinfo=UTC)
    times = {"start_time": (end - timedelta(hours=hours)).isoformat(), "end_time": end.isoformat()}
    answered = ask(tool_call("cloudwatch___execute_log_insights_query", query_string=text, limit=5, **times))
    if "transformedGatewayRequest" in answered.content:
        assert not looks_elsewhere(text)
        assert 0 <= hours <= 168

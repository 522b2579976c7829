"""The REQUEST interceptor and tools of which one argument decides what they do, or that need an approval."""

from __future__ import annotations

import json

import pytest

from request_interceptor import handler as request_handler

ALARMS = "cloudwatch___get_active_alarms"


@pytest.fixture
def operated(ask, rules_json, tmp_path, monkeypatch):
    """The interceptor, with one tool whose argument decides."""

    def make(approval: list[str] | None = None):
        tool = json.loads(json.dumps(rules_json["tools"][ALARMS]))
        tool["definition"]["inputSchema"] = {"type": "object", "properties": {"do": {"type": "string"}}}
        levels = {"look": "read", "change": "write"}
        tool |= {"level": "write", "forced": {}, "operations": {"argument": "do", "match": "exact", "levels": levels}}
        if approval:
            tool["approval"] = {"argument": "do", "operations": approval}
        path = tmp_path / "rules.json"
        path.write_text(json.dumps({**rules_json, "tools": {**rules_json["tools"], ALARMS: tool}}))
        monkeypatch.setattr(request_handler, "RULES_PATH", path)
        request_handler.rules.cache_clear()
        return ask

    return make


@pytest.mark.parametrize(("operation", "level"), [("look", "read"), ("change", "write")])
def test_the_record_tells_the_level_of_the_operation(operated, tool_call, operation, level):
    answered = operated()(tool_call(ALARMS, do=operation))
    assert answered.passed_on
    assert answered.record["level"] == level


@pytest.mark.parametrize("arguments", [{"do": "LOOK"}, {"do": ""}, {}, {"do": "look "}])
def test_an_operation_that_the_schema_forgot_to_refuse_is_refused(operated, tool_call, arguments):
    answered = operated()(tool_call(ALARMS, **arguments))
    assert answered.rule == "unknown-operation"
    assert "look" in answered.texts[0]


def test_what_needs_an_approval_is_refused_and_the_rest_passes(operated, tool_call):
    ask = operated(approval=["change"])
    refused = ask(tool_call(ALARMS, do="change"))
    assert refused.rule == "approval-required"
    assert refused.record["layer"] == "request"
    assert refused.texts[0].startswith(f"{ALARMS} (change) needs an approval, none is configured")
    assert ask(tool_call(ALARMS, do="look")).passed_on


def test_a_whole_tool_can_need_an_approval(ask, tool_call, rules_json, tmp_path, monkeypatch):
    tools = {**rules_json["tools"], ALARMS: {**rules_json["tools"][ALARMS], "approval": True}}
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({**rules_json, "tools": tools}))
    monkeypatch.setattr(request_handler, "RULES_PATH", path)
    request_handler.rules.cache_clear()
    answered = ask(tool_call(ALARMS))
    assert answered.rule == "approval-required"
    assert answered.texts[0].startswith(f"{ALARMS} needs an approval, none is configured")


def test_wrong_arguments_are_told_before_an_approval_is_asked_for(operated, tool_call):
    assert operated(approval=["change"])(tool_call(ALARMS, do="change", force=True)).rule == "unknown-argument"

"""The call record: enough to tell the story, never what was said."""

from __future__ import annotations

import json
import logging
import re
import time

import pytest

from callpath.call_record import (
    UNDECLARED,
    is_call_id,
    new_call_id,
    plain,
    request_record,
    response_record,
    runtime_record,
    summarise_arguments,
)
from callpath.digest import digest
from callpath.record_log import record_logger
from callpath.refusal import META_CALL_ID, Refusal, refusal_error, refusal_result
from tests.waiting import wait_until

CALL = {"call_id": "01M82D1GBV9C24C2NE7EYF6AR4", "department": "example-production", "persona": "auditor"}

TOLD = "The transaction token has expired: call the tool again (rule token-expired, layer runtime). Call 01X."


def test_call_ids_are_unique_sort_by_time_and_fit_a_role_session_name():
    early = [new_call_id() for _ in range(1000)]
    tick = time.time_ns() // 10**6  # call ids tell the millisecond
    wait_until(lambda: time.time_ns() // 10**6 > tick)
    late = new_call_id()
    assert len(set(early)) == 1000
    assert all(call_id < late for call_id in early)
    assert all(re.fullmatch(r"[\w+=,.@-]{2,64}", call_id) and is_call_id(call_id) for call_id in early)


@pytest.mark.parametrize("text", [None, 7, "", "01M82D1GBV9C24C2NE7EYF6AR", "01m82d1gbv9c24c2ne7eyf6ar4", "U" * 26])
def test_other_texts_are_no_call_ids(text):
    assert not is_call_id(text)


def test_the_request_half_has_every_field_even_when_nothing_is_known():
    record = request_record(**CALL, policy_version="v", outcome="refused", layer="request", rule="unknown-tool", now=0)
    assert list(record) == [
        "record", "version", "half", "call_id", "time", "department", "persona", "staff_id", "client_id", "token_id",
        "session", "method", "server", "tool", "level", "arguments_sha256", "argument_names", "argument_bytes",
        "request_sha256", "outcome", "layer", "rule", "policy_version",
    ]  # fmt: skip
    assert record["time"] == "1970-01-01T00:00:00.000Z"


def test_the_three_halves_share_what_joins_them():
    halves = [
        request_record(**CALL, policy_version="v", outcome="allowed"),
        runtime_record(**CALL, outcome="allowed"),
        response_record(**CALL, policy_version="v", outcome="allowed"),
    ]
    assert [half["half"] for half in halves] == ["request", "runtime", "response"]
    for name in ("record", "version", "call_id", "department", "persona", "outcome", "layer", "rule"):
        assert len({str(half[name]) for half in halves}) == 1


def test_an_outcome_is_allowed_failed_or_refused():
    with pytest.raises(ValueError, match="use one of allowed, failed, refused"):
        runtime_record(**CALL, outcome="maybe")


def test_the_runtime_half_names_aws_own_reason():
    record = runtime_record(**CALL, outcome="refused", cause_code="AccessDenied", cause_operation="ListUsers")
    assert record["cause"] == {"code": "AccessDenied", "operation": "ListUsers"}
    assert runtime_record(**CALL, outcome="allowed")["cause"] is None


def test_arguments_are_summed_up_without_their_values():
    arguments = {"log_group": "/aws/secret", "profile-AB123456C": "x"}
    summary = summarise_arguments(arguments, declared={"log_group"})
    assert summary.names == (UNDECLARED, "log_group")
    assert summary.sha256 == digest(arguments)
    assert "secret" not in repr(summary)


@pytest.mark.parametrize("arguments", [None, [], "text", 7, {"a": float("nan")}, {"a": "\ud800"}])
def test_any_arguments_can_be_summed_up(arguments):
    summarise_arguments(arguments, declared=())


@pytest.mark.parametrize("text", ["", "two words", "line\nbreak", "x" * 129, "é", "\u202e", None, 7, ["a"]])
def test_what_is_not_plain_is_not_recorded(text):
    assert plain(text) is None


def test_a_refusal_tells_the_caller_who_why_and_which_call():
    refusal = Refusal("runtime", "token-expired", "The transaction token has expired: call the tool again")
    result = refusal_result(refusal, "01X")
    assert result["content"] == [
        {
            "type": "text",
            "text": TOLD,
        }
    ]
    assert result["isError"] is True
    assert result["_meta"] == {
        META_CALL_ID: "01X",
        "ringfence/layer": "runtime",
        "ringfence/rule": "token-expired",
        "ringfence/outcome": "refused",
        "ringfence/own_words": True,
    }
    assert refusal_result(refusal, "01X", outcome="failed")["_meta"]["ringfence/outcome"] == "failed"
    assert refusal_error(refusal, "01X", -32603) == {
        "code": -32603,
        "message": TOLD,
        "data": {"call_id": "01X", "layer": "runtime", "rule": "token-expired"},
    }


def test_a_refusal_comes_from_a_layer_that_exists():
    with pytest.raises(ValueError, match="use one of"):
        Refusal("firewall", "x", "y")


@pytest.mark.parametrize("variable", ["POWERTOOLS_LOG_LEVEL", "LOG_LEVEL"])
def test_no_variable_turns_the_records_off(variable, monkeypatch, capsys):
    monkeypatch.setenv(variable, "CRITICAL")
    service = f"turned-off-by-{variable}"  # a logger keeps its level as long as the process lives
    try:
        record_logger(service).info(runtime_record(**CALL, outcome="allowed"))
    finally:
        logging.Logger.manager.loggerDict.pop(service)
    assert json.loads(capsys.readouterr().out)["call_id"] == CALL["call_id"]

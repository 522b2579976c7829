"""The host's half of the call record: in the log group before the caller has an answer, or there is no answer."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.record import CallLog
from tests.runtime.conftest import CALL_LOG_GROUP, SCRIPTED, RecordedAws, scripted_rules

WRITE = {"level": "write"}


@pytest.fixture(scope="module")
def host(start_host: Any) -> Any:
    return start_host(scripted_rules(), server=SCRIPTED)


@pytest.fixture(scope="module")
def writing_host(start_host: Any) -> Any:
    return start_host(scripted_rules(**WRITE), server=SCRIPTED)


def call(host: Any, token: Any, tool: str = "echo", **arguments: Any) -> dict[str, Any]:
    return host.call(tool, arguments, token(tool, arguments))


def rule(result: dict[str, Any]) -> tuple[str, str] | None:
    meta = result["_meta"]
    return (meta["ringfence/layer"], meta["ringfence/rule"]) if result.get("isError") else None


def test_the_record_is_in_the_log_group_before_the_answer_is_given(host: Any, aws: RecordedAws, token: Any) -> None:
    result = call(host, token, n=1)
    (record,) = aws.call_log()  # of requests that the log group had taken when the answer came
    assert (record["record"], record["half"], record["phase"]) == ("ringfence.call", "runtime", "ended")
    assert record["call_id"] == result["_meta"]["ringfence/call_id"]
    assert (record["tool"], record["outcome"]) == ("echo", "allowed")
    assert record == host.records()[-1], "what is printed is a copy"


def test_a_slow_log_group_is_waited_for(host: Any, aws: RecordedAws, token: Any) -> None:
    aws.delay["PutLogEvents"] = 1.0
    started = time.monotonic()
    assert rule(call(host, token)) is None
    assert time.monotonic() - started >= 1.0


def test_the_stream_is_this_processs_own_below_its_servers_name(start_host: Any, aws: RecordedAws, token: Any) -> None:
    streams = []
    for _ in range(2):
        host = start_host(scripted_rules(), server=SCRIPTED)
        assert not aws.of("CreateLogStream"), "a microVM that serves no call makes no stream"
        for _ in range(2):
            call(host, token)
        (made,) = [json.loads(record.body) for record in aws.of("CreateLogStream")]
        puts = [json.loads(record.body) for record in aws.of("PutLogEvents")]
        assert {(put["logGroupName"], put["logStreamName"]) for put in puts} == {
            (CALL_LOG_GROUP, made["logStreamName"])
        }
        assert made["logGroupName"] == CALL_LOG_GROUP and made["logStreamName"].startswith("scripted/")
        streams.append(made["logStreamName"])
        aws.records.clear()
    assert streams[0] != streams[1]


def test_a_refused_call_is_recorded_too(host: Any, aws: RecordedAws, token: Any) -> None:
    result = host.call("echo", {}, None)
    (record,) = aws.call_log()
    assert (record["outcome"], record["rule"]) == ("refused", "token-missing")
    assert record["call_id"] == result["_meta"]["ringfence/call_id"]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "ServiceUnavailableException"])
def test_a_call_that_cannot_be_recorded_is_not_answered(host: Any, aws: RecordedAws, token: Any, code: str) -> None:
    aws.refuse["PutLogEvents"] = code
    result = call(host, token, n=4711)
    assert rule(result) == ("runtime", "not-recorded")
    said = result["content"][0]["text"]
    assert "The call was made, but its answer is withheld" in said and code in said
    assert result["_meta"]["ringfence/call_id"] in said
    assert "4711" not in json.dumps(result) and "secret-detail" not in json.dumps(result)


def test_a_record_that_is_rejected_inside_a_successful_answer_is_not_written(
    host: Any, aws: RecordedAws, token: Any
) -> None:
    aws.answer["PutLogEvents"] = {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1}}
    result = call(host, token)
    assert rule(result) == ("runtime", "not-recorded")
    assert "tooOldLogEventEndIndex" in result["content"][0]["text"]


def test_a_stream_that_cannot_be_made_is_no_answer_either(start_host: Any, aws: RecordedAws, token: Any) -> None:
    host = start_host(scripted_rules(), server=SCRIPTED)
    aws.refuse["CreateLogStream"] = "AccessDeniedException"
    assert rule(call(host, token)) == ("runtime", "not-recorded")
    aws.refuse.clear()
    assert rule(call(host, token)) is None


def test_a_stream_that_somebody_has_taken_away_is_made_again(host: Any, aws: RecordedAws, token: Any) -> None:
    call(host, token)
    aws.refuse["PutLogEvents"] = "ResourceNotFoundException"
    assert rule(call(host, token)) == ("runtime", "not-recorded")
    aws.refuse.clear()
    aws.answer["CreateLogStream"] = {}  # the local group has the stream still
    assert rule(call(host, token)) is None
    assert len(aws.of("CreateLogStream")) == 1


def test_one_passing_failure_is_tried_again_within_the_call(host: Any, aws: RecordedAws, token: Any) -> None:
    call(host, token)
    aws.records.clear()
    aws.refuse_once["PutLogEvents"] = "ThrottlingException"
    assert rule(call(host, token)) is None
    assert len(aws.of("PutLogEvents")) == 2


def test_a_log_group_that_never_answers_holds_a_call_up_for_seconds_only(
    start_host: Any, aws: RecordedAws, token: Any
) -> None:
    host = start_host(scripted_rules(), server=SCRIPTED, patient=False)
    aws.delay["PutLogEvents"] = 30
    started = time.monotonic()
    with ThreadPoolExecutor(20) as callers:
        refused = [rule(result) for result in callers.map(lambda _: call(host, token), range(20))]
    assert set(refused) <= {("runtime", "not-recorded"), ("runtime", "busy"), None}
    assert ("runtime", "not-recorded") in refused and None not in refused
    assert time.monotonic() - started < 30
    aws.delay.clear()
    assert rule(call(host, token)) is None, "and the next call works"
    assert host.stop() == 0  # with it go its tries that nobody waits for any more


def test_what_may_change_something_is_on_record_before_it_has_credentials(
    writing_host: Any, aws: RecordedAws, token: Any
) -> None:
    result = call(writing_host, token)
    actions = [record.action for record in aws.records]
    assert actions.index("PutLogEvents") < actions.index("AssumeRole")
    begun, ended = aws.call_log()
    assert (begun["phase"], ended["phase"]) == ("begun", "ended")
    assert begun["call_id"] == ended["call_id"] == result["_meta"]["ringfence/call_id"]
    assert (begun["tool"], begun["staff_id"], begun["level"]) == ("echo", "staff-1001", "write")
    assert begun["aws_role_session"] is None and ended["aws_role_session"] == ended["call_id"]


def test_a_read_has_one_record(host: Any, aws: RecordedAws, token: Any) -> None:
    call(host, token)
    assert [record["phase"] for record in aws.call_log()] == ["ended"]


def test_what_may_change_something_is_not_done_when_it_cannot_be_recorded(
    writing_host: Any, aws: RecordedAws, token: Any
) -> None:
    aws.refuse["PutLogEvents"] = "AccessDeniedException"
    result = call(writing_host, token)
    assert rule(result) == ("runtime", "not-recorded")
    assert "The call was not made" in result["content"][0]["text"]
    assert not aws.of("AssumeRole")


def test_a_change_whose_answer_is_lost_is_on_record(writing_host: Any, aws: RecordedAws, token: Any) -> None:
    """The record fails, or the server ends, after the call has had its credentials."""
    call(writing_host, token, "die")
    begun, ended = aws.call_log()
    assert (begun["phase"], ended["phase"], ended["rule"]) == ("begun", "ended", "server-died")


def test_records_of_calls_at_once_do_not_wait_for_each_other(host: Any, aws: RecordedAws, token: Any) -> None:
    call(host, token)
    aws.records.clear()
    aws.together["PutLogEvents"] = 3  # who waits for another's record first is never answered
    with ThreadPoolExecutor(3) as callers:
        refused = list(callers.map(lambda _: rule(host.call("echo", {}, None)), range(3)))
    assert refused == [("runtime", "token-missing")] * 3


async def test_the_copy_may_fail_and_the_record_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, _: str) -> None:
            raise OSError(28, "No space left on device")

        flush = write

    taken: list[str] = []
    aws = SimpleNamespace(
        create_log_stream=lambda group, stream: None,
        put_log_event=lambda group, stream, line: taken.append(line) or {},
    )
    monkeypatch.setattr("sys.stdout", Full())
    await CallLog(SimpleNamespace(server="iam", call_log_group="g"), aws).write("the record")  # type: ignore[arg-type]
    assert taken == ["the record"]

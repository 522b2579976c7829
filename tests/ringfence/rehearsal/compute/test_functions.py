"""Functions run as on Lambda: a handler that fails, dies or hangs is an error, and the next event is answered."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import pytest

from ringfence.deployed.functions import DeployedFunction
from ringfence.rehearsal.compute.function_process import FunctionError
from ringfence.rehearsal.compute.functions import Function
from ringfence.rehearsal.problems import CannotStart

HANDLER = """
import os, sys, time

def handler(event, context):
    print("saw", event["do"], "with", context.get_remaining_time_in_millis() > 0, flush=True)
    if event["do"] == "raise":
        raise ValueError("on purpose")
    if event["do"] == "die":
        os._exit(3)
    if event["do"] == "ponder":
        while time.process_time() < event["seconds"]:
            pass
    if event["do"] == "hoard":
        hoarded = bytearray(200_000_000)
    if event["do"] == "return":
        return eval(event["what"])
    if event["do"] == "hang":
        time.sleep(3600)
    if event["do"] == "flood":
        sys.stderr.write("x" * 5_000_000 + "\\n")
    return {"did": event["do"], "setting": os.environ["SETTING"], "home": sorted(os.environ)}
"""


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def make(tmp_path: Path, lines: list[str]):
    made = []

    def make_function(code: str) -> Function:
        archive = tmp_path / "function.zip"
        with zipfile.ZipFile(archive, "w") as opened:
            opened.writestr("pre_token/trial.py", code)
        spec = DeployedFunction(
            resource=None,
            arn="arn:aws:lambda:eu-west-2:111122223333:function:trial",
            name="trial",
            handler="pre_token.trial.handler",
            role_arn="arn:aws:iam::111122223333:role/trial",
            log_group="/trial",
            environment={"SETTING": "template"},
            timeout=600,
            memory=128,
            concurrency=None,
            zip_path=archive,
        )
        function = Function(
            spec,
            folder=tmp_path / "code",
            credentials={"AWS_ACCESS_KEY_ID": "x"},
            endpoint_url="http://127.0.0.1:9",
            log=lambda group, stream, line: lines.append(f"{group} {line}"),
        )
        made.append(function)
        return function

    yield make_function
    for function in made:
        function.stop()


@pytest.mark.parametrize(
    ("do", "error_type"),
    [("raise", "ValueError"), ("die", "Runtime.ExitError"), ("hang", "Sandbox.Timedout")],
)
def test_a_failing_handler_is_an_error_and_the_next_event_is_answered(make, do, error_type):
    function = make(HANDLER)
    patient = function.spec
    if do == "hang":
        function.spec = dataclasses.replace(patient, timeout=1)
    function.warm()
    with pytest.raises(FunctionError) as failed:
        function.invoke({"do": do})
    assert failed.value.error_type == error_type
    function.spec = patient  # whose process is another: answering well may take its time
    assert function.invoke({"do": "well"})["did"] == "well"


def test_the_environment_is_the_templates_and_not_ours(make, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "x")
    answer = make(HANDLER).invoke({"do": "well"})
    assert answer["setting"] == "template"
    assert "SECRET_OF_THE_DEVELOPER" not in answer["home"]


def test_what_it_prints_is_its_log(make, lines):
    function = make(HANDLER)
    function.invoke({"do": "flood"})
    function.stop()
    assert "/trial saw flood with True" in lines


def test_a_handler_that_does_not_import_stops_the_start(make):
    with pytest.raises(CannotStart, match=r"trial does not start.*no_such_module"):
        make("import no_such_module").warm()


def test_an_event_larger_than_lambda_takes(make):
    with pytest.raises(FunctionError, match="takes 6 MB"):
        make(HANDLER).invoke({"do": "x" * 7_000_000})


@pytest.mark.parametrize(
    ("event", "error_type"),
    [
        ({"what": "'x' * 7_000_000"}, "Function.ResponseSizeTooLarge"),
        ({"what": "'x' * 4_000_000", "more": "x" * 3_000_000}, "Function.ResponseSizeTooLarge"),
        ({"what": "{'half': chr(0xd800)}"}, "Runtime.MarshalError"),
        ({"what": "{'set': {1}}"}, "Runtime.MarshalError"),
    ],
    ids=["answer", "event and answer", "half a surrogate pair", "no JSON"],
)
def test_an_answer_that_lambda_would_not_hand_over(make, event, error_type):
    function = make(HANDLER)
    with pytest.raises(FunctionError) as failed:
        function.invoke({"do": "return", **event})
    assert failed.value.error_type == error_type
    assert function.invoke({"do": "return", "what": "'x' * 2_000_000"}) == "x" * 2_000_000


def test_an_event_that_lambda_could_not_read_never_reaches_the_handler(make, lines):
    deep: list = []
    for _ in range(900):  # as deep as Python writes
        deep = [deep]
    function = make("import sys\nsys.setrecursionlimit(400)\n" + HANDLER)
    with pytest.raises(FunctionError) as failed:
        function.invoke({"do": "well", "deep": deep})
    assert failed.value.error_type == "Runtime.UnmarshalError"
    function.stop()
    assert not any("saw" in line for line in lines)


def test_the_processor_time_counts_as_the_share_of_the_functions_memory_would_take_it(make):
    function = make(HANDLER)
    patient = function.spec
    function.spec = dataclasses.replace(patient, timeout=5)  # of 128 MB, so a fourteenth of a processor
    function.warm()
    with pytest.raises(FunctionError, match=r"timed out after 5\.00 seconds"):
        function.invoke({"do": "ponder", "seconds": 1.0})
    function.spec = dataclasses.replace(patient, memory=1769)
    assert function.invoke({"do": "ponder", "seconds": 1.0})["did"] == "ponder"


def test_a_function_that_uses_more_memory_than_its_template_gives_is_killed(make):
    function = make(HANDLER)
    with pytest.raises(FunctionError) as failed:
        function.invoke({"do": "hoard"})
    assert failed.value.error_type == "Runtime.OutOfMemory"
    function.spec = dataclasses.replace(function.spec, memory=512)
    assert function.invoke({"do": "hoard"})["did"] == "hoard"

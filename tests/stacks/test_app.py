"""What the app says when it cannot synthesise: plain words on standard error, exit code 1, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from app import chosen, main
from ringfence.house_rules import Residency
from ringfence.reading.problems import ProblemsFound
from stacks.checks import add_checks
from stacks.output_folder import FolderInUse, sole_writer
from tests.waiting import LAST_RESORT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = json.loads((ROOT / "cdk.json").read_text())["context"]

Synthesise = Callable[[str, Path], "subprocess.Popen[str]"]


@pytest.mark.parametrize("name", ["no-such-department", "../catalogue/personas"])
def test_an_unknown_department_is_named_with_what_there_is(synthesise: Synthesise, tmp_path: Path, name: str) -> None:
    process = synthesise(name, tmp_path / "out")
    _, said = process.communicate(timeout=LAST_RESORT_SECONDS)

    assert process.returncode == 1
    assert f'department = "{name}"' in said
    assert "example-production" in said, "says what there is to choose from"
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("*.template.json"))


def test_a_finding_ends_the_synthesis(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path / "cdk.out"))
    s3.CfnBucket(cdk.Stack(app, "lab"), "Open")
    add_checks(app, declared=Residency())

    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()

    report = (tmp_path / "cdk.out" / "validation-report.json").read_text()
    assert "AwsSolutions-S1" in report and "NIST.800.53.R5-S3BucketLoggingEnabled" in report and "GOV-KEY-2" in report


@pytest.mark.parametrize(
    ("context", "means"),
    [
        ({}, ("department", "example-production")),
        ({"department": "mine"}, ("department", "mine")),
        ({"organisation": "ours"}, ("organisation", "ours")),
        (
            {"department": "mine", "@aws-cdk/core:newFlag": True, "aws:cdk:version-reporting": True},
            ("department", "mine"),
        ),
        (
            {"department": "mine", "availability-zones:account=111122223333:region=eu-west-2": []},
            ("department", "mine"),
        ),
    ],
)
def test_the_context_says_what_is_synthesised(context: dict[str, object], means: tuple[str, str]) -> None:
    assert chosen({**SETTINGS, **context}, SETTINGS) == means


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"departement": "mine"}, "Did you mean `department`?"),
        ({"organization": "ours"}, "Did you mean `organisation`?"),
        ({"stage": "test"}, "Use one of: department, organisation."),
        ({"department": "mine", "organisation": "ours"}, "Give one of the two"),
    ],
)
def test_a_context_key_that_nobody_knows_is_refused(context: dict[str, object], said: str) -> None:
    """It would be ignored, and the default department be synthesised, or deployed, in its place."""
    with pytest.raises(ProblemsFound) as refused:
        chosen({**SETTINGS, **context}, SETTINGS)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--department", "a", "--organisation", "b"], 2, "not allowed with"),
        (["--departement", "a"], 2, "unrecognized arguments"),
        (["--department", "example-prodution"], 1, "Did you mean `example-production`?"),
        (["--organisation", "exmaple"], 1, "Did you mean `example`?"),
    ],
)
def test_the_app_by_itself_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    try:
        ended: object = main(["--output", str(tmp_path / "out"), *words])
    except SystemExit as usage:
        ended = usage.code
    told = capsys.readouterr()
    assert ended == code
    assert said in told.err and "Traceback" not in told.err
    assert told.out == ""


def test_a_folder_has_one_writer_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "cdk.out"
    with (
        sole_writer(folder),
        pytest.raises(FolderInUse, match=r"Another synthesis writes into it\. Wait"),
        sole_writer(folder),
    ):
        pass
    with sole_writer(folder):
        assert (folder / "synth.lock").read_text() == str(os.getpid()), "so that the CDK sees us"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("inside", ["", "deep"])
def test_a_file_in_the_folders_place_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], inside: str) -> None:
    (tmp_path / "taken").write_text("kept", encoding="utf-8")
    folder = tmp_path / "taken" / inside
    assert main(["--department", "example-production", "--output", str(folder)]) == 2
    assert capsys.readouterr().err.startswith(f"synth: {folder} cannot be a folder")
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("name", ["synth.lock", "read.{}.1.lock"])
def test_a_folder_that_the_cdk_works_in_is_left_alone_until_the_cdk_has_ended(tmp_path: Path, name: str) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as other:
        (tmp_path / name.format(other.pid)).write_text(str(other.pid))
        with pytest.raises(FolderInUse, match=f"Process {other.pid} works in it"), sole_writer(tmp_path):
            pass
        other.communicate("\n")
    with sole_writer(tmp_path):
        pass


@pytest.mark.parametrize(("level", "is_one"), [("error", True), ("warning", False), ("info", False)])
def test_what_a_construct_calls_an_error_is_told_without_the_cdks_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], level: str, is_one: bool
) -> None:
    def build(app: cdk.App, _name: str) -> Residency:
        stack = cdk.Stack(app, "lab")
        cdk.CfnWaitConditionHandle(stack, "Nothing")
        getattr(cdk.Annotations.of(stack), f"add_{level}")("This is not as it should be.")
        return Residency()

    monkeypatch.setattr("app.build", build)
    assert main(["--department", "lab", "--output", str(tmp_path / "out")]) == int(is_one)
    told = capsys.readouterr().err
    assert ("lab: This is not as it should be.\nlab: not to be deployed, because of the errors above" in told) is is_one

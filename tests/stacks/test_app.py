"""What the app says when it cannot synthesise: plain words on standard error, exit code 1, no traceback."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from governance.house_rules import Residency
from stacks.checks import add_checks
from tests.waiting import LAST_RESORT_SECONDS

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

"""Faults in the compilers: the table fits the sources, and the proofs alone notice the two that once went by."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.mutants import __main__ as command
from tests.mutants.home import ROOT, Mutant, mutants
from tests.waiting import LAST_RESORT_SECONDS

ONCE_UNNOTICED = ("the level filter of tools is gone", "the sensitive filter of tools is gone")


def test_each_fault_of_the_table_has_its_place_in_the_sources() -> None:
    found = mutants()

    assert len(found) >= 60
    assert [name for name, count in Counter(each.name for each in found).items() if count > 1] == []
    for each in found:
        assert (ROOT / each.file).read_text(encoding="utf-8").count(each.old) == 1, each.name
        assert each.old != each.new, each.name
        assert not each.survives or len(each.survives) > 40, each.name


def test_the_proofs_alone_notice_that_the_compilers_grant_too_much(tmp_path: Path) -> None:
    """What a persona holds is read once more from the catalogue: deleted from what all compilers share, a filter is
    missing from every template and zip alike, and they still agree with each other."""
    command = [sys.executable, "-m", "tests.mutants", "--processes", "1", "--json", str(tmp_path / "report.json")]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    told = subprocess.run(
        [*command, "--only", *ONCE_UNNOTICED],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LAST_RESORT_SECONDS,
    )

    assert told.returncode == 0, told.stdout + told.stderr[-2000:]
    assert "2 mutants, 2 killed, 0 alive" in told.stdout
    assert "publishes dataprocessing___upload_to_s3, which the catalogue does not grant" in told.stdout
    assert "publishes eks___get_cloudwatch_logs, which the catalogue does not grant" in told.stdout


def test_a_department_that_does_not_prove_without_a_fault_ends_no_mutant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class BrokenHome:
        def __init__(self, folder: Path) -> None:
            pass

        def outcome(self, mutant: Mutant | None, *, department: str = "") -> tuple[str, str]:
            return "cedar", f"{department} is broken"

    monkeypatch.setattr(command, "Home", BrokenHome)

    assert command.main(["--part", "0/1"]) == 1
    told = capsys.readouterr()
    assert "does not prove without a fault: cedar: example-enabled is broken" in told.err
    assert told.out == ""

"""Planted faults: the tables fit the sources, and the proofs alone, or a test, notice one that once went by."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ringfence.iam.problems import UndecidablePolicy
from tests.mutants import __main__ as command
from tests.mutants import home
from tests.mutants.home import ROOT, Mutant, mutants
from tests.waiting import LAST_RESORT_SECONDS, wait_until

ONCE_UNNOTICED = "the sensitive filter of tools is gone"
OTHER = "the level filter of tools is gone"


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
        [*command, "--only", ONCE_UNNOTICED],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LAST_RESORT_SECONDS,
    )

    assert told.returncode == 0, told.stdout + told.stderr[-2000:]
    assert "1 mutants, 1 killed, 0 alive" in told.stdout
    assert "publishes eks___get_cloudwatch_logs, which the catalogue does not grant" in told.stdout


def test_a_test_notices_that_a_lock_of_the_reader_is_gone(tmp_path: Path) -> None:
    (mutant,) = (each for each in mutants() if each.name == "a section of a template that nothing reads goes by")
    copied = home.Home(tmp_path / "home")

    by, words = copied.outcome(mutant, department=mutant.department, test=mutant.test)

    assert by == "test"
    assert "test_what_changes_a_template_or_cannot_be_decided_is_told" in words
    assert copied.outcome(None, department=mutant.department, test=mutant.test) == ("", "")


def test_a_department_that_does_not_prove_without_a_fault_ends_no_mutant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    class BrokenHome:
        def __init__(self, folder: Path) -> None:
            pass

        def outcome(self, mutant: Mutant | None, *, department: str, test: str) -> tuple[str, str]:
            return "cedar", f"{department} is broken"

    monkeypatch.setattr(command, "Home", BrokenHome)

    assert command.main(["--part", "0/1", "--folder", str(tmp_path / "home")]) == 1
    told = capsys.readouterr()
    assert "does not prove without a fault: cedar: example-enabled is broken" in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--only", "nosuchmutant"], "no mutant's name holds 'nosuchmutant'"),
        (["--only", "level filter", "nosuch"], "no mutant's name holds 'nosuch'"),
    ],
)
def test_a_word_that_no_name_holds_is_told(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(words) == 2
    assert told in capsys.readouterr().err


def test_a_refusal_of_ours_is_told_and_a_crash_goes_on() -> None:
    """A node that died ends a synthesis too, and says nothing of the fault."""
    assert home._told(UndecidablePolicy("of what?")).startswith("UndecidablePolicy")
    for crash in (BrokenPipeError("gone"), KeyError("x"), RuntimeError("jsii")):
        with pytest.raises(type(crash)):
            home._told(crash)


def test_what_is_interrupted_leaves_neither_process_nor_folder(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.mutants", "--processes", "2", "--only", ONCE_UNNOTICED, OTHER]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    running = subprocess.Popen(
        words, cwd=ROOT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    wait_until(lambda: len(list(tmp_path.glob("ringfence-mutants-*/*"))) == 2, what=lambda: "two parts")
    parts = [int(line) for line in children(running.pid)]
    assert len(parts) == 2
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=LAST_RESORT_SECONDS)
    assert running.returncode == 128 + signal.SIGTERM and "everything that was started has been stopped" in said
    assert list(tmp_path.iterdir()) == []
    assert not any(Path(f"/proc/{part}").exists() for part in parts)


def children(process: int) -> list[str]:
    """The ids of a process's children, of all its threads."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [number for task in tasks for number in task.read_text().split()]

"""Whatever a command cannot read or write ends it in a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.command_line.entry import main

ROOT = Path(__file__).resolve().parents[3]
FULL = Path("/dev/full")


def test_a_file_that_cannot_be_written_is_named_with_a_remedy(
    assemblies: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = assemblies["example-production"].folder
    taken = tmp_path / "taken"
    taken.mkdir()
    asked = ["comment", "--assembly", str(folder), "--against", str(folder), "--output", str(taken)]
    assert main(asked) == 2
    assert capsys.readouterr().err.endswith(
        f"{taken}: Is a directory. Name another path, or see that this one can be read and written.\n"
    )


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("words", [["completion", "bash"], ["check"], ["--help"]], ids=" ".join)
def test_where_nothing_can_be_written_a_sentence_and_the_exit_code_say_so(words: list[str]) -> None:
    with FULL.open("w") as full:
        line = [sys.executable, "-m", "ringfence", *words]
        done = subprocess.run(line, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (
        2,
        "No space left on device. See what the system lacks (space, memory, open files, the network), and try again.\n",
    )


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
def test_where_nobody_can_be_told_the_exit_code_still_says_it() -> None:
    with FULL.open("w") as full:
        line = [sys.executable, "-m", "ringfence", "check", "--department", "nobody"]
        assert subprocess.run(line, cwd=ROOT, stdout=full, stderr=full).returncode == 2

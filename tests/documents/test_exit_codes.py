"""The page of exit codes says what every command's own help says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ringfence.command_line.entry import COMMANDS
from ringfence.command_line.table import EXIT_CODES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "ci" / "exit-codes.md").read_text()


def test_the_page_and_the_help_know_the_same_codes() -> None:
    page = dict(re.findall(r"^\| (\d)(?:, \d+)* \| (.*) \|$", PAGE, re.M))
    told = dict(re.findall(r"(\d) ([^;]+(?:: [^;]+)?)[;.]", EXIT_CODES))
    assert page.keys() == {"0", "1", "2"} and told.keys() >= page.keys()
    assert page["1"] == told["1"] and page["2"] == told["2"]
    assert "130" in EXIT_CODES and "| 130, 143, 129 |" in PAGE


def test_the_page_names_no_command_that_is_not_there() -> None:
    rows = re.findall(r"^\| (`.*`) \|", PAGE.partition("What 1 means")[2], re.M)
    named = {name for row in rows for name in re.findall(r"`([a-z-]+)", row)}
    assert len(named) > 8 and named <= COMMANDS.commands.keys()


def test_make_ends_with_2_whatever_the_step_ended_with() -> None:
    makefile = "one:\n\t@exit 1\nthree:\n\t@exit 3\n"
    for target in ("one", "three"):
        done = subprocess.run(["make", "--file=-", target], input=makefile, capture_output=True, text=True)
        assert done.returncode == 2

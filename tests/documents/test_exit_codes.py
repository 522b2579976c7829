"""The page of exit codes says what each command's own help says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "ci" / "exit-codes.md").read_text()
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| `make")]
MODULES = {row[1].strip("`"): row for row in ROWS if row[1] != "`app.py`"}
COMMANDS = {"ringfence.live": ["preflight"]}
OTHERS = {"pip", "pytest", "tests"}
MAKERS = {"assets", "compilers", "iam"}


def test_every_command_that_judges_is_on_the_page() -> None:
    makefile = (ROOT / "Makefile").read_text()
    recipes = set(re.findall(r"\$\(BIN\)/python -m (\w+(?:\.\w+)?)", makefile))
    assert {
        each for each in recipes if each.split(".")[0] not in OTHERS and each.split(".")[1] not in MAKERS
    } == MODULES.keys()
    named = {name for row in ROWS for name in re.findall(r"make ([a-z-]+)", row[0])}
    assert named <= set(re.findall(r"^([a-z0-9-]+):", makefile, re.M))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_help_of_a_command_knows_the_same_codes(module: str) -> None:
    command = [sys.executable, "-m", module, *COMMANDS.get(module, []), "--help"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    codes = " ".join(re.split(r"exit(?: codes)?:", said)[-1].split())
    for code, meaning in zip("012", MODULES[module][2:5], strict=True):
        assert bool(re.search(rf"(?<!\d){code} ", codes)) is bool(meaning), f"{module} {code}: {codes}"


def test_make_ends_with_2_whatever_the_step_ended_with() -> None:
    makefile = "one:\n\t@exit 1\nthree:\n\t@exit 3\n"
    for target in ("one", "three"):
        done = subprocess.run(["make", "--file=-", target], input=makefile, capture_output=True, text=True)
        assert done.returncode == 2

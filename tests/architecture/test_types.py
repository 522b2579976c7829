"""The type checker reads every Python file outside tests/, the functions that decide every call among them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.waiting import LAST_RESORT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
FAULT = '_planted: int = "no number"\n'


def test_a_type_error_in_any_file_outside_the_tests_is_found(tmp_path: Path) -> None:
    """Each file's copy has its comments, which may tell the type checker to pass it over, and a type error alone."""
    listed = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"], cwd=ROOT
    )
    files = {name for name in listed.decode().split() if not name.startswith("tests/") and (ROOT / name).exists()}
    for name in files:
        copy = tmp_path / "copy" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        comments = re.findall(r"^#.*\n", (ROOT / name).read_text(), re.MULTILINE)
        copy.write_text("".join(comments) + FAULT)
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "copy")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), "."]
    done = subprocess.run(
        command, cwd=tmp_path / "copy", capture_output=True, text=True, timeout=LAST_RESORT_SECONDS, check=False
    )
    found = set(re.findall(r"^(.+):\d+: error: Incompatible types in assignment", done.stdout, re.MULTILINE))
    assert "lambda/pre_token/handler.py" in files
    assert found == files, done.stderr or f"not read: {sorted(files - found)}"

"""`make generate` makes every committed file again that is made from other committed files."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.imports import ROOT

MARK = re.compile(
    r"(?m)^.*(?:Made by|Written by|made_by|(?:<!--|is) made by)\W{1,5}(?:make \w|ringfence \w|python -m ).*$\n"
)
"""The line in which a file says what makes it."""
REFERENCE = "catalogue/servers/aws-api/shim/service_reference.json"
RECORDED = {"docs/ablation.md": "ablate", "tests/golden/": "record"}
"""What a run has shown is no function of the committed files: a person writes it anew, and explains the change."""


def saying_what_makes_them() -> dict[str, str]:
    """Text of every committed file, but code and hand-written data, that says what makes it."""
    listed = subprocess.check_output(["git", "ls-files", "--", "docs", "catalogue", "ringfence", "tests"], cwd=ROOT)
    paths = [path for path in listed.decode().splitlines() if Path(path).suffix in {".md", ".svg", ".txt", ".json"}]
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in paths}
    return {path: text for path, text in texts.items() if "decisions/" not in path and MARK.search(text)}


def test_generate_makes_every_file_again_that_says_what_makes_it(tmp_path: Path) -> None:
    found = saying_what_makes_them()
    made = {path: text for path, text in found.items() if not path.startswith(tuple(RECORDED))}
    assert (
        {"docs/architecture.svg", "docs/tools/auditor.md", "ringfence/iam/actions.txt", REFERENCE}
        < set(made)
        < set(found)
    )
    for path in subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / path)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    for path, text in made.items():
        line = MARK.search(text)
        assert line is not None
        (tmp_path / path).write_text(text[: line.end()] + text[line.end() :].partition("\n")[2], encoding="utf-8")
    asked = subprocess.run(["make", "--dry-run", "generate"], cwd=ROOT, check=True, capture_output=True, text=True)
    for words in re.findall(r"^\S+/python -m (?!pip|venv)(.*)$", asked.stdout, re.MULTILINE):
        subprocess.run([sys.executable, "-m", *words.split()], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    assert [path for path, text in made.items() if (tmp_path / path).read_text(encoding="utf-8") != text] == []


def test_what_a_run_records_has_a_command_of_its_own() -> None:
    for path, target in RECORDED.items():
        assert any(each.startswith(path) for each in saying_what_makes_them())
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)

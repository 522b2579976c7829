"""The decisions: an index that is complete, and pages that say what has been shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2] / "docs" / "decisions"
PAGES = sorted(HOME.glob("[0-9]*.md"))
_ROW = re.compile(r"^\| (\d+) \| \[(.+)\]\((.+)\) \| (.+\.) \|$", re.M)
_LONGEST = 120


def test_the_index_names_every_decision_once_in_order_and_as_its_page_does() -> None:
    rows = _ROW.findall((HOME / "README.md").read_text(encoding="utf-8"))
    headings = [path.read_text(encoding="utf-8").splitlines()[0] for path in PAGES]
    assert [(f"# {number}. {title}", name) for number, title, name, _ in rows] == [
        (heading, path.name) for heading, path in zip(headings, PAGES, strict=True)
    ]
    assert [line for *_, line in rows if len(line) > _LONGEST] == []


def test_numbers_run_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in PAGES] == list(range(1, len(PAGES) + 1))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name[:4])
def test_a_decision_says_why_what_and_what_has_been_shown(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for part in ("**Context.**", "**Decision.**", "**Consequence.**"):
        assert part in text
    for line in ("- Implemented: ", "- Verified offline by: ", "- Verified live: "):
        assert text.count(line) == 1

"""docs/redaction.md says of each kind what the corpus's floors hold it to, and nothing better."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/redaction.md").read_text(encoding="utf-8")
FLOORS: dict[str, Any] = tomllib.loads((ROOT / "tests/redaction_corpus/thresholds.toml").read_text(encoding="utf-8"))
_ROW = re.compile(r"^\| ([a-z ,]+) \| (\d+) % \|$", re.M)


def percent(floor: float) -> int:
    return int(floor * 100 + 1e-9)


def test_the_table_names_every_kind_once_with_its_floor() -> None:
    told = {kind.replace(" ", "_"): int(found) for kinds, found in _ROW.findall(PAGE) for kind in kinds.split(", ")}
    assert told == {kind: percent(asked["floor"]) for kind, asked in FLOORS["recall"].items()}
    assert sum(len(kinds.split(", ")) for kinds, _ in _ROW.findall(PAGE)) == len(told)


def test_the_page_tells_of_disguises_and_of_ordinary_text_what_is_asked() -> None:
    words = " ".join(PAGE.split())
    disguises = {layers: percent(asked["floor"]) for layers, asked in FLOORS["disguises"].items()}
    assert f"at least {disguises['plain']} % are found, of those in two at least {disguises['layered']} %" in words
    changed = FLOORS["changed"]
    assert f"at most {changed['changed_documents']['most']} of the corpus's documents without any value" in words
    assert f"at most {changed['changed_share']['most'] * 100:g} % of all letters and digits" in words


def test_the_comparison_with_other_redactors_has_every_kind() -> None:
    _, _, table = (ROOT / "docs/public-suites.md").read_text(encoding="utf-8").partition("| MB/s of processor time |")
    assert [kind.replace(" ", "_") for kind in re.findall(r"^\| ([a-z ]+) \|", table, re.M)] == [*FLOORS["recall"]]

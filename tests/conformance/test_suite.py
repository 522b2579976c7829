"""The table names every scenario of the pinned suite, and docs/public-suites.md says the same."""

from __future__ import annotations

import re

from tests.conformance.suite import ROOT, passing, refused, scenarios

PAGE = (ROOT / "docs" / "public-suites.md").read_text(encoding="utf-8")


def test_every_scenario_of_the_pinned_suite_is_in_the_table_once() -> None:
    assert sorted([*passing(), *refused()]) == sorted(scenarios())


def test_the_page_says_what_passes_and_why_the_others_do_not() -> None:
    before, _, after = PAGE.partition(f"{len(passing())} scenarios pass: ")
    told, _, table = after.partition(f"The other {len(refused())} are refused on purpose:")
    assert f"all {len(scenarios())} scenarios" in before
    assert re.findall(r"`([\w-]+)`", told) == passing()
    rows = re.findall(r"^\| (`.*`) \| (.*) \|$", table, re.M)
    assert {name: f"{why}." for names, why in rows for name in re.findall(r"`([^`]+)`", names)} == refused()

"""The pages that are made from the catalogue say what the catalogue says now."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.compilers.pages import pages

ROOT = Path(__file__).resolve().parents[3]
PAGES = pages(ROOT)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_current(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path], "run `make pages` and review the difference"


def test_there_is_a_page_for_each_persona_and_no_other() -> None:
    found = {f"docs/tools/{path.name}" for path in (ROOT / "docs" / "tools").iterdir()}
    assert found == {path for path in PAGES if path.startswith("docs/tools/")}
    assert found == {f"docs/tools/{persona}.md" for persona in ("auditor", "operator", "developer")}


def test_a_page_tells_a_reviewer_what_a_model_reads() -> None:
    page = PAGES["docs/tools/auditor.md"]
    assert "## cloudtrail___lookup_events\n\nReads only.\n\n> Looks up management events" in page
    assert "| `max_results` |  | `integer; minimum 1; maximum 50` |" in page

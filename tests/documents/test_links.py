"""Every page names files that exist: a reader who follows a link arrives."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_HEADING = re.compile(r"^#+ (.*)$", re.M)


def links(path: Path) -> list[str]:
    found = []
    for token in MarkdownIt().enable("table").parse(path.read_text(encoding="utf-8")):
        for part in token.children or ():
            if part.type == "link_open":
                found.append(str(part.attrs["href"]))
    return found


def anchors(path: Path) -> set[str]:
    headings = _HEADING.findall(path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_link_leads_to_what_is_there(page: Path) -> None:
    wrong = []
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), link
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    assert not wrong


def test_a_dead_link_and_a_dead_anchor_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One heading\n\n[here](#one-heading) [gone](#another) [none](none.md)\n")
    for link, lives in (("#one-heading", True), ("#another", False)):
        assert (link[1:] in anchors(page)) is lives
    assert links(page) == ["#one-heading", "#another", "none.md"]


def test_what_a_newcomer_looks_for_is_there_and_the_map_leads_to_it() -> None:
    map_of_it = set(links(ROOT / "README.md"))
    files = [
        "docs/adding.md",
        "LICENSE",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/ci/README.md",
        "tests/golden/",
    ]
    for name in files:
        assert name in map_of_it, name
        assert (ROOT / name).exists()
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n\nCopyright (c) 2026 Ringfence contributors\n")


def test_the_changelog_has_the_form_of_keep_a_changelog() -> None:
    headings = re.findall(r"^(##+) (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[0] == ("##", "[Unreleased]")
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {name for depth, name in headings if depth == "###"} <= kinds
    releases = [name for depth, name in headings[1:] if depth == "##"]
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", name) for name in releases)


def test_the_pages_name_nobody_to_write_to_who_does_not_exist() -> None:
    held = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    addresses = re.findall(
        r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b", " ".join((ROOT / name).read_text() for name in held.split())
    )
    assert [each for each in addresses if not each.endswith(("example.org", "example.com"))] == []

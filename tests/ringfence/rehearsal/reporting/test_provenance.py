"""A report says when, of which commit and of which bytes it is."""

from __future__ import annotations

import datetime
import hashlib
import subprocess
from pathlib import Path

import pytest

from ringfence.rehearsal.reporting.provenance import provenance_of

NOW = datetime.datetime(2026, 3, 1, 10, 30, 15, 999, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    folder = tmp_path / "assembly"
    folder.mkdir()
    for name, text in {
        "b.template.json": "{}",
        "a.assets.json": "[]",
        "tree.json": "at any path",
        "asset.1.zip": "",
    }.items():
        (folder / name).write_text(text)
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_digest_is_what_sha256sum_says_of_templates_and_asset_lists(assembly: Path) -> None:
    made = provenance_of(assembly, now=NOW)
    listed = subprocess.run(
        ["sha256sum", "a.assets.json", "b.template.json"], cwd=assembly, check=True, capture_output=True
    ).stdout
    assert made.as_json()["assembly"]["sha256"] == hashlib.sha256(listed).hexdigest()
    assert list(made.as_json()["assembly"]["files"]) == ["a.assets.json", "b.template.json"]


def test_another_byte_is_another_digest(assembly: Path) -> None:
    before = provenance_of(assembly, now=NOW).digest
    (assembly / "b.template.json").write_text("{ }")
    assert provenance_of(assembly, now=NOW).digest != before


def test_the_date_is_in_utc(assembly: Path) -> None:
    assert provenance_of(assembly, now=NOW).date == "2026-03-01T09:30:15+00:00"


def test_the_commit_and_whether_anything_differs_from_it(assembly: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    git(checkout, "init", "-q")
    (checkout / "file").write_text("one")
    git(checkout, "add", "file")
    git(checkout, "commit", "-q", "-m", "one")
    clean = provenance_of(assembly, now=NOW, checkout=checkout)
    assert (clean.commit, clean.changed) == (git(checkout, "rev-parse", "HEAD"), False)
    (checkout / "file").write_text("two")
    assert provenance_of(assembly, now=NOW, checkout=checkout).changed is True


def test_a_folder_without_git_has_no_commit(assembly: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    made = provenance_of(assembly, now=NOW, checkout=tmp_path)
    assert (made.commit, made.changed) == (None, None)
    monkeypatch.setenv("PATH", "")
    assert provenance_of(assembly, now=NOW).commit is None

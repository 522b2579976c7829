"""The comparison tells the same of everyone, and says when the others are not there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bench import redaction
from tests.redaction_corpus.generator import corpus
from tests.redaction_corpus.model import Document, Span
from tests.redaction_corpus.peers import compare
from tests.redaction_corpus.peers.__main__ import main
from tests.redaction_corpus.peers.child import PEERS, without
from tests.redaction_corpus.scorer import score

CALL = Document("log-1", "log", "ring 07700 900123 now", (Span(5, 17, "phone", "prose"),))


def figures(name: str, *, after: str) -> compare.Compared:
    return compare.compared(name, score(lambda _: after, [CALL]))


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(compare, "ENVIRONMENT", tmp_path)
    return tmp_path


def test_a_mark_stands_for_each_finding_and_of_two_that_overlap_for_the_first() -> None:
    assert without("one two three", [(4, 7, "B"), (0, 3, "A")]) == "[A] [B] three"
    assert without("one two three", [(0, 7, "A"), (4, 13, "B")]) == "[A] three"


def test_a_redactor_is_told_by_what_it_found_and_what_it_changed_beside() -> None:
    exact, all_of_it = figures("exact", after="ring [X] now"), figures("all", after="")
    assert (exact.changed, all_of_it.changed) == (0.0, 1.0)
    assert exact.recall == all_of_it.recall > figures("nothing", after=CALL.text).recall
    told = compare.table([exact]).splitlines()
    assert told[1].startswith("exact") and "phone                           100%" in told


def test_the_bench_has_three_figures_of_each_redactor() -> None:
    rows = redaction.of([figures("ours", after="ring [X] now"), figures("other", after=CALL.text)])
    assert [row.what.split(": ")[1] for row in rows] == ["ours", "other"] * 3
    assert [row.unit for row in rows] == ["%", "%", "%", "%", "MB/s", "MB/s"]


def test_every_peer_that_is_installed_can_be_run() -> None:
    assert set(compare.PACKAGES) == set(PEERS)


def test_without_the_peers_the_command_says_how_to_get_them_and_the_bench_goes_on(
    absent: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 2
    assert "python -m tests.redaction_corpus.peers --install" in capsys.readouterr().err
    assert redaction.rows() == []
    assert "skipped: the peers are not installed" in capsys.readouterr().err


def test_a_peer_that_fails_is_named_with_its_own_last_words(absent: Path) -> None:
    (absent / "bin").mkdir()
    (absent / "bin" / "python").symlink_to(sys.executable)
    with pytest.raises(RuntimeError, match=r"(?s)nobody failed: .*KeyError: 'nobody'"):
        compare._peer("nobody", corpus()[:1])

"""Redaction of the corpus by this project and by others: what is found, what is changed beside it, and how fast."""

from __future__ import annotations

from tests.bench.processes import progress
from tests.bench.table import Row
from tests.redaction_corpus.peers.compare import Compared, PeersMissing, compare
from tests.redaction_corpus.values.kinds import kinds


def rows() -> list[Row]:
    """Three figures of each redactor; none where the others are not installed."""
    progress("the corpus through each redactor, a minute or two")
    try:
        made = compare()
    except PeersMissing as missing:
        progress(f"skipped: {missing}")
        return []
    return of(made)


def of(made: list[Compared]) -> list[Row]:
    """The figures as rows, one figure of all redactors after another."""
    return [
        *(Row(f"recall, mean of all kinds: {each.name}", each.recall * 100, "%", note=_note(each)) for each in made),
        *(Row(f"ordinary characters changed: {each.name}", each.changed * 100, "%") for each in made),
        *(Row(f"speed: {each.name}", each.speed, "MB/s", note="processor time, without imports") for each in made),
    ]


def _note(each: Compared) -> str:
    found = f"at least half of {each.kinds} of {len(kinds())} kinds"
    return f"{found}; disguised {each.plain:.0%}, twice {each.layered:.0%}"

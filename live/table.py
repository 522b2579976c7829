"""Results on a terminal: what is wrong first in the eye, and each remedy under what it mends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TextIO

from live.results import Result, Verdict

_COLOURS = {Verdict.RIGHT: "32", Verdict.WRONG: "31", Verdict.UNKNOWN: "33"}
_WIDTH = 9


def print_table(groups: Iterable[tuple[str, Sequence[Result]]], stream: TextIO) -> None:
    """Prints results by group, and a line that counts them.

    Args:
        groups: a heading with its results.
        stream: where to.
    """
    counts: Counter[Verdict] = Counter()
    for heading, results in groups:
        print(f"\n{heading}", file=stream)
        for result in results:
            counts[result.verdict] += 1
            print(f"  {_mark(result.verdict, stream)} {result.subject}: {result.found}", file=stream)
            if result.remedy:
                print(f"  {'':{_WIDTH}}→ {result.remedy}", file=stream)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)
    print(f"\n{told}.", file=stream)


def _mark(verdict: Verdict, stream: TextIO) -> str:
    text = f"{verdict:{_WIDTH}}"
    return f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m" if stream.isatty() else text

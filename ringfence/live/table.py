"""Results on a terminal: what is wrong first in the eye, each remedy under what it mends, and nothing said twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TextIO

from ringfence.live.results import Result, Verdict

_COLOURS = {Verdict.RIGHT: "32", Verdict.WRONG: "31", Verdict.UNKNOWN: "33"}
_WIDTH = 9


def print_table(groups: Iterable[tuple[str, Sequence[Result]]], stream: TextIO) -> None:
    """Prints results by group, those that say the same as one line with their subjects, and a line that counts them."""
    counts: Counter[Verdict] = Counter()
    given = list(groups)
    counts.update(result.verdict for _, results in given for result in results)
    for heading, results in _folded(given):
        print(f"\n{heading}", file=stream)
        for result in results:
            print(f"  {_mark(result.verdict, stream)} {result.subject}: {result.found}", file=stream)
            if result.remedy:
                print(f"  {'':{_WIDTH}}→ {result.remedy}", file=stream)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)
    print(f"\n{told}.", file=stream)


def _folded(groups: Sequence[tuple[str, Sequence[Result]]]) -> Iterator[tuple[str, list[Result]]]:
    """Yields groups in which each thing is said once; groups that say nothing but the same thing become one."""
    merged: dict[tuple[str, ...], tuple[list[str], list[Result]]] = {}
    for number, (heading, results) in enumerate(groups):
        lines = _said_once(results)
        key = _said(lines[0]) if len(lines) == 1 else (str(number),)
        headings, alike = merged.setdefault(key, ([], []))
        headings.append(heading)
        alike.extend(lines)
    for headings, alike in merged.values():
        yield headings[0] if len(headings) == 1 else f"{len(headings)} questions", _said_once(alike)


def _said_once(results: Sequence[Result]) -> list[Result]:
    """Returns one line for all results that say the same, with their subjects."""
    said: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        said.setdefault(_said(result), []).append(result)
    return [
        replace(alike[0], subject=", ".join(dict.fromkeys(each.subject for each in alike))) for alike in said.values()
    ]


def _said(result: Result) -> tuple[str, ...]:
    return result.verdict, result.found, result.remedy


def _mark(verdict: Verdict, stream: TextIO) -> str:
    text = f"{verdict:{_WIDTH}}"
    return f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m" if stream.isatty() else text

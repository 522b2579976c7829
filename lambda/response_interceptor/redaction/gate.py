"""The gate: one look at a text for everything that a rule might want to see more closely.

Its patterns are short supersets of what the rules find. hyperscan runs all of them at once, at hundreds of megabytes a
second; where it cannot be loaded, RE2 does the same one after the other, far slower (decision 42).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

import re2

try:
    hyperscan: Any = import_module("hyperscan")
except ImportError:  # a processor or a system without the library: what is found stays the same
    hyperscan = None


Hit = tuple[int, int, int]
"""Where a pattern occurs: its place in the list of patterns, its first byte and the byte after its last."""


class Gate(Protocol):
    """Looks for many patterns at once."""

    def hits(self, data: bytes) -> list[Hit]:
        """Return where the patterns occur. Occurrences of one pattern may overlap, and may not all be told apart."""
        ...


def made_gate(patterns: list[str]) -> Gate:
    """Return the quickest gate there is."""
    return Re2Gate(patterns) if hyperscan is None else HyperscanGate(patterns)


class HyperscanGate:
    """All patterns in one automaton. Made in about a tenth of a second."""

    def __init__(self, patterns: list[str]) -> None:
        count = len(patterns)
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[pattern.encode() for pattern in patterns],
            ids=list(range(count)),
            elements=count,
            flags=[hyperscan.HS_FLAG_SOM_LEFTMOST] * count,
        )

    def hits(self, data: bytes) -> list[Hit]:
        found: list[Hit] = []

        def note(pattern: int, start: int, end: int, _flags: int, _context: object) -> None:
            found.append((pattern, start, end))

        if data:
            self._database.scan(data, match_event_handler=note)
        return found


class Re2Gate:
    """One automaton that says which patterns occur, then each of those alone."""

    def __init__(self, patterns: list[str]) -> None:
        self._patterns: list[Any] = [re2.compile(pattern.encode()) for pattern in patterns]
        self._any = re2.Set.SearchSet()
        for pattern in patterns:
            self._any.Add(pattern.encode())
        self._any.Compile()

    def hits(self, data: bytes) -> list[Hit]:
        return [
            (index, found.start(), found.end())
            for index in self._any.Match(data) or ()
            for found in self._patterns[index].finditer(data)
        ]

"""Exact patterns on RE2, whose time is linear in the text: nothing backtracks.

The package's own functions take more time in Python than RE2 for the short pieces that are looked at here, so what they
call is called directly.
"""

from __future__ import annotations

from typing import Any

import re2

Spans = list[tuple[int, int]]
"""Start and end of a match and of each of its groups; -1 for a group that took no part."""


class Exact:
    """A pattern of bytes.

    Attributes:
        groups: how many it has.
    """

    def __init__(self, pattern: str) -> None:
        """Compile a pattern.

        Raises:
            re2.error: it is none.
        """
        compiled = re2.compile(pattern.encode())
        self.groups: int = compiled.groups
        self._match: Any = compiled._regexp.Match

    def search(self, data: bytes, start: int = 0) -> Spans | None:
        """Return the leftmost match from a place on."""
        spans: Spans = self._match(re2._Anchor.UNANCHORED, data, start, len(data))
        return spans if spans[0][0] >= 0 else None

    def match(self, data: bytes) -> Spans | None:
        """Return the match that begins where the text does."""
        spans: Spans = self._match(re2._Anchor.ANCHOR_START, data, 0, len(data))
        return spans if spans[0][0] >= 0 else None

    def fullmatch(self, data: bytes) -> Spans | None:
        """Return the match that is the whole text."""
        spans: Spans = self._match(re2._Anchor.ANCHOR_BOTH, data, 0, len(data))
        return spans if spans[0][0] >= 0 else None


def innermost(spans: Spans) -> int:
    """Return the last group that took part in a match: the value, where a pattern says more than that."""
    group = len(spans) - 1
    while spans[group][0] < 0:
        group -= 1
    return group

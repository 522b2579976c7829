"""Marks that count, so that an expectation can be written down: those of the function are keyed."""

from __future__ import annotations

import re
from collections import Counter

from response_interceptor.redaction import Marks

MARK = re.compile(r"\[REDACTED:([A-Z_]+):([0-9a-z]+)\]")


class Numbers(Marks):
    """Numbers equal values equally, by kind, in the order in which they are met. Each of these marks is genuine."""

    def __init__(self) -> None:
        super().__init__(b"", "")
        self._numbers: dict[tuple[str, str], int] = {}
        self._last: Counter[str] = Counter()

    def of(self, label: str, bare: str) -> bytes:
        if (label, bare) not in self._numbers:
            self._last[label] += 1
            self._numbers[label, bare] = self._last[label]
        return f"[REDACTED:{label}:{self._numbers[label, bare]}]".encode()

    def is_genuine(self, _mark: bytes) -> bool:
        return True


def numbered(text: str) -> str:
    """Return a text with numbers in place of the tags of its marks, by kind and in order."""
    numbers = Numbers()
    return MARK.sub(lambda mark: numbers.of(mark[1], mark[2]).decode(), text)

"""Tables in text: a column's head, far above, says what the values below it are."""

from __future__ import annotations

import re
from collections.abc import Iterator

_DELIMITERS = (b"\t", b"|", b",", b";")
_GAP = re.compile(rb" {2,}|\t+")
_QUOTED = re.compile(rb'"(?:[^"]|"")*+"')
_RULE_LINE = re.compile(rb"[\s|+:=-]+")
# What a line of heads does not hold: numbers, and the signs of code, JSON and settings.
_NO_HEADS = re.compile(rb"[0-9]{3}|[{}\[\]=<>]|: |\":")
_OPENING = re.compile(rb'.*[:\[] ?"')  # a text of JSON, of which the line is the first
_LONGEST_HEAD = 40
_MOST_HEAD = 2_000  # bytes of a line that may be a table's head
_MOST_ODD = 2  # lines in a row that are not of the table: notes, or its end

Cell = tuple[int, int]
"""Start and end of a table's cell, without the blanks and quotes around its text."""


class Table:
    """A table that begins with a line of heads.

    Attributes:
        end: where the last line that belongs to it ends.
    """

    def __init__(self, data: bytes, start: int, end: int, split: Splitter) -> None:
        self.end = end
        self._heads = list(split(data, start, end))
        self._rows: list[list[Cell]] = []
        self._read(data, split)

    def has_heads(self) -> bool:
        """Say whether two columns or more have heads, all of them short."""
        sizes = [end - start for start, end in self._heads]
        return sum(size > 0 for size in sizes) > 1 and max(sizes) <= _LONGEST_HEAD

    def head(self, start: int, end: int) -> Cell | None:
        """Return the head that holds a keyword, given by the keyword's start and end."""
        return next((head for head in self._heads if head[0] <= start and end <= head[1]), None)

    def below(self, head: Cell) -> Iterator[Cell]:
        """Yield the cells under a head."""
        column = self._heads.index(head)
        return (row[column] for row in self._rows)

    def _read(self, data: bytes, split: Splitter) -> None:
        odd, position = 0, self.end + 1
        while position < len(data) and odd < _MOST_ODD:
            end = line_end(data, position)
            cells = list(split(data, position, end))
            if len(cells) == len(self._heads):
                self._rows.append(cells)
                self.end, odd = end, 0
            elif not _RULE_LINE.fullmatch(data, position, end):
                odd += 1
            position = end + 1


class Splitter:
    """Splits a line into cells, at a delimiter or, without one, at gaps of several blanks."""

    def __init__(self, delimiter: bytes | None) -> None:
        self._delimiter = delimiter

    def __call__(self, data: bytes, start: int, end: int) -> Iterator[Cell]:
        """Yield the cells of a line."""
        line = data[start:end]
        if self._delimiter and b'"' in line:
            line = _QUOTED.sub(_masked, line)
        position = 0
        for first, last in self._ends(line):
            yield _trimmed(data, start + position, start + first)
            position = last
        yield _trimmed(data, start + position, end)

    def _ends(self, line: bytes) -> Iterator[Cell]:
        if self._delimiter is None:
            for gap in _GAP.finditer(line.rstrip()):
                yield gap.span()
            return
        at = line.find(self._delimiter)
        while at >= 0:
            yield at, at + 1
            at = line.find(self._delimiter, at + 1)


def table_at(data: bytes, position: int) -> Table | None:
    """Return the table whose heads stand in the line of a position, or None."""
    start = line_start(data, position)
    end = data.find(b"\n", position, position + _MOST_HEAD)
    if start is None or end < 0:
        return None
    if (opening := _OPENING.match(data, start, position)) is not None:
        start = opening.end()
    if _NO_HEADS.search(data[start:end]):
        return None
    line = data[start:end]
    delimiter = max(_DELIMITERS, key=line.count)
    if line.count(delimiter) or _GAP.search(line.strip()):
        table = Table(data, start, end, Splitter(delimiter if line.count(delimiter) else None))
        return table if table.end > end and table.has_heads() else None
    return None


def line_start(data: bytes, position: int) -> int | None:
    """Return where the line of a position starts, or None when that is too far for a line of heads."""
    first = max(0, position - _MOST_HEAD)
    found = data.rfind(b"\n", first, position)
    return found + 1 if found >= 0 or first == 0 else None


def line_end(data: bytes, position: int) -> int:
    """Return where the line of a position ends."""
    found = data.find(b"\n", position)
    return len(data) if found < 0 else found


def _masked(found: re.Match[bytes]) -> bytes:
    return b"x" * len(found[0])


def _trimmed(data: bytes, start: int, end: int) -> Cell:
    while start < end and data[start] in b" \t\r\"'":
        start += 1
    while start < end and data[end - 1] in b" \t\r\"'":
        end -= 1
    return start, end

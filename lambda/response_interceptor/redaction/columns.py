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
_INSERT = re.compile(rb"(?i:insert|replace)\s+(?:\w+\s+)?(?i:into)\s+[\w.\"`\[\]\\]+\s*$")
_VALUES = re.compile(rb"\)\s*(?i:values)\s*")
_ROW = re.compile(rb"\s*,?\s*\(((?:[^()']|'(?:[^']|'')*+'|\([^()]*+\))*+)\)")
_SQL_CELL = re.compile(rb"(?:[^,'()]|'(?:[^']|'')*+'|\([^()]*+\))++")
_MOST_HEAD = 2_000  # bytes of a line that may be a table's head
_MOST_ODD = 2  # lines in a row that are not of the table: notes, or its end

Cell = tuple[int, int]
"""Start and end of a table's cell, without the blanks and quotes around its text."""


class Table:
    """Heads, and rows of as many cells.

    Attributes:
        end: where the last row ends.
    """

    def __init__(self, heads: dict[Cell, int], rows: list[list[Cell]], end: int, *, ruled: bool = True) -> None:
        """A table.

        Args:
            heads: the column of each head; one may have two, its name and its label.
            rows: the cells of each.
            end: where the last row ends.
            ruled: whether it is sure that the heads are heads.
        """
        self._ruled = ruled
        self.end = end
        self._heads = heads
        self._rows = rows

    def has_heads(self) -> bool:
        """Say whether two columns or more have heads, all of them short."""
        sizes = [end - start for start, end in self._heads]
        return sum(size > 0 for size in sizes) > 1 and max(sizes) <= _LONGEST_HEAD

    def head(self, start: int, end: int) -> Cell | None:
        """Return the head that holds a keyword, given by the keyword's start and end."""
        return next((head for head in self._heads if head[0] <= start and end <= head[1]), None)

    def column(self, head: Cell) -> Cell:
        """Return what is the same for the heads of one column."""
        return head

    def is_label(self, head: Cell) -> bool:
        """Say whether a head may be the label of a form instead, and what stands beside it the value."""
        filled = [each for each in self._heads if each[0] < each[1]]
        return not self._ruled and len(filled) == 2 and head == filled[0]

    def below(self, head: Cell) -> Iterator[Cell]:
        """Yield the cells under a head."""
        column = self._heads[head]
        return (row[column] for row in self._rows)


class Splitter:
    """Splits a line into cells, at a delimiter or, without one, at gaps of several blanks."""

    def __init__(self, delimiter: bytes | None) -> None:
        self._delimiter = delimiter
        self.by_gaps = delimiter is None

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
    if start is None or end < 0 or _NO_HEADS.search(data, position, end):
        return None
    if (opening := _OPENING.match(data, start, position)) is not None:
        start = opening.end()
    if _NO_HEADS.search(data[start:end]):
        return None
    line = data[start:end]
    delimiter = max(_DELIMITERS, key=line.count)
    if line.count(delimiter) or _GAP.search(line.strip()):
        table = _lines(data, start, end, Splitter(delimiter if line.count(delimiter) else None))
        return table if table.end > end and table.has_heads() else None
    return None


def _lines(data: bytes, start: int, end: int, split: Splitter) -> Table:
    """Return the table that begins with a line of heads."""
    heads, rows, first, last = list(split(data, start, end)), list[list[Cell]](), end, end
    odd, position = 0, end + 1
    while position < len(data) and odd < _MOST_ODD:
        end = line_end(data, position)
        cells = list(split(data, position, end))
        if len(cells) != len(heads) and split.by_gaps and (fixed := _by_place(data, heads, start, position, end)):
            cells = fixed
        if len(cells) == len(heads):
            rows.append(cells)
            last, odd = end, 0
        elif not _RULE_LINE.fullmatch(data, position, end):
            odd += 1
        position = end + 1
    ruled = _RULE_LINE.fullmatch(data, first + 1, line_end(data, first + 1)) is not None
    return Table(_numbered(heads), rows, last, ruled=ruled)


def _by_place(data: bytes, heads: list[Cell], start: int, position: int, end: int) -> list[Cell]:
    """Return the cells of a line under the places of the heads, where blanks alone keep columns apart."""
    starts = [position + first - start for first, _ in heads]
    if starts[-1] >= end or any(data[at - 1 : at] not in (b" ", b"") for at in starts[1:]):
        return []
    return [_trimmed(data, first, last) for first, last in zip(starts, [*starts[1:], end], strict=True)]


def statement_at(data: bytes, position: int) -> Table | None:
    """Return what an SQL statement inserts, where a position stands among the names of its columns; else None."""
    opening = data.rfind(b"(", max(0, position - _MOST_HEAD), position)
    if opening < 0 or not _INSERT.search(data, max(0, opening - 200), opening):
        return None
    closing = data.find(b")", position, position + _MOST_HEAD)
    if closing < 0 or (values := _VALUES.match(data, closing)) is None:
        return None
    heads = _split(data, opening + 1, closing)
    rows, end = list[list[Cell]](), closing
    row = _ROW.match(data, values.end())
    while row is not None:
        cells = _split(data, *row.span(1))
        if len(cells) == len(heads):
            rows.append(cells)
        end = row.end()
        row = _ROW.match(data, end)
    return Table(_numbered(heads), rows, end) if rows else None


def _numbered(heads: list[Cell]) -> dict[Cell, int]:
    return {head: column for column, head in enumerate(heads)}


def _split(data: bytes, start: int, end: int) -> list[Cell]:
    """Return the cells between parentheses."""
    return [_trimmed(data, *each.span()) for each in _SQL_CELL.finditer(data, start, end)]


def line_start(data: bytes, position: int) -> int | None:
    """Return where the line of a position starts, or None when that is too far for a line of heads."""
    first = max(0, position - _MOST_HEAD)
    found = data.rfind(b"\n", first, position)
    return found + 1 if found >= 0 or first == 0 else None


def line_end(data: bytes | bytearray, position: int) -> int:
    """Return where the line of a position ends."""
    found = data.find(b"\n", position)
    return len(data) if found < 0 else found


def _masked(found: re.Match[bytes]) -> bytes:
    return b"x" * len(found[0])


def _trimmed(data: bytes, start: int, end: int) -> Cell:
    while start < end and data[start] in b" \t\r\n\"'`":
        start += 1
    while start < end and data[end - 1] in b" \t\r\n\"'`":
        end -= 1
    return start, end

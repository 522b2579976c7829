"""Tables in JSON: the names of the columns stand in one list, the values in others, above or far below.

So answer Athena and Timestream (ColumnInfo, Rows), the Data APIs of RDS and Redshift (columnMetadata, records), and
whatever writes `columns` beside `rows` or `data`, or a list of lists of which the first holds the names.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise

from response_interceptor.redaction.columns import Cell
from response_interceptor.redaction.gate import Hit, occurs

_PARTS = {
    b"gap": rb"[\s\\]*+",  # JSON within JSON has backslashes before its quotes
    b"text": rb'(?<!\\)"(?:[^"\\]|\\.)*+"',
}
_PARTS[b"scalar"] = rb"(?:%(text)s|-?[0-9][0-9.eE+-]*+|true|false|null)" % _PARTS
_PARTS[b"cell"] = rb"(?:%(scalar)s|\{%(gap)s(?:%(text)s%(gap)s:%(gap)s%(scalar)s%(gap)s)?\})" % _PARTS
_ROW = re.compile(rb"\[%(gap)s%(cell)s(?:%(gap)s,%(gap)s%(cell)s)*+%(gap)s\]" % _PARTS, re.S)
_VALUE = re.compile(
    rb"%(gap)s(?:\{%(gap)s(?:%(text)s%(gap)s:%(gap)s)?)?(%(scalar)s)?%(gap)s\}?%(gap)s[,\]]" % _PARTS, re.S
)
NAMES = (
    "columninfo",
    "columnmetadata",
    "column_metadata",
    "columns",
    "columnnames",
    "column_names",
    "headers",
    "fields",
)
"""What a list of columns is called."""
_COLUMNS = re.compile(rb'(?<!\\)"%(gap)s[A-Za-z_]++%(gap)s"%(gap)s:%(gap)s\[' % _PARTS)
_TOKEN = re.compile(rb"%(text)s|[\[\]{}]" % _PARTS, re.S)
_NAMING = re.compile(rb'"%(gap)s(?:(?:[cC]olumn_?)?[nN]ame|[lL]abel)%(gap)s"%(gap)s:%(gap)s(%(text)s)' % _PARTS, re.S)
_LISTS = re.compile(rb"\[%(gap)s(?:\{%(gap)s%(text)s%(gap)s:%(gap)s)?\[" % _PARTS, re.S)
_HAS_LISTS = occurs(r"\[[\s\x0b\\]*[\[{]")  # a superset, by which most texts are spared the look
_FIRST = re.compile(rb"\[%(gap)s(?:\{%(gap)s%(text)s%(gap)s:%(gap)s)?$" % _PARTS, re.S)
_BEFORE_NAME = 8
_BEFORE = 240
_MOST_NAMES = 20_000  # bytes of a list of columns


class JsonTables:
    """All tables of a text: each name belongs to all rows of as many cells as its list has names."""

    def __init__(self, heads: dict[Cell, tuple[int, int]], rows: dict[int, list[list[Cell]]]) -> None:
        """Tables.

        Args:
            heads: of each name the number of names in its list, and the place among them.
            rows: by their number of cells.
        """
        self._heads = heads
        self._cells = sorted(heads)
        self._rows = rows

    def head(self, start: int, end: int) -> Cell | None:
        """Return the head that holds a keyword, given by the keyword's start and end."""
        at = bisect_right(self._cells, (start, len(self._cells) and self._cells[-1][1])) - 1
        return self._cells[at] if at >= 0 and end <= self._cells[at][1] else None

    def column(self, head: Cell) -> tuple[int, int]:
        """Return what is the same for the heads of one column."""
        return self._heads[head]

    def is_label(self, _head: Cell) -> bool:
        """Say that no head is a form's label."""
        return False

    def below(self, head: Cell) -> Iterator[Cell]:
        """Yield the cells under a head."""
        size, column = self._heads[head]
        return (row[column] for row in self._rows.get(size, ()))


def json_tables(data: bytes, named_at: list[Hit]) -> JsonTables | None:
    """Return the tables of a text: lists of names, each with all rows of as many cells; None where it has none.

    Args:
        data: the text.
        named_at: where it has one of `NAMES`.
    """
    named = [*_named(data, named_at)]
    if not named and not (_HAS_LISTS(data) and _LISTS.search(data)):
        return None
    rows = [row for found in _ROW.finditer(data) if len(row := list(_cells(data, found))) > 1]
    if not named:
        pairs = pairwise(rows)
        named = [_numbered(first) for first, second in pairs if len(first) == len(second) and _leads(data, first)]
    sized = [(heads, 1 + max(heads.values())) for heads in named]
    # Athena's first row repeats the names.
    names = {tuple(_texts(data, {column: head for head, column in heads.items()}.values())) for heads in named}
    below: dict[int, list[list[Cell]]] = {size: [] for _, size in sized}
    for row in rows:
        if len(row) in below and tuple(_texts(data, row)) not in names:
            below[len(row)].append(row)
    return JsonTables({head: (size, column) for heads, size in sized for head, column in heads.items()}, below)


def _texts(data: bytes, cells: Iterable[Cell]) -> Iterator[bytes]:
    return (data[start:end] for start, end in cells)


def _numbered(row: list[Cell]) -> dict[Cell, int]:
    return {head: column for column, head in enumerate(row)}


def _named(data: bytes, named_at: list[Hit]) -> Iterator[dict[Cell, int]]:
    """Yield the names in each list that one of `NAMES` begins; none is looked at twice, nor what stands within one."""
    done = 0
    for start, _ in named_at:
        quote = data.rfind(b'"', max(done, start - _BEFORE_NAME), start)
        found = _COLUMNS.match(data, quote) if quote >= 0 else None
        if found is not None:
            heads, done = _heads(data, found.end() - 1)
            if heads:
                yield heads


def _leads(data: bytes, row: list[Cell]) -> bool:
    """Say whether a row is the first of a list."""
    start = row[0][0]
    return _FIRST.search(data, max(0, start - _BEFORE), max(0, data.rfind(b"[", 0, start))) is not None


def _heads(data: bytes, start: int) -> tuple[dict[Cell, int], int]:
    """Return the names that a list of columns holds, as texts or as objects with a name, each with its place.

    Returns:
        The names, none when the list does not end; and how far the text was looked at.
    """
    heads: dict[Cell, int] = {}
    end = start
    depth, column = 0, 0
    for token in _TOKEN.finditer(data, start, start + _MOST_NAMES):
        if token[0] in (b"{", b"["):
            depth += 1
        elif token[0] in (b"}", b"]"):
            depth -= 1
            column += depth == 1
        elif depth == 1:
            heads[_inner(data, *token.span())] = column
            column += 1
        elif depth == 2 and (naming := _NAMING.match(data, token.start())) is not None:
            heads[_inner(data, *naming.span(1))] = column
        end = token.end()
        if depth == 0:
            return heads, end
    return {}, end


def _cells(data: bytes, row: re.Match[bytes]) -> Iterator[Cell]:
    position = row.start() + 1
    while position < row.end() and (found := _VALUE.match(data, position, row.end())) is not None:
        start, end = found.span(1)
        yield _inner(data, start, end) if start >= 0 else (found.start(), found.start())
        position = found.end()


def _inner(data: bytes, start: int, end: int) -> Cell:
    """Return a text without its quotes and the blanks and backslashes within them; anything else as it is."""
    while start < end and data[start] in b'" \\':
        start += 1
    while start < end and data[end - 1] in b'" \\':
        end -= 1
    return start, end

"""Tables in JSON: the names of the columns stand in one list, the values in others, above or far below.

So answer Athena and Timestream (ColumnInfo, Rows), the Data APIs of RDS and Redshift (columnMetadata, records), and
whatever writes `columns` beside `rows` or `data`, or a list of lists of which the first holds the names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from response_interceptor.redaction.columns import Cell, Table
from response_interceptor.redaction.gate import Hit

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
_FIRST = re.compile(rb"\[%(gap)s(?:\{%(gap)s%(text)s%(gap)s:%(gap)s)?$" % _PARTS, re.S)
_BEFORE_NAME = 8
_BEFORE = 240
_MOST_NAMES = 20_000  # bytes of a list of columns


def json_tables(data: bytes, named_at: list[Hit]) -> list[Table]:
    """Return the tables of a text: lists of names, each with all rows of as many cells.

    Args:
        data: the text.
        named_at: where it has one of `NAMES`.
    """
    if b"[" not in data:
        return []
    named = [heads for start, _ in named_at if (heads := _named(data, start))]
    if not named and not _LISTS.search(data):
        return []
    rows = [row for found in _ROW.finditer(data) if len(row := list(_cells(data, found))) > 1]
    if not named:
        named = [_names(first) for first, second in pairwise(rows) if len(first) == len(second) and _leads(data, first)]
    return [Table(heads, [row for row in rows if _is_below(data, heads, row)], 0) for heads in named]


def _named(data: bytes, start: int) -> dict[Cell, int]:
    """Return the names in the list that a word begins the name of."""
    quote = data.rfind(b'"', max(0, start - _BEFORE_NAME), start)
    found = _COLUMNS.match(data, quote) if quote >= 0 else None
    return _heads(data, found.end() - 1) if found else {}


def _leads(data: bytes, row: list[Cell]) -> bool:
    """Say whether a row is the first of a list."""
    start = row[0][0]
    return _FIRST.search(data, max(0, start - _BEFORE), max(0, data.rfind(b"[", 0, start))) is not None


def _names(row: list[Cell]) -> dict[Cell, int]:
    return {head: column for column, head in enumerate(row)}


def _is_below(data: bytes, heads: dict[Cell, int], row: list[Cell]) -> bool:
    """Say whether a row is one of values: Athena's first repeats the names."""
    return len(row) == 1 + max(heads.values()) and any(
        data[slice(*head)] != data[slice(*row[column])] for head, column in heads.items()
    )


def _heads(data: bytes, start: int) -> dict[Cell, int]:
    """Return the names that a list of columns holds, as texts or as objects with a name, and the place of each."""
    heads: dict[Cell, int] = {}
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
        if depth == 0:
            return heads
    return {}


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

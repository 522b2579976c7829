"""Values in columns: what they are is said once, far above most of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.redaction_corpus import ordinary
from tests.redaction_corpus.page import Page, in_sql, plainly
from tests.redaction_corpus.values.kinds import Cell

Rows = Sequence[Sequence[str]]
"""Rows of what is written: places of values and ordinary text."""


@dataclass(frozen=True)
class Layout:
    """What a table must know of its values.

    Attributes:
        widths: of each column, in characters.
        quoted: whether a field holds what may separate fields.
    """

    widths: Sequence[int]
    quoted: bool


Table = Callable[[Page, Sequence[str], Rows, Layout], str]


def separated(page: Page, heads: Sequence[str], rows: Rows, layout: Layout) -> str:
    """Comma, semicolon or tab separated (RFC 4180), with or without quotes."""
    delimiter = page.rng.choice((",", ",", ";", "\t", "|"))
    quoting = csv.QUOTE_ALL if layout.quoted else page.rng.choice((csv.QUOTE_ALL, csv.QUOTE_MINIMAL))
    page.escape = _doubled if quoting == csv.QUOTE_ALL else plainly
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, quoting=quoting, lineterminator=page.rng.choice(("\n", "\r\n")))
    writer.writerows([heads, *rows])
    return written.getvalue()


def _doubled(text: str) -> str:
    return text.replace('"', '""')


def inserts(page: Page, heads: Sequence[str], rows: Rows, layout: Layout) -> str:
    """One INSERT statement with many rows."""
    page.escape = in_sql
    columns = ", ".join(head.replace(" ", "_").replace(".", "").lower() for head in heads)
    values = ",\n".join("  (" + ", ".join(f"'{each}'" for each in row) + ")" for row in rows)
    return f"INSERT INTO people_import ({columns}) VALUES\n{values};"


def aligned(page: Page, heads: Sequence[str], rows: Rows, layout: Layout) -> str:
    """A table as a database's or a cloud's command line prints it."""
    separator = page.rng.choice((" | ", "  ", "\t"))
    top = separator.join(f"{head:<{width}}" for head, width in zip(heads, layout.widths, strict=True))
    made = [top, "-" * len(top)] if separator != "\t" else [top]
    return "\n".join([*made, *(separator.join(row) for row in rows), f"({len(rows)} rows)"])


def piped(page: Page, heads: Sequence[str], rows: Rows, layout: Layout) -> str:
    """A table of Markdown."""
    made = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in made)


TABLES: Final[dict[str, Table]] = {"csv": separated, "sql": inserts, "terminal": aligned, "markdown": piped}
"""The formats that have columns."""
_SPECIAL: Final = frozenset(',;|\t"\n')
_ORDINARY: Final = (
    "requestId",
    "createdAt",
    "sizeInBytes",
    "version",
    "accountId",
    "sequenceNumber",
    "durationMs",
    "hostname",
)


def table(page: Page, form: str, columns: Sequence[Sequence[Cell]], rows: int) -> str:
    """A table of which some columns hold values, each of one kind, and the others ordinary text.

    Args:
        page: what it is written on.
        form: a name of TABLES.
        columns: the cells of each column; as many as there are rows.
        rows: how many rows.
    """
    plain = page.rng.sample(_ORDINARY, 3)
    order = [*range(len(columns)), *plain]
    page.rng.shuffle(order)
    heads = [_head(page, columns[each][0]) if isinstance(each, int) else each for each in order]
    lengths = [max(len(cell.value) for cell in columns[each]) if isinstance(each, int) else 36 for each in order]
    widths = [max(length, len(head)) for length, head in zip(lengths, heads, strict=True)]
    quoted = any(_SPECIAL & set(cell.value) for column in columns for cell in column)
    made = []
    for row in range(rows):
        fields = []
        for each, width in zip(order, widths, strict=True):
            if isinstance(each, int):
                cell = columns[each][row]
                fields.append(page.slot(cell) + " " * (width - len(cell.value) if form == "terminal" else 0))
            else:
                fields.append(f"{ordinary.FACTS[each](page.rng)!s:<{width if form == 'terminal' else 0}}")
        made.append(fields)
    return TABLES[form](page, heads, made, Layout(widths, quoted))


def _head(page: Page, first: Cell) -> str:
    return page.rng.choice((first.key, first.label, first.label.title()))

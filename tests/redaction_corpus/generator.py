"""The corpus: the same documents for the same seed.

Three parts: values as people and systems write them, at least PER_CONTEXT of each kind in each context that it has;
values in disguise; and documents of ordinary text alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import Final

from tests.redaction_corpus.disguises import BROKEN, LAYERED, PLAIN, WHOLE, disguised
from tests.redaction_corpus.formats import FORMATS
from tests.redaction_corpus.model import LAYERED as LAYERED_ONES
from tests.redaction_corpus.model import PLAIN as PLAIN_ONES
from tests.redaction_corpus.model import Document
from tests.redaction_corpus.page import Page, Piece
from tests.redaction_corpus.tables import TABLES, table
from tests.redaction_corpus.values.kinds import KEYWORD, Cell, Kind, cell, kinds

SEED: Final = 20261129
PER_CONTEXT: Final = 42
ORDINARY_EACH: Final = 40
"""Documents of ordinary text alone, of each format."""
DISGUISED_EACH: Final = 24
"""Values in each disguise."""
_DISGUISED_KINDS: Final = (
    "nino", "nhs", "iban", "card", "email", "phone", "postcode", "utr", "sort_code", "aws_access_key", "github",
    "password",
)  # fmt: skip
_DISGUISED_FORMATS: Final = ("log", "json", "email", "ticket", "stack_trace", "terminal")
_TABLE_COLUMNS, _TABLE_ROWS = 3, 12


def chance(seed: int) -> Random:
    """What all chance of a corpus comes from."""
    return Random(seed)  # noqa: S311 - repeatable, not secret


@cache
def corpus(seed: int = SEED) -> tuple[Document, ...]:
    """Every document, in an order that the seed alone decides."""
    rng = chance(seed)
    made = [*_in_context(rng), *_in_columns(rng), *_in_disguise(rng), *_ordinary(rng)]
    return tuple(replace(document, name=f"{document.format}-{place:04}") for place, document in enumerate(made))


def _document(form: str, page: Page, written: str) -> Document:
    text, spans = page.finish(written)
    return Document("", form, text, spans)


def _in_context(rng: Random) -> Iterator[Document]:
    """Documents with two to five values each."""
    waiting: dict[str, list[Cell]] = defaultdict(list)
    wanted = [
        cell(rng, kind, context)
        for kind in kinds().values()
        for context in kind.contexts
        if context != "column"
        for _ in range(PER_CONTEXT)
    ]
    rng.shuffle(wanted)
    for each in wanted:
        form = rng.choice([name for name, (_, contexts) in FORMATS.items() if each.context in contexts])
        waiting[form].append(each)
    for form, cells in waiting.items():
        while cells:
            count = rng.randint(2, 5)
            taken, cells[:count] = cells[:count], []
            page = Page(rng)
            yield _document(form, page, FORMATS[form][0](page, taken))


def _in_columns(rng: Random) -> Iterator[Document]:
    """Tables: each kind that has columns comes in six of them."""
    wanted = [kind for kind in kinds().values() if "column" in kind.contexts] * (PER_CONTEXT // _TABLE_ROWS * 2)
    rng.shuffle(wanted)
    for place in range(0, len(wanted), _TABLE_COLUMNS):
        chosen, rows = wanted[place : place + _TABLE_COLUMNS], rng.randint(_TABLE_ROWS, 2 * _TABLE_ROWS)
        form, page = rng.choice((*TABLES, "csv")), Page(rng)
        columns = [[cell(rng, kind, "column") for _ in range(rows)] for kind in chosen]
        yield _document(form, page, table(page, form, columns, rows))


def _in_disguise(rng: Random) -> Iterator[Document]:
    """Documents with one or two values in disguise."""
    wanted = [name for name in (*PLAIN, *LAYERED) for _ in range(DISGUISED_EACH)]
    rng.shuffle(wanted)
    while wanted:
        count = rng.randint(1, 2)
        names, wanted[:count] = wanted[:count], []
        pieces, cells = {}, []
        for name in names:
            placed, piece = _disguised_cell(rng, name)
            pieces[id(placed)] = piece
            cells.append(placed)
        form, page = rng.choice(_DISGUISED_FORMATS), Page(rng, pieces)
        yield _document(form, page, FORMATS[form][0](page, cells))


def _disguised_cell(rng: Random, name: str) -> tuple[Cell, Piece]:
    layers = PLAIN_ONES if name in PLAIN else LAYERED_ONES
    outermost = LAYERED[name][1] if name in LAYERED else name
    while True:
        kind = kinds()[rng.choice(_DISGUISED_KINDS)]
        placed = cell(rng, kind, "keyed" if kind.form == KEYWORD or rng.random() < 0.5 else "bare")
        inside, start = placed.value, 0
        if outermost in WHOLE:
            placed, inside, start = _hidden_whole(rng, placed, kind)
        worn = disguised(rng, name, inside)
        if worn.text != inside and not (name in BROKEN and kind.form == KEYWORD):
            break
    piece = Piece(
        worn.text, worn.bounds[start], worn.bounds[start + len(placed.value)], outermost == "json_unicode", layers, name
    )
    return placed, piece


def _hidden_whole(rng: Random, placed: Cell, kind: Kind) -> tuple[Cell, str, int]:
    """A cell whose name is disguised together with it: the field that holds it says nothing."""
    key = rng.choice(("payload", "body", "data", "message", "context"))
    before = rng.choice((f"{placed.label}: ", f"{placed.key}=", f'{{"{placed.key}":"'))
    after = '"}' if before.startswith("{") else rng.choice(("", "; state=open", "\n"))
    return replace(placed, key=key, label=key, context="keyed"), before + placed.value + after, len(before)


def _ordinary(rng: Random) -> Iterator[Document]:
    """Documents of ordinary text alone."""
    for form, (write, _) in FORMATS.items():
        for _ in range(ORDINARY_EACH):
            page = Page(rng)
            yield _document(form, page, write(page, ()))
    for form in TABLES:
        for _ in range(ORDINARY_EACH):
            page = Page(rng)
            yield _document(form, page, table(page, form, (), 20))

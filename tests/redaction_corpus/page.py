"""A page on which a format writes: values are put where their place is known only once the whole is written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape as xml_escape

from tests.redaction_corpus.model import NONE, Span
from tests.redaction_corpus.values.kinds import Cell, cell, kinds

Escape = Callable[[str], str]
_SLOT: Final = re.compile("\ue000(\\d+)\ue001")
_QUOTED_NUMBER: Final = re.compile('"(\ue000\\d+\ue001)\ue002"')


@dataclass(frozen=True)
class Piece:
    """What is put in a place.

    Attributes:
        text: the value, or a disguise in which it is.
        start: where in the text the label begins.
        end: where it ends.
        raw: the text is in a disguise that a format's own escaping would undo or hide once more.
        layers: see model.Span.
        disguise: see model.Span.
    """

    text: str
    start: int
    end: int
    raw: bool = False
    layers: str = NONE
    disguise: str = ""


def plainly(text: str) -> str:
    """No escaping at all."""
    return text


def in_json(text: str) -> str:
    """As it stands between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def in_xml(text: str) -> str:
    """As it stands in an element or an attribute."""
    return xml_escape(text, {'"': "&quot;"})


def in_sql(text: str) -> str:
    """As it stands between single quotes."""
    return text.replace("'", "''")


class Page:
    """The values of one document, and the places at which a format has put them.

    Attributes:
        rng: what all chance of this document comes from.
        escape: how the format writes a value.
    """

    def __init__(self, rng: Random, pieces: dict[int, Piece] | None = None) -> None:
        """A page.

        Args:
            rng: what all chance of this document comes from.
            pieces: what stands for a cell's own value, by the cell's `id`.
        """
        self.rng = rng
        self.escape: Escape = plainly
        self._disguised = pieces or {}
        self._placed: list[tuple[Cell, Piece, Escape]] = []

    def slot(self, placed: Cell, escape: Escape = plainly) -> str:
        """The place of a cell's value; `escape` comes before the format's own."""
        piece = self._disguised.get(id(placed)) or Piece(placed.value, 0, len(placed.value))
        self._placed.append((placed, piece, escape))
        return f"\ue000{len(self._placed) - 1}\ue001"

    def query_slot(self, placed: Cell) -> str:
        """The place of a value in a query: spaces become plus signs, or are in percent like the rest."""
        return self.slot(placed, self.rng.choice((quote_plus, _all_percent)))

    def number(self, placed: Cell) -> str:
        """The place of a value that JSON shall hold as a number, to be put where a string may stand."""
        return self.slot(placed) + "\ue002"

    def more(self, kind: str, context: str) -> Cell:
        """A cell that nobody asked for, but without which the text would not be real."""
        return cell(self.rng, kinds()[kind], context)

    def finish(self, written: str) -> tuple[str, tuple[Span, ...]]:
        """The text with every value in its place, and the labels."""
        written = _QUOTED_NUMBER.sub(r"\1", written)
        parts, spans, length, last = [], [], 0, 0
        for match in _SLOT.finditer(written):
            placed, piece, first = self._placed[int(match[1])]
            cuts = (piece.text[: piece.start], piece.text[piece.start : piece.end], piece.text[piece.end :])
            before, value, after = cuts if piece.raw else (self.escape(first(cut)) for cut in cuts)
            ordinary = written[last : match.start()]
            start = length + len(ordinary) + len(before)
            spans.append(
                Span(start, start + len(value), placed.kind.name, placed.context, piece.layers, piece.disguise)
            )
            parts += [ordinary, before, value, after]
            length = start + len(value) + len(after)
            last = match.end()
        return "".join([*parts, written[last:]]), tuple(spans)


def _all_percent(text: str) -> str:
    return quote(text, safe="")

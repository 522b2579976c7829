"""The kinds of personal data and secrets, as kinds.toml describes them, and a value of each in a place."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from tests.redaction_corpus.values.credentials import CREDENTIALS
from tests.redaction_corpus.values.people import PEOPLE

CHECK, OWN, KEYWORD, FREE = "check", "own", "keyword", "free"
MAKERS: Final = PEOPLE | CREDENTIALS
_PROSE: Final = (
    "Caller confirmed {label} {} on the second attempt.",
    "Their {label} is {} and not the one on file.",
    "The {label} ({}) did not match our record.",
    "Please change the {label} to {} before Friday.",
    "{label}: {}, as read out on the phone.",
    "We hold {label} {} for this case.",
)
_BARE: Final = (
    "Looked at {} again today and found nothing new.",
    "No row for {} in the extract.",
    "See {} for the rest.",
    "Retried {} after the timeout, then gave up.",
    "{} was seen twice.",
)
_MULTILINE: Final = "Found in the upload:\n{}\nEnd of the upload."


@dataclass(frozen=True)
class Kind:
    """One table of kinds.toml, whose head explains the fields."""

    name: str
    form: str
    keys: tuple[str, ...]
    labels: tuple[str, ...]
    contexts: tuple[str, ...]
    phrases: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    wrap: str = "{}"

    def make(self, rng: Random) -> str:
        """A value, in one of its writings."""
        return MAKERS[self.name](rng)


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by its name."""
    tables = tomllib.loads(Path(__file__).with_name("kinds.toml").read_text(encoding="utf-8"))
    listed = {
        name: {field: tuple(value) if isinstance(value, list) else value for field, value in table.items()}
        for name, table in tables.items()
    }
    return {name: Kind(name=name, **table) for name, table in listed.items()}


@dataclass(frozen=True)
class Cell:
    """A value and the words around it, ready to be put into any format.

    Attributes:
        kind: of the value.
        context: what says what the value is.
        value: as it is written, before a format escapes it.
        key: the name of a field.
        label: what people call it.
        header: the name of an HTTP header, with the scheme if it has one.
    """

    kind: Kind
    context: str
    value: str
    key: str
    label: str
    header: str

    @property
    def multiline(self) -> bool:
        """Whether the value is a block of lines."""
        return "\n" in self.value

    def sentence(self, rng: Random, value: str) -> str:
        """A sentence that holds the value."""
        if self.multiline:
            return _MULTILINE.format(value)
        if self.context == "bare":
            return rng.choice(_BARE).format(value)
        return rng.choice(self.kind.phrases or _PROSE).format(value, label=self.label)


def cell(rng: Random, kind: Kind, context: str) -> Cell:
    """A value of a kind for a context."""
    fits, value = _FITS.get(context if context == "number" else f"{context} {kind.name}"), kind.make(rng)
    while fits and not fits(value):
        value = kind.make(rng)
    key, label = rng.choice(kind.keys), rng.choice(kind.labels)
    return Cell(kind, context, value, key, label, rng.choice(kind.headers) if kind.headers else "")


def _is_number(value: str) -> bool:
    """Whether JSON takes it as a number as it is."""
    return value.isascii() and value.isdigit() and value[0] != "0"


def _is_in_full(postcode: str) -> bool:
    """Whether it is written as Royal Mail asks for: without its space or its capitals it is any word with digits."""
    return " " in postcode and postcode.isupper()


def _has_country(number: str) -> bool:
    return number[0].isalpha()


_FITS: Final[dict[str, Callable[[str], bool]]] = {
    "number": _is_number, "bare postcode": _is_in_full, "bare vat": _has_country,
}  # fmt: skip
"""Which writings of a value a context takes, by context, or by context and kind; else all."""

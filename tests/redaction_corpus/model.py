"""What the corpus is made of: documents, and what in them is personal data or a secret."""

from __future__ import annotations

from dataclasses import dataclass

NONE, PLAIN, LAYERED = "none", "plain", "layered"


@dataclass(frozen=True)
class Span:
    """A stretch of a document that must not leave a department.

    Attributes:
        start: index of its first character.
        end: index after its last character.
        kind: a name in kinds.toml.
        context: what says that it is one: `keyed`, `column`, `prose`, `query`, `header`, `connection`, `signature`,
            `number` (a JSON number with a key), `mrz`; or `bare`: nothing but its own form.
        layers: `none` for a value as people write it; `plain` for one disguise, `layered` for one upon another.
        disguise: the name of the disguise; empty for none.
    """

    start: int
    end: int
    kind: str
    context: str
    layers: str = NONE
    disguise: str = ""


@dataclass(frozen=True)
class Document:
    """A text and its labels.

    Attributes:
        name: its format and a number: the same for the same seed.
        format: a name of formats.FORMATS.
        text: what a tool would answer.
        spans: in the order of the text, none within another; empty in a document of ordinary text alone.
    """

    name: str
    format: str
    text: str
    spans: tuple[Span, ...] = ()

"""Writing a document in which the values stay known through any escaping: each stands between two marks of its own."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from tomllib import loads
from typing import Any, Final, TypeVar

from tests.redaction_corpus.model import NONE, Document, Span
from tests.redaction_corpus.second.credentials import CREDENTIALS
from tests.redaction_corpus.second.people import PEOPLE

KINDS: Final[dict[str, Any]] = loads(Path(__file__).with_name("kinds.toml").read_text(encoding="utf-8"))
VALUES: Final = {**PEOPLE, **CREDENTIALS}
_OPEN, _CLOSE, _NUMBER, _FIRST = "\ue100", "\ue101", "\ue102", 0xE200
_MARKED: Final = re.compile(f"{_OPEN}(.)(.*?){_CLOSE}", re.DOTALL)
_QUOTED: Final = re.compile(rf'\\*"({_OPEN}[^{_CLOSE}]*{_CLOSE}){_NUMBER}\\*"')
Chosen = TypeVar("Chosen")


class Ink:
    """What one document is written with.

    Attributes:
        rng: what all chance of this document comes from.
    """

    def __init__(self, seed: str) -> None:
        """Ink for the document that the seed names."""
        self.rng = Random(seed)  # noqa: S311 - repeatable, not secret
        self._labels: list[tuple[str, str, str, str]] = []

    def value(self, kind: str) -> str:
        """A value of a kind in one of its writings, without a label."""
        return VALUES[kind](self.rng)

    def put(self, kind: str, context: str, value: str = "", *, layers: str = NONE, disguise: str = "") -> str:
        """A labelled value; the marks around it pass through JSON, XML and the like."""
        self._labels.append((kind, context, layers, disguise))
        return f"{_OPEN}{chr(_FIRST + len(self._labels) - 1)}{value or self.value(kind)}{_CLOSE}"

    def number(self, kind: str) -> str:
        """A labelled value which JSON holds as a number: to be written as a string, whose quotes fall away."""
        value = "0"
        while not value.isdecimal() or value[0] == "0":
            value = re.sub(r"[ -]", "", self.value(kind))
        return self.put(kind, "number", value) + _NUMBER

    def key(self, kind: str, style: str) -> str:
        """The name of a field of that kind, in a case: snake, camel, pascal, kebab, upper, title, lower."""
        return cased(self.pick(KINDS[kind]["keys"]), style)

    def pick(self, options: list[Chosen]) -> Chosen:
        """One of them."""
        return self.rng.choice(options)

    def finish(self, name: str, form: str, text: str) -> Document:
        """The document: marks are gone, and have become labels."""
        text = _QUOTED.sub(r"\1", text)
        parts: list[str] = []
        spans: list[Span] = []
        length = last = 0
        for match in _MARKED.finditer(text):
            before, value = text[last : match.start()], match[2]
            start = length + len(before)
            spans.append(_span(start, start + len(value), self._labels[ord(match[1]) - _FIRST]))
            parts += [before, value]
            length, last = start + len(value), match.end()
        return Document(name, form, "".join([*parts, text[last:]]), tuple(spans))


def _span(start: int, end: int, label: tuple[str, str, str, str]) -> Span:
    kind, context, layers, disguise = label
    return Span(start, end, kind, context, layers, disguise)


def cased(words: str, style: str) -> str:
    """Words as a name in a case."""
    parts = words.split()
    capital = [part[:1].upper() + part[1:] for part in parts]
    return {
        "snake": "_".join(parts),
        "camel": parts[0] + "".join(capital[1:]),
        "pascal": "".join(capital),
        "kebab": "-".join(parts),
        "upper": "_".join(parts).upper(),
        "title": " ".join(capital),
        "lower": words,
    }[style]

"""Disguises: the same value in a writing that a plain search does not see but a reader, or the next program, undoes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final
from urllib.parse import quote

# Unicode, confusables.txt (UTS 39): letters and digits of other scripts that look the same.
_CONFUSABLE: Final = dict(
    zip(
        "ABCEHIJKMOPSTXYaceiopsxy",
        "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u04ae"
        "\u0430\u0441\u0435\u0456\u043e\u0440\u0455\u0445\u0443",
        strict=True,
    )
)
_NAMED: Final = {
    "@": "&commat;",
    ".": "&period;",
    "-": "&hyphen;",
    " ": "&nbsp;",
    "/": "&sol;",
    ":": "&colon;",
    "_": "&lowbar;",
    "+": "&plus;",
}
_INVISIBLE: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_COMBINING: Final = "\u0301\u0308\u0323\u034f"


@dataclass(frozen=True)
class Disguised:
    """A text in disguise.

    Attributes:
        text: as it reads now.
        bounds: for each place between two characters of the text as it was, and for both ends, where that is now.
    """

    text: str
    bounds: tuple[int, ...]


Disguise = Callable[[Random, str], Disguised]


def by_character(change: Callable[[Random, str], str], rng: Random, text: str) -> Disguised:
    """Change each character alone."""
    parts = [change(rng, character) for character in text]
    bounds = [0]
    for part in parts:
        bounds.append(bounds[-1] + len(part))
    return Disguised("".join(parts), tuple(bounds))


def _fullwidth(_: Random, character: str) -> str:
    return chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character


def _mathematical(_: Random, character: str) -> str:
    """Bold letters and digits of Unicode's block 1D400, which NFKC takes back."""
    for first, last, base in (("A", "Z", 0x1D400), ("a", "z", 0x1D41A), ("0", "9", 0x1D7CE)):
        if first <= character <= last:
            return chr(base + ord(character) - ord(first))
    return character


def _look_alike(_: Random, character: str) -> str:
    return _CONFUSABLE.get(character, character)


def _followed_by(among: str, rng: Random, character: str) -> str:
    return character + rng.choice(among) if character.isalnum() and rng.random() < 0.5 else character


def _split_by(separators: tuple[str, ...], rng: Random, text: str) -> Disguised:
    """One break in the middle."""
    middle = len(text) // 2
    made = text[:middle] + rng.choice(separators) + text[middle:]
    added = len(made) - len(text)
    return Disguised(made, tuple(place + (added if place > middle else 0) for place in range(len(text) + 1)))


def _bytes_to(per_byte: tuple[int, int], encode: Callable[[bytes], str], _: Random, text: str) -> Disguised:
    numerator, denominator = per_byte
    bounds, size = [0], 0
    for character in text:
        size += len(character.encode())
        bounds.append(size * numerator // denominator)
    made = encode(text.encode())
    return Disguised(made, (*bounds[:-1], len(made)))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _base64_of_urls(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _json_string(_: Random, character: str) -> str:
    return json.dumps(character)[1:-1]


PLAIN: Final[dict[str, Disguise]] = {
    "fullwidth": partial(by_character, _fullwidth),
    "mathematical": partial(by_character, _mathematical),
    "confusable": partial(by_character, _look_alike),
    "invisible": partial(by_character, partial(_followed_by, _INVISIBLE)),
    "combining": partial(by_character, partial(_followed_by, _COMBINING)),
    "json_unicode": partial(by_character, lambda _, each: f"\\u{ord(each):04x}"),
    "percent": partial(by_character, lambda _, each: f"%{ord(each):02X}"),
    "percent_specials": partial(by_character, lambda _, each: quote(each, safe="")),
    "html_decimal": partial(by_character, lambda _, each: f"&#{ord(each)};"),
    "html_hex": partial(by_character, lambda _, each: f"&#x{ord(each):x};"),
    "html_named": partial(by_character, lambda _, each: _NAMED.get(each, each)),
    "quoted_printable": partial(by_character, lambda _, each: f"={ord(each):02X}"),
    "base64": partial(_bytes_to, (4, 3), _base64),
    "base64_url": partial(_bytes_to, (4, 3), _base64_of_urls),
    "hex": partial(_bytes_to, (2, 1), bytes.hex),
    "json_in_json": partial(by_character, _json_string),
    "tab_inside": partial(_split_by, ("\t",)),
    "line_break_inside": partial(_split_by, ("\n", "\r\n", "=\r\n")),
}
"""One disguise each."""

LAYERED: Final[dict[str, tuple[str, str]]] = {
    "base64 in base64": ("base64", "base64"),
    "hex in base64": ("hex", "base64"),
    "base64 in hex": ("base64", "hex"),
    "percent in percent": ("percent", "percent_specials"),
    "base64 in percent": ("base64", "percent"),
    "html in percent": ("html_decimal", "percent_specials"),
    "json_unicode in base64": ("json_unicode", "base64"),
    "confusable in base64": ("confusable", "base64"),
    "percent in json_unicode": ("percent", "json_unicode"),
    "invisible in base64": ("invisible", "base64"),
    "quoted_printable in html": ("quoted_printable", "html_hex"),
}
"""One disguise upon another: the inner, then the outer."""

WHOLE: Final = frozenset({"base64", "base64_url", "hex", "json_in_json"})
"""Disguises of a whole text: what stands beside a value goes in with it."""
BROKEN: Final = frozenset({"tab_inside", "line_break_inside"})
"""Disguises that nobody can undo for a value whose form does not tell where it ends."""


def disguised(rng: Random, name: str, text: str) -> Disguised:
    """A text in one of the disguises of PLAIN or LAYERED."""
    if name in PLAIN:
        return PLAIN[name](rng, text)
    inner, outer = (PLAIN[each] for each in LAYERED[name])
    first = inner(rng, text)
    second = outer(rng, first.text)
    return Disguised(second.text, tuple(second.bounds[place] for place in first.bounds))

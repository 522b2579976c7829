"""The form of a text in which values are looked for: what a person or a model would read, in plain characters."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import unquote

from callpath.characters import HIDDEN

_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_ENCODED = re.compile(r"%[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|&#")
_MOST_LAYERS = 3


class _Folded(dict[int, str]):
    """Maps a character to its plain form, worked out when first met: digits of any script, dashes and spaces."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = character
        if code > 0x7F:
            decimal = unicodedata.decimal(character, None)
            category = unicodedata.category(character)
            if decimal is not None:
                plain = str(decimal)
            elif category == "Pd" or code == 0x2212:
                plain = "-"
            elif category == "Zs":
                plain = " "
        self[code] = plain
        return plain


_FOLDED = _Folded()


def normalised(text: str) -> str:
    """Return the text without hidden characters, in compatibility form (NFKC), with up to three layers of percent,
    backslash and HTML encoding undone. Returns the same object when there is nothing to do.
    """
    for _ in range(_MOST_LAYERS):
        before = text
        if not text.isascii():
            text = unicodedata.normalize("NFKC", HIDDEN.sub("", text)).translate(_FOLDED)
        if _ENCODED.search(text):
            text = _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
            text = html.unescape(unquote(text))
        if text == before:
            return before
    return text

"""The form of a text in which values are looked for: what a person or a model would read, in plain characters."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache
from urllib.parse import unquote

from callpath.characters import HIDDEN, beyond_ascii, hides

# Possessive, and only at a run's first backslash: a long run is looked at once, not once from each of its places.
_ESCAPE = re.compile(r"(?<!\\)\\++(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|[nrt])")
_ENCODED = re.compile(r"%[0-9a-fA-F]{2}|\\[nrt]|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|&#")
_MOST_LAYERS = 3
# A character's number in decimal. None has more than seven digits, and Python refuses to read one of thousands.
_REFERENCE = re.compile(r"&#0*([0-9]+)")
_MOST_DIGITS = 7
# Normalising sorts each run of combining marks, in quadratic time. No language's text has more than thirty in a row
# (Unicode Standard Annex 15, "Stream-Safe Text Format"), so what is beyond is left out.
_MOST_MARKS = 30


@cache
def _folded(character: str) -> str:
    """Return the plain form of a digit of any script, a dash or a space; any other character as it is."""
    decimal = unicodedata.decimal(character, None)
    if decimal is not None:
        return str(decimal)
    category = unicodedata.category(character)
    if category == "Pd" or character == "\u2212":
        return "-"
    return " " if category == "Zs" else character


def normalised(text: str) -> str:
    """Return the text without hidden characters, in compatibility form (NFKC), with up to three layers of percent,
    backslash and HTML encoding undone. Returns the same object when there is nothing to do.
    """
    for _ in range(_MOST_LAYERS):
        before = text
        if hides(text):
            text = HIDDEN.sub("", text)
        if not text.isascii():
            text = unicodedata.normalize("NFKC", _stream_safe(text))
            for character in set(beyond_ascii(text)):
                if (plain := _folded(character)) != character:
                    text = text.replace(character, plain)
        if _may_be_encoded(text) and _ENCODED.search(text):
            text = _paired(_ESCAPE.sub(_unescaped, text))
            text = html.unescape(_REFERENCE.sub(_readable, unquote(text)))
        if text == before:
            return before
    return text


def is_plain(text: str) -> bool:
    """Say whether a text, and so every part of it, is its own normalised form; quick, and sometimes wrongly no."""
    return text.isascii() and not _may_be_encoded(text) and not hides(text)


def _may_be_encoded(text: str) -> bool:
    return "\\" in text or "%" in text or "&#" in text


def _stream_safe(text: str) -> str:
    """Return the text with at most `_MOST_MARKS` combining marks in a row."""
    if len(text) <= _MOST_MARKS or not any(map(unicodedata.combining, set(beyond_ascii(text)))):
        return text
    kept, run = [], 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def _readable(reference: re.Match[str]) -> str:
    return f"&#{reference[1]}" if len(reference[1]) <= _MOST_DIGITS else "\ufffd"


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return chr(int(code, 16)) if code else " "


def _paired(text: str) -> str:
    """Return the text with surrogate pairs joined: JSON escapes a character beyond U+FFFF as two."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text

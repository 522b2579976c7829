"""Characters that a person does not see but a model reads: they carry hidden instructions and break up patterns."""

from __future__ import annotations

import re

# Ranges rather than Unicode categories: a few format characters are visible (Arabic number signs), and several
# invisible ones are not format characters (Hangul fillers, variation selectors, which can encode whole messages).
_INVISIBLE = (
    "\u00ad"  # soft hyphen
    "\u034f"  # combining grapheme joiner
    "\u061c"  # Arabic letter mark
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers
    "\u17b4\u17b5"  # Khmer inherent vowels
    "\u180b-\u180f"  # Mongolian variation selectors and vowel separator
    "\u200b\u200c\u200e\u200f"  # zero-width space, non-joiner and direction marks; the joiner is below
    "\u2028-\u202e"  # line and paragraph separators, bidirectional embeddings and overrides
    "\u2060-\u206f"  # word joiner, invisible operators, bidirectional isolates
    "\ufe00-\ufe0e"  # variation selectors; the sixteenth is left, because emoji need it
    "\ufeff"  # byte order mark
    "\ufff0-\ufffb"  # interlinear annotation and unassigned
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # shorthand and musical format controls
    "\U000e0000-\U000e0fff"  # tag characters, variation selectors 17 to 256
    "\ud800-\udfff"  # halves of surrogate pairs
)
# Control characters, except tab, line feed and carriage return. One that ends no line writes the line over.
_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"

_SEEN_ASCII = bytes(code for code in range(128) if code in b"\t\n\r" or 0x20 <= code < 0x7F)

_RETURN = r"\r(?!\n)"
_JOINER = "\u200d"
_PICTURES = "\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
# Between two pictures the joiner makes one of them, as people write them into names (Unicode UTS 51, ZWJ sequences).
_STRAY_JOINER = f"(?<![{_PICTURES}\ufe0f]){_JOINER}|{_JOINER}(?![{_PICTURES}])"
HIDDEN = re.compile(f"(?:[{_CONTROL}{_INVISIBLE}]|{_STRAY_JOINER}|{_RETURN})+")
"""Matches each run of hidden characters."""


def hides(text: str) -> bool:
    """Say whether a text holds hidden characters; far faster than the pattern on the text itself."""
    if "\r" in text and re.search(_RETURN, text):
        return True
    if _JOINER in text:
        return HIDDEN.search(text) is not None  # its neighbours decide, so that none may be left out
    if text.isascii():
        return bool(text.encode("ascii").translate(None, _SEEN_ASCII))
    # Every byte of a multi-byte UTF-8 character is beyond ASCII, so what is left decodes.
    encoded = text.encode("utf-8", "surrogatepass")
    return HIDDEN.search(encoded.translate(None, _SEEN_ASCII).decode("utf-8", "surrogatepass")) is not None

"""Texts of others, for a reader: an attack may turn the reading direction, hide a word or end a line."""

from __future__ import annotations

import unicodedata
from typing import Final

# Control, format, surrogate, private and unassigned characters, and the separators of lines and paragraphs.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(value: object, *, keep: str = "\n") -> str:
    """A text in which every character can be seen: others are spelt out, as `[U+202E]`.

    Args:
        keep: characters that stay though they cannot be seen.
    """
    return "".join(
        f"[U+{ord(each):04X}]" if unicodedata.category(each) in _INVISIBLE and each not in keep else each
        for each in str(value)
    )

"""Hidden characters, checked against Unicode's own tables."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from callpath.characters import HIDDEN, hides

# Format characters that people see: Arabic, Syriac, Kaithi and hieroglyph signs.
VISIBLE_FORMAT = {
    *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440),
}  # fmt: skip


def test_every_invisible_format_control_and_tag_character_is_hidden():
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        if category == "Cs" or (category == "Cf" and code not in VISIBLE_FORMAT):
            assert hides(character), f"U+{code:04X}"
        if category == "Cc":
            assert hides(character) is (character not in "\t\n"), f"U+{code:04X}"
    assert not hides("a line\r\nand another\r\n") and hides("written\rover") and hides("é\r")


def test_no_letter_digit_or_sign_is_hidden_but_the_invisible_ones():
    invisible = {0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0}
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] in "LNPSZ" and code not in invisible | {0x2028, 0x2029}:
            assert not hides(chr(code)), f"U+{code:04X}"


@pytest.mark.parametrize("text", ["", "plain", "tab\tline\r\n", "café £5 — 漢字 🙂️", "a" * 100_000])
def test_ordinary_text_hides_nothing(text):
    assert not hides(text)


@pytest.mark.parametrize("hidden", ["\x00", "\x1b", "\x7f", "\u200b", "\u202e", "\U000e0041", "\U000e0101", "\ud83d"])
@pytest.mark.parametrize("around", ["", "plain", "漢字"])
def test_one_hidden_character_anywhere_is_found(hidden, around):
    assert hides(f"{around}{hidden}{around}")
    assert HIDDEN.sub("", f"{around}{hidden}{around}") == around * 2

"""The forms in which a text is looked at: as it stands, decoded, and in plain letters; each leads back to the original.

A value is found in whichever form shows it and taken out of the text as it stands, so that nothing else of it changes.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache, cached_property, lru_cache

from callpath.characters import HIDDEN
from response_interceptor.redaction.confusables import LOOKS_LIKE
from response_interceptor.redaction.gate import occurs

_MOST_LAYERS = 3
# A character's number in decimal has at most seven digits, in hexadecimal six.
_CODES = (
    rb"(?<!\\)\\++(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))"
    rb"|%([0-9a-fA-F]{2})|&#0*+([0-9]{1,7})(?![0-9]);?|&#[xX]0*+([0-9a-fA-F]{1,6})(?![0-9a-fA-F]);?"
    rb"|&([A-Za-z][A-Za-z0-9]{1,24});"
)
_ENCODED = re.compile(_CODES)
_ENCODED_IN_MARKUP = re.compile(
    _CODES + rb"|<(?=/)"
)  # a sign of the markup is none of a value that is written with &lt;
# Quoted-printable: what it writes for a character, and a line broken in two (RFC 2045, 6.7).
_QUOTED = re.compile(rb"=(?:([0-9A-F]{2})|\r?\n|\\r\\n|\\n)")
_SOFT_BREAK = re.compile(rb"=\r?\n(?=[^\s])")
_HAS_QUOTED = occurs(r"=(?:[0-9A-F]{2}=[0-9A-F]{2}|20\r?\n|3D|(?:C2|C3|E2)=|\r?\n)|quoted-printable")
_BASE64 = bytes(code for code in range(0x7F) if chr(code).isalnum() or chr(code) in "+/")
_MOST_BASE64 = 128  # letters before a sign at a line's end that are looked at
_QUOTED_PRINTABLE = re.compile(rb"=(?:[0-9A-F]{2}=[0-9A-F]{2}|20\r?\n|3D|(?:C2|C3|E2)=)")
# A character beyond plain ASCII in UTF-8, or one that controls a terminal.
_CHARACTER = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xc2-\xf4][\x80-\xbf]{0,3}")
_HAS_MORE_THAN_PLAIN = occurs(r"[^\t\n\r\x20-\x7e]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
# Of backslash escapes, those that are no character of a value: each is as long as what stands for it.
_SPACES = ((b"\\n", b" \n"), (b"\\r", b" \r"), (b"\\t", b" \t"), (b'\\"', b' "'))

Piece = tuple[int, int, bytes]
"""Start and end of a stretch of a text, and what it reads as."""


class View:
    """One form of a text.

    Attributes:
        data: what is looked at.
        is_original: whether each byte stands where it stands in the original.
        is_plain: whether it holds nothing beyond plain ASCII.
    """

    def __init__(self, data: bytes, back: Callable[[int, int], tuple[int, int]]) -> None:
        self.data = data
        self.is_original = back is _same
        self._back = back

    @cached_property
    def is_plain(self) -> bool:
        """Whether it holds nothing beyond plain ASCII."""
        return not _HAS_MORE_THAN_PLAIN(self.data)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return which stretch of the original reads as a stretch of this form."""
        return self._back(start, end)

    def rewritten(self, pieces: list[Piece]) -> View:
        """Return the form in which some stretches of this one read as something else, given from left to right."""
        starts, origins = [0], [(0, 0)]
        data, position, size = [], 0, 0
        for start, end, read in pieces:
            data += [self.data[position:start], read]
            size += start - position
            starts += [size, size + len(read)]
            origins += [(start, end - start), (end, 0)]
            size += len(read)
            position = end
        data.append(self.data[position:])

        def back(start: int, end: int) -> tuple[int, int]:
            at = bisect_right(starts, start) - 1
            first = origins[at][0] if origins[at][1] else origins[at][0] + start - starts[at]
            at = bisect_right(starts, end - 1) - 1
            origin, length = origins[at]
            last = origin + length if length else origin + end - starts[at]
            return self._back(first, last)

        return View(b"".join(data), back)


def views(text: bytes) -> Iterator[View]:
    """Yield every form of a text that may show more than those before it. Most texts have one."""
    plain = View(_without_spaces_escaped(text), _same)
    yield plain
    form = plain
    for _ in range(_MOST_LAYERS):
        pieces = _decoded(form.data)
        if not pieces:
            break
        form = form.rewritten(pieces)
        yield _plain_letters(form, _read) or form
    if form is plain and (folded := _plain_letters(plain, _read)) is not None:
        yield folded
    if (looks := _plain_letters(form, _seen)) is not None:
        yield looks
    for quoted in (plain, form)[: 1 + (form is not plain)]:
        if _HAS_QUOTED(quoted.data) and (pieces := [*_unquoted(quoted.data)]):
            unquoted = quoted.rewritten(pieces)
            yield _plain_letters(unquoted, _read) or unquoted
            if pieces := _decoded(unquoted.data):
                decoded = unquoted.rewritten(pieces)
                yield _plain_letters(decoded, _read) or decoded


def _same(start: int, end: int) -> tuple[int, int]:
    return start, end


def _without_spaces_escaped(text: bytes) -> bytes:
    if b"\\" in text:
        for escape, space in _SPACES:
            text = text.replace(escape, space)
    return text


def _decoded(data: bytes) -> list[Piece]:
    """Return what is written as backslash, percent or HTML code, and what it reads as."""
    # One sign is found in a tenth of the time that two take.
    if not (b"%" in data or b"&" in data or (b"\\" in data and (b"\\u" in data or b"\\x" in data))):
        return []
    encoded = _ENCODED if b"&lt;" not in data else _ENCODED_IN_MARKUP
    return _paired([(*found.span(), read) for found in encoded.finditer(data) if (read := _character(found))])


def _character(found: re.Match[bytes]) -> bytes:
    four, two, percent, decimal, hexadecimal, name = found.groups()
    if found[0] == b"<":
        return b" "
    if percent:
        return bytes([int(percent, 16)])
    if name:
        return html.unescape(f"&{name.decode()};").encode("utf-8", "surrogatepass")
    code = int(decimal) if decimal else int(four or two or hexadecimal, 16)
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else b" "


def _paired(pieces: list[Piece]) -> list[Piece]:
    """Join the two escapes by which JSON writes a character beyond U+FFFF."""
    joined: list[Piece] = []
    for start, end, read in pieces:
        if joined and joined[-1][1] == start and read[:1] == b"\xed" == joined[-1][2][:1]:
            pair = (joined[-1][2] + read).decode("utf-8", "surrogatepass")
            if _PAIR.fullmatch(pair):
                joined[-1] = (
                    joined[-1][0],
                    end,
                    pair.encode("utf-16-le", "surrogatepass").decode("utf-16-le").encode(),
                )
                continue
        joined.append((start, end, read))
    return joined


def _unquoted(data: bytes) -> Iterator[Piece]:
    """Yield what quoted-printable writes otherwise; of a text that has no sign of it but lines broken in two, those."""
    if b"quoted-printable" in data or _QUOTED_PRINTABLE.search(data):
        for found in _QUOTED.finditer(data):
            yield (*found.span(), bytes([int(found[1], 16)]) if found[1] else b"")
        return
    for found in _SOFT_BREAK.finditer(data):
        before = data[max(0, found.start() - _MOST_BASE64) : found.start()]
        letters = len(before) - len(before.rstrip(_BASE64))
        if before[-1:] != b"=" and (
            letters < 7 or (letters % 4 != 3 and letters < _MOST_BASE64)
        ):  # else it is base64, and its end
            yield *found.span(), b""


def _plain_letters(form: View, reading: Callable[[bytes], bytes]) -> View | None:
    """Return a form with each character beyond plain ASCII as it is read, or None when none is read otherwise."""
    if form.is_plain:
        return None
    read = {character: reading(character) for character in set(_CHARACTER.findall(form.data))}
    if all(character == shown for character, shown in read.items()):
        return None
    found = ((*each.span(), each[0]) for each in _CHARACTER.finditer(form.data))
    return form.rewritten([(start, end, read[each]) for start, end, each in found if read[each] != each])


@lru_cache(maxsize=65_536)
def _read(encoded: bytes) -> bytes:
    """Return what a character is read as: nothing when it is hidden, else its compatibility form in plain digits."""
    if (character := _letter(encoded)) is None:
        return encoded
    if HIDDEN.fullmatch(character):
        return b""
    compatible = unicodedata.normalize("NFKC", character)
    return "".join(map(_folded, compatible)).encode("utf-8", "surrogatepass")


@lru_cache(maxsize=65_536)
def _seen(encoded: bytes) -> bytes:
    """Return what a character looks like: a plain letter. Marks of their own go, those that belong to a letter stay."""
    if (character := _letter(encoded)) is None:
        return encoded
    if HIDDEN.fullmatch(character):
        return b""
    compatible = unicodedata.normalize("NFKC", character)
    kept = (LOOKS_LIKE.get(part, _folded(part)) for part in compatible if not unicodedata.combining(part))
    return "".join(kept).encode("utf-8", "surrogatepass")


def _letter(encoded: bytes) -> str | None:
    try:
        return encoded.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:  # an overlong form, or a number beyond Unicode
        return None


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

"""Text packed as base64 or hexadecimal: what unpacks to text is looked at like any other."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

from response_interceptor.redaction.gate import Pattern
from response_interceptor.redaction.views import views

# Four letters of base64 that stand for three characters of plain text: only some letters can, at three of four places.
_GROUP = r"[I-Za-f][C-HS-Xi-ny-z0-3][AEIMQUYcgkosw048BFJNRVZdhlptx159][A-Za-z0-9+/]"
GATES = (
    Pattern(rf"(?:^|[^A-Za-z0-9+/])(?:{_GROUP}){{3}}", together="letters"),
    Pattern(r"(?:^|[^A-Za-z0-9])(?:[2-7][0-9a-fA-F]){8}", together="numbers"),
)
"""What the gate looks for: the beginning of packed text, in base64 and in hexadecimal."""
# Of both alphabets, and of the first alone, where dashes after it are of the text around.
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_BASE64_OF_SIGNS = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_HEXADECIMAL = re.compile(rb"(?:[0-9a-fA-F]{2})+")
_TEXT = bytes([9, 10, 13, *range(32, 127)])
_LONGEST = 65_536
_SHORTEST = 8  # signs of a value that is packed in whole


class Packed(NamedTuple):
    """A stretch of packed text.

    Attributes:
        start: its first byte.
        end: the byte after its last.
        text: what it holds.
        signs: how many signs stand for `octets` bytes of the text.
        octets: see `signs`.
    """

    start: int
    end: int
    text: bytes
    signs: int
    octets: int

    def around(self, start: int, end: int) -> tuple[int, int]:
        """Return which signs stand for a stretch of the text."""
        first = self.start + start // self.octets * self.signs
        return first, min(self.start + -(-end // self.octets) * self.signs, self.end)


def unpacked(data: bytes, start: int, end: int) -> Packed | None:
    """Return what is packed at a hit of the gate; None when it is no text."""
    at = start if data[start : start + 1].isalnum() else start + 1
    for pattern, unpack, signs, octets in _WAYS:
        found = pattern.match(data, at, at + _LONGEST)
        if found is None or found.end() < end:
            continue
        try:
            text = unpack(found[0])
        except ValueError:
            continue
        if len(text) >= 8 and len(text.translate(None, _TEXT)) * 20 <= len(text):
            return Packed(at, found.end(), text, signs, octets)
    return None


def opened(token: bytes, *, layers: int = 2) -> Iterator[bytes]:
    """Yield what a token may read as that is packed in whole, also in two layers, in every form of it."""
    for pattern, unpack in ((_HEXADECIMAL, binascii.unhexlify), (_BASE64, _from_base64)):
        if len(token) < _SHORTEST or pattern.fullmatch(token) is None:
            continue
        try:
            text = unpack(token)
            text.decode()
        except ValueError:
            continue
        for view in views(text):
            yield view.data.strip()
            if layers > 1:
                yield from opened(view.data.strip(), layers=layers - 1)


def _from_base64(packed: bytes) -> bytes:
    packed = packed.rstrip(b"=")
    # One letter more than whole groups is of the text around it, or of what was cut.
    packed = packed[: len(packed) - (len(packed) % 4 == 1)]
    return base64.b64decode(packed + b"=" * (-len(packed) % 4), altchars=b"-_" if re.search(rb"[-_]", packed) else None)


_WAYS = (
    (_HEXADECIMAL, binascii.unhexlify, 2, 1),
    (_BASE64, _from_base64, 4, 3),
    (_BASE64_OF_SIGNS, _from_base64, 4, 3),
)
"""How text is packed: its signs, how it is unpacked, and how many signs stand for how many bytes."""

"""Text packed as base64 or hexadecimal: what unpacks to text is looked at like any other."""

from __future__ import annotations

import base64
import binascii
import re

# Four letters of base64 that stand for three characters of plain text: only some letters can, at three of four places.
_GROUP = r"[I-Za-f][C-HS-Xi-ny-z0-3][AEIMQUYcgkosw048BFJNRVZdhlptx159][A-Za-z0-9+/]"
GATES = (rf"(?:^|[^A-Za-z0-9+/])(?:{_GROUP}){{3}}", r"(?:^|[^A-Za-z0-9])(?:[2-7][0-9a-fA-F]){8}")
"""What the gate looks for: the beginning of packed text, in base64 and in hexadecimal."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_HEXADECIMAL = re.compile(rb"(?:[0-9a-fA-F]{2})+")
_TEXT = bytes([9, 10, 13, *range(32, 127)])
_LONGEST = 65_536


def unpacked(data: bytes, start: int, end: int) -> tuple[int, int, bytes] | None:
    """Return start and end of what is packed at a hit of the gate, and the text in it; None when it is no text."""
    at = start if data[start : start + 1].isalnum() else start + 1
    for pattern, unpack in ((_HEXADECIMAL, binascii.unhexlify), (_BASE64, _from_base64)):
        found = pattern.match(data, at, at + _LONGEST)
        if found is None or found.end() < end:
            continue
        try:
            text = unpack(found[0])
        except ValueError:
            continue
        if len(text) >= 8 and len(text.translate(None, _TEXT)) * 20 <= len(text):
            return at, found.end(), text
    return None


def _from_base64(packed: bytes) -> bytes:
    packed = packed.rstrip(b"=")
    # One letter more than whole groups is of the text around it, or of what was cut.
    packed = packed[: len(packed) - (len(packed) % 4 == 1)]
    return base64.b64decode(packed + b"=" * (-len(packed) % 4), altchars=b"-_" if re.search(rb"[-_]", packed) else None)

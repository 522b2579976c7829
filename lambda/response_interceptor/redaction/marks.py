"""What stands in place of a value: its kind, and a tag that is the same for equal values of one session.

The tag is keyed, so that nobody who reads it can try out values until one gives the same, and a part of it shows that
the mark is ours: text cannot write one (decision 43).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

FORM: Final = r"\[REDACTED:[A-Z][A-Z_]{1,30}:[0-9a-z]{1,16}\]"
"""What has the form of a mark."""
FALSE: Final = "FALSE_MARK"
"""The kind of what has the form of a mark and is none."""
_OF_VALUE, _OF_MARK = 8, 4  # letters: 40 bits to tell values apart, 20 to tell marks from what others write


_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_BLOCK: Final = 64  # bytes, of SHA-256
_PAIRS: Final = [first + second for first in _LETTERS for second in _LETTERS]


class Marks:
    """The marks of one session."""

    def __init__(self, key: bytes, session: str) -> None:
        """Derives the session's own key.

        Args:
            key: this function's, which never leaves its memory.
            session: the session's id, or nothing where none is shown: marks are then the same in all sessions.
        """
        derived = hmac.digest(key, session.encode("utf-8", "surrogatepass"), "sha256")
        # HMAC by its definition (RFC 2104), with what both of its digests begin with made once: a third of the time.
        padded = derived.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
        self._made: dict[tuple[str, str], bytes] = {}

    def of(self, label: str, bare: str) -> bytes:
        """Return the mark of a value, given by its kind and the form by which equal ones are recognised."""
        if (mark := self._made.get((label, bare))) is None:
            tag = self._tag(f"value {label} {bare}")[:_OF_VALUE]
            mark = self._made[label, bare] = self._signed(f"[REDACTED:{label}:{tag}".encode())
        return mark

    def is_genuine(self, mark: bytes) -> bool:
        """Say whether what has the form of a mark is one of this session."""
        return hmac.compare_digest(self._signed(mark[: -_OF_MARK - 1]), mark)

    def _signed(self, begun: bytes) -> bytes:
        return begun + self._tag(f"mark {begun.decode()}")[:_OF_MARK].encode() + b"]"

    def _tag(self, text: str) -> str:
        """Return eight letters of base32, of the first forty bits: b32encode takes ten times as long."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text.encode("utf-8", "surrogatepass"))
        outer.update(inner.digest())
        bits = int.from_bytes(outer.digest()[:5])
        return _PAIRS[bits >> 30] + _PAIRS[bits >> 20 & 1023] + _PAIRS[bits >> 10 & 1023] + _PAIRS[bits & 1023]

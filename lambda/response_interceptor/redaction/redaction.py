"""The redaction of one result: values are found by the rules, and marks stand in their place.

JSON stays JSON, and nothing of a text but the values changes.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from callpath.json_limits import DEEPEST_RESULT, deeper_than
from response_interceptor.redaction.finding import Redactor
from response_interceptor.redaction.marks import Marks
from response_interceptor.redaction.rules import Found

_MOST_NESTED_JSON = 4
_BEFORE_JSON = b"{[ \t\r\n"  # what JSON text may begin with
# What JSON is made of besides signs and blanks. A repeat that never goes back: the time is that of one look.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|-?[0-9][0-9.eE+-]*+', re.S)
_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|.)", re.S)
_NAMED_NUMBER = re.compile(rb'((?<!\\)\\{0,7}"):\s{0,4}$')
_AFTER_NUMBER = re.compile(rb"\s{0,8}[,}\]]")
_BEFORE_VALUE = re.compile(rb"[\s]*+:")


class Token(NamedTuple):
    """A text or number of a JSON text.

    Attributes:
        start: its first byte.
        end: the byte after its last.
        quoted: whether it is a text.
        key: whether it is the name of a field.
    """

    start: int
    end: int
    quoted: bool
    key: bool


class Redaction:
    """The redaction of one result, which counts what it replaces.

    Attributes:
        counts: replaced values by label.
    """

    def __init__(self, redactor: Redactor, marks: Marks) -> None:
        self.counts: Counter[str] = Counter()
        self._redactor = redactor
        self._marks = marks

    def text(self, text: str, *, nested: int = 0) -> str:
        """Return a text without the values the rules know, and the same object when it holds none.

        Args:
            text: the text; JSON in it stays JSON.
            nested: how many layers of JSON within text led here.
        """
        data = text.encode("utf-8", "surrogatepass")
        found = self._redactor.find(data, is_genuine=self._marks.is_genuine)
        if not found:
            return text
        pieces = self._in_json(data, found, nested) if _is_json(data) else self._in_text(data, found)
        return _spliced(data, pieces).decode("utf-8", "surrogatepass")

    def value(self, value: Any) -> Any:
        """Return any JSON value with its texts, its keys and its telling numbers redacted.

        Raises:
            ValueError: the value holds a number that JSON does not have.
        """
        written = json.dumps(value, ensure_ascii=False)
        redacted = self.text(written if isinstance(value, dict | list) else f"[{written}]")
        if redacted is written:
            return value
        found = json.loads(redacted)
        return found if isinstance(value, dict | list) else found[0]

    def _in_text(self, data: bytes, found: Iterable[Found]) -> Iterator[tuple[int, int, bytes]]:
        for value in found:
            # A number in JSON that stands in a line of text: its mark is a text, in the quotes that its name has.
            named = data.find(b'":', max(0, value.start - 6), value.start) >= 0 and _NAMED_NUMBER.search(
                data, max(0, value.start - 16), value.start
            )
            quote = named[1] if named and _AFTER_NUMBER.match(data, value.end) else b""
            yield value.start, value.end, b"%s%s%s" % (quote, self._mark(value), quote)

    def _in_json(self, data: bytes, found: list[Found], nested: int) -> Iterator[tuple[int, int, bytes]]:
        """Yield what is replaced in a JSON text, each within one of its texts or numbers."""
        waiting, times = found[::-1], Counter[bytes]()
        for token in _tokens(data):
            while waiting and waiting[-1].end <= token.start:
                waiting.pop()
            within = []
            while waiting and waiting[-1].start < token.end:
                within.append(waiting[-1])
                if waiting[-1].end > token.end:
                    break
                waiting.pop()
            if within:
                replaced = self._in_token(data, token, within, nested)
                if token.key:
                    times[replaced] += 1
                    if times[replaced] > 1:  # values that were told apart by their spelling alone
                        replaced = b"%s'%d\"" % (replaced[:-1], times[replaced] - 1)
                yield token.start, token.end, replaced

    def _in_token(self, data: bytes, token: Token, within: list[Found], nested: int) -> bytes:
        written = data[token.start : token.end]
        if not token.quoted:
            return b'"%s"' % self._mark(within[0])
        if nested < _MOST_NESTED_JSON and (inner := _text_of(written)).lstrip()[:1] in ("{", "["):
            before = self.counts.total()
            redacted = self.text(inner, nested=nested + 1)
            if self.counts.total() > before:
                return json.dumps(redacted, ensure_ascii=False).encode("utf-8", "surrogatepass")
        first, last = token.start + 1, token.end - 1
        whole = _Escapes(written)
        pieces = [
            (*whole.around(max(value.start, first) - token.start, min(value.end, last) - token.start), value)
            for value in within
            if value.start < last and value.end > first
        ]
        return _spliced(written, ((start, end, self._mark(value)) for start, end, value in pieces))

    def _mark(self, value: Found) -> bytes:
        self.counts[value.label] += 1
        return self._marks.of(value.label, value.bare)


class _Escapes:
    """The escapes of a JSON text: what is left of half of one is no JSON."""

    def __init__(self, written: bytes) -> None:
        self._spans = [found.span() for found in _ESCAPE.finditer(written)] if b"\\" in written else []
        self._starts = [start for start, _ in self._spans]

    def around(self, start: int, end: int) -> tuple[int, int]:
        """Return a stretch with the escapes whole that it begins or ends in."""
        return min(start, self._holding(start)[0]), max(end, self._holding(end)[1])

    def _holding(self, position: int) -> tuple[int, int]:
        at = bisect_left(self._starts, position) - 1
        start, end = self._spans[at] if at >= 0 else (position, position)
        return (start, end) if start < position < end else (position, position)


def _spliced(data: bytes, pieces: Iterable[tuple[int, int, bytes]]) -> bytes:
    parts, position = [], 0
    for start, end, replaced in pieces:
        parts += [data[position:start], replaced]
        position = end
    return b"".join([*parts, data[position:]])


def _is_json(data: bytes) -> bool:
    """Say whether a text is a JSON object or list that is not nested too deeply to look through."""
    if data[:1] not in _BEFORE_JSON or data[:64].lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        return not deeper_than(json.loads(data.decode("utf-8", "surrogatepass")), DEEPEST_RESULT)
    except (ValueError, RecursionError):
        return False


def _tokens(data: bytes) -> Iterator[Token]:
    for found in _TOKEN.finditer(data):
        quoted = data[found.start()] == ord('"')
        yield Token(found.start(), found.end(), quoted, quoted and _BEFORE_VALUE.match(data, found.end()) is not None)


def _text_of(written: bytes) -> str:
    text: str = json.loads(written.decode("utf-8", "surrogatepass"))
    return text

"""One compiled rule of `catalogue/redaction.toml`, and where it finds values.

Patterns run on RE2, whose time is linear in the text, on bytes, and only around what the gate has pointed at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import re2

from response_interceptor.redaction.technical import is_technical
from response_interceptor.redaction.validators import VALIDATORS

_ALPHANUMERIC = "A-Za-z0-9"
_REACH = 160  # bytes around what the gate finds in which a value that is not `long` lies
_LONG_REACH = 8_192
_BETWEEN_WORDS = r"[ \t\n_.\\-]{0,3}"
# What stands between the values of a list: "12-34-56, 20-30-40", ["12-34-56", "20-30-40"].
_LISTED = re.compile(rb"(?:[\s,;/&|+\"'\[\]\\]|and|or){1,12}", re.I)
_DIGIT = re.compile(rb"[0-9]")
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_TAKEN = 0  # the byte that stands where a value was found


class Found(NamedTuple):
    """A value in a text.

    Attributes:
        start: first byte.
        end: byte after the last.
        label: what it is.
        bare: its bare form, by which equal values are recognised.
    """

    start: int
    end: int
    label: str
    bare: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One compiled rule.

    Attributes:
        label: what the caller sees in place of a value.
        gate: what the gate looks for: a superset of the pattern, or the keywords.
        pattern: what is looked for; its last group is the value.
        cell: a value alone, as it stands in a table's column; None where no column tells it.
        validate: returns the bare form of a real value, None for a look-alike.
        beside: bytes that do not stand directly before or after a value.
        keyed: whether the gate looks for keywords.
        near: how many bytes after a keyword a value may begin; 0 for directly after it.
        across: whether digits may stand between keyword and value.
        guarded: whether a technical name beside it saves a value ("bytes=").
        long: whether a value may be longer than any reach.
        whole: whether the whole pattern is the value.
    """

    label: str
    gate: str
    pattern: Any
    cell: Any
    validate: Callable[[str], str | None]
    beside: frozenset[int]
    keyed: bool
    near: int
    across: bool
    guarded: bool
    long: bool
    whole: bool

    @classmethod
    def compiled(cls, rule: dict[str, Any]) -> Rule:
        """Compile one rule.

        Raises:
            re2.error, KeyError: the rule is not valid; the function then refuses every response.
        """
        beside = rule.get("beside", _ALPHANUMERIC)
        before, after = (f"(?:^|[^{beside}])", f"(?:$|[^{beside}])") if beside else ("", "")
        keywords, near = rule.get("keywords", ()), rule.get("near", 0)
        if keywords and not near:
            before = "^"
        cell = rule.get("cell", rule["regex"] if near else None)
        pattern = re2.compile(f"{before}((?:{rule['regex']})){after}".encode())
        return cls(
            label=rule["label"],
            gate=_keyword_pattern(keywords) if keywords else rule.get("gate", rule["regex"]),
            pattern=pattern,
            cell=re2.compile(f"(?:{cell})".encode()) if cell else None,
            validate=VALIDATORS[rule["validator"]] if rule.get("validator") else _any,
            beside=frozenset(re.findall(rb"[%s]" % beside.encode(), bytes(range(256)))) if beside else frozenset(),
            keyed=bool(keywords),
            near=near,
            across=rule.get("across", False),
            guarded=rule.get("guarded", False),
            long=rule.get("long", False),
            whole=pattern.groups == 1,
        )

    def near_hits(self, text: bytearray, hits: list[tuple[int, int]]) -> Iterator[Found]:
        """Yield the values around what the gate has found, which are taken out of the text.

        Args:
            text: the text, without the values found before.
            hits: start and end of each hit, from left to right.
        """
        stretches = [(hits[0][0] - _REACH, len(text))] if self.long else _merged(hits)
        for first, last in stretches:
            first = max(first, 0)
            piece, position = bytes(text[first:last]), 0
            while position < len(piece) and (found := self.pattern.search(piece, position)):
                position = found.end() if self.long else found.start(1) + 1
                if (value := self._value(found, text, first)) is not None:
                    yield value
                    position = max(position, value.end - first)

    def after_keyword(self, text: bytearray, end: int, following: int) -> Iterator[Found]:
        """Yield the value that a keyword names, and those of the list that it begins; they are taken out of the text.

        Args:
            text: the text, without the values found before.
            end: where the keyword ends.
            following: where the next keyword begins, which has values of its own.
        """
        first, most = end, self.near
        while True:
            reach = _LONG_REACH if self.long else most + _REACH
            piece = bytes(text[first : max(min(first + reach, following), first)])
            value = self._next(piece, text, first, most)
            if value is None or (first > end and not _LISTED.fullmatch(piece[: value.start - first])):
                return
            text[value.start : value.end] = bytes(value.end - value.start)
            yield value
            if not self.near:
                return
            first, most = value.end, 12

    def _next(self, piece: bytes, text: bytearray, first: int, most: int) -> Found | None:
        position = 0
        while position < len(piece) and (found := self.pattern.search(piece, position)):
            start = found.start(1)
            if start > most or not (self.across or _DIGIT.search(piece, 0, start) is None):
                return None
            if (value := self._value(found, text, first, take=False)) is not None:
                return value
            position = start + 1
        return None

    def in_cell(self, text: bytearray, start: int, end: int) -> Found | None:
        """Return the value that fills a table's cell, or None."""
        found = self.cell.fullmatch(bytes(text[start:end])) if self.cell else None
        return self._value(found, text, start, named=True) if found else None

    def _value(
        self, found: Any, text: bytearray, first: int, *, take: bool = True, named: bool = False
    ) -> Found | None:
        group = 0 if named else 1 if self.whole else _innermost(found)
        start, end = found.span(group)
        start, end = start + first, end + first
        if start >= end or self._touches(text, start, end):
            return None
        bare = self.validate(bytes(text[start:end]).decode("utf-8", "replace"))
        if bare is None or (self.guarded and not named and is_technical(text, start, end)):
            return None
        if take:
            text[start:end] = bytes(end - start)
        return Found(start, end, self.label, bare)

    def _touches(self, text: bytearray, start: int, end: int) -> bool:
        """Say whether a value goes on beyond the stretch that was searched."""
        if not self.beside or self.keyed:
            return False
        return (start > 0 and text[start - 1] in self.beside) or (end < len(text) and text[end] in self.beside)


def _innermost(found: Any) -> int:
    """Return the last group that took part in a match: the value, where a pattern says more than that."""
    return next((group for group in range(found.re.groups, 0, -1) if found.start(group) >= 0), 0)


def is_named(data: bytes, start: int, end: int) -> bool:
    """Say whether a keyword stands as a word or as part of a name: `sort code`, `userDob`, `DB_DOB`; not `adobe`."""
    if start and data[start - 1] in _LETTERS and not (_is_small(data[start - 1]) and not _is_small(data[start])):
        return False
    if end < len(data) and data[end] in _LETTERS and data[end : end + 1] not in (b"s", b"S"):
        return _is_small(data[end - 1]) and not _is_small(data[end])
    return True


def _is_small(letter: int) -> bool:
    return letter >= ord("a")


def _keyword_pattern(keywords: list[str]) -> str:
    """Return a pattern of the keywords, whose words may be joined by what joins words in names: `sort code`,
    `sort_code`, `SortCode`.
    """
    written = (_BETWEEN_WORDS.join(map(re.escape, keyword.split(" "))) for keyword in keywords)
    return f"(?i)(?:{'|'.join(written)})"


def _merged(hits: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the stretches around the hits, joined where they meet: no byte is searched twice."""
    first, last = hits[0][0] - _REACH, hits[0][1] + _REACH
    for start, end in hits[1:]:
        if start - _REACH > last:
            yield first, last
            first = start - _REACH
        last = max(last, end + _REACH)
    yield first, last


def _any(value: str) -> str:
    return value

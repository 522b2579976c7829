"""One compiled rule of `catalogue/redaction.toml`, and where it finds values.

Patterns run on RE2, whose time is linear in the text, on bytes, and only around what the gate has pointed at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from response_interceptor.redaction.exact import Exact, Spans, innermost
from response_interceptor.redaction.gate import Hit, Pattern, Sought
from response_interceptor.redaction.packed import opened
from response_interceptor.redaction.technical import (
    begins_in_uuid,
    is_by_chance,
    is_collection,
    is_named_otherwise,
    is_of_something_else,
    is_part_of_id,
    is_technical,
)
from response_interceptor.redaction.validators import VALIDATORS

_ALPHANUMERIC = "A-Za-z0-9"
_REACH = 160  # bytes around what the gate finds in which a value that is not `long` lies
_LONG_REACH = 8_192
_REACH_OF_ASSIGNED = 640
_SHORTEST_GROUPED = 12  # bytes of a card's number, the shortest that is written in groups
_LAST_GAP = re.compile(rb"[^A-Za-z0-9]+[A-Za-z0-9]+$")
# What joins the words of a keyword in names, in wrapped lines, in queries and in Markdown.
_JOINTS = ("", " ", "_", "-", ".", "+", "\n", " \n", "\r\n", "  ", "\t", "__", "\\_", " - ", ". ")
# What stands between the values of a list: "12-34-56, 20-30-40", ["12-34-56", "20-30-40"].
_LISTED = re.compile(rb"(?:[\s,;/&|+\"'\[\]\\]|and|or){1,12}", re.I)
_DIGIT = re.compile(rb"[0-9]")
# What stands between the name of something and its value, wherever names have values.
_NUMBER = r"(?:[_ -]?[0-9]{1,2})?"  # DB_PASSWORD2, address_line_1
_CLOSING = r"[\\\s\"'`*_\]})]{0,8}"  # of what the name stands in: "name", [name], **name**
_VALUE_OF = r"(?i:value|parametervalue|stringvalue|default|content)"
_SIGN = (
    r"(?:(?:=>|:=|={1,2}|->|\||\.{4,60})|:[\\\s]{0,8}"
    rf"|[,\n][\\\s\"'`{{-]{{0,40}}{_VALUE_OF}[\\\s\"'`]{{0,6}}[:=]"  # {"name": …, "value": …}, and in YAML
    rf"|{_VALUE_OF}\s{{0,2}}=)"  # <… name="…" value="…">
)
_TYPED = r"(?:[\\\s]{0,4}\{[\\\s]{0,40}[\"'](?:[SN]|(?i:value|stringvalue|secret))[\"'][\\\s]{0,4}:)?"  # {"S": …}
_OPENING = r"[\\ \t]{0,8}\*{0,2}[\\ \t]{0,4}"
_ELEMENT = (
    r"(?:[\"']?(?:\s[^<>\n]{0,100})?>|\s?:?</[^<>\n]{1,40}>\s{0,40}<[^<>/\n]{1,60}>)"
    r"\s{0,8}(?:<!\[CDATA\[)?([^<>\s\]][^<>\n\]]{0,198})(?:\]\]>)?\s{0,8}</"
)
_ASSIGNED = Exact(
    rf"^{_NUMBER}(?:{_ELEMENT}|{_CLOSING}{_SIGN}{_TYPED}{_OPENING}"
    r"""(?:"([^"\n]{1,256})|'([^'\n]{1,256})|`([^`\n]{1,256})|\{([^{}\n]{1,256})\}|([^\n]{1,256})))"""
)
_BARE = 6  # the group of a value without anything around it
_PROSE = re.compile(rb"[a-z']+,? [a-z']+(?:[ ,.;]|$)")  # "password: see the vault"
# Where a value without quotes ends that could go on: at the next name of a query or a connection string.
_NEXT_NAME = re.compile(
    rb"[;&,|][A-Za-z_][A-Za-z0-9_. -]{0,40}[=:]|\s[A-Za-z_][A-Za-z0-9_.-]{0,40}[=:]|\sHTTP\b|[,;.)\]}|*]+$"
)
# The signs of assignment behind which a value may be packed or broken.
_PLAIN_SIGN = re.compile(
    rb"[0-9]{0,2}[\\\s\"'`*_\])}]{0,6}(?:[:=]|>|,[\\\s]{0,8}[\"']?[A-Za-z]{0,10}[vV]alue[\\\s\"']{0,4}:)[\\\s]{0,6}"
    rb"(?:\{[\\\s]{0,40}[\"'][SN][\"'][\\\s]{0,4}:[\\\s]{0,4})?[\"'`]?"
)
_PACKED = re.compile(rb"[A-Za-z0-9+/_-]{8,400}={0,2}")
_BREAK = re.compile(rb"([^\s\"'<>]{1,60}(?: [^\s\"'<>]{1,20}){0,4})[ \\]{0,2}(?:(?:\r ?)?\n|\t)[ \\]{0,40}(?=[^\s])")
_LONGEST_BROKEN = 160
_IN_CELL = re.compile(rb"(?:[,;|\t]|(?<![A-Za-z0-9_])\(|^|\n|  )[ ]?[\"']?$")
_CELL_ENDS = re.compile(rb"[\"']?[ ]?(?:[,;|\t)]|$|\r?\n|  )")
_LINE_ENDS = re.compile(rb"[ \t]*\r?(?:\n|$)")
_LABELLED = re.compile(rb"(?:^|\n)(?:[^\s]{1,120}+[ \t]++){0,6}$")  # a form's line: what a number is, and the number
_LONG_NUMBER = re.compile(rb"[0-9]{13}")
_LONGEST_NUMBER = 24
_LINE = 400  # bytes of a line that are looked at
MARKED = 1
"""The byte that stands where a mark is. No value holds one, or begins or ends at one: it would be part of what was
taken there. Where a value was found are zeros."""


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
        alone: a value alone, as it stands in a table's column or in quotes.
        columns: whether the head of a table's column tells it.
        assigned: whether a sign of assignment stands between the keyword and the value.
        validate: returns the bare form of a real value, None for a look-alike.
        beside: bytes that do not stand directly before or after a value.
        keyed: whether the gate looks for keywords.
        near: how many bytes after a keyword a value may begin; 0 for directly after it.
        across: whether digits may stand between keyword and value.
        grouped: whether what follows in further groups may belong to something else.
        guarded: whether a technical name beside it saves a value ("bytes=").
        in_text: whether a value in the cell of a table, where the column's head would tell it, is something else.
        lone: whether one among numbers that are no such values is one of them, right by chance.
        long: whether a value may be longer than any reach.
        whole: whether the whole pattern is the value.
    """

    label: str
    gate: Sought
    pattern: Exact
    alone: Exact
    columns: bool
    assigned: bool
    validate: Callable[[str], str | None]
    beside: frozenset[int]
    keyed: bool
    near: int
    across: bool
    grouped: bool
    guarded: bool
    in_text: bool
    lone: bool
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
        alone = rule.get("cell", rule["regex"])
        pattern = Exact(f"{before}((?:{rule['regex']})){after}")
        return cls(
            label=rule["label"],
            gate=_spelt(keywords) if keywords else _gate(rule),
            pattern=pattern,
            alone=Exact(f"(?:{alone})"),
            columns=bool(near or "cell" in rule),
            assigned=rule.get("assigned", False),
            validate=VALIDATORS[rule["validator"]] if rule.get("validator") else _any,
            beside=_bytes(beside),
            keyed=bool(keywords),
            near=near,
            across=rule.get("across", False),
            grouped=rule.get("grouped", False),
            guarded=rule.get("guarded", False),
            in_text=rule.get("in_text", False),
            lone=rule.get("lone", False),
            long=rule.get("long", False),
            whole=pattern.groups == 1,
        )

    def near_hits(self, text: bytearray, hits: list[Hit]) -> Iterator[Found]:
        """Yield the values around what the gate has found, which are taken out of the text.

        Args:
            text: the text, without the values found before.
            hits: start and end of each hit, from left to right.
        """
        of_groups = self.guarded or self.grouped
        if of_groups and not (hits := [hit for hit in hits if not begins_in_uuid(text, hit[0])]):
            return
        stretches = [(hits[0][0] - _REACH, len(text))] if self.long else _merged(hits)
        for first, last in stretches:
            first = max(first, 0)
            piece, position = bytes(text[first:last]), 0
            while position < len(piece) and (found := self.pattern.search(piece, position)):
                position = found[0][1] if self.long else found[1][0] + 1
                if of_groups and begins_in_uuid(text, first + found[0][0]):
                    continue
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
        if is_collection(text, end):
            return
        if self.assigned:
            if (value := self._after_sign(text, end)) is not None:
                yield value
            return
        first, most = end, self.near
        while True:
            reach = _LONG_REACH if self.long else most + _REACH
            piece = bytes(text[first : max(min(first + reach, following), first)])
            value = self._next(piece, text, first, most)
            if value is None and first == end and self.near:
                value = self._disguised(text, end)
            if value is None or (first > end and not _LISTED.fullmatch(piece[: value.start - first])):
                return
            text[value.start : value.end] = bytes(value.end - value.start)
            yield value
            if not self.near:
                return
            first, most = value.end, 12

    def _after_sign(self, text: bytearray, end: int) -> Found | None:
        """Return the value that is assigned to a name, given by the name's end."""
        following = bytes(text[end : end + _REACH_OF_ASSIGNED])
        if (found := _ASSIGNED.match(following)) is None:
            return None
        group = innermost(found)
        start, last = found[group]
        if group == _BARE and _PROSE.match(following, start, last):
            return None
        piece = following[start:last].rstrip(b"\\ \t\r")
        start += end
        if group < _BARE:
            value = self.in_cell(text, start, start + len(piece))
        else:
            inner = self.pattern.search(piece)
            value = self._value(inner, text, start, take=False) if inner else None
        if value is not None:
            text[value.start : value.end] = bytes(value.end - value.start)
        return value

    def _disguised(self, text: bytearray, end: int) -> Found | None:
        """Return the value assigned to a name that is packed in whole, or that a tab or a line's end breaks in two."""
        if (sign := _PLAIN_SIGN.match(text, end)) is None:
            return None
        start = sign.end()
        token = packed[0] if (packed := _PACKED.match(text, start)) else b""
        for shown in opened(token):
            if self.alone.fullmatch(shown) and (bare := self._validated(shown, 0)[1]) is not None:
                return Found(start, start + len(token), self.label, bare)
        piece = bytes(text[start : start + _LONGEST_BROKEN])
        if (gap := _BREAK.match(piece)) is None:
            return None
        joined = gap[1] + piece[gap.end() :]
        whole = self.alone.match(joined)
        if whole is None or whole[0][1] <= gap.end(1):
            return None
        size, bare = self._validated(joined[: whole[0][1]], 0)
        end = start + size + gap.end() - gap.end(1)
        return Found(start, end, self.label, bare) if bare and not text[end : end + 1].isalnum() else None

    def _next(self, piece: bytes, text: bytearray, first: int, most: int) -> Found | None:
        position = 0
        while position < len(piece) and (found := self.pattern.search(piece, position)):
            start = found[1][0]
            between = piece[:start]
            if len(b" ".join(between.split())) > most or not (self.across or _DIGIT.search(between) is None):
                return None
            # What follows a mark is the next of a list or has another name: a second look finds no more than the first.
            if MARKED in between and not _LISTED.fullmatch(between.rpartition(bytes([MARKED]))[2]):
                return None
            value = self._value(found, text, first, take=False)
            if value is not None and not (self.near and _is_other(value, between, text)):
                return value
            position = start + 1
        return None

    def in_cell(self, text: bytearray, start: int, end: int) -> Found | None:
        """Return the value that fills a table's cell, or None."""
        found = self.alone.fullmatch(bytes(text[start:end]))
        return self._value(found, text, start, named=True) if found else None

    def _value(
        self, found: Spans, text: bytearray, first: int, *, take: bool = True, named: bool = False
    ) -> Found | None:
        start, end = found[0 if named else 1 if self.whole else innermost(found)]
        start, end = start + first, end + first
        if start >= end or self._touches(text, start, end) or MARKED in text[max(0, start - 1) : end + 1]:
            return None
        if self.assigned and not named:
            end = start + _size(bytes(text[start : end + 1]), end - start)
            if end == start:
                return None
        end, bare = self._validated(bytes(text[start:end]), start)
        if bare is None or (self.guarded and not named and is_technical(text, start, end)):
            return None
        if self.lone and is_by_chance(text, start, end, self.validate):
            return None
        if self.in_text and (_is_cell(text, start, end) or is_of_something_else(text, start)):
            return None
        if take:
            text[start:end] = bytes(end - start)
        return Found(start, end, self.label, bare)

    def _validated(self, candidate: bytes, start: int) -> tuple[int, str | None]:
        """Return where a value ends, and its bare form: without the last groups of what may be the next words."""
        size = len(candidate)
        bare = self.validate(candidate.decode("utf-8", "replace"))
        while bare is None and self.grouped and (gap := _LAST_GAP.search(candidate, 0, size)) is not None:
            if (size := gap.start()) < _SHORTEST_GROUPED:
                break
            bare = self.validate(candidate[:size].decode("utf-8", "replace"))
        return start + size, bare

    def _touches(self, text: bytearray, start: int, end: int) -> bool:
        """Say whether a value goes on beyond the stretch that was searched."""
        if not self.beside or self.keyed:
            return False
        return (start > 0 and text[start - 1] in self.beside) or (end < len(text) and text[end] in self.beside)


def _size(piece: bytes, size: int) -> int:
    """Return how much of what follows a sign of assignment is the value, given with the byte after it."""
    value = piece if piece[size:] in (b":", b"=") else piece[:size]
    if (cut := _NEXT_NAME.search(value)) is not None:
        size = cut.start()
    word = value[:size].split(b" ")[0]
    return len(word) if b"+" in word[1:] else size  # of a query: a blank ends it


def _is_other(value: Found, between: bytes, text: bytearray) -> bool:
    """Say whether a value has a name of its own, or is part of a longer number. What is long has a form of its own."""
    short = value.end - value.start <= _LONGEST_NUMBER
    return short and (is_named_otherwise(between) or is_part_of_id(text, value.start, value.end))


def _is_cell(text: bytearray, start: int, end: int) -> bool:
    """Say whether a number stands in a column: between a table's signs, or below or above one as long."""
    if _IN_CELL.search(text, max(0, start - 5), start) and _CELL_ENDS.match(text, end):
        return True
    if _LINE_ENDS.match(text, end) and _LABELLED.search(text, max(0, text.rfind(b"\n", 0, start)), start):
        return True
    first, last = text.rfind(b"\n", max(0, start - _LINE), start), text.find(b"\n", end, end + _LINE)
    above = first > 0 and _LONG_NUMBER.search(text, max(text.rfind(b"\n", 0, first), first - _LINE, 0), first)
    return bool(above or (last > 0 and _LONG_NUMBER.search(text, last, text.find(b"\n", last + 1, last + _LINE))))


def _bytes(beside: str) -> frozenset[int]:
    """Return the bytes that do not stand beside a value: what was taken, or stands in a mark, counts as one of them."""
    if not beside:
        return frozenset()
    return frozenset(b"".join(re.findall(rb"[%s]" % beside.encode(), bytes(range(256)))) + bytes([0, MARKED]))


def _spelt(keywords: list[str]) -> tuple[str, ...]:
    """Return keywords in the ways in which names join words: `sort code`, `sort_code`, `sortcode` for `sortCode`."""
    return tuple({joint.join(keyword.split(" ")): None for keyword in keywords for joint in _JOINTS})


def _gate(rule: dict[str, Any]) -> Pattern:
    return Pattern(rule.get("gate", rule["regex"]), rule.get("together", ""), rule.get("rare", False))


def _merged(hits: list[Hit]) -> Iterator[Hit]:
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

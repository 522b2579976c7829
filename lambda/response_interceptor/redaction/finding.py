"""All rules at work on one text: the gate looks once, and the rules it points to look closely, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from response_interceptor.redaction import packed
from response_interceptor.redaction.columns import Cell, Table, line_start, table_at
from response_interceptor.redaction.gate import Gate, Hit, made_gate
from response_interceptor.redaction.rules import Found, Rule, is_named
from response_interceptor.redaction.views import View, views

_MOST_UNPACKED = 2  # layers
# What stands in place of a value: no rule looks into it, or redacting twice would be more than redacting once.
_MARK = r"\[REDACTED:[A-Z][A-Z_]{1,30}:[0-9a-z]{1,16}\]"

Hits = list[tuple[int, int]]


class Redactor:
    """All rules; made once, used by every call."""

    def __init__(self, rules: list[dict[str, Any]], gate: Callable[[list[str]], Gate] = made_gate) -> None:
        self.rules = [Rule.compiled(rule) for rule in rules]
        self._gate = gate([*(rule.gate for rule in self.rules), *packed.GATES, _MARK])

        self._mark = len(self.rules) + len(packed.GATES)

    def find(self, text: bytes) -> list[Found]:
        """Return the values in a text (UTF-8), whichever form shows them, from left to right; none overlaps another."""
        found: list[Found] = []
        for view in views(text):
            values = self._in_view(view.data, unpack=_MOST_UNPACKED)
            found += values if view.is_original else [_led_back(value, view) for value in values]
        return _apart(found) if found else found

    def _in_view(self, data: bytes, *, unpack: int) -> list[Found]:
        if not (hits := self._gate.hits(data)):
            return []
        text, found, tables = bytearray(data), list[Found](), _Tables(data)
        by_pattern = self._sorted(hits, text)
        for index in sorted(by_pattern):
            pointed = sorted(by_pattern[index])
            if index >= len(self.rules):
                found += self._packed(data, pointed, unpack=unpack - 1) if unpack else ()
            elif self.rules[index].keyed:
                found += _keyed(self.rules[index], text, _longest(pointed), tables)
            else:
                found += self.rules[index].near_hits(text, pointed)
        return found

    def _sorted(self, hits: list[Hit], text: bytearray) -> dict[int, Hits]:
        """Return the hits by pattern, without those in marks, and take the marks out of the text."""
        by_pattern: dict[int, Hits] = {}
        for pattern, start, end in hits:
            by_pattern.setdefault(pattern, []).append((start, end))
        if marks := by_pattern.pop(self._mark, None):
            for start, end in marks:
                text[start:end] = bytes(end - start)
            left = {pattern: [hit for hit in each if text[hit[0]]] for pattern, each in by_pattern.items()}
            return {pattern: each for pattern, each in left.items() if each}
        return by_pattern

    def _packed(self, data: bytes, hits: Hits, *, unpack: int) -> Iterator[Found]:
        """Yield whole stretches of packed text that hold a value: what is left of one would still tell the rest."""
        done = 0
        for start, end in hits:
            if start < done or (stretch := packed.unpacked(data, start, end)) is None:
                continue
            first, done, text = stretch
            if inner := self._in_view(text, unpack=unpack):
                yield Found(first, done, inner[0].label, inner[0].bare)


def _led_back(value: Found, view: View) -> Found:
    start, end = view.original(value.start, value.end)
    return Found(start, end, value.label, value.bare)


class _Tables:
    """The tables of a text, by the line of their heads; a line within a table begins no other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._by_line: dict[int, Table | None] = {}
        self._ends: list[tuple[int, int]] = []

    def at(self, position: int) -> Table | None:
        line = line_start(self.data, position)
        if line is None:
            return None
        if line not in self._by_line:
            within = any(first < line <= last for first, last in self._ends[-8:])
            table = None if within else table_at(self.data, position)
            self._by_line[line] = table
            if table:
                self._ends.append((line, table.end))
        return self._by_line[line]


def _keyed(rule: Rule, text: bytearray, hits: Hits, tables: _Tables) -> Iterator[Found]:
    seen: set[Cell] = set()  # cells of heads: one may hold a keyword many times
    for number, (start, end) in enumerate(hits):
        following = next((later for later, _ in islice(hits, number + 1, None) if later >= end), len(text))
        if not is_named(tables.data, start, end):
            continue
        table = tables.at(start) if rule.cell else None
        head = table.head(start, end) if table else None
        if table is None or head is None:
            yield from rule.after_keyword(text, end, following)
        elif head not in seen:
            seen.add(head)
            cells = (rule.in_cell(text, *cell) for cell in table.below(head))
            yield from (value for value in cells if value)


def _longest(hits: Hits) -> Hits:
    """Return of hits that begin alike the longest: `nhs number` rather than `nhs`, and of those that end alike too."""
    longest: dict[int, tuple[int, int]] = {}
    for start, end in hits:
        longest[start] = (start, max(end, longest.get(start, (0, 0))[1]))
    return list(longest.values())


def _apart(found: list[Found]) -> list[Found]:
    """Return values without those that overlap one that was found before it begins or is longer."""
    apart: list[Found] = []
    for value in sorted(found, key=lambda value: (value.start, -value.end)):
        if not apart or value.start >= apart[-1].end:
            apart.append(value)
        elif value.end > apart[-1].end:  # two that overlap go as one: no end of either stays
            apart[-1] = apart[-1]._replace(end=value.end)
    return apart

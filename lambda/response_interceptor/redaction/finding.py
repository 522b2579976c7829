"""All rules at work on one text: the gate looks once, and the rules it points to look closely, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from response_interceptor.redaction import packed
from response_interceptor.redaction.columns import Cell, Table, line_end, line_start, statement_at, table_at
from response_interceptor.redaction.gate import Gate, Hit, Pattern, Sought, made_gate
from response_interceptor.redaction.json_columns import NAMES, JsonTables, json_tables
from response_interceptor.redaction.marks import FALSE, FORM
from response_interceptor.redaction.rules import MARKED, Found, Rule
from response_interceptor.redaction.technical import is_about
from response_interceptor.redaction.views import View, views

_MOST_UNPACKED = 2  # layers
_MOST_NAMES = 2_000  # bytes of an SQL statement's names of columns


class Redactor:
    """All rules; made once, used by every call."""

    def __init__(self, rules: list[dict[str, Any]], gate: Callable[[list[Sought]], Gate] = made_gate) -> None:
        self.rules = [Rule.compiled(rule) for rule in rules]
        self._gate = gate([*(rule.gate for rule in self.rules), *packed.GATES, Pattern(FORM), NAMES])
        self._mark = len(self.rules) + len(packed.GATES)

    def find(self, text: bytes, *, is_genuine: Callable[[bytes], bool], unpack: int = _MOST_UNPACKED) -> list[Found]:
        """Return the values in a text (UTF-8), whichever form shows them, from left to right; none overlaps another.

        Args:
            text: the text.
            is_genuine: says whether what has the form of a mark is one. No rule looks into a mark, or redacting twice
                would be more than redacting once; what only has the form is a value itself.
            unpack: how many layers of what is packed in it are looked into.
        """
        found: list[Found] = []
        for view in views(text):
            values = self._in_view(
                view.data, text if view.is_original else view.data, is_genuine=is_genuine, unpack=unpack
            )
            found += values if view.is_original else [_led_back(value, view) for value in values]
        return _apart(found) if found else found

    def _in_view(self, data: bytes, written: bytes, *, is_genuine: Callable[[bytes], bool], unpack: int) -> list[Found]:
        if not (hits := self._gate.hits(data)):
            return []
        named = hits.pop(self._mark + 1, [])
        text, found, tables = bytearray(data), list[Found](), _Tables(data, written, named)
        if marks := hits.pop(self._mark, None):
            for start, end in marks:
                if not is_genuine(data[start:end]):
                    found.append(Found(start, end, FALSE, data[start:end].decode()))
                text[start:end] = bytes([MARKED]) * (end - start)
            whole = (0, len(text))  # of what is rare: within a mark or not
            hits = {i: [hit for hit in each if hit == whole or text[hit[0]] != MARKED] for i, each in hits.items()}
        for index, pointed in sorted(hits.items()):
            if index >= len(self.rules):
                found += self._packed(data, pointed, is_genuine=is_genuine, unpack=unpack - 1) if unpack else ()
            elif self.rules[index].keyed:
                found += _keyed(self.rules[index], text, pointed, tables)
            elif pointed:
                found += self.rules[index].near_hits(text, pointed)
        return found

    def _packed(
        self, data: bytes, hits: list[Hit], *, is_genuine: Callable[[bytes], bool], unpack: int
    ) -> Iterator[Found]:
        """Yield the signs that stand for a value in packed text."""
        done = 0
        for start, end in hits:
            if start < done or (stretch := packed.unpacked(data, start, end)) is None:
                continue
            done = stretch.end
            for value in self.find(stretch.text, is_genuine=is_genuine, unpack=unpack):
                first, last = stretch.around(value.start, value.end)
                yield Found(first, last, value.label, value.bare)


def _led_back(value: Found, view: View) -> Found:
    start, end = view.original(value.start, value.end)
    return Found(start, end, value.label, value.bare)


class _Tables:
    """The tables of a text, by where their heads begin; what lies within a table begins no other."""

    def __init__(self, data: bytes, written: bytes, named: list[Hit]) -> None:
        """The tables of a text.

        Args:
            data: the form of it that is looked at.
            written: what stands there, of the same length: JSON's own escapes are not resolved in it.
            named: where it may have a list of columns.
        """
        self._named = named
        self.data = data
        self._written = written
        self._by_start: dict[int, Table | None] = {}
        self._ends: list[tuple[int, int]] = []
        self._in_json: list[JsonTables] | None = None

    def at(self, start: int, end: int) -> Table | JsonTables | None:
        """Return the table one of whose heads holds a keyword: in JSON, in a line of them, or in an SQL statement."""
        if self._in_json is None:
            # The second is for JSON within JSON.
            forms = [self._written] if self._written is self.data else [self._written, self.data]
            self._in_json = [tables for form in forms if (tables := json_tables(form, self._named)) is not None]
        for table in self._in_json:
            if table.head(start, end) is not None:
                return table
        return self._in_text(start)

    def _in_text(self, position: int) -> Table | None:
        opening = self.data.rfind(b"(", max(0, position - _MOST_NAMES), position)
        if opening >= 0 and (table := self._table(opening, position, statement_at)) is not None:
            return table
        line = line_start(self.data, position)
        return self._table(line, position, table_at) if line is not None else None

    def _table(self, start: int, position: int, read: Callable[[bytes, int], Table | None]) -> Table | None:
        if start not in self._by_start:
            within = any(first < start <= last for first, last in self._ends[-8:])
            table = self._by_start[start] = None if within else read(self.data, position)
            if table:
                self._ends.append((start, table.end))
        return self._by_start[start]


def _keyed(rule: Rule, text: bytearray, hits: list[Hit], tables: _Tables) -> Iterator[Found]:
    seen: set[Cell] = set()  # columns: one may hold a keyword many times
    for number, (start, end) in enumerate(hits):
        if is_about(text, end):
            continue
        following = max(end, hits[number + 1][0]) if number + 1 < len(hits) else len(text)
        table = tables.at(start, end) if rule.columns else None
        head = table.head(start, end) if table else None
        if table is None or head is None:
            yield from rule.after_keyword(text, end, following)
        elif (column := table.column(head)) not in seen:
            seen.add(column)
            below = [value for cell in table.below(head) if (value := rule.in_cell(text, *cell))]
            if not below and table.is_label(head):
                below = [*rule.after_keyword(text, end, min(following, line_end(text, end)))]
            yield from below


def _apart(found: list[Found]) -> list[Found]:
    """Return values without those that overlap one that was found before it begins or is longer."""
    apart: list[Found] = []
    for value in sorted(found, key=lambda value: (value.start, -value.end)):
        if not apart or value.start >= apart[-1].end:
            apart.append(value)
        elif value.end > apart[-1].end:  # two that overlap go as one: no end of either stays
            apart[-1] = apart[-1]._replace(end=value.end)
    return apart

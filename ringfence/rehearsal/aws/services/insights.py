"""A small, honest part of the CloudWatch Logs Insights language.

Commands: `fields`, `display`, `filter`, `sort`, `limit`, `stats`. Conditions: `=`, `!=`, `<`, `<=`, `>`, `>=`,
`like`, `not like` (text or /expression/), `in [...]`, `ispresent(field)`, joined by `and`, `or`, `not` and brackets.
Aggregates: `count`, `count_distinct`, `sum`, `avg`, `min`, `max`, by fields and `bin(5m)`. Everything else is refused
by name, so that an empty result always means that nothing matched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.rehearsal.aws.services.insights_language import (
    MalformedQuery,
    Reader,
    Row,
    Token,
    commands,
    number,
    shown_time,
)
from ringfence.rehearsal.aws.services.moto import LogEvent

__all__ = ["MalformedQuery", "Outcome", "run_query"]

_DEFAULT_LIMIT = 10_000


@dataclass(frozen=True)
class Outcome:
    """Result rows and what was read for them."""

    rows: list[Row]
    matched: int
    scanned: int
    scanned_bytes: int


def run_query(text: str, events: Iterable[tuple[str, LogEvent]], *, limit: int | None = None) -> Outcome:
    """Run a query.

    Args:
        events: (log group, event) pairs within the time range.
        limit: the request's own limit, which a `limit` command replaces.

    Raises:
        MalformedQuery: the query is wrong, or uses what is not emulated.
    """
    run = _Run([_row(group, event) for group, event in events], limit or _DEFAULT_LIMIT)
    scanned = len(run.rows)
    scanned_bytes = sum(len(row["@message"].encode()) for row in run.rows)
    for command in commands(text):
        run.apply(command)
    rows = run.finished()
    return Outcome(rows, run.matched if run.matched is not None else scanned, scanned, scanned_bytes)


def _row(group: str, event: LogEvent) -> Row:
    row = {
        "@timestamp": shown_time(event.timestamp),
        "@message": event.message,
        "@logStream": event.stream,
        "@log": group,
        "@ingestionTime": shown_time(event.ingested),
    }
    if event.message.lstrip().startswith("{"):
        try:
            _flatten("", json.loads(event.message), row)
        except ValueError:
            pass  # an ordinary line that happens to start with a brace
    return row


def _flatten(prefix: str, value: Any, row: Row) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _flatten(f"{prefix}.{key}" if prefix else str(key), item, row)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _flatten(f"{prefix}.{index}", item, row)
    elif value is not None:
        row.setdefault(prefix, str(value).lower() if isinstance(value, bool) else str(value))


class _Run:
    """The state between two commands."""

    def __init__(self, rows: list[Row], limit: int) -> None:
        self.rows = rows
        self.matched: int | None = None
        self._limit = limit
        self._columns: list[tuple[str, str]] = []
        self._aggregated = False
        self._sorted = False

    def apply(self, tokens: list[Token]) -> None:
        name = tokens[0].text.lower()
        command = {
            "fields": self._fields,
            "display": self._display,
            "filter": self._filter,
            "sort": self._sort,
            "limit": self._cut,
            "stats": self._stats,
        }.get(name)
        if command is None:
            known = "fields, display, filter, sort, limit, stats"
            raise MalformedQuery(f"The command {name!r} is not emulated by the local AWS (it knows {known}).")
        command(Reader(tokens[1:]))

    def finished(self) -> list[Row]:
        rows = self.rows
        if not self._aggregated and not self._sorted:
            rows = sorted(rows, key=lambda row: row["@timestamp"], reverse=True)
        rows = rows[: self._limit]
        if self._aggregated and not self._columns:
            return rows
        columns = self._columns or [("@timestamp", "@timestamp"), ("@message", "@message")]
        return [{shown: row[source] for source, shown in columns if source in row} for row in rows]

    def _fields(self, reader: Reader) -> None:
        self._columns += reader.columns()

    def _display(self, reader: Reader) -> None:
        self._columns = reader.columns()

    def _filter(self, reader: Reader) -> None:
        condition = reader.condition()
        self.rows = [row for row in self.rows if condition(row)]
        if not self._aggregated:
            self.matched = len(self.rows)

    def _sort(self, reader: Reader) -> None:
        for field, descending in reversed(reader.orders()):
            self.rows = sorted(self.rows, key=lambda row, name=field: _order(row.get(name, "")), reverse=descending)  # type: ignore[misc]
        self._sorted = True

    def _cut(self, reader: Reader) -> None:
        self._limit = reader.whole_number()

    def _stats(self, reader: Reader) -> None:
        aggregates, keys = reader.aggregates()
        groups: dict[tuple[str, ...], list[Row]] = {}
        for row in self.rows:
            groups.setdefault(tuple(key(row) for _, key in keys), []).append(row)
        if not keys and not groups:
            groups[()] = []
        self.rows = []
        for values, members in groups.items():
            made = {name: value for (name, _), value in zip(keys, values, strict=True)}
            made |= {name: _shown(compute(members)) for name, compute in aggregates}
            self.rows.append(made)
        self._aggregated, self._columns = True, []


def _order(value: str) -> tuple[int, float, str]:
    as_number = number(value)
    return (0, as_number, "") if as_number is not None else (1, 0.0, value)


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return str(int(value)) if float(value).is_integer() else str(value)

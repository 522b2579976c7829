"""Reads the emulated part of the CloudWatch Logs Insights language, command by command, into functions over rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import re2

Row = dict[str, str]
Condition = Callable[[Row], bool]
Aggregate = Callable[[list[Row]], float | str]
GroupKey = Callable[[Row], str]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<regex>/(?:[^/\\\n]|\\.)+/i?)
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<quoted>`[^`]+`)
    | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    | (?P<operator>!=|<=|>=|=~|=|<|>|\(|\)|\[|\]|,|\||\*)
    | (?P<name>[@\w][\w.@:-]*)
    )""",
    re.VERBOSE,
)
_AGGREGATES: dict[str, Callable[[Sequence[str]], float | str]] = {
    "count": len,
    "count_distinct": lambda values: len(set(values)),
    "sum": lambda values: sum(_numbers(values)),
    "avg": lambda values: sum(_numbers(values)) / max(1, len(_numbers(values))),
    "min": lambda values: min(_numbers(values), default=""),
    "max": lambda values: max(_numbers(values), default=""),
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class MalformedQuery(Exception):
    """The query is outside the part of the language that is emulated; the message says where."""


@dataclass(frozen=True)
class Token:
    kind: str
    text: str


def commands(text: str) -> list[list[Token]]:
    commands: list[list[Token]] = [[]]
    for token in _tokens(text):
        if token == Token("operator", "|"):
            commands.append([])
        else:
            commands[-1].append(token)
    if not all(commands):
        raise MalformedQuery("A command is empty.")
    return commands


def _tokens(text: str) -> list[Token]:
    text = re.sub(r"(?m)^\s*#.*$", "", text).rstrip()
    position, found = 0, []
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise MalformedQuery(f"Cannot read the query at character {position + 1}.")
        found.append(Token(match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found


class Reader:
    """Reads one command's tokens from left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at].text.lower() if self._at < len(self._tokens) else ""

    def _take(self) -> Token:
        if self._at >= len(self._tokens):
            raise MalformedQuery("The query ends too early.")
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, *texts: str) -> bool:
        if self._peek() in texts and self._tokens[self._at].kind in ("name", "operator"):
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise MalformedQuery(f"{text!r} was expected, not {self._peek()!r}.")

    def _end(self) -> None:
        if self._at < len(self._tokens):
            raise MalformedQuery(f"{self._peek()!r} is not emulated here.")

    def _field(self) -> str:
        token = self._take()
        if token.kind not in ("name", "quoted"):
            raise MalformedQuery(f"A field was expected, not {token.text!r}.")
        if self._peek() == "(":
            raise MalformedQuery(f"The function {token.text!r} is not emulated here.")
        return token.text.strip("`")

    def columns(self) -> list[tuple[str, str]]:
        """`a, b as c` as pairs (field, shown name)."""
        found = []
        while True:
            field = self._field()
            found.append((field, self._field() if self._accept("as") else field))
            if not self._accept(","):
                self._end()
                return found

    def orders(self) -> list[tuple[str, bool]]:
        """`a asc, b desc` as pairs (field, descending)."""
        found = []
        while True:
            field = self._field()
            found.append((field, self._direction()))
            if not self._accept(","):
                self._end()
                return found

    def _direction(self) -> bool:
        """Whether the order is descending; ascending is the default."""
        if self._accept("desc"):
            return True
        self._accept("asc")
        return False

    def whole_number(self) -> int:
        """A count."""
        token = self._take()
        if token.kind != "number" or not token.text.isdigit():
            raise MalformedQuery(f"A whole number was expected, not {token.text!r}.")
        self._end()
        return int(token.text)

    def condition(self) -> Condition:
        """A whole filter expression."""
        found = self._either()
        self._end()
        return found

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._accept("or"):
            parts.append(self._both())
        return lambda row: any(part(row) for part in parts)

    def _both(self) -> Condition:
        parts = [self._negation()]
        while self._accept("and"):
            parts.append(self._negation())
        return lambda row: all(part(row) for part in parts)

    def _negation(self) -> Condition:
        if self._accept("not"):
            inner = self._negation()
            return lambda row: not inner(row)
        if self._accept("("):
            inner = self._either()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        if self._peek() == "ispresent":
            self._take()
            self._expect("(")
            present = self._field()
            self._expect(")")
            return lambda row: present in row
        field = self._field()
        negated = self._accept("not")
        if self._accept("like", "=~"):
            return _like(field, self._take(), negated)
        if self._accept("in"):
            values = self._listed()
            return lambda row: (row.get(field) in values) != negated
        operator = self._take().text
        if operator not in _COMPARISONS or negated:
            raise MalformedQuery(f"{operator!r} is not emulated as a comparison.")
        return _compare(field, operator, self._value())

    def _listed(self) -> list[str]:
        self._expect("[")
        values = [self._value()]
        while self._accept(","):
            values.append(self._value())
        self._expect("]")
        return values

    def _value(self) -> str:
        token = self._take()
        if token.kind not in ("text", "number", "name"):
            raise MalformedQuery(f"A value was expected, not {token.text!r}.")
        return _unquoted(token)

    def aggregates(self) -> tuple[list[tuple[str, Aggregate]], list[tuple[str, GroupKey]]]:
        """`count(*) as n, max(x) by a, bin(5m)`: aggregates and group keys, each with its shown name."""
        found = [self._aggregate()]
        while self._accept(","):
            found.append(self._aggregate())
        keys: list[tuple[str, GroupKey]] = []
        if self._accept("by"):
            keys.append(self._group_key())
            while self._accept(","):
                keys.append(self._group_key())
        self._end()
        return found, keys

    def _aggregate(self) -> tuple[str, Aggregate]:
        name = self._take().text.lower()
        if name not in _AGGREGATES:
            raise MalformedQuery(f"The aggregate {name!r} is not emulated.")
        self._expect("(")
        every = self._accept("*") or (name == "count" and self._peek() == ")")
        field = "*" if every else self._field()
        self._expect(")")
        shown = self._field() if self._accept("as") else f"{name}({field})"
        compute = _AGGREGATES[name]
        return shown, lambda rows: compute(["" for _ in rows] if every else [r[field] for r in rows if field in r])

    def _group_key(self) -> tuple[str, GroupKey]:
        if self._peek() != "bin":
            field = self._field()
            shown = self._field() if self._accept("as") else field
            return shown, lambda row: row.get(field, "")
        self._take()
        self._expect("(")
        span = self._take().text
        self._expect(")")
        match = re.fullmatch(r"(\d+)([smhd])", span)
        if match is None or int(match.group(1)) == 0:
            raise MalformedQuery(f"bin({span}) is not emulated.")
        seconds = int(match.group(1)) * _UNITS[match.group(2)]
        shown = self._field() if self._accept("as") else f"bin({span})"
        return shown, lambda row: _binned(row["@timestamp"], seconds)


def _like(field: str, token: Token, negated: bool) -> Condition:
    if token.kind == "text":
        part = _unquoted(token)
        return lambda row: (part in row.get(field, "")) != negated
    if token.kind != "regex":
        raise MalformedQuery(f"like needs a text or an expression, not {token.text!r}.")
    body, _, flags = token.text[1:].rpartition("/")
    try:
        expression = re2.compile(f"(?i){body}" if flags else body)
    except re2.error as fault:
        raise MalformedQuery(f"The expression cannot be read: {fault}.") from None
    return lambda row: bool(expression.search(row.get(field, ""))) != negated


def _compare(field: str, operator: str, wanted: str) -> Condition:
    compare = _COMPARISONS[operator]

    def condition(row: Row) -> bool:
        if field not in row:
            return operator == "!="
        value = row[field]
        numbers = (number(value), number(wanted))
        return compare(*numbers) if None not in numbers else compare(value, wanted)

    return condition


def _unquoted(token: Token) -> str:
    return re.sub(r"\\(.)", r"\1", token.text[1:-1]) if token.kind == "text" else token.text


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _numbers(values: Sequence[str]) -> list[float]:
    return [number for number in (number(value) for value in values) if number is not None]


def shown_time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{milliseconds % 1000:03d}"


def _binned(shown: str, seconds: int) -> str:
    moment = datetime.strptime(shown, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    return shown_time(int(moment.timestamp()) // seconds * seconds * 1000)

"""Takes secrets and UK personal data out of one result, by the rules of `catalogue/redaction.toml`.

Values are looked for in the text as it stands and in its normalised form, and JSON inside text is read as JSON:
escapes and encodings do not hide a value.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from typing import Any

from callpath.digest import LARGEST_INTEGER
from callpath.json_limits import DEEPEST_RESULT, deeper_than
from response_interceptor.normalise import is_plain, normalised
from response_interceptor.redaction_rules import Redactor, Rule

_SHORT = 64
_LONGEST_NAME = 256  # of a field's name, what is read as a name: its end
_MOST_NESTED_JSON = 4
_LONG = 100_000_000  # ten digits, of which the first may be a zero
_BEFORE_JSON = "{[ \t\r\n"  # what JSON text may begin with


class Redaction:
    """The redaction of one result: numbers equal values equally, and counts.

    Attributes:
        counts: replaced values by label.
    """

    def __init__(self, redactor: Redactor) -> None:
        self.counts: Counter[str] = Counter()
        self._redactor = redactor
        self._numbers: dict[tuple[str, str], int] = {}
        self._last: Counter[str] = Counter()
        # Short texts in which no rule finds anything, whatever stands beside them: field names, mostly.
        self._clean: set[str] = set()
        # Whether every text of the value under way is known to be its own normalised form.
        self._plain = False

    def text(self, text: str, *, context: str = "", nested: int = 0) -> str:
        """Return a text without the values the rules know, and the same object when it holds none.

        Args:
            text: the text; JSON in it is read as JSON.
            context: names that stand beside the text, such as the field that holds it.
            nested: how many layers of JSON within text led here.
        """
        if text in self._clean:
            return text
        if nested < _MOST_NESTED_JSON and (parsed := _parsed(text)) is not None:
            before = self.counts.total()
            redacted = self._looked_through(parsed, seen_from=nested, nested=nested + 1)
            if self.counts.total() > before:
                with contextlib.suppress(ValueError):  # a number beyond JSON's, which would come back as a word
                    return json.dumps(redacted, ensure_ascii=False, allow_nan=False)
        # Text is looked at as text even if it is JSON: a repeated key hides its first value from whoever parses it.
        plain = self._normalised(text)
        found = self._redactor.matching(text)
        if not found and (plain is text or not self._redactor.matching(plain)):
            if len(text) <= _SHORT:
                self._clean.add(text)
            return text
        without = self._replaced(text, found, context)
        if plain is text:
            return without
        # What is left may still hold values in disguise. If so the whole text is shown in its plain form.
        plain = normalised(without)
        plain_without = self._replaced(plain, self._redactor.matching(plain), context)
        return without if plain_without is plain else plain_without

    def value(self, value: Any) -> Any:
        """Return any JSON value with its texts, its keys and its telling numbers redacted."""
        return self._looked_through(value, seen_from=0, nested=0)

    def _looked_through(self, value: Any, *, seen_from: int, nested: int) -> Any:
        """Redact a value if a look at each part of it is worth it.

        One look at all parts side by side is far cheaper than a look at each, and most results hold nothing.
        """
        joined = "\n".join(_parts(value, seen_from))
        plain = is_plain(joined)
        if not self._redactor.may_find(joined, joined if plain else normalised(joined)):
            return value
        outside, self._plain = self._plain, plain
        redacted = self._value(value, context="", nested=nested)
        self._plain = outside
        return redacted

    def _normalised(self, text: str) -> str:
        return text if self._plain else normalised(text)

    def _around(self, context: str) -> bytes:
        return self._normalised(context).lower().encode("utf-8", "replace")

    def _value(self, value: Any, *, context: str, nested: int) -> Any:
        if isinstance(value, str):
            return self.text(value, context=context, nested=nested) if value else value
        if isinstance(value, dict):
            return self._object(value, context=context, nested=nested)
        if isinstance(value, list):
            return [self._value(item, context=context, nested=nested) for item in value]
        return value if (digits := _digits(value)) is None else self._number(value, digits, context)

    def _object(self, value: dict[str, Any], *, context: str, nested: int) -> dict[str, Any]:
        """Redact an object. A field's context is its own name, the object's, and short texts beside it, because much
        of AWS answers in pairs: {"field": "password", "value": "..."}.
        """
        short = " ".join([text for text in value.values() if isinstance(text, str) and len(text) <= _SHORT][:4])
        context = context[-_SHORT:]
        found: dict[str, Any] = {}
        times: Counter[str] = Counter()
        for key, item in value.items():
            shown = name = self.text(key, nested=_MOST_NESTED_JSON)
            while shown in found:  # values that were told apart by their spelling alone: count on, do not start anew
                times[name] += 1
                shown = f"{name}'{times[name]}"
            found[shown] = self._value(item, context=f"{context} {short} {key[-_LONGEST_NAME:]}", nested=nested)
        return found

    def _number(self, number: Any, digits: str, context: str) -> Any:
        """Redact a number as the same digits in quotation marks would be: which it is, is the server's choice."""
        for rule in self._redactor.matching(digits):
            for start, end, bare in rule.finds(digits.encode(), self._around(context) if rule.near else b""):
                if (start, end) == (0, len(digits)):
                    return self._mark(rule, bare)
        return number

    def _replaced(self, text: str, rules: list[Rule], context: str) -> str:
        encoded = text.encode("utf-8", "replace")
        changed = False
        for rule in rules:
            pieces, position = [], 0
            for start, end, bare in rule.finds(encoded, self._around(context) if rule.near else b""):
                pieces += [encoded[position:start], self._mark(rule, bare).encode()]
                position = end
            if pieces:
                encoded = b"".join([*pieces, encoded[position:]])
                changed = True
        return encoded.decode() if changed else text

    def _mark(self, rule: Rule, bare: str) -> str:
        number = self._numbers.get((rule.label, bare))
        if number is None:
            self._last[rule.label] += 1
            number = self._numbers[rule.label, bare] = self._last[rule.label]
        self.counts[rule.label] += 1
        return f"[REDACTED:{rule.label}:{number}]"


def _parsed(text: str) -> Any:
    """Return the JSON object or list that a text is, or None; also for one nested too deeply to walk through."""
    if text[:1] not in _BEFORE_JSON or text[:_SHORT].lstrip()[:1] not in ("{", "["):
        return None
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return None if deeper_than(parsed, DEEPEST_RESULT) else parsed


def _parts(value: Any, nested: int) -> list[str]:
    """Return all texts, keys and long numbers in a value, and those in texts that are JSON themselves."""
    parts: list[str] = []
    waiting = [(value, nested)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str):
            parts.append(item)
            if depth < _MOST_NESTED_JSON and (parsed := _parsed(item)) is not None:
                waiting.append((parsed, depth + 1))
        elif isinstance(item, dict):
            parts.extend(item)
            waiting.extend([(part, depth) for part in item.values()])
        elif isinstance(item, list):
            waiting.extend([(part, depth) for part in item])
        elif (digits := _digits(item)) is not None:
            parts.append(digits)
    return parts


def _digits(value: Any) -> str | None:
    """Return the digits of a whole number that is long enough to tell something, however it is written; else None.

    A number loses its leading zeros: what is left of ten digits gets one back.
    """
    if type(value) is float:
        value = int(value) if value.is_integer() else 0
    if type(value) is not int or not _LONG <= abs(value) <= LARGEST_INTEGER:
        return None
    return str(abs(value)).zfill(10)

"""Takes secrets and UK personal data out of one result, by the rules of `catalogue/redaction.toml`.

Values are looked for in the text as it stands and in its normalised form, and JSON inside text is read as JSON:
escapes and encodings do not hide a value.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from response_interceptor.normalise import normalised
from response_interceptor.redaction_rules import Redactor, Rule, may_find

_SHORT = 64
_MOST_NESTED_JSON = 4


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

    def text(self, text: str, *, context: str = "", nested: int = 0) -> str:
        """Return a text without the values the rules know, and the same object when it holds none.

        Args:
            text: the text; JSON in it is read as JSON.
            context: names that stand beside the text, such as the field that holds it.
            nested: how many layers of JSON within text led here.
        """
        if text in self._clean:
            return text
        plain = normalised(text)
        found = self._redactor.matching(text)
        plain_found = found if plain is text else self._redactor.matching(plain)
        if not found and not plain_found:
            if len(text) <= _SHORT:
                self._clean.add(text)
            return text
        looks_like_json = nested < _MOST_NESTED_JSON and text[:_SHORT].lstrip()[:1] in ("{", "[")
        if looks_like_json and (may_find(found, text) or may_find(plain_found, plain)):
            without = self._json(text, nested=nested)
            if without is not text:
                return without
        around = normalised(context).lower().encode("utf-8", "replace") if context else b""
        without = self._replaced(text, found, around)
        if plain is text:
            return without
        # What is left may still hold values in disguise. If so the whole text is shown in its plain form.
        plain = normalised(without)
        plain_without = self._replaced(plain, self._redactor.matching(plain), around)
        return without if plain_without is plain else plain_without

    def value(self, value: Any) -> Any:
        """Return any JSON value with its texts, its keys and its telling numbers redacted."""
        # One look at the whole is far cheaper than a look at each part, and most results hold nothing.
        if not self._may_hold(json.dumps(value, ensure_ascii=False)):
            return value
        return self._value(value, context="", nested=0)

    def _may_hold(self, text: str) -> bool:
        """Say whether a look at the parts of a JSON text is worth it. The names in it are its context."""
        plain = normalised(text)
        matching = self._redactor.matching
        return may_find(matching(text), text) or (plain is not text and may_find(matching(plain), plain))

    def _value(self, value: Any, *, context: str, nested: int) -> Any:
        if isinstance(value, str):
            return self.text(value, context=context, nested=nested) if value else value
        if isinstance(value, dict):
            return self._object(value, context=context, nested=nested)
        if isinstance(value, list):
            return [self._value(item, context=context, nested=nested) for item in value]
        if isinstance(value, int) and not isinstance(value, bool):
            return self._number(value, context)
        return value

    def _object(self, value: dict[str, Any], *, context: str, nested: int) -> dict[str, Any]:
        """Redact an object. A field's context is its own name, the object's, and short texts beside it, because much
        of AWS answers in pairs: {"field": "password", "value": "..."}.
        """
        short = " ".join([text for text in value.values() if isinstance(text, str) and len(text) <= _SHORT][:4])
        context = context[-_SHORT:]
        found: dict[str, Any] = {}
        for key, item in value.items():
            shown = self.text(key, nested=_MOST_NESTED_JSON)
            while shown in found:
                shown += "'"
            found[shown] = self._value(item, context=f"{context} {short} {key}", nested=nested)
        return found

    def _number(self, number: int, context: str) -> int | str:
        """Redact a number only where something beside it says what it is: most long numbers are sizes and times."""
        if -10_000_000 < number < 10_000_000:
            return number
        text = str(number)
        around = normalised(context).lower().encode("utf-8", "replace")
        for rule in self._redactor.matching(text):
            if rule.near:
                for start, end, bare in rule.finds(text.encode(), around):
                    if (start, end) == (0, len(text)):
                        return self._mark(rule, bare)
        return number

    def _json(self, text: str, *, nested: int) -> str:
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            return text
        if not isinstance(parsed, dict | list):
            return text
        before = self.counts.total()
        redacted = self._value(parsed, context="", nested=nested + 1)
        # Text that needed nothing is left as it was written, down to its spaces.
        return text if self.counts.total() == before else json.dumps(redacted, ensure_ascii=False)

    def _replaced(self, text: str, rules: list[Rule], around: bytes) -> str:
        encoded = text.encode("utf-8", "replace")
        changed = False
        for rule in rules:
            pieces, position = [], 0
            for start, end, bare in rule.finds(encoded, around):
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

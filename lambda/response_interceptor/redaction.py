"""Takes secrets and UK personal data out of a result, by the rules of `catalogue/redaction.toml`.

Linear-time patterns (RE2) find candidates, so no text can make this function slow. Values are looked for in the text as
it stands and in its normalised form, and JSON inside text is read as JSON: escapes and encodings do not hide a value.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import re2

from response_interceptor.normalise import normalised
from response_interceptor.validators import VALIDATORS

_ALPHANUMERIC = "A-Za-z0-9"
_SHORT = 64
_MOST_NESTED_JSON = 4


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of `catalogue/redaction.toml`, compiled. Works on UTF-8, which spares translating offsets."""

    label: str
    pattern: Any
    beside: re.Pattern[bytes] | None
    validate: Callable[[str], str | None]
    keywords: tuple[bytes, ...]
    near: int

    @classmethod
    def compiled(cls, rule: dict[str, Any]) -> Rule:
        """Compile one rule.

        Raises:
            re2.error, KeyError: the rule is not valid; the function then refuses every response.
        """
        beside = rule.get("beside", _ALPHANUMERIC)
        return cls(
            label=rule["label"],
            pattern=re2.compile(rule["regex"].encode()),
            beside=re.compile(f"[{beside}]".encode()) if beside else None,
            validate=VALIDATORS[rule["validator"]] if rule.get("validator") else lambda value: value,
            keywords=tuple(keyword.lower().encode() for keyword in rule.get("keywords", ())),
            near=rule.get("near", 0),
        )

    def finds(self, text: bytes, context: bytes) -> Iterator[tuple[int, int, str]]:
        """Yield start, end and bare form of each value in the text, left to right."""
        lowered = b""
        if self.near:
            lowered = text.lower()
            if not any(keyword in lowered or keyword in context for keyword in self.keywords):
                return
        position = 0
        while found := self.pattern.search(text, position):
            start, end = found.span()
            # A rejected candidate may overlap a real value, so the search goes on one character further.
            position = start + 1
            if self.beside and (self.beside.match(text, end) or (start and self.beside.match(text, start - 1))):
                continue
            if self.near and not self._is_named(lowered[max(0, start - self.near) : start], context):
                continue
            bare = self.validate(found.group().decode())
            if bare is not None:
                yield start, end, bare
                position = end

    def _is_named(self, before: bytes, context: bytes) -> bool:
        return any(keyword in before or keyword in context for keyword in self.keywords)


class Redactor:
    """The compiled rules; made once, used by every call."""

    def __init__(self, rules: list[dict[str, Any]]) -> None:
        self.rules = [Rule.compiled(rule) for rule in rules]
        self._any = re2.Set.SearchSet()
        for rule in rules:
            self._any.Add(rule["regex"].encode())
        self._any.Compile()

    def candidates(self, text: bytes) -> list[Rule]:
        """Return the rules whose pattern occurs in the text, in order: one pass for all of them."""
        return [self.rules[index] for index in sorted(self._any.Match(text) or ())]


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

    def text(self, text: str, *, context: str = "", nested: int = 0) -> str:
        """Return a text without the values the rules know.

        Args:
            text: the text; JSON in it is read as JSON.
            context: names that stand beside the text, such as the field that holds it.
            nested: how many layers of JSON within text led here.
        """
        if nested < _MOST_NESTED_JSON and text[:64].lstrip()[:1] in ("{", "["):
            text = self._json(text, nested=nested)
        around = context.lower().encode("utf-8", "replace")
        text = self._replaced(text, around)
        plain = normalised(text)
        if plain is not text:
            without = self._replaced(plain, around)
            if without != plain:
                return without
        return text

    def value(self, value: Any, *, context: str = "", nested: int = 0) -> Any:
        """Return any JSON value with its texts, its keys and its telling numbers redacted."""
        if isinstance(value, str):
            return self.text(value, context=context, nested=nested)
        if isinstance(value, dict):
            return self._object(value, context=context, nested=nested)
        if isinstance(value, list):
            return [self.value(item, context=context, nested=nested) for item in value]
        if isinstance(value, int) and not isinstance(value, bool) and context:
            return self._number(value, context)
        return value

    def _object(self, value: dict[str, Any], *, context: str, nested: int) -> dict[str, Any]:
        """Redact an object. A field's context is its own name, the object's, and short texts beside it, because much
        of AWS answers in pairs: {"field": "password", "value": "..."}.
        """
        short = [text for text in value.values() if isinstance(text, str) and len(text) <= _SHORT][:4]
        found: dict[str, Any] = {}
        for key, item in value.items():
            shown = self.text(key, nested=_MOST_NESTED_JSON) if key else key
            while shown in found:
                shown += "'"
            beside = " ".join([context[-_SHORT:], key, *(text for text in short if text is not item)])
            found[shown] = self.value(item, context=beside, nested=nested)
        return found

    def _number(self, number: int, context: str) -> int | str:
        """Redact a number only where something beside it says what it is: most long numbers are sizes and times."""
        text = str(number).encode()
        around = context.lower().encode("utf-8", "replace")
        for rule in self._redactor.rules:
            if rule.near and len(text) >= 8:
                for start, end, bare in rule.finds(text, around):
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
        redacted = self.value(parsed, nested=nested + 1)
        # Text that needed nothing is left as it was written, down to its spaces.
        return text if self.counts.total() == before else json.dumps(redacted, ensure_ascii=False)

    def _replaced(self, text: str, context: bytes) -> str:
        encoded = text.encode("utf-8", "replace")
        rules = self._redactor.candidates(encoded)
        if not rules:
            return text
        before = self.counts.total()
        for rule in rules:
            pieces, position = [], 0
            for start, end, bare in rule.finds(encoded, context):
                pieces += [encoded[position:start], self._mark(rule, bare).encode()]
                position = end
            if pieces:
                encoded = b"".join([*pieces, encoded[position:]])
        return text if self.counts.total() == before else encoded.decode()

    def _mark(self, rule: Rule, bare: str) -> str:
        number = self._numbers.get((rule.label, bare))
        if number is None:
            self._last[rule.label] += 1
            number = self._numbers[rule.label, bare] = self._last[rule.label]
        self.counts[rule.label] += 1
        return f"[REDACTED:{rule.label}:{number}]"

"""The compiled rules of `catalogue/redaction.toml`.

Patterns run on RE2, whose time is linear in the text, and on UTF-8, which spares translating offsets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import re2

from response_interceptor.validators import VALIDATORS

_ALPHANUMERIC = "A-Za-z0-9"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One compiled rule.

    Attributes:
        label: what the caller sees in place of a value.
        bounded: the pattern between characters that may stand beside a value; group 1 is the value.
        validate: returns the bare form of a real value, None for a look-alike.
        keywords: words of which one must be near, in lower case.
        near: how many bytes before the value a keyword may stand; 0 when none is needed.
    """

    label: str
    bounded: str
    pattern: Any
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
        before, after = (f"(?:^|[^{beside}])", f"(?:$|[^{beside}])") if beside else ("", "")
        bounded = f"{before}((?:{rule['regex']})){after}"
        return cls(
            label=rule["label"],
            bounded=bounded,
            pattern=re2.compile(bounded.encode()),
            validate=VALIDATORS[rule["validator"]] if rule.get("validator") else _any,
            keywords=tuple(keyword.lower().encode() for keyword in rule.get("keywords", ())),
            near=rule.get("near", 0),
        )

    def finds(self, text: bytes, context: bytes) -> Iterator[tuple[int, int, str]]:
        """Yield start, end and bare form of each value in the text, left to right."""
        lowered, named = b"", True
        if self.near:
            lowered, named = text.lower(), any(keyword in context for keyword in self.keywords)
            if not named and not self._is_named(lowered):
                return
        position = 0
        while position < len(text) and (found := self.pattern.search(text, position)):
            start, end = found.span(1)
            # The character after a value may also be the one before the next, and a look-alike may overlap a value.
            position = start + 1
            if not named and not self._is_named(lowered[max(0, start - self.near) : start]):
                continue
            bare = self.validate(text[start:end].decode())
            if bare is not None:
                yield start, end, bare
                position = end

    def _is_named(self, lowered: bytes) -> bool:
        return any(keyword in lowered for keyword in self.keywords)

    def may_find(self, lowered: bytes) -> bool:
        """Say whether the rule may find a value in a text it matches, when all names stand in the (lowered) text."""
        return not self.near or self._is_named(lowered)


class Redactor:
    """All rules; made once, used by every call."""

    def __init__(self, rules: list[dict[str, Any]]) -> None:
        self._rules = [Rule.compiled(rule) for rule in rules]
        self._any = re2.Set.SearchSet()
        for rule in self._rules:
            self._any.Add(rule.bounded.encode())
        self._any.Compile()

    def matching(self, text: str) -> list[Rule]:
        """Return the rules whose pattern occurs in the text, in their order: one pass for all of them."""
        found = self._any.Match(text.encode("utf-8", "replace"))
        return [self._rules[index] for index in sorted(found)] if found else []

    def may_find(self, text: str, plain: str) -> bool:
        """Say whether a rule may find a value in a text or its plain form, when all names stand in them too."""
        rules = self.matching(text)
        if plain is not text:
            rules += self.matching(plain)
            text = f"{text}\n{plain}"
        lowered = text.lower().encode("utf-8", "replace") if rules else b""
        return any(rule.may_find(lowered) for rule in rules)


def _any(value: str) -> str:
    return value

"""Wildcards and policy variables in IAM policies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

Context = Mapping[str, object]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
# Characters that a variable brought in stand for themselves: they are neither wildcards nor separators of an ARN. While
# a pattern is being matched they are written as characters of Unicode's private use area.
_GUARD = str.maketrans({"*": "\ue000", "?": "\ue001", ":": "\ue002"})
_UNGUARD = str.maketrans({"\ue000": "*", "\ue001": "?", "\ue002": ":"})
_ESCAPES = {"*": "*", "?": "?", "$": "$"}


def lowered(context: Mapping[str, object]) -> dict[str, object]:
    """The context with lower-case keys: IAM's condition keys are not case-sensitive."""
    return {key.lower(): value for key, value in context.items()}


@lru_cache(maxsize=65536)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    return any_of([pattern], ignore_case=ignore_case)


def any_of(patterns: Iterable[str], *, ignore_case: bool) -> re.Pattern[str]:
    """What fits one of the patterns; nothing where there is none."""
    wild = {"*": ".*", "?": "."}
    texts = ["".join(wild.get(char) or re.escape(char.translate(_UNGUARD)) for char in each) for each in patterns]
    return re.compile("|".join(texts) if texts else "(?!)", re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def matches(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether a value fits a pattern with `*` and `?`; the whole value must fit."""
    return _compiled(pattern, ignore_case).fullmatch(value) is not None


def arn_matches(pattern: str, value: str) -> bool:
    """Whether an ARN fits a pattern. Each of the six parts is compared on its own, so `*` stays within its part."""
    patterns, parts = pattern.split(":", 5), value.split(":", 5)
    if len(parts) != 6:
        return False
    if len(patterns) != 6:
        return pattern == "*"
    return all(matches(part_pattern, part) for part_pattern, part in zip(patterns, parts, strict=True))


def literal(pattern: str) -> str:
    """The pattern as plain text, for operators that know no wildcards."""
    return pattern.translate(_UNGUARD)


def filled(text: str, context: Context) -> str | None:
    """The text with its policy variables replaced, ready for `matches`, `arn_matches` or `literal`.

    `${aws:PrincipalTag/team}` becomes the request's value, in which `*` and `?` are ordinary characters. `${*}`, `${?}`
    and `${$}` stand for the characters themselves. `${aws:username, 'nobody'}` gives a default.

    Returns:
        None when a variable has no value and no default: such a text matches nothing.
    """
    if "${" not in text:
        return text
    missing = False

    def replace(match: re.Match[str]) -> str:
        nonlocal missing
        value = _variable(match.group(1), context)
        if value is None:
            missing = True
        return (value or "").translate(_GUARD)

    replaced = _VARIABLE.sub(replace, text)
    return None if missing else replaced


def as_text(value: object) -> str:
    """A context value as policies write it: booleans in lower case, the rest as it prints."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _variable(name: str, context: Context) -> str | None:
    if name in _ESCAPES:
        return _ESCAPES[name]
    key, comma, default = name.partition(",")
    value = context.get(key.strip().lower())
    # A key with several values cannot be used as a variable.
    if value is not None and not isinstance(value, list | tuple | set | frozenset):
        return as_text(value)
    return default.strip().strip("'") if comma else None

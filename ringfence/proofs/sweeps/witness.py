"""The most favourable request: the resource and context under which a policy would allow, if anything made it allow.

"Could this role ever do that?" is answered by asking under the conditions that its own Allow statements want and its
Deny statements spare. What is refused even then is refused always. A condition under which no such request can be made
up here is undecidable, and no proof goes by it.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from ringfence.iam.conditions import NEGATED, as_moment, as_number, holds
from ringfence.iam.patterns import filled, matches
from ringfence.iam.policy import Statement
from ringfence.iam.problems import UndecidablePolicy

FOREIGN_ACCOUNT: Final = "000000000000"
"""An account that is not the department's."""

_FILLER: Final = "anything"
_UNLIKE: Final = "something else"
_MOST: Final = 256
"""Combinations of values that the conditions of some statements accept."""
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")


def satisfy_allow(statements: Iterable[Statement]) -> dict[str, object]:
    """Context in which the conditions of Allow statements hold; the last one wins where they disagree."""
    context: dict[str, object] = {}
    for statement in statements:
        context |= {key: _FILLER for key in _variables(statement) if key not in context}
        for operator, keys in statement.condition.items():
            for key, values in keys.items():
                _want(context, operator.lower(), key.lower(), _texts(values))
    return context


def witnesses(statements: Sequence[Statement]) -> Iterator[dict[str, object]]:
    """Contexts in which the conditions of Allow statements hold: one for each choice among the values they accept.

    Raises:
        UndecidablePolicy: none can be made up for one of the statements, or there are more than 256.
    """
    for statement in statements:
        alone = satisfy_allow([statement])
        if not holds(statement.condition, alone, variables=statement.variables):
            raise UndecidablePolicy(
                f"no request can be made up that satisfies the condition {dict(statement.condition)}"
            )
    usual = satisfy_allow(statements)
    yield usual
    choices: dict[str, list[object]] = {}
    for statement in statements:
        for operator, keys in statement.condition.items():
            name = operator.lower()
            if _base(name) in ("null", *NEGATED) or name.startswith("forallvalues:"):
                continue
            for key, values in keys.items():
                if len(texts := _texts(values)) > 1:
                    each = [sample(text, usual) for text in texts]
                    choices[key.lower()] = [[value] for value in each] if name.startswith("foranyvalue:") else [*each]
    if math.prod(len(values) for values in choices.values()) > _MOST:
        raise UndecidablePolicy(f"conditions accept too many combinations of {', '.join(sorted(choices))}")
    if choices:
        yield from (usual | dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values()))


def avoid_deny(statements: Iterable[Statement]) -> dict[str, object]:
    """Context that the conditions of Deny statements spare: a refusal of everything but one value names that value."""
    context: dict[str, object] = {}
    for statement in statements:
        for operator, keys in statement.condition.items():
            base = _base(operator.lower())
            for key, values in keys.items():
                texts = _texts(values)
                if base == "null" and "true" in texts:
                    context.setdefault(key.lower(), _FILLER)
                elif base in NEGATED:
                    context.setdefault(key.lower(), sample(texts[0], context))
    return context


def alternatives(statement: Statement, key: str) -> list[str]:
    """The values that a statement's StringEquals-like condition accepts for a key; empty when it has none."""
    found: list[str] = []
    for operator, keys in statement.condition.items():
        if _base(operator.lower()) in ("stringequals", "stringlike"):
            found += [text for name, values in keys.items() if name.lower() == key for text in _texts(values)]
    return found


def avoided_values(statement: Statement, key: str) -> list[str]:
    """The values that a Deny statement spares by a StringNotEquals-like condition on a key; empty when it has none."""
    return [
        text
        for operator, keys in statement.condition.items()
        if _base(operator.lower()) in ("stringnotequals", "stringnotlike")
        for name, values in keys.items()
        if name.lower() == key
        for text in _texts(values)
    ]


def sample(pattern: str, context: Mapping[str, object]) -> str:
    """A value that fits a pattern and as little else as possible."""
    text = filled(pattern, context)
    return (pattern if text is None else text).replace("*", _FILLER).replace("?", "x")


def arn_within(pattern: str, shape: str, context: Mapping[str, object]) -> str | None:
    """An ARN of a certain shape that also fits a policy's pattern; None where none is found.

    Args:
        pattern: as a policy writes it: `...:log-group:/a:*`.
        shape: the whole shape with `*` for its variables: `...:log-group:*:log-stream:*`.
        context: values for the pattern's policy variables.
    """
    text = filled(pattern, context) or pattern
    whole = sample(shape, context)
    if matches(text, whole):
        return whole
    if not text.endswith("*"):
        exact = sample(text, context)
        return exact if matches(shape, exact) else None
    start = sample(text[:-1], context)
    for cut in range(len(whole) - 1, 0, -1):
        if whole[cut - 1] in ":/" and matches(shape, start + whole[cut:]):
            return start + whole[cut:]
    return None


def arn_of(pattern: str, *, account: str, region: str) -> str:
    """An ARN pattern of the action table, for one account and region; its other variables become `*`."""
    text = pattern.replace("${Partition}", "aws").replace("${Region}", region).replace("${Account}", account)
    while "${" in text:
        before, _, rest = text.partition("${")
        text = before + "*" + rest.partition("}")[2]
    return text


def in_account(pattern: str, account: str, context: Mapping[str, object]) -> str:
    """An ARN pattern that admits an account, for that account; another pattern as it is, its variables filled in."""
    text = filled(pattern, context) or pattern
    parts = text.split(":", 5)
    fits = len(parts) == 6 and parts[4] and matches(parts[4], account)
    return ":".join([*parts[:4], account, parts[5]]) if fits else text


def account_of(resource: str, default: str) -> str | None:
    """The account that owns a resource: the ARN's, or the default where it names none; None where AWS owns it."""
    parts = resource.split(":", 5)
    if len(parts) < 6 or not parts[4]:
        return default
    return None if parts[4] == "aws" else parts[4]


def _variables(statement: Statement) -> Iterator[str]:
    """The condition keys that policy variables in the resources stand for; without a value they match nothing."""
    if statement.variables:
        for resource in (*statement.resources, *statement.not_resources):
            for name in _VARIABLE.findall(resource):
                if name not in ("*", "?", "$"):
                    yield name.partition(",")[0].strip().lower()


def _want(context: dict[str, object], operator: str, key: str, texts: list[str]) -> None:
    base = _base(operator)
    if base == "null":
        if "true" in texts:
            context.pop(key, None)
        else:
            context.setdefault(key, _FILLER)
    elif base in NEGATED:
        if operator.startswith("foranyvalue:"):
            context.setdefault(key, [_UNLIKE])
        return  # an absent key satisfies the others
    elif operator.startswith("forallvalues:"):
        context[key] = [sample(text, context) for text in texts]
    elif operator.startswith("foranyvalue:"):
        context[key] = [sample(texts[0], context)]
    elif base == "ipaddress":
        context[key] = texts[0].partition("/")[0]
    elif base.startswith(("numeric", "date")):
        bound = as_number(texts[0]) if base.startswith("numeric") else as_moment(texts[0])
        context[key] = str(bound + (1 if "greaterthan" in base else -1 if "lessthan" in base else 0))
    else:
        context[key] = sample(texts[0], context)


def _base(operator: str) -> str:
    return operator.rpartition(":")[2].removesuffix("ifexists")


def _texts(values: object) -> list[str]:
    items = values if isinstance(values, list | tuple) else [values]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in items]

"""The `Condition` element of IAM policies.

Semantics follow the IAM reference: an absent key fails every operator except the negated ones, `…IfExists` passes when
the key is absent, `ForAllValues` is true for an empty set and `ForAnyValue` is false for it. A key that carries several
values under an operator without a set prefix raises, because AWS calls the outcome undefined.
"""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from ringfence.iam.patterns import Context, arn_matches, as_text, filled, literal, matches
from ringfence.iam.problems import UndecidablePolicy

Test = Callable[[str, str], bool]


def as_number(value: str) -> float:
    """A number as Numeric operators compare it.

    Raises:
        UndecidablePolicy: it is none.
    """
    try:
        return float(value)
    except ValueError:
        raise UndecidablePolicy(f"{value!r} is no number, but a Numeric operator compares it") from None


def as_moment(value: str) -> float:
    """A date or epoch as Date operators compare it, in seconds since 1970.

    Raises:
        UndecidablePolicy: it is none.
    """
    try:
        return float(value)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise UndecidablePolicy(f"{value!r} is no date, but a Date operator compares it") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _address(value: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        raise UndecidablePolicy(f"{value!r} or {network!r} is no address, but IpAddress compares them") from None


def _numeric(compare: Callable[[float, float], bool]) -> Test:
    return lambda pattern, value: compare(as_number(value), as_number(literal(pattern)))


def _date(compare: Callable[[float, float], bool]) -> Test:
    return lambda pattern, value: compare(as_moment(value), as_moment(literal(pattern)))


# Tests take (policy value, request value). A negated operator is its positive test with the answer turned round.
_TESTS: dict[str, Test] = {
    "stringequals": lambda pattern, value: literal(pattern) == value,
    "stringequalsignorecase": lambda pattern, value: literal(pattern).casefold() == value.casefold(),
    "stringlike": matches,
    "arnequals": arn_matches,
    "arnlike": arn_matches,
    "bool": lambda pattern, value: literal(pattern).lower() == value.lower(),
    "binaryequals": lambda pattern, value: literal(pattern) == value,
    "ipaddress": lambda pattern, value: _address(value, literal(pattern)),
    "numericequals": _numeric(operator.eq),
    "numericlessthan": _numeric(operator.lt),
    "numericlessthanequals": _numeric(operator.le),
    "numericgreaterthan": _numeric(operator.gt),
    "numericgreaterthanequals": _numeric(operator.ge),
    "dateequals": _date(operator.eq),
    "datelessthan": _date(operator.lt),
    "datelessthanequals": _date(operator.le),
    "dategreaterthan": _date(operator.gt),
    "dategreaterthanequals": _date(operator.ge),
}
NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}


@dataclass(frozen=True)
class _Operator:
    name: str
    test: Test
    negated: bool
    if_exists: bool
    quantifier: str  # "", "forallvalues" or "foranyvalue"


@cache
def _operator(name: str) -> _Operator:
    quantifier, _, base = name.lower().rpartition(":")
    if quantifier not in ("", "forallvalues", "foranyvalue"):
        raise UndecidablePolicy(f"condition operator {name} is unknown")
    if_exists = base.endswith("ifexists")
    base = base.removesuffix("ifexists")
    positive = NEGATED.get(base, base)
    if positive not in _TESTS:
        raise UndecidablePolicy(f"condition operator {name} is unknown")
    return _Operator(name, _TESTS[positive], base in NEGATED, if_exists, quantifier)


def check_operators(condition: Mapping[str, Mapping[str, object]]) -> None:
    """Refuse a condition block with an unknown operator, even where no request would reach it.

    Raises:
        UndecidablePolicy: an operator is unknown.
    """
    for name in condition:
        if name.lower() not in ("null", "nullifexists"):
            _operator(name)


def holds(condition: Mapping[str, Mapping[str, object]], context: Context, *, variables: bool) -> bool:
    """Whether every operator and key of a condition block is satisfied.

    Args:
        context: the request's context, keys in lower case.
        variables: whether `${…}` is filled in (policy version 2012-10-17).

    Raises:
        UndecidablePolicy: an operator is unknown, or a value cannot be compared.
    """
    return all(
        _one(name, key, _values(wanted), context, variables)
        for name, keys in condition.items()
        for key, wanted in keys.items()
    )


def _values(value: object) -> list[str]:
    items = value if isinstance(value, list | tuple | set | frozenset) else [value]
    return [as_text(item) for item in items]


def _one(name: str, key: str, wanted: Sequence[str], context: Context, variables: bool) -> bool:
    present = context.get(key.lower())
    # An empty list is an absent key: AWS sends no key without a value.
    absent = present is None or (isinstance(present, list | tuple | set | frozenset) and not present)
    if name.lower() == "null":
        return all((text.lower() == "true") == absent for text in wanted)
    known = _operator(name)
    if absent:
        return _when_absent(known)
    values = _values(present)
    patterns = [filled(text, context) for text in wanted] if variables else list(wanted)

    def satisfied(value: str) -> bool:
        fits = any(known.test(pattern, value) for pattern in patterns if pattern is not None)
        return fits != known.negated

    if known.quantifier == "forallvalues":
        return all(satisfied(value) for value in values)
    if known.quantifier == "foranyvalue":
        return any(satisfied(value) for value in values)
    if len(values) > 1:
        raise UndecidablePolicy(f"{key} has several values; {name} needs ForAllValues or ForAnyValue")
    return satisfied(values[0])


def _when_absent(known: _Operator) -> bool:
    if known.quantifier == "forallvalues":
        return True
    if known.quantifier == "foranyvalue":
        return False
    return known.if_exists or known.negated

"""One digest for one value, whoever serialised it."""

from __future__ import annotations

import functools
import json
import math
import random
import string

import pytest
import rfc8785

from callpath import json_text
from callpath.digest import canonical, canonical_digest, digest


def test_order_and_spaces_do_not_change_the_digest():
    first = json.loads('{"b": 1, "a": {"y": [1, 2], "x": null}}')
    second = json.loads('{"a":{"x":null,"y":[1,2]},"b":1}')
    assert digest(first) == digest(second)


def test_a_gateway_that_writes_whole_numbers_as_floats_does_not_change_the_digest():
    assert digest({"limit": 50}) == digest({"limit": 50.0})


@pytest.mark.parametrize(
    ("one", "other"), [({"a": 1}, {"a": "1"}), ({"a": True}, {"a": 1}), ({"a": None}, {}), ([1, 2], [2, 1]), ("e", "é")]
)
def test_different_values_have_different_digests(one, other):
    assert digest(one) != digest(other)


def test_characters_are_not_normalised_away():
    assert digest("\u00e9") != digest("e\u0301")


# From RFC 8785, 3.2.3: keys sort by UTF-16 units, which puts the emoji before the Hebrew presentation form.
def test_keys_sort_as_the_standard_says():
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    written = json.loads(canonical({key: 0 for key in keys}))
    assert list(written) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, 2**53, -(2**53), "\ud800", {1: "a"}, {"a": {2}}, {"a": object()}, {"a": b"x"}],
)
def test_what_json_cannot_carry_exactly_is_refused_without_repeating_it(value):
    with pytest.raises(ValueError, match="cannot be written as exact JSON") as caught:
        canonical({"secret-value-9731": value})
    assert "9731" not in str(caught.value)
    assert canonical_digest(value) == (None, None)


def test_nesting_beyond_the_stack_is_refused_and_does_not_crash():
    value: list = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match="exact JSON"):
        canonical(value)


def test_what_is_nested_deeper_than_the_fastest_way_goes_has_the_same_digest():
    deep = functools.reduce(lambda value, _: [value], range(400), "x")
    assert canonical(deep) == b"[" * 400 + b'"x"' + b"]" * 400


@pytest.mark.parametrize("engine", [json_text.orjson, None], ids=["orjson", "json"])
def test_the_fast_ways_and_the_standards_way_write_the_same_bytes(engine, monkeypatch):
    monkeypatch.setattr(json_text, "orjson", engine)
    chance = random.Random(8785)  # noqa: S311 - repeatable, not secret
    alphabet = string.printable + 'é€ß\u0000\u001f\u007f\u2028\ufb33\U0001f600"\\/'

    def text() -> str:
        return "".join(chance.choice(alphabet) for _ in range(chance.randrange(8)))

    def value(depth: int) -> object:
        kind = chance.randrange(8 if depth else 6)
        if kind == 6:
            return [value(depth - 1) for _ in range(chance.randrange(4))]
        if kind == 7:
            return {text(): value(depth - 1) for _ in range(chance.randrange(4))}
        whole = chance.randrange(-(2**53) + 1, 2**53)
        return (None, True, False, whole, text(), chance.uniform(-1e6, 1e6))[kind]

    for _ in range(2000):
        made = value(4)
        assert canonical(made) == rfc8785.dumps(made)  # type: ignore[arg-type]

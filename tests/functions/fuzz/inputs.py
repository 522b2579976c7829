"""Strategies: JSON and texts as somebody hostile would write them, and real values that are changed in a few places."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

FRAGMENTS = [
    *(
        "",
        " ",
        "\n",
        "\r",
        "\t",
        "\0",
        "\u00a0",
        "\u200b",
        "\u202e",
        "\ufeff",
        "\u2028",
        "\ud800",
        "\U000e0041",
        "\u0301",
    ),
    *(
        "'",
        '"',
        "`",
        "\\",
        "\\u0041",
        "%41",
        "&#65;",
        "&lt;",
        "<",
        ">",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "|",
        ";",
        "--",
        "/*",
        "#",
    ),
    *("](", "]:", "![a](", "<img src=", "<!--", "http://192.0.2.1/", "s3://another/", "//", "file://", "data:"),
    *("eu-west-2", "us-east-1", "EU-WEST-2", "*", "help", "--region", "--endpoint-url", "--query", "-", "=", ",", "."),
    *("unmask(", "| unmask (@message)", "SOURCE ", "\nsource '/x'", "limit 100000", "arn:aws:iam::444455556666:role/x"),
    *("AB123456C", "943 476 5919", "a.person@example.gov.uk", "password", "AKIAIOSFODNN7EXAMPLE", "192.0.2.7"),
    *(
        "ringfence/",
        "ringfence___x",
        "___",
        "tools/call",
        "null",
        "true",
        "NaN",
        "1e999",
        "-0",
        "١٢٣",
        "\u017f",
        "\u212a",
        "\u0131",
    ),
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=6), max_size=8).map("".join)
NUMBERS = (
    st.integers()
    | st.sampled_from([-1, 0, 1, 2**31, 2**53, 2**53 + 1, 2**63, 10**40])
    | st.floats(allow_nan=True, allow_infinity=True)
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=10
)


@st.composite
def changed(draw: Callable[..., Any], values: st.SearchStrategy[Any]) -> Any:
    """One of some JSON values, with up to four changes, each somewhere in it."""
    value = copy.deepcopy(draw(values))
    for _ in range(draw(st.integers(0, 4))):
        value = _change(draw, value)
    return value


@st.composite
def respelt(draw: Callable[..., Any], texts: st.SearchStrategy[str]) -> str:
    """One of some texts, with up to four fragments put in, taken out or doubled."""
    text = draw(texts)
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 6)))
        put = draw(st.sampled_from(FRAGMENTS) | st.just(text[start:end] * 2))
        text = text[:start] + put + text[end:]
    return text


def _change(draw: Callable[..., Any], value: Any) -> Any:
    path = draw(st.sampled_from(list(_places(value))))
    if not path:
        return draw(JSON) if draw(st.integers(0, 9)) == 0 else _grown(draw, value)
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    what = draw(st.sampled_from(["replace", "grow", "grow", "remove"]))
    if what == "replace":
        holder[path[-1]] = draw(JSON)
    elif what == "remove":
        del holder[path[-1]]
    else:
        holder[path[-1]] = _grown(draw, holder[path[-1]])
    return value


def _grown(draw: Callable[..., Any], value: Any) -> Any:
    """A value of the same type that is a little other."""
    if isinstance(value, str):
        return draw(respelt(st.just(value)))
    if isinstance(value, dict):
        return value | {draw(TEXTS | st.sampled_from([*value, "region", "_meta"])): draw(JSON)}
    if isinstance(value, list):
        return [*value, draw(JSON)] if draw(st.booleans()) else value * 2
    return draw(SCALARS)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Any:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, (*path, index))

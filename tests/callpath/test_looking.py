"""What no text of a call may hold, and between which times it may look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callpath.arguments import ToolRule, check_arguments
from callpath.looking import TIME, Looking
from callpath.refusal import Refusal

TEXT = {"type": "string"}
WHEN = {"type": "string", "pattern": TIME}
SCHEMA = {
    "type": "object",
    "properties": {"begin": WHEN, "end": WHEN, "query": TEXT, "parts": {"type": "array", "items": {"type": "object"}}},
}
RULE = ToolRule(
    "logs___query",
    SCHEMA,
    {},
    Looking.read(
        {
            "without": {"unmask": r"(?i)\bunmask\b", "a source": r"(?i)(?:^|\|)\s*source\s"},
            "window": {"begin": "begin", "end": "end", "hours": 24},
        }
    ),
)


def refusal(**arguments: Any) -> Refusal:
    with pytest.raises(Refusal) as found:
        check_arguments(RULE, arguments)
    return found.value


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat(timespec="seconds")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"query": "fields @message | filter resource like /unmasked/ | limit 5"},
        {"query": "filter source = 'x'", "parts": [{"a": ["sources"]}]},
        {"begin": "2026-11-27T09:00:00+00:00", "end": "2026-11-28T09:00:00Z"},
        {"begin": "2026-11-27T09:00", "end": "2026-11-27T09:00:00.5"},
        {"begin": "2026-11-27T09:00:00+05:00", "end": "2026-11-27T04:00:00Z"},
    ],
)
def test_what_is_within_its_bounds_passes_unchanged(arguments: dict[str, Any]) -> None:
    assert check_arguments(RULE, arguments) == arguments


def test_a_call_without_an_end_looks_until_now() -> None:
    assert check_arguments(RULE, {"begin": ago(hours=23)})
    assert '"begin" and "end" may be at most 24 hours apart' in refusal(begin=ago(hours=25)).message


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"query": "fields @message | UNMASK(@message)"}, '"query" must be without unmask'),
        ({"query": "fields @message |\tunmask (x)"}, '"query" must be without unmask'),
        ({"query": "SOURCE logGroups(namePrefix: ['/ringfence'])"}, '"query" must be without a source'),
        ({"query": "limit 1\n| source\nlogGroups()"}, '"query" must be without a source'),
        ({"parts": [{"a": {"b": ["unmask"]}}]}, '"parts" must be without unmask'),
        ({"parts": [{"unmask": 1}]}, '"parts" must be without unmask'),
        ({"parts": [{"a": "x"}, {"a": "unmask"}]}, '"parts" must be without unmask'),
        ({"parts": [{"a": "x", "b": "unmask"}]}, '"parts" must be without unmask'),
        ({"begin": "2026-11-27T09:00:00Z", "end": "2026-11-28T09:00:01Z"}, "24 hours apart"),
        ({"begin": "2026-11-27T23:00:00-05:00", "end": "2026-11-28T03:00:00Z"}, '"begin" is later than'),
        ({"begin": "2026-11-27T23:00:00", "end": "2026-11-28T23:00:00-01:00"}, "24 hours apart"),
        ({"begin": "2026-13-27T09:00:00Z"}, '"begin" is no time'),
        ({"end": "2026-02-30T09:00:00Z"}, '"end" is no time'),
        ({"end": "2020-01-01T00:00:00Z"}, '"end" needs "begin"'),
    ],
)
def test_what_is_beyond_them_is_refused_and_nothing_of_it_repeated(arguments: dict[str, Any], told: str) -> None:
    found = refusal(**arguments)

    assert found.rule == "wrong-value"
    assert told in found.message
    assert not any(str(value) in found.message for value in arguments.values())


def test_every_bound_that_is_broken_is_told_at_once() -> None:
    message = refusal(query="source x | unmask(y)", begin="2026-11-01T09:00:00Z", end="2026-11-28T09:00:01Z").message

    assert all(told in message for told in ("without unmask", "without a source", "24 hours apart"))


@pytest.mark.parametrize(
    "text", ["2026-11-27", "yesterday", "2026-11-27T09:00:00Z\n", "2026-11-27T09:00:00Z or so", " "]
)
def test_another_form_of_time_never_reaches_the_bounds(text: str) -> None:
    assert refusal(begin=text).rule == "wrong-value"

"""The emulated part of Logs Insights, and that everything beyond it is refused by name."""

from __future__ import annotations

import json

import pytest

from ringfence.rehearsal.aws.services.insights import MalformedQuery, run_query
from ringfence.rehearsal.aws.services.moto import LogEvent

BASE = 1_795_000_000_000
LINES = [
    {"level": "INFO", "path": "/a", "ms": 9, "user": {"id": "u1"}, "tags": ["x", "y"]},
    {"level": "ERROR", "path": "/b", "ms": 120, "user": {"id": "u2"}},
    {"level": "ERROR", "path": "/a", "ms": 30},
    "plain ERROR line",
    "{not json",
]
EVENTS = [
    ("/group", LogEvent("stream", BASE + n * 60_000, line if isinstance(line, str) else json.dumps(line), BASE))
    for n, line in enumerate(LINES)
]


def rows(query: str, **options: int) -> list[dict[str, str]]:
    return run_query(query, EVENTS, **options).rows


def test_fields_are_found_in_json_and_nested() -> None:
    found = rows("fields path, user.id as who, tags.1 | sort @timestamp asc | limit 2")
    assert found == [{"path": "/a", "who": "u1", "tags.1": "y"}, {"path": "/b", "who": "u2"}]


def test_the_newest_come_first_without_a_sort() -> None:
    assert [row["@message"] for row in rows("fields @message | limit 2")] == ["{not json", "plain ERROR line"]


def test_without_fields_time_and_message_are_shown() -> None:
    assert set(rows("limit 1")[0]) == {"@timestamp", "@message"}


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("level = 'ERROR'", 2),
        ('level = "ERROR" and path = "/a"', 1),
        ("level = 'INFO' or path = '/b'", 2),
        ("not (level = 'ERROR')", 3),
        ("level != 'ERROR'", 3),
        ("ms > 9", 2),
        ("ms >= 9 and ms < 100", 2),
        ("@message like 'ERROR'", 3),
        ("@message like /plain|json/", 2),
        ("@message like /(?i)error/", 3),
        ("@message not like /ERROR/", 2),
        ("level in ['INFO', 'WARN']", 1),
        ("ispresent(user.id)", 2),
        ("not ispresent(level)", 2),
        ("`level` = 'INFO'", 1),
        ("@logStream = 'stream'", 5),
        ("@log = '/other'", 0),
    ],
)
def test_filters(condition: str, count: int) -> None:
    outcome = run_query(f"fields @message | filter {condition}", EVENTS)
    assert (len(outcome.rows), outcome.matched, outcome.scanned) == (count, count, 5)


def test_numbers_sort_as_numbers() -> None:
    assert [row["ms"] for row in rows("fields ms | filter ispresent(ms) | sort ms desc")] == ["120", "30", "9"]


def test_counting_by_a_field() -> None:
    found = rows("filter ispresent(level) | stats count(*) as n by level | sort n desc")
    assert found == [{"level": "ERROR", "n": "2"}, {"level": "INFO", "n": "1"}]


def test_aggregates() -> None:
    (found,) = rows(
        "stats count(*), count(ms) as some, sum(ms), avg(ms), min(ms), max(ms), count_distinct(path) as paths"
    )
    assert found == {
        "count(*)": "5", "some": "3", "sum(ms)": "159", "avg(ms)": "53",
        "min(ms)": "9", "max(ms)": "120", "paths": "2",
    }  # fmt: skip


def test_counting_by_time() -> None:
    found = rows("stats count(*) as n by bin(1h) as hour | sort hour asc")
    assert sum(int(row["n"]) for row in found) == 5
    assert all(row["hour"].endswith(":00:00.000") for row in found)


def test_counting_nothing_gives_zero() -> None:
    assert run_query("stats count(*) as n", []).rows == [{"n": "0"}]


def test_comments_and_line_breaks() -> None:
    assert len(rows("# what went wrong\nfields @message\n  # only errors\n| filter level = 'ERROR'")) == 2


def test_the_limit_of_the_request_and_of_the_query() -> None:
    assert len(rows("fields @message", limit=3)) == 3
    assert len(rows("fields @message | limit 1", limit=3)) == 1


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("parse @message '*' as x", "'parse' is not emulated"),
        ("fields @message | pattern @message", "'pattern' is not emulated"),
        ("unmask @message", "'unmask' is not emulated"),
        ("fields concat(a, b)", "function 'concat' is not emulated"),
        ("fields @message |", "command is empty"),
        ("", "command is empty"),
        ("filter", "ends too early"),
        ("filter level ~ 'x'", "Cannot read the query at character"),
        ("filter level 'x'", "is not emulated as a comparison"),
        ("filter a = 'x' b", "'b' is not emulated here"),
        ("filter @message like /(/", "expression cannot be read"),
        ("filter (a = 'x'", r"'\)' was expected"),
        ("stats pct(ms, 95)", "aggregate 'pct' is not emulated"),
        ("stats count(*) by bin(0m)", "is not emulated"),
        ("limit many", "whole number"),
        ("sort a sideways", "'sideways' is not emulated"),
    ],
)
def test_the_rest_of_the_language_is_refused_by_name(query: str, says: str) -> None:
    with pytest.raises(MalformedQuery, match=says):
        rows(query)


def test_an_expression_cannot_run_away() -> None:
    events = [("/group", LogEvent("stream", BASE, "a" * 50_000, BASE))]
    assert run_query("filter @message like /(a+)+$b/", events).rows == []

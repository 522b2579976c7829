"""An argument that must match a pattern: the whole text, in every lock, and no pattern that only looks as if."""

from __future__ import annotations

import pytest

from callpath.arguments import ToolRule, check_arguments
from callpath.refusal import Refusal
from ringfence.catalogue.checks.arguments import argument_problems
from ringfence.catalogue.files.catalogue_files import ServerFile
from ringfence.catalogue.files.tool_files import Argument, LockedTool, LockFile, ToolFile
from ringfence.catalogue.shown.published import _narrowed
from ringfence.reading.problems import Problem

SCHEMA = {
    "type": "object",
    "properties": {"name": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "count": {"type": "integer"}},
}


def problems(argument: str, rule: Argument) -> list[str]:
    return [problem.message for problem in found_in(argument, rule)]


def remedies(argument: str, rule: Argument) -> list[str]:
    return [problem.remedy for problem in found_in(argument, rule)]


def found_in(argument: str, rule: Argument) -> list[Problem]:
    tool = ToolFile(level="read", arguments={argument: rule})
    file = ServerFile(name="x", title="x", description="x", package="x", version="1", module="x", tools={"look": tool})
    lock = LockFile(
        server="x", package="x", version="1", tools=(LockedTool(name="look", inputSchema=SCHEMA, sha256="0"),)
    )
    return list(argument_problems(file, lock, "server.toml"))


def test_a_pattern_for_the_whole_text_is_sound() -> None:
    assert problems("name", Argument(mode="matching", pattern="^[a-z]+$")) == []


@pytest.mark.parametrize("pattern", ["", "[a-z]+", "^[a-z]+", "[a-z]+$", "^a$|^b", "^([a-z]$"])
def test_a_pattern_that_leaves_an_end_open_is_told(pattern: str) -> None:
    assert problems("name", Argument(mode="matching", pattern=pattern)) == [
        "A matching argument needs a pattern for the whole text."
    ]


def test_a_pattern_elsewhere_and_a_number_that_should_match_are_told() -> None:
    assert "no `pattern`" in problems("name", Argument(mode="hidden", pattern="^a$"))[0]
    assert problems("count", Argument(mode="matching", pattern="^a$")) == ["The argument takes no text."]


PLACES = "^s3://sandbox/.*$"


@pytest.mark.parametrize(
    ("kinds", "pattern", "told"),
    [
        (["select", "show", "describe", "explain"], "", []),
        (["select", "unload"], PLACES, []),
        (["selct"], "", ["Did you mean `select`?"]),
        (["SELECT"], "", ["Did you mean `select`?"]),
        (["vacuum", "call", "execute"], "", ["Use one of: alter, create"] * 3),
        (["select", 7], "", ["Keep one type", "Correct it", "Use one of: alter, create"]),
        ([["select"]], "", ["Correct it", "Did you mean `select`?"]),
        (["select", "show", "select"], "", ["Name it once"]),
        (["select"], PLACES, ["Remove it"]),
        (["select", "drop"], "", ["Add `pattern`"]),
        (["unload"], "s3://sandbox/", ["Write it as `^s3"]),
    ],
)
def test_kinds_of_statements_are_a_closed_list_and_those_that_write_have_places(
    kinds: list[object], pattern: str, told: list[str]
) -> None:
    found = remedies("name", Argument.model_validate({"mode": "statement", "values": kinds, "pattern": pattern}))
    assert len(found) == len(told), found
    assert all(any(words in remedy for remedy in found) for words in told)


@pytest.mark.parametrize("value", ["../x", "web/..", "web\n", "WEB", " ", False, 1])
def test_what_does_not_match_is_refused_without_being_repeated(value: object) -> None:
    narrowed = _narrowed(SCHEMA["properties"]["name"], Argument(mode="matching", pattern="^[a-z]+$"))  # type: ignore[index]
    rule = ToolRule("look", {"type": "object", "properties": {"name": narrowed}}, {})
    assert check_arguments(rule, {"name": "web"}) == {"name": "web"}
    with pytest.raises(Refusal):
        check_arguments(rule, {"name": value})

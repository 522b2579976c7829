"""A boundary that is too long for names is written with patterns, and covers the same actions exactly."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase

import pytest

from ringfence.catalogue.actions import known_actions
from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.files.tool_files import Grant
from ringfence.compilers import iam
from ringfence.compilers.compaction import shortened
from ringfence.department.department import Department
from ringfence.reading.problems import ProblemsFound

ALL = [f"{prefix}:{name}" for prefix, names in known_actions().items() for name in names]


def covered(patterns: list[str]) -> set[str]:
    prefixes = {pattern.partition(":")[0] for pattern in patterns}
    candidates = [action for action in ALL if action.partition(":")[0] in prefixes]
    return {each for each in candidates if any(fnmatchcase(each.lower(), pattern.lower()) for pattern in patterns)}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("service", ["glue", "s3", "cloudformation"])
def test_patterns_cover_exactly_what_was_listed(service: str, seed: int) -> None:
    names = known_actions()[service]
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    some = {f"{service}:{name}" for name in names if chance.random() < 0.2 + seed / 6}
    found = shortened(some)
    assert covered(found) == some
    assert len(found) <= len(some)
    assert found == shortened(sorted(some, reverse=True)) == sorted(found)


def test_a_pattern_ends_at_a_word_and_stands_for_more_than_one_action() -> None:
    runs = [f"glue:{name}" for name in known_actions()["glue"] if name.startswith("GetJob")]
    assert shortened(runs) == ["glue:GetJob*"]
    assert shortened(runs[:1]) == runs[:1]


def test_an_action_that_the_table_does_not_know_stays_a_name() -> None:
    assert shortened(["glue:GetJobz", "nosuch:Thing"]) == ["glue:GetJobz", "nosuch:Thing"]


def test_nothing_becomes_nothing() -> None:
    assert shortened([]) == []


def holding(catalogue: Catalogue, actions: list[str]) -> Catalogue:
    server = catalogue.servers["data"]
    tool = replace(server.tools["upload"], approval=False, grants=(Grant(actions=tuple(actions)),))
    data = replace(server, tools={**server.tools, "upload": tool})
    return replace(catalogue, servers={**catalogue.servers, "data": data})


def test_a_long_boundary_is_shortened_and_a_short_one_keeps_its_names(
    wide: Catalogue, wide_department: Callable[..., Department]
) -> None:
    department = wide_department()
    short = iam.persona_boundary(wide, department, "developer")
    assert not [action for action in short["Statement"][0]["Action"] if "*" in action]
    actions = [f"glue:{name}" for name in known_actions()["glue"] if not name.startswith("Update")]
    broad = holding(wide, actions)
    long = iam.persona_boundary(broad, department, "developer")
    needed = {
        action
        for _, tool in broad.granted("developer", department)
        for grant in tool.grants
        for action in grant.actions
    }
    assert covered(long["Statement"][0]["Action"]) == needed
    assert len(iam.compact(long)) <= 6144
    gathered = long["Statement"][-1]
    assert (gathered["Sid"], gathered["Effect"], gathered["Resource"]) == ("DenyAlways", "Deny", "*")
    kept = {statement["Sid"]: statement for statement in long["Statement"][1:-1]}
    for statement in short["Statement"][1:]:
        if statement["Sid"] in kept:
            assert statement == kept[statement["Sid"]]
        else:
            assert "Condition" not in statement
            asked = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            assert covered(asked) <= covered(gathered["Action"]), statement["Sid"]


def test_a_boundary_that_no_pattern_makes_short_enough_is_refused(
    wide: Catalogue, wide_department: Callable[..., Department]
) -> None:
    actions = [action for index, action in enumerate(ALL) if action.startswith(("glue:", "logs:", "s3:")) and index % 2]
    with pytest.raises(ProblemsFound, match=r"boundary of persona developer: .*\n.*AWS accepts 6144"):
        iam.persona_boundary(holding(wide, actions), wide_department(), "developer")

"""No call by which AgentDojo's attacks or tasks change anything passes for somebody who reads (`make agentdojo`)."""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.rehearsal.ablation.attack_target import AttackTarget
from ringfence.rehearsal.ablation.seen import THROUGH
from ringfence.rehearsal.department import RunningDepartment
from ringfence.rehearsal.scenarios.persona_scenarios import contexts_of
from ringfence.rehearsal.template import read
from tests.agentdojo.attacks import COMMANDS, PYTHON, ROOT, attacks, equivalents, ground_truth

needs_agentdojo = pytest.mark.skipif(not PYTHON.exists(), reason="AgentDojo is not installed: make agentdojo")
PAGE = (ROOT / "docs" / "public-suites.md").read_text(encoding="utf-8")


def test_each_equivalent_is_a_tool_of_a_locked_server_with_arguments_that_it_has() -> None:
    locked = {}
    for path in (ROOT / "catalogue" / "servers").glob("*/tools.lock.json"):
        for tool in json.loads(path.read_text())["tools"]:
            locked[f"{path.parent.name}___{tool['name']}"] = tool["inputSchema"]["properties"].keys()
    for function, alike in equivalents().items():
        assert all(command.startswith("aws ") for command in alike["commands"]), function
        for call in alike.get("calls", ()):
            assert call["arguments"].keys() <= locked[call["tool"]], function


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return ground_truth()


@pytest.fixture(scope="module", params=["production", "enabled"])
def targets(request: pytest.FixtureRequest, assemblies: Any) -> Iterator[list[AttackTarget]]:
    """The personas of two production departments: one as it comes, one with commands of AWS for operators."""
    made = {"production": lambda: assemblies["example-production"].folder}.get(request.param)
    folder: Path = made() if made else request.getfixturevalue(request.param)
    with RunningDepartment(read(folder), progress=lambda _text: None) as department:
        yield [AttackTarget(context, []) for context in contexts_of(department, tell=lambda _call: None)]


@needs_agentdojo
def test_nothing_that_has_an_effect_passes(targets: list[AttackTarget], truth: dict[str, Any]) -> None:
    """Each is refused for what it asks: a tool that the persona lacks, or a command that its tool lacks."""
    replayed = list(attacks(truth["calls"]))
    for target in targets:
        assert target.call(*target.home).stopped_by == THROUGH, "what the persona holds passes"
        held = target.context.published
        for attack in replayed:
            seen = target.call(attack.tool, attack.arguments)
            rule = "wrong-value" if attack.tool in held else "unknown-tool"
            assert (seen.stopped_by, seen.why) == ("request", rule), (target.persona, attack, seen)


@needs_agentdojo
def test_a_command_that_only_looks_passes_where_the_others_do_not(targets: list[AttackTarget]) -> None:
    asked = [target.call(COMMANDS, {"cli_command": "aws rds describe-db-instances"}) for target in targets]
    held = [COMMANDS in target.context.published for target in targets]
    assert [seen.stopped_by == THROUGH for seen in asked] == held


@needs_agentdojo
def test_the_page_has_the_figures(truth: dict[str, Any]) -> None:
    rows = dict(re.findall(r"^\| ([^|]*) \| (\d+ \| \d+) \|$", PAGE, re.M))
    kinds = ("injection", "user")
    tasks = {kind: truth["tasks"][kind] for kind in kinds}
    calls = {kind: [call for call in truth["calls"] if call["kind"] == kind] for kind in kinds}
    sent = collections.Counter(attack.kind for attack in attacks(truth["calls"]))
    assert rows == {
        "tasks": " | ".join(str(len(tasks[kind])) for kind in kinds),
        "whose ground truth has no call": " | ".join(str(sum(not n for n in tasks[kind].values())) for kind in kinds),
        "whose ground truth changes something": " | ".join(
            str(len({c["task"] for c in calls[kind]})) for kind in kinds
        ),
        "calls that change something": " | ".join(str(len(calls[kind])) for kind in kinds),
        "sent to each gateway, as such and as their equivalents": " | ".join(str(sent[kind]) for kind in kinds),
        "passed": "0 | 0",
    }

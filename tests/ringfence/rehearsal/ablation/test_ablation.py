"""The corpus of attacks, with the layers peeled off: everything is stopped, and what would change something twice."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callpath.refusal import META_OWN_WORDS
from ringfence.reading.problems import ProblemsFound
from ringfence.rehearsal.ablation.attack import Asks, Attack, Does
from ringfence.rehearsal.ablation.attack_target import AttackTarget
from ringfence.rehearsal.ablation.corpus import ATTACKS, faults
from ringfence.rehearsal.ablation.layers import LAYERS, switchable
from ringfence.rehearsal.ablation.matrix import Row, problems, run_attacks
from ringfence.rehearsal.ablation.report import MARKER, as_markdown
from ringfence.rehearsal.ablation.run import ablate
from ringfence.rehearsal.ablation.seen import NO_LAYER, THROUGH, Seen
from ringfence.rehearsal.department import RunningDepartment
from ringfence.rehearsal.problems import CannotStart
from ringfence.rehearsal.scenarios.persona_scenarios import contexts_of
from ringfence.rehearsal.template import read

PAGE = Path(__file__).resolve().parents[4] / "docs" / "ablation.md"
BY_NAME = {attack.name: attack for attack in ATTACKS}
PERSONAS = ["auditor", "developer", "operator"]
"""In the order of the table's columns."""


@pytest.fixture(scope="module")
def targets(assemblies: dict[str, Any]) -> Iterator[dict[str, AttackTarget]]:
    """A target for each persona of example-sandbox, whose runtimes have the switch."""
    with RunningDepartment(
        read(assemblies["example-sandbox"].folder),
        progress=lambda _text: None,
        tamper=switchable,
    ) as department:
        contexts = contexts_of(department, tell=lambda _call: None)
        yield {
            context.persona: AttackTarget(context, [each for each in contexts if each is not context])
            for context in contexts
        }


def documented() -> dict[tuple[str, str], str]:
    """Every cell of the page's table: by attack and persona, the layers that stop it."""
    table = PAGE.read_text(encoding="utf-8").partition(MARKER)[2]
    cells = (re.split(r" (?<!\\)\| ", line.strip("| ")) for line in table.splitlines() if line.startswith("| "))
    return {
        (name.rstrip("*"), persona): cell
        for name, *_, one, two, three in cells
        for persona, cell in zip(PERSONAS, (one, two, three), strict=True)
    }


@pytest.fixture(scope="module")
def rows(targets: dict[str, AttackTarget]) -> list[Row]:
    """Each attack at one gateway, in turn, of those where a layer has something to stop; `make ablate` plays all."""
    cells = documented()
    played = []
    for turn, attack in enumerate(ATTACKS):
        met = [persona for persona in PERSONAS if cells.get((attack.name, persona))] or PERSONAS
        played += run_attacks(targets[met[turn % len(met)]], [attack], one_by_one=False, on_row=lambda _row: None)
    return played


def test_the_corpus_is_large_and_nothing_in_it_is_misspelt() -> None:
    assert len(ATTACKS) >= 120
    assert faults(ATTACKS) == []
    assert sum(attack.does.needs_two for attack in ATTACKS) >= 60


@pytest.mark.parametrize(
    ("asks", "told"),
    [
        (Asks("iam___create_usser"), "no locked server has a tool iam___create_usser"),
        (Asks("iam___create_user", ("usser_name",)), "the argument usser_name is no argument of the tool"),
        (Asks("iam___create_user", ("user_name",), odd=("user_name",)), "the argument user_name is declared"),
        (Asks(action="iam:CreateUsser"), "AWS has no action iam:CreateUsser"),
    ],
)
def test_a_misspelt_attack_is_told(asks: Asks, told: str) -> None:
    """It would be stopped by every layer, for nothing that it is about."""
    misspelt = dataclasses.replace(BY_NAME["create-a-user"], name="an-attack", asks=asks)
    assert faults([misspelt]) == [f"an-attack: {told}"]


def test_an_attack_that_stands_twice_is_told() -> None:
    assert faults([*ATTACKS[:3], ATTACKS[0]]) == [f"{ATTACKS[0].name}: stands in the corpus more than once"]


def test_every_attack_is_stopped_and_what_would_change_something_twice(rows: list[Row]) -> None:
    assert {row.persona for row in rows} == set(PERSONAS)
    assert [row.attack for row in rows] == list(ATTACKS)
    assert problems(rows) == []


@pytest.mark.parametrize("times", [2, 3])
def test_an_answer_that_a_slow_machine_cut_short_shows_nothing_and_is_asked_for_again(
    targets: dict[str, AttackTarget], monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """The host's own sentence is harmless, whatever the server would have said."""
    target, attack = targets["auditor"], BY_NAME["a-picture-in-a-diagram"]
    result = {"content": [{"type": "text", "text": "The server did not answer"}], "_meta": {META_OWN_WORDS: True}}
    cut_short = [Seen(NO_LAYER, "the server: server-timeout", json.dumps({"result": result}))] * times
    carried_out = target.call
    monkeypatch.setattr(target, "call", lambda *call: cut_short.pop() if cut_short else carried_out(*call))
    with target.switches.off(LAYERS):
        if times == 2:
            assert attack.carry_out(target).stopped_by == THROUGH
        else:
            with pytest.raises(RuntimeError, match="was never answered by its server"):
                attack.carry_out(target)


def test_the_documented_table_is_what_was_played(rows: list[Row]) -> None:
    _, marker, table = PAGE.read_text(encoding="utf-8").partition(MARKER)
    assert marker
    played = {(row.attack.name, row.persona): row for row in rows}
    others = {
        (name, persona): row(BY_NAME[name].does, *filter(None, cell.split(", ")), attack=BY_NAME[name], persona=persona)
        for (name, persona), cell in documented().items()
        if name in BY_NAME
    }
    every = others | played
    told = as_markdown([every[attack.name, persona] for persona in PERSONAS for attack in ATTACKS])
    assert table.strip().splitlines() == told.strip().splitlines(), (
        "run `make ablate DEPARTMENT=example-sandbox ARGS=--write-table`, and say in the commit why it changed"
    )


def test_every_layer_stops_something(rows: list[Row]) -> None:
    assert {layer for row in rows for layer in row.layers} == set(LAYERS)


# A lock that is gone is noticed: the same attacks, with a layer off for good


@pytest.mark.parametrize(
    ("attack", "gone"),
    [
        ("create-a-user", ("policy", "runtime")),
        ("an-expired-token", ("request",)),
        ("a-replayed-txn-token", ("resource",)),
        ("a-replayed-txn-token", ("runtime",)),
        ("lent-take-the-next-role", ("boundary", "session", "trust")),
        ("host-take-anothers-role", ("trust",)),
        ("lent-put-what-was-read-elsewhere", ("identity", "boundary", "session")),
    ],
)
def test_an_attack_that_one_layer_stops_is_told(
    targets: dict[str, AttackTarget], attack: str, gone: tuple[str, ...]
) -> None:
    target = targets["auditor"]
    with target.switches.off(gone):
        (row,) = run_attacks(target, [BY_NAME[attack]], one_by_one=False, on_row=lambda _row: None)
    assert any("stops it, then" in problem for problem in row.problems()), row


def test_an_attack_that_goes_through_is_told(targets: dict[str, AttackTarget]) -> None:
    target = targets["auditor"]
    with target.switches.off(["ingress", "request"]):
        (row,) = run_attacks(target, [BY_NAME["an-expired-token"]], one_by_one=True, on_row=lambda _row: None)
    assert row.all_on.stopped_by == THROUGH
    assert any("with every layer on" in problem for problem in row.problems())
    assert any("without response" in problem for problem in row.problems())


def test_one_layer_off_at_a_time_leaves_the_rest_on(targets: dict[str, AttackTarget]) -> None:
    target = targets["auditor"]
    (row,) = run_attacks(target, [BY_NAME["create-a-user"]], one_by_one=True, on_row=lambda _row: None)
    assert row.without.keys() == LAYERS.keys()
    assert {layer: seen.stopped_by for layer, seen in row.without.items() if seen.stopped_by != "request"} == {
        "request": "policy"
    }
    assert not target.context.gateway.switched_off and not target.context.department.aws.switched_off


# How a row is judged


def row(
    does: Does,
    *layers: str,
    end: str = THROUGH,
    alone: str = "",
    attack: Attack | None = None,
    persona: str = "auditor",
) -> Row:
    attack = attack or Attack("an-attack", "a family", does, lambda _scene: Seen(THROUGH, ""), alone)
    seen = [Seen(layer, "why") for layer in layers]
    last = Seen(end, "made harmless" if end == "harmless" else "why")
    return Row(attack, persona, seen[0] if seen else last, {}, tuple(seen), last)


@pytest.mark.parametrize(
    ("judged", "told"),
    [
        (row(Does.CHANGES, "request", "policy"), None),
        (row(Does.READS, "request"), None),
        (row(Does.CHANGES, "request"), "only request stops it"),
        (row(Does.CARRIES_OUT, "response"), "only response stops it"),
        (row(Does.CHANGES), "goes through with every layer on"),
        (row(Does.CHANGES, "ingress", alone="because"), None),
        (row(Does.CHANGES, "ingress", "request", alone="because"), "needs no reason"),
        (row(Does.MISLEADS, "response", end="harmless"), "does no harm with every layer off"),
    ],
)
def test_a_row_is_judged(judged: Row, told: str | None) -> None:
    found = list(judged.problems())
    assert (found == []) if told is None else any(told in problem for problem in found)


def test_an_attack_that_nothing_ever_stops_shows_nothing() -> None:
    idle = row(Does.READS, end=NO_LAYER)
    assert problems([idle]) == ["an-attack: no layer ever stopped it, so that it shows nothing"]


@pytest.mark.parametrize(("chosen", "meant"), [({"personas": ["audtor"]}, "auditor"), ({"attacks": ["flie"]}, None)])
def test_what_is_not_there_is_told_before_anything_starts(
    assemblies: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: Any, meant: str | None
) -> None:
    monkeypatch.setattr(RunningDepartment, "__enter__", lambda _: pytest.fail("it starts"))
    given = {"personas": None, "attacks": None, "one_by_one": False, "folder": tmp_path, "table": None} | chosen
    told = f"Did you mean `{meant}`" if meant else "The corpus has none of this name. Choose one of: "
    with pytest.raises(ProblemsFound, match=told):
        ablate(assemblies["example-production"].folder, **given)


def test_what_cannot_be_written_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(CannotStart, match="taken cannot be a folder"):
        ablate(tmp_path, personas=None, attacks=None, one_by_one=False, folder=tmp_path / "taken", table=None)


def test_the_table_is_of_the_department_with_every_persona(assemblies: dict[str, Any], tmp_path: Path) -> None:
    production = assemblies["example-production"].folder
    with pytest.raises(CannotStart, match="the table is of example-sandbox, not of example-production"):
        ablate(production, personas=None, attacks=None, one_by_one=False, folder=tmp_path, table=tmp_path / "x")


def test_an_attack_that_is_stopped_for_another_reason_than_its_own_is_told() -> None:
    judged = dataclasses.replace(row(Does.READS, "ingress"), attack=dataclasses.replace(ATTACKS[0], meets=("a-rule",)))
    assert any("is never stopped by a-rule, which it is about" in problem for problem in judged.problems())

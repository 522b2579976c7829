"""One ablation from reading the assembly to the matrix."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from ringfence.reading.chosen_file import check_names
from ringfence.rehearsal.ablation import report
from ringfence.rehearsal.ablation.attack import Attack
from ringfence.rehearsal.ablation.attack_target import AttackTarget
from ringfence.rehearsal.ablation.corpus import ATTACKS, faults
from ringfence.rehearsal.ablation.layers import switchable
from ringfence.rehearsal.ablation.matrix import Row, problems, run_attacks
from ringfence.rehearsal.department import RunningDepartment
from ringfence.rehearsal.problems import CannotStart
from ringfence.rehearsal.scenarios.persona_scenarios import contexts_of
from ringfence.rehearsal.scenarios.scenario_context import ScenarioContext
from ringfence.rehearsal.template import read

TABLED = "example-sandbox"
"""The department of the table in the documentation: it has every persona."""


def ablate(
    assembly_path: Path,
    *,
    personas: Collection[str] | None,
    attacks: Collection[str] | None,
    one_by_one: bool,
    folder: Path,
    table: Path | None,
) -> bool:
    """Start the department, play the corpus at each persona's gateway, write the matrix, stop everything.

    Args:
        personas: at whose gateways to play, or None for all.
        attacks: which attacks to play, or None for all.
        folder: where to write `matrix.json` and `matrix.md`.
        table: the page whose table to write anew, or None; only a whole corpus makes it.

    Returns:
        Whether everything is stopped as it must be.

    Raises:
        CannotStart: something is missing, or cannot be interpreted.
        ProblemsFound: a persona or an attack is not there by that name.
    """
    # A request that moto fails at has been admitted, which is all that is asked here; the row says what came of it.
    logging.getLogger("ringfence.rehearsal.aws.server").setLevel(logging.CRITICAL)
    if misspelt := faults(ATTACKS):
        raise CannotStart(
            f"the corpus has faults: {'; '.join(misspelt)}", "Correct them in ringfence/rehearsal/ablation."
        )
    started = time.monotonic()
    chosen = attacks_called(attacks or ())
    folder = _made(folder)
    deployed = read(assembly_path)
    check_names("ablate", "PERSONA", personas or (), known=deployed.gateways, whose="The department")
    department = RunningDepartment(
        deployed,
        progress=lambda text: print(f"{time.monotonic() - started:6.1f} s  {text}", flush=True),
        tamper=switchable,
    )
    if table is not None and department.name != TABLED:
        raise CannotStart(f"the table is of {TABLED}, not of {department.name}", f"Add DEPARTMENT={TABLED}.")
    with department:
        rows = [
            row
            for context in _contexts(department, personas)
            for row in _attacked(context, chosen, one_by_one=one_by_one)
        ]
    found = problems(rows)
    written = report.write(folder, department.name, rows, found)
    if table is not None and not found:
        report.write_table(table, rows)
    for problem in found:
        print(f"Not as it must be: {problem}")
    print(_summary(rows, found, seconds=time.monotonic() - started, written=written))
    return not found


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise CannotStart(f"{folder} cannot be a folder ({fault.strerror})", "Name another with --output.") from None
    return folder


def attacks_called(names: Collection[str]) -> Sequence[Attack]:
    """The attacks of these names, or all.

    Raises:
        ProblemsFound: an attack is not there by that name.
    """
    check_names("ablate", "--attack", names, known=[attack.name for attack in ATTACKS], whose="The corpus")
    return [attack for attack in ATTACKS if not names or attack.name in names]


def _contexts(department: RunningDepartment, names: Collection[str] | None) -> list[ScenarioContext]:
    contexts = contexts_of(department, tell=lambda _call: None)
    return [context for context in contexts if not names or context.persona in names]


def _attacked(context: ScenarioContext, attacks: Sequence[Attack], *, one_by_one: bool) -> list[Row]:
    others = [
        other for other in contexts_of(context.department, tell=lambda _call: None) if other.persona != context.persona
    ]
    print(f"\n{context.persona}\n", flush=True)
    target = AttackTarget(context, others)
    rows = list(
        run_attacks(
            target, attacks, one_by_one=one_by_one, on_row=lambda row: print(f"  {report.told(row)}", flush=True)
        )
    )
    if one_by_one:
        print(f"\n{report.grid(rows)}", flush=True)
    return rows


def _summary(rows: Sequence[Row], found: Sequence[str], *, seconds: float, written: Path) -> str:
    attacks = {row.attack for row in rows}
    two = sum(row.attack.does.needs_two for row in rows)
    alone = len({attack for attack in attacks if attack.alone})
    verdict = "all as they must be" if not found else f"{len(found)} NOT as they must be"
    return (
        f"\n{len(attacks)} attacks at {len({row.persona for row in rows})} gateways, {two} of these must be stopped "
        f"twice; {alone} attacks with a reason for one layer: {verdict}. {seconds:.0f} s. Written to {written}."
    )

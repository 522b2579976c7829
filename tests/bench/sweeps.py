"""How long the proofs take: the sweep of every role over all of AWS's actions, each proof, and the simulator's run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from ringfence.deployed.roles import Role
from ringfence.proofs import registry
from ringfence.proofs.each import oracle
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.sweeps.permission_sweep import possible
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from tests.bench import departments
from tests.bench.processes import ROOT, progress
from tests.bench.table import Row

ALL_PERSONAS_SECONDS = 10.0
SWEEPS = 3


def rows() -> list[Row]:
    """All personas with all their calls, against the goal; each role of the widest department; each proof."""
    made = [_all_personas(name, departments.evidence(name)) for name in departments.names()]
    made += _each_role(PermissionSweeps(departments.evidence(departments.EVERYTHING)))
    return made + [row for name in departments.COMMITTED for row in _each_proof(name)]


def oracle_sample_rows() -> list[Row]:
    """The simulator on the services that a department's personas hold something of."""
    return _oracle(departments.PRODUCTION, whole=False)


def oracle_rows() -> list[Row]:
    """The simulator on every action of every persona, for each committed department."""
    return [row for name in departments.COMMITTED for row in _oracle(name, whole=True)]


def _all_personas(department: str, evidence: Evidence) -> Row:
    sessions = [(persona, session) for persona in evidence.persona_roles for session in evidence.sessions(persona)]
    actions = len(PermissionSweeps(evidence).table)  # read here: reading is not sweeping
    _ = evidence.endpoints, evidence.service_control

    def work() -> None:
        sweeps = PermissionSweeps(evidence)
        _ = sweeps.of_personas
        for persona, session in sessions:
            sweeps.of_session(persona, session)

    seconds = statistics.median(_seconds(work) for _ in range(SWEEPS))
    note = f"personas: {len(evidence.persona_roles)}, their calls: {len(sessions)}, actions: {actions:,}"
    return Row(f"sweep of {department}, all personas", seconds, "s", ALL_PERSONAS_SECONDS, note)


def _each_role(sweeps: PermissionSweeps) -> list[Row]:
    """Every role of a department by itself; the endpoints count for the personas only, as in the proof."""
    evidence = sweeps.evidence
    made = [
        _role(sweeps, role, f"persona {persona}", sweeps.endpoint) for persona, role in evidence.persona_roles.items()
    ]
    services = sorted(evidence.service_roles.values(), key=lambda role: role.resource.logical_id)
    return made + [_role(sweeps, role, f"role {role.resource.logical_id}", lambda _: {}) for role in services]


def _role(sweeps: PermissionSweeps, role: Role, name: str, through: Callable[[str], Any]) -> Row:
    caller, by_type = sweeps.caller(role), sweeps.by_type(role)
    found: set[str] = set()

    def work() -> None:
        found.update(each.action.name for each in possible(caller, by_type, sweeps.table, through=through))

    seconds = _seconds(work)
    return Row(f"  sweep of {name}", seconds * 1000, "ms", note=f"{len(found)} actions possible")


def _each_proof(department: str) -> list[Row]:
    """The seconds that `make prove` reports."""
    case = registry.Case(departments.evidence(department), golden_folder=ROOT / "tests" / "golden")
    results = registry.run(case, registry.default_names())
    total = sum(result.seconds for result in results)
    return [
        Row(f"proofs of {department}, all but the simulator's", total, "s"),
        *(
            Row(f"  {result.name}", result.seconds, "s", note="" if result.outcome.holds else "does not hold")
            for result in results
        ),
    ]


def _oracle(department: str, *, whole: bool) -> list[Row]:
    sweeps = PermissionSweeps(departments.evidence(department))
    services = None if whole else oracle.granted_services(sweeps)
    progress(f"asking the simulator about {department}")
    asked: list[int] = []

    def work() -> None:
        asked.append(_requests(sweeps.evidence, sweeps, services))

    seconds = _seconds(work)
    scope = "every action" if services is None else f"all actions of the {len(services)} services its personas hold"
    note = f"{asked[0]:,} requests, {asked[0] / seconds:,.0f} a second; {scope}"
    return [Row(f"simulator over {department}{'' if whole else ', a sample'}", seconds, "s", note=note)]


def _requests(evidence: Evidence, sweeps: PermissionSweeps, services: frozenset[str] | None) -> int:
    outcome = oracle.prove(evidence, sweeps, services=services, folder=ROOT)
    if outcome.findings:
        raise RuntimeError(f"the simulator differs, so its time says nothing: {outcome.findings[0]}")
    return outcome.looked_at["requests"]


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start

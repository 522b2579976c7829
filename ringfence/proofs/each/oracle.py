"""Proof 2: an independent simulator decides every request as our evaluator does, or a committed table says why not.

The simulator is @cloud-copilot/iam-simulate (AGPL-3.0): a development dependency, in a Node process of its own.
"""

from __future__ import annotations

import fnmatch
import json
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ringfence.deployed.roles import Role
from ringfence.iam.actions import Action
from ringfence.iam.evaluator import Request, decide
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.expected_permissions import LONDON
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.sweeps.permission_sweep import REGION_KEY, AllowedRequest, PoliciesByType
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from ringfence.proofs.sweeps.witness import arn_of, sample

SCRIPT: Final = Path(__file__).parent / "oracle.mjs"
DIFFERENCES: Final = Path("tests/golden/oracle_differences.toml")
_ALLOWED: Final = "Allowed"
_ELSEWHERE: Final = "us-west-2"


@dataclass(frozen=True)
class Difference:
    """Requests on which the two are known to differ.

    Attributes:
        actions: pattern of action names, such as `kms:*`.
        oracle: pattern of the simulator's outcome.
        ours: `allowed` or `denied`.
        reason: why, and who is right.
    """

    actions: str
    oracle: str
    ours: str
    reason: str

    def explains(self, action: str, oracle: str, ours: str) -> bool:
        """Whether this is about such an outcome."""
        return self.concerns(action, ours) and fnmatch.fnmatchcase(oracle, self.oracle)

    def concerns(self, action: str, ours: str) -> bool:
        """Whether this is about such a request, whatever the simulator says; a department may have none."""
        return fnmatch.fnmatchcase(action, self.actions) and self.ours == ours


@dataclass(frozen=True)
class Asked:
    """One request that both decide."""

    subject: str
    request: Request
    by_type: PoliciesByType


def prove(
    evidence: Evidence,
    sweeps: PermissionSweeps | None = None,
    *,
    services: frozenset[str] | None = None,
    folder: Path = Path(),
) -> Outcome:
    """Ask both about every action for every persona, and about every request that is allowed and its near misses.

    Args:
        services: only actions of these services; None for all.

    Raises:
        OSError: Node, or the simulator's package, is not installed.
    """
    sweeps = PermissionSweeps(evidence) if sweeps is None else sweeps
    asked = list(_asked(evidence, sweeps, services))
    known = differences(folder / DIFFERENCES)
    used: set[Difference] = set()
    decided: set[tuple[str, str]] = set()
    findings = []
    for one, oracle in zip(asked, _ask_oracle(asked, evidence.assembly.account, folder), strict=True):
        ours = "allowed" if decide(one.request, one.by_type).allowed else "denied"
        decided.add((one.request.action, ours))
        if (oracle == _ALLOWED) == (ours == "allowed") and not oracle.startswith("error"):
            continue
        explained = next((each for each in known if each.explains(one.request.action, oracle, ours)), None)
        if explained is None:
            what = f"{one.request.action} on {one.request.resource}"
            findings.append(Finding(one.subject, f"{what} is {ours} here, but the simulator says {oracle}"))
        else:
            used.add(explained)
    if services is None:
        findings += [
            Finding(DIFFERENCES.name, f"explains {each.actions} {each.oracle}, which no longer differs; remove it")
            for each in known
            if each not in used and any(each.concerns(action, ours) for action, ours in decided)
        ]
    return Outcome(tuple(dict.fromkeys(findings)), {"requests": len(asked)})


def differences(path: Path) -> tuple[Difference, ...]:
    """The committed table of known differences."""
    table = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return tuple(Difference(**entry) for entry in table.get("differences", []))


def granted_services(sweeps: PermissionSweeps) -> frozenset[str]:
    """The services of which any persona can do anything."""
    return frozenset(question.action.service for questions in sweeps.of_personas.values() for question in questions)


def _asked(evidence: Evidence, sweeps: PermissionSweeps, services: frozenset[str] | None) -> Iterator[Asked]:
    for persona, role in evidence.persona_roles.items():
        own, questions = sweeps.by_type(role), sweeps.of_personas[persona]
        yield from _every_action(f"persona {persona}", sweeps, role, questions, services)
        yield from _near(f"persona {persona}", questions, services, _with_endpoint(own, sweeps))
        for session in evidence.sessions(persona):
            yield from _near(
                f"call {persona} {session.name}",
                sweeps.of_session(persona, session),
                services,
                _with_endpoint({**own, "session": [session.policy]}, sweeps),
            )
    for role in evidence.service_roles.values():
        name, own = role.resource.logical_id, sweeps.by_type(role)
        yield from _near(f"role {name}", sweeps.of_service_roles[name], services, _as_they_are(own))


def _with_endpoint(by_type: PoliciesByType, sweeps: PermissionSweeps) -> Callable[[Action], PoliciesByType]:
    return lambda action: {**by_type, **sweeps.endpoint(action)}


def _as_they_are(by_type: PoliciesByType) -> Callable[[Action], PoliciesByType]:
    return lambda _: by_type


def _every_action(
    subject: str, sweeps: PermissionSweeps, role: Role, questions: list[AllowedRequest], services: frozenset[str] | None
) -> Iterator[Asked]:
    caller = sweeps.caller(role)
    context = {**caller.context, "aws:sourceidentity": "anything", "aws:resourceaccount": caller.account}
    for action in sweeps.table:
        if services is None or action.service in services:
            here = {**context, REGION_KEY: _region_of(action, questions)}
            request = Request(caller.arn, action.name, _resource(action, caller.account), here)
            yield Asked(subject, request, {**sweeps.by_type(role), **sweeps.endpoint(action)})


def _near(
    subject: str,
    questions: Iterable[AllowedRequest],
    services: frozenset[str] | None,
    layers_for: Callable[[Action], PoliciesByType],
) -> Iterator[Asked]:
    """Each allowed request, and the same in another region and without its conditions, under the whole policies."""
    for question in questions:
        if services is not None and question.action.service not in services:
            continue
        request, by_type = question.request, layers_for(question.action)
        resource = (
            request.resource
            if question.pattern != "*"
            else _resource(question.action, request.principal_arn.split(":")[4])
        )
        bare = {key: value for key, value in request.context.items() if key.startswith("aws:principal")}
        for context in (request.context, {**request.context, REGION_KEY: _ELSEWHERE}, bare):
            yield Asked(subject, Request(request.principal_arn, request.action, resource, context), by_type)


def _region_of(action: Action, questions: Iterable[AllowedRequest]) -> str:
    return next((question.region for question in questions if question.action.service == action.service), LONDON)


def _resource(action: Action, account: str) -> str:
    if not action.resources:
        return "*"
    return sample(arn_of(action.resources[0], account=account, region=LONDON), {})


def _ask_oracle(asked: list[Asked], account: str, folder: Path) -> list[str]:
    tables: list[dict[str, Any]] = []
    index: dict[tuple[Any, ...], int] = {}
    requests = []
    for one in asked:
        key = tuple(
            (policy_type, tuple(id(policy) for policy in policies)) for policy_type, policies in one.by_type.items()
        )
        if key not in index:
            index[key] = len(tables)
            tables.append(
                {policy_type: [p.document for p in policies] for policy_type, policies in one.by_type.items()}
            )
        request = one.request
        owner = str(request.context.get("aws:resourceaccount", account))
        context = {name: _value(value) for name, value in request.context.items()}
        requests.append([index[key], request.principal_arn, request.action, request.resource, owner, context])
    node = shutil.which("node") or str(folder / ".venv" / "bin" / "node")
    done = subprocess.run(
        [node, str(SCRIPT)],
        input=json.dumps({"layers": tables, "requests": requests}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(f"the policy simulator failed; run `make setup`: {done.stderr.strip()[-400:]}")
    outcomes: list[str] = json.loads(done.stdout)
    return outcomes


def _value(value: object) -> str | list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else str(value)

"""Proof 8, outside the account: no role can touch what another account owns, whatever stands in its way or does not.

Endpoint policies are left out on purpose. A service that works with a call's session (Athena reads and writes S3 so)
does it from its own side and passes no endpoint of ours; only identity policies, boundary and session go with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from ringfence.deployed.roles import Role
from ringfence.iam.patterns import matches
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.sweeps.permission_sweep import AllowedRequest, possible
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from ringfence.proofs.sweeps.witness import FOREIGN_ACCOUNT
from ringfence.reading.documents import Strict, read_checked

ACCEPTED: Final = Path(__file__).parents[1] / "data" / "outside_account.toml"
_OWNER: Final = "aws:resourceaccount"


class Accepted(Strict):
    """What a role may do outside the account, on purpose.

    Attributes:
        role: pattern of the role's logical id.
        action: `service:Action`.
        only_on: resource patterns that it must keep to.
        reason: why a reviewer may accept it.
    """

    role: str
    action: Annotated[str, Field(pattern=r"^[a-z0-9-]+:[A-Za-z0-9]+$")]
    only_on: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    reason: Annotated[str, Field(min_length=20)]

    def covers(self, role: str, question: AllowedRequest) -> bool:
        """Whether this is about a role's request."""
        named = matches(self.role, role) and question.action.name == self.action
        return named and any(matches(wide, question.pattern) for wide in self.only_on)


class AcceptedFile(Strict):
    """The whole file."""

    accepted: Annotated[tuple[Accepted, ...], Field(strict=False)] = ()


@cache
def accepted(path: Path = ACCEPTED) -> tuple[Accepted, ...]:
    """The exceptions; raises as `read_checked`."""
    return read_checked(path, AcceptedFile, distinct={"accepted": ("role", "action")}).accepted


def prove(
    evidence: Evidence, sweeps: PermissionSweeps | None = None, *, exceptions: Iterable[Accepted] | None = None
) -> Outcome:
    """Ask every action of every role once more, about what another account owns."""
    sweeps = PermissionSweeps(evidence) if sweeps is None else sweeps
    listed = accepted() if exceptions is None else tuple(exceptions)
    findings: list[Finding] = []
    on_purpose: list[str] = []
    needed: set[Accepted] = set()
    asked = 0
    for role in evidence.roles.values():
        name = role.resource.logical_id
        asked += len(sweeps.of_roles[name])
        for question in outside(role, sweeps):
            entry = next((each for each in listed if each.covers(name, question)), None)
            told = f"{question.action.name} on {question.request.resource}, owned by another account"
            if entry is None:
                findings.append(Finding(f"role {name}", f"can do {told}"))
            else:
                needed.add(entry)
                on_purpose.append(f"role {name}: {told}: {' '.join(entry.reason.split())}")
    findings += [
        Finding(f"exception for {each.role}", f"{each.action} outside the account is accepted, and nothing can do it")
        for each in listed
        if each not in needed and any(matches(each.role, role.resource.logical_id) for role in evidence.roles.values())
    ]
    looked_at = {"roles": len(evidence.roles), "actions": len(sweeps.table), "allowed inside": asked}
    return Outcome(tuple(dict.fromkeys(findings)), looked_at, tuple(dict.fromkeys(on_purpose)))


def outside(role: Role, sweeps: PermissionSweeps) -> Iterator[AllowedRequest]:
    """What a role could do to resources of another account, in the context that favours it most."""
    stranger = replace(sweeps.caller(role), account=FOREIGN_ACCOUNT)
    for question in possible(stranger, sweeps.by_type(role), sweeps.table):
        if question.request.context.get(_OWNER) == FOREIGN_ACCOUNT:
            yield question

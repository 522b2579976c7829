"""Proof 10, boundaries: none holds more than its roles need, and none lets a named danger in, even if its list grew.

Each boundary is judged by itself, as if everything were granted to its roles: what an identity policy leaves out today
may be attached tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.deployed.roles import Role
from ringfence.iam.evaluator import EVERYTHING, Policy, decide
from ringfence.proofs.each.actions import needed
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.sweeps.forbidden_requests import OF_ROLES, OF_SERVICE_ROLES, ForbiddenRequest
from ringfence.proofs.sweeps.mutants import asked_in
from ringfence.proofs.sweeps.permission_sweep import candidates, possible, summary
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

_DEMANDED: Final = "iam:permissionsboundary"


@dataclass(frozen=True)
class Boundary:
    """A boundary and the roles under it.

    Attributes:
        name: of the managed policy.
        kind: `persona`, `passed`, `service`, `made` (of roles that a passed role makes, which no template has) or
            `people` (of a role that people take).
        roles: those under it, or the passed ones that must give it.
    """

    name: str
    kind: str
    policy: Policy
    roles: tuple[Role, ...]


def prove(evidence: Evidence, sweeps: PermissionSweeps | None = None) -> Outcome:
    """Compare each boundary with what its roles need, and ask it about every danger."""
    sweeps = PermissionSweeps(evidence) if sweeps is None else sweeps
    account = evidence.assembly.account
    findings = [
        Finding(f"role {role.resource.logical_id}", "has no permissions boundary")
        for role in evidence.roles.values()
        if role.boundary is None
    ]
    found = boundaries(evidence)
    asked = 0
    for boundary in found:
        subject = f"boundary {boundary.name}"
        findings += [Finding(subject, message) for message in _more_than_needed(boundary, evidence, sweeps)]
        forbidden_requests = [*OF_ROLES, *(OF_SERVICE_ROLES if boundary.kind == "service" else ())]
        asked += len(forbidden_requests)
        for forbidden in _let_in(forbidden_requests, boundary.policy, account):
            findings.append(Finding(subject, f"lets in {forbidden.name} ({forbidden.action} on {forbidden.resource})"))
        if boundary.kind != "people":
            denied = [forbidden for forbidden in OF_ROLES if boundary.kind not in forbidden.kept_out_by_list]
            asked += len(denied)
            grown = Policy((*EVERYTHING.statements, *(each for each in boundary.policy.statements if not each.allows)))
            for forbidden in _let_in(denied, grown, account):
                findings.append(
                    Finding(subject, f"would let in {forbidden.name} ({forbidden.action}) once its list grew")
                )
    return Outcome(tuple(dict.fromkeys(findings)), {"boundaries": len(found), "forbidden requests asked": asked})


def boundaries(evidence: Evidence) -> list[Boundary]:
    """Every boundary: those of the templates' roles, and those that a passed role must give to what it makes.

    Raises:
        UnresolvedTemplate: a policy demands a boundary that is not in the assembly.
    """
    under: dict[str, list[Role]] = {}
    for role in evidence.roles.values():
        if role.boundary is not None:
            under.setdefault(str(role.resource.properties["PermissionsBoundary"]), []).append(role)
    found = []
    for arn, roles in under.items():
        kinds = {_kind(role, evidence) for role in roles}
        kind = kinds.pop() if len(kinds) == 1 else "service"
        found.append(Boundary(_name(arn), kind, roles[0].boundary or EVERYTHING, tuple(roles)))
    documents = {
        str(each.ref): each.properties["PolicyDocument"]
        for each in evidence.assembly.of_type("AWS::IAM::ManagedPolicy")
    }
    for role in evidence.roles.values():
        for arn in sorted(_demanded(role)):
            if arn not in documents:
                raise UnresolvedTemplate(role.resource.stack, role.name, f"demands {arn}, which no stack has")
            found.append(Boundary(_name(arn), "made", Policy.parse(documents[arn]), (role,)))
    return found


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _kind(role: Role, evidence: Evidence) -> str:
    if role in evidence.persona_roles.values():
        return "persona"
    if role.arn in evidence.passed_roles:
        return "passed"
    trusted = (each.principals or {} for each in role.trust.statements if each.allows)
    return "people" if any("AWS" in kinds for kinds in trusted) else "service"


def _demanded(role: Role) -> set[str]:
    """The boundaries that a role must give to the roles it makes."""
    return {
        str(arn)
        for policy in role.identity
        for statement in policy.statements
        if statement.allows
        for keys in statement.condition.values()
        for key, values in keys.items()
        if key.lower() == _DEMANDED
        for arn in (values if isinstance(values, list | tuple) else [values])
    }


def _more_than_needed(boundary: Boundary, evidence: Evidence, sweeps: PermissionSweeps) -> Iterator[str]:
    """What a boundary would allow by itself, and neither the catalogue nor a role under it needs.

    That of a passed role names resources too. That of functions, gateways and runtimes is shared: it may name what one
    of them can do, and forbidden requests tell where.
    """
    passed_role = [evidence.passed_roles[role.arn] for role in boundary.roles if role.arn in evidence.passed_roles]
    if boundary.kind in ("passed", "made"):
        needs = [need for each in passed_role for need in (each.needs if boundary.kind == "passed" else each.made)]
        alone = summary(possible(sweeps.caller(boundary.roles[0]), {"identity": [boundary.policy]}, sweeps.table))
        for one in sorted(set(alone) - set(needed(needs, sweeps))):
            when = f" when {' and '.join(one.conditions)}" if one.conditions else ""
            yield f"allows {one.action} on {one.resource}{when}, which the catalogue does not promise"
        return
    if boundary.kind == "persona":
        holders = [persona for persona, role in evidence.persona_roles.items() if role in boundary.roles]
        wanted = {
            need.action for persona in holders for call in evidence.expected_calls(persona) for need in call.needs
        }
    else:
        names = [role.resource.logical_id for role in boundary.roles]
        wanted = {question.action.name for name in names for question in sweeps.of_service_roles[name]}
    extra = sorted({each.name for each in candidates({"identity": [boundary.policy]}, sweeps.table)} - wanted)
    if extra:
        more = f" and {len(extra) - 1} more" if len(extra) > 1 else ""
        yield f"allows {extra[0]}{more}, which no role under it needs"


def _let_in(forbidden_requests: Iterable[ForbiddenRequest], policy: Policy, account: str) -> Iterator[ForbiddenRequest]:
    for forbidden in forbidden_requests:
        request = asked_in(forbidden.within(account), account)
        if decide(request, {"identity": [EVERYTHING], "boundary": [policy]}).allowed:
            yield forbidden

"""Proof 4, mutation: take any one statement out of a lock, and something notices.

One after the other, every statement of every permissions boundary, endpoint policy, trust policy and Cedar policy of an
assembly and of an organisation's guardrails is taken out, and each condition of the trust and endpoint policies. What
nothing misses survives: it is dead weight, or a test is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from ringfence.cedar.engine import CedarEngine
from ringfence.deployed.roles import Role
from ringfence.iam.evaluator import EVERYONE, EVERYTHING, Policy, Request
from ringfence.proofs.each.cedar import GROUPS_CLAIM, attempts_of
from ringfence.proofs.each.trust import callers
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.sweeps import mutants
from ringfence.proofs.sweeps.forbidden_requests import ACCOUNT, ADMINISTRATOR, OF_ACCOUNTS, OF_STRANGERS
from ringfence.proofs.sweeps.mutants import Verdict
from ringfence.proofs.sweeps.permission_sweep import AllowedRequest
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps
from ringfence.proofs.sweeps.witness import FOREIGN_ACCOUNT

KINDS: Final = ("boundary", "endpoint", "trust", "cedar", "scp", "rcp")
_TYPES: Final = {"scp": "SERVICE_CONTROL_POLICY", "rcp": "RESOURCE_CONTROL_POLICY"}


def verdicts(evidence: Evidence, sweeps: PermissionSweeps) -> Iterator[Verdict]:
    """Every statement of every lock, and every condition of trust and endpoint policies, taken out."""
    yield from _boundaries(evidence, sweeps)
    yield from _endpoints(evidence, sweeps)
    yield from _trusts(evidence)
    yield from _cedar(evidence)
    yield from _organisation(evidence)


def prove(evidence: Evidence, sweeps: PermissionSweeps | None = None) -> Outcome:
    """Every survivor is a surprise."""
    found = list(verdicts(evidence, PermissionSweeps(evidence) if sweeps is None else sweeps))
    findings = tuple(
        Finding(f"{verdict.kind} policy {verdict.subject}", f"nothing notices when {verdict.sid} is taken out")
        for verdict in found
        if verdict.noticed is None
    )
    counts = Counter(verdict.kind for verdict in found)
    return Outcome(findings, {f"{kind} parts": counts[kind] for kind in KINDS if counts[kind]})


def _boundaries(evidence: Evidence, sweeps: PermissionSweeps) -> Iterator[Verdict]:
    groups: list[tuple[Policy, list[Role]]] = []
    for role in evidence.roles.values():
        if role.boundary is not None:
            same = next((held for boundary, held in groups if boundary == role.boundary), None)
            groups.append((role.boundary, [role])) if same is None else same.append(role)
    for boundary, held in groups:
        asked = [question for role in held for question in sweeps.of_roles.get(role.resource.logical_id, [])]
        # Its name in the template: several roles share one boundary.
        subject = str(held[0].resource.properties["PermissionsBoundary"]).rpartition("/")[2]
        yield from mutants.of_boundary(subject, boundary, asked, account=evidence.assembly.account)


def _endpoints(evidence: Evidence, sweeps: PermissionSweeps) -> Iterator[Verdict]:
    asked: dict[tuple[str, str], list[AllowedRequest]] = {}
    for found in (*sweeps.of_personas.values(), *sweeps.of_service_roles.values()):
        for question in found:
            asked.setdefault(evidence.endpoint_for(question.action.service), []).append(question)
    asked.setdefault(("s3", evidence.assembly.region), []).extend(_answers(evidence, sweeps))
    for key, endpoint in evidence.endpoints.items():
        if endpoint.policy is not None:
            yield from mutants.of_endpoint(endpoint.resource.logical_id, endpoint.policy, asked.get(key, []))


def _answers(evidence: Evidence, sweeps: PermissionSweeps) -> Iterator[AllowedRequest]:
    """What the functions behind custom resources put for CloudFormation, at addresses that it signs itself."""
    assembly = evidence.assembly
    for resource in assembly.resources():
        if resource.type.startswith("Custom::"):
            stack = f"arn:aws:cloudformation:{assembly.region}:{assembly.account}:stack/{resource.stack}/id"
            place = f"arn:aws:s3:::cloudformation-custom-resource-response-euwest2/{stack}|{resource.logical_id}|id"
            signer = f"arn:aws:sts::{FOREIGN_ACCOUNT}:assumed-role/cloudformation/signer"
            context = {"aws:principalaccount": FOREIGN_ACCOUNT, "aws:resourceaccount": FOREIGN_ACCOUNT}
            request = Request(signer, "s3:PutObject", place, context)
            yield AllowedRequest(sweeps.table["s3:PutObject"], request, {"identity": [EVERYTHING]}, place, ())


def _trusts(evidence: Evidence) -> Iterator[Verdict]:
    expected = callers(evidence)
    for arn, role in evidence.roles.items():
        yield from mutants.of_trust(role.resource.logical_id, role.trust, arn, expected.get(arn, {}))


def _cedar(evidence: Evidence) -> Iterator[Verdict]:
    for persona, gateway in evidence.gateways.items():
        claims = {"sub": "11112222-3333-4444-5555-666677778888", GROUPS_CLAIM: [persona]}
        granted = [attempt for attempt in attempts_of(evidence, persona, gateway) if attempt.granted]
        calls = [(attempt.tool, attempt.arguments) for attempt in granted]

        engine = CedarEngine(gateway_arn=gateway.arn, tools=gateway.tools.values(), policies=gateway.policies)
        deciding = [engine.decide(claims=claims, tool=tool, arguments=arguments).policies for tool, arguments in calls]
        for name in gateway.policies:
            # A permit whose call no other permit allows is missed; nothing else could change.
            lost = next((call[0] for call, names in zip(calls, deciding, strict=True) if names == (name,)), None)
            noticed = None if lost is None else f"{lost} would be denied"
            yield Verdict("cedar", gateway.name, name, noticed)


def _organisation(evidence: Evidence) -> Iterator[Verdict]:
    if evidence.organisation is None:
        return
    policies: dict[str, dict[str, Policy]] = {kind: {} for kind in _TYPES}
    for resource in evidence.organisation.of_type("AWS::Organizations::Policy"):
        for kind, name in _TYPES.items():
            if resource.properties["Type"] == name:
                policies[kind][str(resource.properties["Name"])] = Policy.parse(resource.properties["Content"])
    usual = {
        "aws:RequestedRegion": "eu-west-2",
        "aws:PrincipalArn": ADMINISTRATOR,
        "aws:PrincipalAccount": ACCOUNT,
    }
    forbidden_requests = [
        Request(ADMINISTRATOR, action, resource, {**usual, **context})
        for asked in OF_ACCOUNTS.values()
        for action, resource, context in asked
    ]
    strangers = [
        Request(principal, "s3:GetObject", "*", context)
        for asked in OF_STRANGERS.values()
        for principal, context in asked
    ]
    yield from mutants.of_organisation("scp", policies["scp"], EVERYTHING, forbidden_requests)
    yield from mutants.of_organisation("rcp", policies["rcp"], EVERYONE, strangers)

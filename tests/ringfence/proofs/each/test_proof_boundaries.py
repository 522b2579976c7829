"""Proof 10: no boundary holds more than its roles need, and none lets a named danger in; and every way it could."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ringfence.proofs.each import boundaries
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Outcome
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

Change = Callable[[dict[str, Any]], None]
SERVICE = ("example-production", "audit", "ServiceBoundary")
PERSONA = ("example-production", "auditor", "AuditorRoleBoundary")
DEVELOPER = ("example-sandbox", "developer", "DeveloperRoleBoundary")
HANDED = ("example-sandbox", "developer", "DeveloperSandboxStacksRoleBoundary")
MADE = ("example-sandbox", "developer", "DeveloperSandboxStacksRoleMadeBoundary")


def messages(outcome: Outcome) -> str:
    return "\n".join(str(finding) for finding in outcome.findings)


def without(sid: str) -> Change:
    def change(boundary: dict[str, Any]) -> None:
        statements = boundary["PolicyDocument"]["Statement"]
        boundary["PolicyDocument"]["Statement"] = [each for each in statements if each["Sid"] != sid]
        assert len(boundary["PolicyDocument"]["Statement"]) == len(statements) - 1

    return change


def with_elements(sid: str, **elements: Any) -> Change:
    def change(boundary: dict[str, Any]) -> None:
        (statement,) = [each for each in boundary["PolicyDocument"]["Statement"] if each["Sid"] == sid]
        statement.update(elements)

    return change


def with_action(sid: str, action: str) -> Change:
    def change(boundary: dict[str, Any]) -> None:
        (statement,) = [each for each in boundary["PolicyDocument"]["Statement"] if each["Sid"] == sid]
        statement["Action"] = [*statement["Action"], action]

    return change


def first_allow_on_everything(boundary: dict[str, Any]) -> None:
    next(each for each in boundary["PolicyDocument"]["Statement"] if each["Effect"] == "Allow")["Resource"] = ["*"]


FAULTS: list[tuple[str, tuple[str, str, str], Change, str]] = [
    ("everything", PERSONA, with_elements("AllowAtMostInLondon", Action=["*"]), "and 22057 more, which no role"),
    ("one action more", PERSONA, with_action("AllowAtMostInLondon", "s3:GetObject"), "allows s3:GetObject, which no"),
    ("a wider pattern", DEVELOPER, with_action("AllowAtMostInLondon", "athena:*"), "which no role under it needs"),
    ("roles may be chained", PERSONA, without("DenyRoleChaining"), "would let in another role (sts:AssumeRole) once"),
    ("masks may be lifted", PERSONA, without("DenyUnmaskingLogs"), "would let in masked data in clear (logs:Unmask)"),
    ("records may be read", PERSONA, without("DenyAuditLogs"), "would let in the record of everybody's calls"),
    ("nobody is named", PERSONA, without("DenyWithoutSourceIdentity"), "would let in a call that names nobody"),
    ("other accounts", PERSONA, without("DenyOtherAccounts"), "would let in a bucket of another account"),
    ("other regions", PERSONA, without("DenyOtherRegions"), "would let in another region (ec2:RunInstances) once"),
    ("models of services", SERVICE, without("DenyModels"), "would let in a model (bedrock:InvokeModel) once"),
    (
        "any role of services",
        SERVICE,
        with_elements("AllowAssumingPersonaRoles", Resource=["*"]),
        "lets in another role (sts:AssumeRole on arn:aws:iam::111122223333:role/administrator)",
    ),
    (
        "any bucket",
        SERVICE,
        with_elements("AllowReadingCode", Resource=["arn:aws:s3:::*"]),
        "lets in a bucket without code (s3:GetObject on arn:aws:s3:::ringfence-example-production-audit-trailbucket",
    ),
    (
        "any function",
        SERVICE,
        with_elements("AllowCallingInterceptors", Resource=["arn:aws:lambda:eu-west-2:111122223333:function:*"]),
        "lets in a function of somebody else",
    ),
    (
        "any runtime",
        SERVICE,
        with_elements("AllowCallingRuntimes", Resource=["arn:aws:bedrock-agentcore:eu-west-2:111122223333:runtime/*"]),
        "lets in a runtime of somebody else",
    ),
    (
        "the masking of any log group",
        SERVICE,
        with_elements("AllowManagingRuntimeLogGroups", Resource=["arn:aws:logs:eu-west-2:111122223333:log-group:*"]),
        "lets in the masking of a log group that is no runtime's",
    ),
    (
        "any grant",
        SERVICE,
        with_elements("AllowGrantsToAgentCore", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-2"}}),
        "lets in a grant for more than reading",
    ),
    ("what no function does", SERVICE, with_action("AllowReadingCode", "s3:PutObject"), "allows s3:PutObject, which"),
    (
        "a passed role's any place",
        HANDED,
        first_allow_on_everything,
        "allows iam:PassRole on * when StringEquals iam:Pas",
    ),
    ("a passed role's next role", HANDED, without("DenyRoleChaining"), "would let in another role (sts:AssumeRole)"),
    ("any log of what it makes", MADE, first_allow_on_everything, "on *, which the catalogue does not promise"),
    ("a next role of what it makes", MADE, without("DenyRoleChaining"), "would let in another role (sts:AssumeRole)"),
]


def changed(evidence: Evidence, stack: str, change: Change) -> Evidence:
    name = f"ringfence-{evidence.department.name}-{stack}"
    template = copy.deepcopy(dict(evidence.assembly.stacks[name].template))
    change(template["Resources"])
    return evidence.beside(evidence.assembly.edited({name: template}))


def test_every_boundary_of_every_department_is_no_wider_than_its_roles(
    each: Evidence, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    outcome = boundaries.prove(each, sweeps_of[each.department.name])

    assert messages(outcome) == ""
    assert outcome.holds
    assert {boundary.kind for boundary in boundaries.boundaries(each)} == (
        {"persona", "service", "people"}
        if each.department.environment == "production"
        else {"persona", "service", "people", "passed", "made"}
    )


@pytest.mark.parametrize(
    ("place", "change", "expected"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS]
)
def test_a_wider_boundary_is_found(
    place: tuple[str, str, str],
    change: Change,
    expected: str,
    evidences: dict[str, Evidence],
    sweeps_of: dict[str, PermissionSweeps],
) -> None:
    """What the roles themselves can do is that of the real one: no identity policy has been changed."""
    department, stack, boundary = place
    weakened = changed(evidences[department], stack, lambda resources: change(resources[boundary]["Properties"]))

    assert expected in messages(boundaries.prove(weakened, sweeps_of[department]))


def test_a_role_without_a_boundary_is_found(evidence: Evidence, sweeps_of: dict[str, PermissionSweeps]) -> None:
    weakened = changed(
        evidence,
        "network",
        lambda resources: resources["RuntimeLogGroupKeeperExecutionRole"]["Properties"].pop("PermissionsBoundary"),
    )

    found = messages(boundaries.prove(weakened, sweeps_of["example-production"]))

    assert "role RuntimeLogGroupKeeperExecutionRole: has no permissions boundary" in found

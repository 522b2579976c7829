"""Proof 8: what another account owns is out of reach, whether or not a VPC endpoint stands in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ringfence.iam.evaluator import Request, decide
from ringfence.proofs.each import outside
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

Planted = Callable[..., Evidence]
STRANGER = "000000000000"


def statements(resources: dict[str, Any], logical_id: str) -> list[dict[str, Any]]:
    return resources[logical_id]["Properties"]["PolicyDocument"]["Statement"]


def without_denial(logical_id: str) -> Callable[[dict[str, Any]], None]:
    def change(resources: dict[str, Any]) -> None:
        kept = [each for each in statements(resources, logical_id) if each["Sid"] != "DenyOtherAccounts"]
        resources[logical_id]["Properties"]["PolicyDocument"]["Statement"] = kept

    return change


def accepting(role: str, action: str, resource: str) -> outside.Accepted:
    return outside.Accepted(role=role, action=action, only_on=(resource,), reason="For the test, and nothing else.")


def messages(evidence: Evidence) -> str:
    return "\n".join(str(finding) for finding in outside.prove(evidence).findings)


def test_no_role_can_touch_what_another_account_owns(each: Evidence, sweeps_of: dict[str, PermissionSweeps]) -> None:
    outcome = outside.prove(each, sweeps_of[each.department.name])

    assert [str(finding) for finding in outcome.findings] == []
    assert outcome.looked_at["roles"] == len(each.roles)
    assert all("kms:ListAliases" in told for told in outcome.on_purpose), "the one exception, and no other"


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation"])
@pytest.mark.parametrize("policy_type", ["identity", "boundary"])
def test_a_strangers_bucket_with_the_sandboxs_name_is_refused_by_two_locks_each_alone(
    evidences: dict[str, Evidence], action: str, policy_type: str
) -> None:
    """As Athena asks with the caller's session: from its own side, so no endpoint policy counts."""
    evidence = evidences["example-sandbox"]
    role = evidence.persona_roles["developer"]
    bucket = "arn:aws:s3:::ringfence-sandbox-evil"
    context = {
        "aws:PrincipalArn": role.arn,
        "aws:RequestedRegion": "eu-west-2",
        "aws:SourceIdentity": "somebody",
        "aws:ResourceAccount": evidence.department.account,
    }
    resource = bucket if "Bucket" in action else f"{bucket}/athena-results/loot.csv"
    ours = Request(role.arn, action, resource, context)
    theirs = Request(role.arn, action, resource, context | {"aws:ResourceAccount": STRANGER})
    by_type = (
        {"identity": role.identity}
        if policy_type == "identity"
        else {"identity": [EVERYTHING], "boundary": [role.boundary]}
    )

    assert decide(ours, by_type).allowed
    assert not decide(theirs, by_type).allowed


def test_so_is_every_session_that_reaches_a_bucket(evidences: dict[str, Evidence]) -> None:
    evidence = evidences["example-sandbox"]
    reaching = 0
    for session in evidence.sessions("developer"):
        for statement in session.policy.statements:
            if any(resource.startswith("arn:aws:s3:::") for resource in statement.resources):
                reaching += 1
                assert statement.condition["StringEquals"]["aws:ResourceAccount"] == evidence.department.account, (
                    session
                )
    assert reaching > 5


@pytest.mark.parametrize(
    ("stack", "boundary", "action"),
    [
        ("auditor", "AuditorRoleBoundary", "role AuditorRole: can do logs:DescribeLogGroups"),
        ("audit", "ServiceBoundary", "role AuditorIamRuntimeExecutionRole: can do s3:GetObject"),
    ],
)
def test_a_boundary_without_the_denial_is_found(planted: Planted, stack: str, boundary: str, action: str) -> None:
    assert action in messages(planted(**{stack: without_denial(boundary)}))


def test_an_exception_that_nothing_needs_is_found(evidence: Evidence, sweeps_of: dict[str, PermissionSweeps]) -> None:
    needless = accepting("AuditorRole", "s3:GetObject", "*")
    found = outside.prove(evidence, sweeps_of[evidence.department.name], exceptions=(needless,)).findings

    assert any("nothing can do it" in finding.message for finding in found)


def test_an_exception_holds_for_its_role_action_and_resource_only(
    evidence: Evidence, sweeps_of: dict[str, PermissionSweeps]
) -> None:
    sweeps = sweeps_of[evidence.department.name]
    other = accepting("SwitchOffRole", "kms:ListAliases", "arn:aws:kms:*")
    if "SwitchOffRole" in sweeps.of_roles:
        assert not outside.prove(evidence, sweeps, exceptions=(other,)).holds


EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

"""The role with which security stops a persona's calls: who takes it, and which keys it reaches."""

from __future__ import annotations

from typing import Any

import pytest

from constructs.switch_off import SwitchOffRole
from ringfence.iam.evaluator import Request, decide

ROLE = "arn:aws:iam::111122223333:role/ringfence-example-switch-off"
TRUSTED = [
    "security-response",
    "security/on-call",
    "aws-reserved/sso.amazonaws.com/eu-west-2/AWSReservedSSO_Security_*",
]
OWN = ["alias/ringfence-example-auditor-txn-token"]


@pytest.fixture(autouse=True)
def role(bench: Any) -> None:
    SwitchOffRole(bench.stack, "SwitchOff", department="example", personas=["auditor", "operator"], trusted=TRUSTED)


def may(bench: Any, action: str, aliases: list[str], *, region: str = "eu-west-2") -> bool:
    document = bench.properties("SwitchOffBoundary")["PolicyDocument"]
    key = f"arn:aws:kms:{region}:111122223333:key/1"
    context = {"aws:RequestedRegion": region, "kms:ResourceAliases": aliases}
    return decide(Request(ROLE, action, key, context), {"identity": [document], "boundary": [document]}).allowed


def test_its_boundary_says_what_its_policy_says(bench: Any) -> None:
    resource, policy = bench.properties("SwitchOffRole"), {"Ref": "SwitchOffBoundary"}
    assert (resource["ManagedPolicyArns"], resource["PermissionsBoundary"]) == ([policy], policy)
    assert "Policies" not in resource


@pytest.mark.parametrize("action", ["kms:DescribeKey", "kms:DisableKey", "kms:EnableKey"])
@pytest.mark.parametrize(
    ("aliases", "reached"),
    [
        (OWN, True),
        (["alias/ringfence-example-operator-txn-token", "alias/another"], True),
        ([], False),
        (["alias/ringfence-example-logs"], False),
        (["alias/ringfence-example-data"], False),
        (["alias/payroll"], False),
        (["alias/ringfence-example-developer-txn-token"], False),
        (["alias/ringfence-other-auditor-txn-token"], False),
        # Of the department `example-two`.
        (["alias/ringfence-example-two-auditor-txn-token"], False),
    ],
)
def test_it_reaches_the_keys_of_its_personas_by_their_aliases_and_no_other(
    bench: Any, action: str, aliases: list[str], reached: bool
) -> None:
    assert may(bench, action, aliases) is reached
    assert not may(bench, action, aliases, region="us-east-1")


@pytest.mark.parametrize("action", ["kms:Sign", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:CreateGrant"])
def test_it_does_nothing_else_to_them(bench: Any, action: str) -> None:
    assert not may(bench, action, OWN)


@pytest.mark.parametrize(
    ("caller", "admitted"),
    [
        ("role/security-response", True),
        ("role/security/on-call", True),
        ("role/aws-reserved/sso.amazonaws.com/eu-west-2/AWSReservedSSO_Security_0123456789abcdef", True),
        # A role is its path and its name: who may make roles elsewhere has not made this one.
        ("role/on-call", False),
        ("role/another/on-call", False),
        ("role/another/security-response", False),
        ("role/AWSReservedSSO_Security_0123456789abcdef", False),
        ("role/aws-reserved/sso.amazonaws.com/eu-west-2/AWSReservedSSO_Admin_0123456789abcdef", False),
        ("user/security-response", False),
        ("root", False),
    ],
)
def test_sessions_of_the_named_roles_take_it_and_nobody_else(bench: Any, caller: str, admitted: bool) -> None:
    trust = bench.properties("SwitchOffRole")["AssumeRolePolicyDocument"]
    arn, account = f"arn:aws:iam::111122223333:{caller}", "111122223333"
    session = f"arn:aws:sts::{account}:assumed-role/{caller.rpartition('/')[2]}/me" if "role/" in caller else arn
    own = {"Sid": "Own", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}
    layers = {"identity": [{"Version": "2012-10-17", "Statement": [own]}], "trust": [trust]}
    asked = Request(session, "sts:AssumeRole", ROLE, {"aws:PrincipalArn": arn, "aws:PrincipalAccount": account})
    assert decide(asked, layers).allowed is admitted

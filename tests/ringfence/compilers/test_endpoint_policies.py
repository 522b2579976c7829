"""Which VPC endpoints a department gets, what each lets through, and what the residency register declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.compilers import iam
from ringfence.department.department import Department
from ringfence.department.residency import register
from ringfence.iam.evaluator import Request, decide

OURS, THEIRS = "111122223333", "444455556666"
RUNTIMES = "arn:aws:logs:eu-west-2:111122223333:log-group:/aws/bedrock-agentcore/runtimes"


def passes(
    document: dict[str, Any], action: str, resource: str = "*", *, principal: str = OURS, owner: str = OURS
) -> bool:
    request = Request(
        principal_arn=f"arn:aws:iam::{principal}:role/any",
        action=action,
        resource=resource,
        context={"aws:PrincipalAccount": principal, "aws:ResourceAccount": owner, "aws:RequestedRegion": "eu-west-2"},
    )
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}], "Version": "2012-10-17"}
    return decide(request, {"identity": [everything], "endpoint": [document]}).allowed


def test_a_department_gets_the_endpoints_its_tools_and_its_infrastructure_need(
    catalogue: Catalogue, department: Department
) -> None:
    found = iam.services(catalogue, department)
    assert [(endpoint.service_name, endpoint.kind) for endpoint in found] == [
        ("com.amazonaws.iam", "interface"),
        ("com.amazonaws.eu-west-2.kms", "interface"),
        ("com.amazonaws.eu-west-2.logs", "interface"),
        ("com.amazonaws.eu-west-2.monitoring", "interface"),
        ("com.amazonaws.eu-west-2.s3", "gateway"),
        ("com.amazonaws.eu-west-2.sts", "interface"),
    ]
    assert [endpoint.service for endpoint in found if endpoint.is_cross_region] == ["iam"]
    assert all(endpoint.reason.endswith(".") for endpoint in found)


def test_an_endpoint_that_no_granted_tool_uses_is_not_made(catalogue_root: Path, department: Department) -> None:
    path = catalogue_root / "personas.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"batch", ', ""), encoding="utf-8")
    catalogue = load_catalogue(catalogue_root)
    assert "monitoring" not in [endpoint.service for endpoint in iam.services(catalogue, department)]
    with pytest.raises(KeyError, match="needs no endpoint for monitoring"):
        iam.endpoint_policy(catalogue, department, "monitoring")


def test_an_endpoint_lets_granted_actions_through_and_no_others(catalogue: Catalogue, department: Department) -> None:
    policy = iam.endpoint_policy(catalogue, department, "iam")
    assert passes(policy, "iam:ListUsers")
    assert not passes(policy, "iam:CreateUser")
    assert not passes(policy, "iam:ListRoles")


def test_an_endpoint_admits_only_this_accounts_principals_and_resources(
    catalogue: Catalogue, department: Department
) -> None:
    for endpoint in iam.services(catalogue, department):
        policy = iam.endpoint_policy(catalogue, department, endpoint.service)
        for statement in policy["Statement"]:
            if statement["Sid"] == "AllowAnsweringCloudFormation":
                continue  # the next test's
            action = statement["Action"][0]
            resource = statement["Resource"][0].replace("*", "x")
            assert passes(policy, action, resource)
            assert not passes(policy, action, resource, principal=THEIRS)
            if not resource.startswith("arn:aws:iam::aws:"):
                assert not passes(policy, action, resource, owner=THEIRS)


def answer_to(
    *, bucket: str = "euwest2", region: str = "eu-west-2", account: str = OURS, stack: str = "ringfence-example-auditor"
) -> str:
    stack_id = f"arn:aws:cloudformation:{region}:{account}:stack/{stack}/1b2c"
    return f"arn:aws:s3:::cloudformation-custom-resource-response-{bucket}/{stack_id}|AuditorIamRuntimeLog|3d4e"


@pytest.mark.parametrize(
    ("action", "resource", "through"),
    [
        ("s3:PutObject", answer_to(), True),
        # Somebody else's stack is somebody else's letter box, whoever holds its address.
        ("s3:PutObject", answer_to(account=THEIRS), False),
        ("s3:PutObject", answer_to(stack="another"), False),
        ("s3:PutObject", answer_to(stack="ringfence-other-auditor"), False),
        ("s3:PutObject", answer_to(region="us-east-1"), False),
        ("s3:PutObject", answer_to(bucket="useast1"), False),
        ("s3:GetObject", answer_to(), False),
    ],
)
def test_a_custom_resource_answers_to_this_departments_stacks_only(
    catalogue: Catalogue, department: Department, action: str, resource: str, through: bool
) -> None:
    """CloudFormation signs the address with an account of its own, and the bucket is its own."""
    policy = iam.endpoint_policy(catalogue, department, "s3")
    assert passes(policy, action, resource, principal=THEIRS, owner=THEIRS) is through


def test_aws_managed_policies_can_be_read_though_they_belong_to_no_account(
    catalogue: Catalogue, department: Department
) -> None:
    policy = iam.endpoint_policy(catalogue, department, "iam")
    managed = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    assert passes(policy, "iam:GetPolicyVersion", managed, owner="aws")
    assert not passes(policy, "iam:GetPolicyVersion", "arn:aws:iam::444455556666:policy/x", owner=THEIRS)
    assert not passes(policy, "iam:ListUsers", managed, owner="aws")


@pytest.mark.parametrize(
    ("service", "action", "resource", "through"),
    [
        ("s3", "s3:GetObject", "arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-2/a.zip", True),
        ("s3", "s3:PutObject", "arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-2/a.zip", False),
        ("s3", "s3:GetObject", "arn:aws:s3:::department-records/a", False),
        ("sts", "sts:AssumeRole", "arn:aws:iam::111122223333:role/ringfence-example-auditor", True),
        ("sts", "sts:AssumeRole", "arn:aws:iam::111122223333:role/admin", False),
        ("sts", "sts:GetCallerIdentity", "*", False),
        ("kms", "kms:Sign", "arn:aws:kms:eu-west-2:111122223333:key/1", True),
        ("kms", "kms:Decrypt", "arn:aws:kms:eu-west-2:111122223333:key/1", False),
        ("logs", "logs:PutLogEvents", "arn:aws:logs:eu-west-2:111122223333:log-group:a:log-stream:b", True),
        ("logs", "logs:DescribeLogGroups", "*", True),
        ("logs", "logs:Unmask", "*", False),
        ("logs", "logs:PutRetentionPolicy", f"{RUNTIMES}/ringfence_example__auditor_iam-a1b2c3d4e5-DEFAULT", True),
        ("logs", "logs:PutRetentionPolicy", f"{RUNTIMES}/ringfence_other__auditor_iam-a1b2c3d4e5-DEFAULT", False),
        ("logs", "logs:PutRetentionPolicy", f"{RUNTIMES}/ringfence_example_two__auditor_iam-a1b2c3d4e5-DEFAULT", False),
        ("logs", "logs:PutRetentionPolicy", "arn:aws:logs:eu-west-2:111122223333:log-group:payroll", False),
        ("logs", "logs:CreateLogGroup", "arn:aws:logs:eu-west-2:111122223333:log-group:payroll", False),
    ],
)
def test_infrastructure_endpoints_let_through_what_the_call_path_uses(
    catalogue: Catalogue, department: Department, service: str, action: str, resource: str, through: bool
) -> None:
    assert passes(iam.endpoint_policy(catalogue, department, service), action, resource) is through


def test_the_register_declares_every_endpoint_outside_london_with_its_reason(
    catalogue: Catalogue, department: Department
) -> None:
    declared = register(catalogue, department)
    crossing = [
        (found.service, found.service_region) for found in iam.services(catalogue, department) if found.is_cross_region
    ]
    assert [(entry.service, entry.region) for entry in declared] == crossing == [("iam", "us-east-1")]
    assert declared[0].actions == ("iam:GetPolicyVersion", "iam:ListUsers")
    assert declared[0].servers == ("iam",)
    assert "control plane" in declared[0].reason


def test_a_persona_that_stays_in_london_needs_no_register(catalogue_root: Path, department: Department) -> None:
    path = catalogue_root / "personas.toml"
    text = path.read_text(encoding="utf-8").replace('iam = ["list_users", "get_policy"]\n', "")
    path.write_text(text, encoding="utf-8")
    assert register(load_catalogue(catalogue_root), department) == []

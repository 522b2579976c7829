"""The role that sam_deploy hands to CloudFormation: what it may do, what it may not, and how a wrong one is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.compilers.iam import session_policy
from ringfence.compilers.passed_roles import CompiledPassedRole, passed_roles
from ringfence.compilers.rules import runtime_rules
from ringfence.department.department import Department, load_department
from ringfence.department.residency import register
from ringfence.iam.evaluator import Policy, Request, decide
from ringfence.reading.problems import ProblemsFound
from tests.schemas import schema

ROOT = Path(__file__).resolve().parents[3]
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ringfence-example-sandbox-sandbox-stacks"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/ringfence-example-sandbox-sandbox-functions"
FUNCTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/ringfence/sandbox/ringfence-sandbox-shop-FunctionRole-abc"
FUNCTION = f"arn:aws:lambda:eu-west-2:{ACCOUNT}:function:ringfence-sandbox-shop"
GROUP = f"arn:aws:logs:eu-west-2:{ACCOUNT}:log-group:/aws/lambda/ringfence-sandbox-shop"
STACK = f"arn:aws:cloudformation:eu-west-2:{ACCOUNT}:stack/ringfence-sandbox-shop/1"
ARTIFACT = "arn:aws:s3:::ringfence-sandbox-artifacts/1"
BOUNDED = {"iam:PermissionsBoundary": BOUNDARY}
TO_LAMBDA = {"iam:PassedToService": "lambda.amazonaws.com"}
IN_IAM = {"aws:RequestedRegion": "us-east-1"}


@pytest.fixture(scope="module")
def role(real: Catalogue, sandbox: Department) -> CompiledPassedRole:
    (compiled,) = passed_roles(real, sandbox, "developer")
    return compiled


def allowed(by_type: dict[str, Any], action: str, resource: str, context: dict[str, Any], caller: str = ROLE) -> bool:
    usual = {"aws:RequestedRegion": "eu-west-2", "aws:PrincipalAccount": ACCOUNT, "aws:ResourceAccount": ACCOUNT}
    request = Request(caller, action, resource, {**usual, **context})
    return decide(request, {name: [Policy.parse(document)] for name, document in by_type.items()}).allowed


def as_role(role: CompiledPassedRole, action: str, resource: str, context: dict[str, Any]) -> bool:
    """Both locks must agree, and each by itself: the policy, and the boundary over a policy that allows everything."""
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    decisions = {
        allowed({"identity": policy, "boundary": role.boundary}, action, resource, context)
        for policy in (role.policy, everything)
    }
    assert len(decisions) == 1, f"policy and boundary disagree about {action}"
    return decisions.pop()


def handlers(kind: str, *phases: str) -> set[str]:
    """The actions that CloudFormation's own schema of a resource type names for its handlers."""
    described = schema(kind)["handlers"]
    return {action for phase in phases for action in described[phase]["permissions"]}


# What CloudFormation's handlers do only for properties that the sandbox's template has not, or that have no part in it.
UNUSED = {
    "AWS::IAM::Role": {"iam:AttachRolePolicy", "iam:DetachRolePolicy"},
    "AWS::Lambda::Function": {
        "elasticfilesystem:DescribeMountTargets",
        "lambda:AssociateRuntimeAlias",
        "lambda:GetCodeSigningConfig",
        "lambda:GetLayerVersion",
        "lambda:PassCapacityProvider",
        "lambda:PutFunctionConcurrency",
        "lambda:PutFunctionRecursionConfig",
        "lambda:PutFunctionScalingConfig",
        "lambda:PutRuntimeManagementConfig",
        "s3files:ListMountTargets",
        *(f"ec2:Describe{what}" for what in ("NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")),
        *(f"kms:{action}" for action in ("CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey")),
    },
    "AWS::Logs::LogGroup": {
        "firehose:TagDeliveryStream",
        "logs:CreateLogDelivery",
        "logs:DeleteDataProtectionPolicy",
        "logs:DescribeResourcePolicies",
        "logs:PutBearerTokenAuthentication",
        "logs:PutDataProtectionPolicy",
        "logs:PutIndexPolicy",
        "logs:PutResourcePolicy",
        "s3:REST.PUT.OBJECT",
    },
}


def place(action: str) -> tuple[str, dict[str, Any]]:
    """What the sandbox's template makes such an action work on, and what AWS says about the request."""
    service, name = action.split(":")
    if action in ("logs:DescribeIndexPolicies", "logs:DescribeLogGroups"):
        return "*", {}
    if action == "iam:PassRole":
        return FUNCTION_ROLE, TO_LAMBDA
    if service == "iam":
        return FUNCTION_ROLE, IN_IAM | (BOUNDED if name in ("CreateRole", "PutRolePolicy") else {})
    return {"lambda": FUNCTION, "logs": GROUP, "s3": ARTIFACT}[service], {}


@pytest.mark.parametrize("kind", sorted(UNUSED))
def test_cloudformation_can_make_read_and_remove_each_resource_of_the_template(
    role: CompiledPassedRole, kind: str
) -> None:
    asked = handlers(kind, "create", "read", "delete")
    assert asked >= UNUSED[kind]
    for action in sorted(asked - UNUSED[kind]):
        assert as_role(role, action, *place(action)), action
    for action in sorted(UNUSED[kind] - {"s3:REST.PUT.OBJECT"}):
        assert not as_role(role, action, "*", {}), action


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        # A role without the boundary, or with another.
        ("iam:CreateRole", FUNCTION_ROLE, IN_IAM),
        ("iam:CreateRole", FUNCTION_ROLE, IN_IAM | {"iam:PermissionsBoundary": BOUNDARY.replace("sandbox-f", "f")}),
        ("iam:PutRolePolicy", FUNCTION_ROLE, IN_IAM),
        # The boundary's own removal, and what would widen a role that has it.
        ("iam:DeleteRolePermissionsBoundary", FUNCTION_ROLE, IN_IAM | BOUNDED),
        ("iam:PutRolePermissionsBoundary", FUNCTION_ROLE, IN_IAM | BOUNDED),
        ("iam:CreatePolicyVersion", BOUNDARY, IN_IAM),
        # Roles and names outside the sandbox: the deployment's own, the role itself, a name that only looks right.
        ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/ringfence-sandbox-x", IN_IAM | BOUNDED),
        ("iam:PutRolePolicy", ROLE, IN_IAM | BOUNDED),
        ("iam:DeleteRole", f"arn:aws:iam::{ACCOUNT}:role/ringfence-example-sandbox-developer", IN_IAM),
        ("lambda:UpdateFunctionCode", FUNCTION.replace("sandbox-shop", "example-sandbox-developer-request"), {}),
        ("logs:DeleteLogGroup", GROUP.replace("/aws/lambda/ringfence-sandbox-shop", "/ringfence/example-sandbox"), {}),
        # Another region, IAM anywhere but where it is, artifacts of another account.
        ("lambda:CreateFunction", FUNCTION, {"aws:RequestedRegion": "eu-west-1"}),
        ("iam:CreateRole", FUNCTION_ROLE, BOUNDED),
        ("s3:GetObject", ARTIFACT, {"aws:ResourceAccount": "999988887777"}),
        # Passing on: another role, another service, none named, another region.
        ("iam:PassRole", ROLE, TO_LAMBDA),
        ("iam:PassRole", FUNCTION_ROLE, {"iam:PassedToService": "ec2.amazonaws.com"}),
        ("iam:PassRole", FUNCTION_ROLE, {}),
        ("iam:PassRole", FUNCTION_ROLE, TO_LAMBDA | {"aws:RequestedRegion": "us-west-2"}),
        # A way in, a trigger, and being somebody else.
        ("lambda:AddPermission", FUNCTION, {}),
        ("lambda:CreateFunctionUrlConfig", FUNCTION, {}),
        ("lambda:CreateEventSourceMapping", "*", {}),
        ("lambda:InvokeFunction", FUNCTION, {}),
        ("sts:AssumeRole", FUNCTION_ROLE, {}),
    ],
)
def test_nothing_else_can_be_done_by_whatever_template(
    role: CompiledPassedRole, action: str, resource: str, context: dict[str, Any]
) -> None:
    assert not as_role(role, action, resource, context)


def test_a_function_of_the_sandbox_can_write_its_log_and_nothing_else(role: CompiledPassedRole) -> None:
    assert role.makes is not None
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    by_type = {"identity": everything, "boundary": role.makes.boundary}
    stream = f"{GROUP}:log-stream:2026/11/22/1"
    assert allowed(by_type, "logs:PutLogEvents", stream, {}) and allowed(by_type, "logs:CreateLogStream", stream, {})
    for action, resource in (
        ("logs:PutLogEvents", stream.replace("/aws/lambda/ringfence-sandbox-shop", "/ringfence/example-sandbox")),
        ("logs:CreateLogGroup", GROUP),
        ("s3:GetObject", ARTIFACT),
        ("iam:CreateRole", FUNCTION_ROLE),
        ("sts:AssumeRole", ROLE),
        ("lambda:InvokeFunction", FUNCTION),
    ):
        assert not allowed(by_type, action, resource, {}), action
    assert not allowed(by_type, "logs:PutLogEvents", stream, {"aws:RequestedRegion": "eu-west-1"})
    assert {s["Sid"] for s in role.makes.boundary["Statement"]} >= {"DenyOtherRegions", "DenyRoleChaining"}


def test_a_call_names_the_one_role_and_hands_it_to_cloudformation_only(real: Catalogue, sandbox: Department) -> None:
    server = real.servers["serverless"]
    by_type = {"identity": session_policy(sandbox, server, server.tools["sam_deploy"])}
    to = {"iam:PassedToService": "cloudformation.amazonaws.com"}
    named = {"cloudformation:RoleArn": ROLE}
    assert allowed(by_type, "cloudformation:CreateChangeSet", STACK, named)
    assert allowed(by_type, "iam:PassRole", ROLE, to)
    for context in ({}, {"cloudformation:RoleArn": FUNCTION_ROLE}, {"cloudformation:RoleArn": f"{ROLE}-2"}):
        assert not allowed(by_type, "cloudformation:CreateChangeSet", STACK, context), context
    other = STACK.replace("ringfence-sandbox-shop", "ringfence-example-sandbox-developer")
    assert not allowed(by_type, "cloudformation:CreateChangeSet", other, named)
    assert not allowed(by_type, "iam:PassRole", ROLE, {"iam:PassedToService": "lambda.amazonaws.com"})
    assert not allowed(by_type, "iam:PassRole", ROLE, {}) and not allowed(by_type, "iam:PassRole", FUNCTION_ROLE, to)


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("samcli-deploy1795390000", True),
        (f"arn:aws:cloudformation:eu-west-2:{ACCOUNT}:changeSet/samcli-deploy1795390000/1", True),
        ("prepared-with-another-role", False),
        (f"arn:aws:cloudformation:eu-west-2:{ACCOUNT}:changeSet/prepared/samcli-deploy", False),
    ],
)
def test_a_change_set_that_somebody_else_prepared_is_not_executed(
    real: Catalogue, sandbox: Department, name: str, runs: bool
) -> None:
    server = real.servers["serverless"]
    by_type = {"identity": session_policy(sandbox, server, server.tools["sam_deploy"])}
    context = {"cloudformation:ChangeSetName": name}
    assert allowed(by_type, "cloudformation:ExecuteChangeSet", STACK, context) is runs


def test_the_first_persona_that_may_pass_a_role_brings_it(real: Catalogue, sandbox: Department) -> None:
    assert passed_roles(real, sandbox, "auditor") == [] == passed_roles(real, sandbox, "operator")
    production = load_department("example-production", catalogue=real, root=ROOT / "departments")
    held = production.model_copy(update={"personas": ("auditor", "developer")})
    assert passed_roles(real, held, "developer") == []  # no writing, so nothing to hand on


def test_what_iam_does_for_the_role_is_in_the_residency_register(real: Catalogue, sandbox: Department) -> None:
    (iam,) = (each for each in register(real, sandbox) if each.service == "iam")
    assert {"iam:CreateRole", "iam:PutRolePolicy"} <= set(iam.actions) and "iam:PassRole" not in iam.actions
    assert "the role of a sandbox's function" in iam.reason


def test_the_runtime_is_told_which_role_and_which_boundary(real: Catalogue, sandbox: Department) -> None:
    environment = runtime_rules(real, sandbox, "developer", "serverless")["environment"]
    assert environment["RINGFENCE_STACK_ROLE_ARN"] == ROLE
    assert environment["RINGFENCE_FUNCTION_BOUNDARY_ARN"] == BOUNDARY


ROLES = """
[roles.helper]
service = "lambda.amazonaws.com"
purpose = "Helps."
grants = [{ actions = ["logs:PutLogEvents"] }]
"""
ON_GROUPS = ROLES.replace(
    '["logs:PutLogEvents"]',
    '["logs:PutLogEvents"], resources = ["arn:aws:logs:{region}:{account}:log-group:{log_groups}"]',
)
PASSES = '[tools.create_user]\npasses = "helper"'


@pytest.fixture
def broken(catalogue_root: Path) -> Callable[..., str]:
    def load(roles: str, tool: str = PASSES) -> str:
        path = catalogue_root / "servers" / "iam" / "server.toml"
        path.write_text(path.read_text().replace("[tools.create_user]", tool) + roles)
        try:
            load_catalogue(catalogue_root)
        except ProblemsFound as error:
            return str(error)
        return ""

    return load


@pytest.mark.parametrize(
    ("roles", "tool", "words"),
    [
        (ROLES, PASSES, ""),
        ("", PASSES, "The server has no such role."),
        (ROLES, "[tools.create_user]", "No tool passes this role."),
        (ROLES.replace("lambda.amazonaws.com", "lambda"), PASSES, "not a service principal"),
        (ROLES.replace("logs:PutLogEvents", "logs:PutEvents"), PASSES, "AWS has no such IAM action"),
        (ROLES.replace("logs:PutLogEvents", "iam:CreateRole"), PASSES, "a condition on iam:PermissionsBoundary"),
        (ROLES.replace("logs:PutLogEvents", "iam:PassRole"), PASSES, "a condition on iam:PassedToService"),
        (ON_GROUPS, PASSES, "roles.helper.grants[0].resources"),
        (ON_GROUPS, PASSES, "nothing says which log groups {log_groups} would be. Name the log groups."),
        (ROLES.replace("logs:PutLogEvents", "iam:*"), PASSES, "A wildcard would grant actions nobody reviewed"),
    ],
)
def test_a_wrong_role_is_told_with_its_place(broken: Callable[..., str], roles: str, tool: str, words: str) -> None:
    told = broken(roles, tool)
    assert (words in told and "servers/iam/server.toml" in told) if words else told == "", told

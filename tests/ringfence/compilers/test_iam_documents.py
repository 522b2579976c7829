"""What compiled IAM documents allow, decided by the evaluator that the proofs use."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.catalogue.files.tool_files import Grant
from ringfence.catalogue.iam_statements import allow_statements, needs_of
from ringfence.compilers import iam
from ringfence.department.department import Department, load_department
from ringfence.iam.evaluator import Request, decide
from ringfence.reading.problems import ProblemsFound

ROOT = Path(__file__).resolve().parents[3]
ROLE = "arn:aws:sts::111122223333:assumed-role/ringfence-example-auditor/01J0000000000000000000000X"
NAMED = {"aws:SourceIdentity": "staff-17", "aws:PrincipalAccount": "111122223333"}


def allowed(
    action: str,
    by_type: dict[str, Any],
    *,
    resource: str = "*",
    region: str = "eu-west-2",
    **context: str,
) -> bool:
    given = {"aws:RequestedRegion": region, "aws:ResourceAccount": "111122223333", **NAMED}
    given |= {key.replace("__", ":"): value for key, value in context.items()}
    request = Request(principal_arn=ROLE, action=action, resource=resource, context=given)
    return decide(request, {policy_type: [document] for policy_type, document in by_type.items()}).allowed


@pytest.fixture
def persona(catalogue: Catalogue, department: Department) -> dict[str, Any]:
    (identity,) = iam.persona_policies(catalogue, department, "auditor")
    return {
        "identity": identity,
        "boundary": iam.persona_boundary(catalogue, department, "auditor"),
    }


def session(catalogue: Catalogue, department: Department, server: str, tool: str) -> dict[str, Any]:
    found = catalogue.servers[server]
    return iam.session_policy(department, found, found.tools[tool])


def documents(catalogue: Catalogue, department: Department) -> list[dict[str, Any]]:
    return [
        *iam.persona_policies(catalogue, department, "auditor"),
        iam.persona_boundary(catalogue, department, "auditor"),
        iam.service_boundary(department),
        *(iam.session_policy(department, server, tool) for server, tool in catalogue.granted("auditor", department)),
        *(iam.endpoint_policy(catalogue, department, found.service) for found in iam.services(catalogue, department)),
    ]


def test_every_statement_of_every_document_has_its_own_sid(catalogue: Catalogue, department: Department) -> None:
    for document in documents(catalogue, department):
        sids = [statement["Sid"] for statement in document["Statement"]]
        assert len(set(sids)) == len(sids)
        assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)


def test_every_allow_of_a_persona_is_locked_to_one_region(catalogue: Catalogue, department: Department) -> None:
    for document in documents(catalogue, department)[:2]:
        for statement in document["Statement"]:
            if statement["Effect"] == "Allow":
                assert list(statement["Condition"]["StringEquals"]) == ["aws:RequestedRegion"]


def test_documents_are_the_same_every_time(catalogue: Catalogue, department: Department) -> None:
    first, second = documents(catalogue, department), documents(catalogue, department)
    assert [iam.compact(document) for document in first] == [iam.compact(document) for document in second]


def test_no_allow_holds_a_wildcard_action(catalogue: Catalogue, department: Department) -> None:
    for document in documents(catalogue, department):
        for statement in document["Statement"]:
            if statement["Effect"] == "Allow":
                assert not any("*" in action for action in statement["Action"])


def test_a_persona_may_do_what_its_tools_need(persona: dict[str, Any]) -> None:
    log_group = "arn:aws:logs:eu-west-2:111122223333:log-group:app"
    assert allowed("logs:StartQuery", persona, resource=log_group)
    assert allowed("logs:DescribeLogGroups", persona)
    assert allowed("iam:ListUsers", persona, region="us-east-1")
    assert allowed(
        "iam:GetPolicyVersion", persona, region="us-east-1", resource="arn:aws:iam::aws:policy/ReadOnlyAccess"
    )


@pytest.mark.parametrize(
    ("action", "resource", "region"),
    [
        ("iam:CreateUser", "arn:aws:iam::111122223333:user/x", "us-east-1"),
        ("iam:ListUsers", "*", "eu-west-2"),
        ("iam:ListRoles", "*", "us-east-1"),
        ("logs:StartQuery", "arn:aws:logs:eu-west-2:444455556666:log-group:app", "eu-west-2"),
        ("logs:StartQuery", "arn:aws:logs:us-east-1:111122223333:log-group:app", "us-east-1"),
        ("logs:DescribeLogGroups", "*", "eu-west-1"),
        ("sts:AssumeRole", "arn:aws:iam::111122223333:role/admin", "eu-west-2"),
        ("logs:Unmask", "*", "eu-west-2"),
    ],
)
def test_a_persona_may_do_nothing_else(persona: dict[str, Any], action: str, resource: str, region: str) -> None:
    assert not allowed(action, persona, resource=resource, region=region)


ADMINISTRATOR = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@pytest.mark.parametrize(
    "action",
    [
        "logs:Unmask",
        "bedrock:InvokeModel",
        "bedrock:InvokeModelWithResponseStream",
        "bedrock:GetInferenceProfile",
        "bedrock-agentcore:InvokeAgentRuntimeCommand",
        "bedrock-agentcore:InvokeAgentRuntimeCommandShell",
        "bedrock-agentcore:InvokeAgentRuntimeForUser",
        "bedrock-agentcore:GetWorkloadAccessTokenForUserId",
        "bedrock-agentcore:InvokeCodeInterpreter",
        "sts:AssumeRole",
        "sts:AssumeRoleWithWebIdentity",
        "iam:CreateAccessKey",
        "s3:GetObject",
    ],
)
def test_the_boundary_holds_when_an_administrator_policy_is_attached(
    catalogue: Catalogue, department: Department, action: str
) -> None:
    boundary = iam.persona_boundary(catalogue, department, "auditor")
    region = "us-east-1" if action.startswith("iam:") else "eu-west-2"
    assert allowed(action, {"identity": ADMINISTRATOR}, region=region)
    assert not allowed(action, {"identity": ADMINISTRATOR, "boundary": boundary}, region=region)


@pytest.mark.parametrize(
    "action",
    ["logs:Unmask", "bedrock:InvokeModel", "bedrock-agentcore:InvokeAgentRuntimeForUser", "sts:AssumeRole"],
)
def test_the_denials_hold_when_somebody_widens_the_boundarys_list(
    catalogue: Catalogue, department: Department, action: str
) -> None:
    boundary = iam.persona_boundary(catalogue, department, "auditor")
    widened = {**boundary, "Statement": [*boundary["Statement"], *ADMINISTRATOR["Statement"]]}
    assert allowed("s3:ListAllMyBuckets", {"identity": ADMINISTRATOR, "boundary": widened})
    assert not allowed(action, {"identity": ADMINISTRATOR, "boundary": widened})
    for other in ("us-east-1", "eu-west-1", "unspecified"):
        assert not allowed("s3:ListAllMyBuckets", {"identity": ADMINISTRATOR, "boundary": widened}, region=other)
    assert not allowed("iam:ListUsers", {"identity": ADMINISTRATOR, "boundary": widened}, region="eu-west-2")


def test_a_call_that_names_nobody_is_refused(persona: dict[str, Any]) -> None:
    account = "111122223333"
    context = {"aws:RequestedRegion": "eu-west-2", "aws:PrincipalAccount": account, "aws:ResourceAccount": account}
    request = Request(principal_arn=ROLE, action="logs:DescribeLogGroups", resource="*", context=context)
    decision = decide(request, {policy_type: [document] for policy_type, document in persona.items()})
    assert (decision.allowed, decision.policy_type, decision.sid) == (False, "boundary", "DenyWithoutSourceIdentity")


def test_a_call_through_the_managed_mcp_server_is_refused(persona: dict[str, Any]) -> None:
    assert allowed("logs:DescribeLogGroups", persona, aws__ViaAWSMCPService="false")
    assert not allowed("logs:DescribeLogGroups", persona, aws__ViaAWSMCPService="true")


def test_a_session_reaches_its_own_tools_actions_and_no_other_tools(
    catalogue: Catalogue, department: Department, persona: dict[str, Any]
) -> None:
    by_type = {**persona, "session": session(catalogue, department, "iam", "list_users")}
    assert allowed("iam:ListUsers", by_type, region="us-east-1")
    assert not allowed("logs:DescribeLogGroups", by_type)


def test_the_session_of_a_tool_without_grants_reaches_nothing(
    catalogue: Catalogue, department: Department, persona: dict[str, Any]
) -> None:
    by_type = {**persona, "session": session(catalogue, department, "cloudwatch", "advise")}
    assert by_type["session"]["Statement"], "STS refuses a policy without statements"
    for action, region in itertools.product(["logs:DescribeLogGroups", "iam:ListUsers"], ["eu-west-2", "us-east-1"]):
        assert not allowed(action, by_type, region=region)


def test_a_session_policy_longer_than_sts_accepts_is_refused_before_deployment(
    catalogue_root: Path, department: Department
) -> None:
    path = catalogue_root / "servers/iam/server.toml"
    many = ", ".join(f'"arn:aws:iam::{{account}}:user/{"x" * 40}{index}"' for index in range(40))
    text = path.read_text(encoding="utf-8").replace('"iam:ListUsers"] }', f'"iam:ListUsers"], resources = [{many}] }}')
    path.write_text(text, encoding="utf-8")
    told = r"servers/iam/server\.toml: tools\.list_users\.grants = \d+ characters: .* it may have 1848\. Name fewer"
    with pytest.raises(ProblemsFound, match=told):
        load_catalogue(catalogue_root)


def with_needs(catalogue: Catalogue, grants: list[Grant]) -> Catalogue:
    """Returns the catalogue with other needs of iam's list_users."""
    server = catalogue.servers["iam"]
    tools = {**server.tools, "list_users": replace(server.tools["list_users"], grants=tuple(grants))}
    return replace(catalogue, servers={**catalogue.servers, "iam": replace(server, tools=tools)})


def on_users(names: list[str]) -> Grant:
    return Grant(actions=("iam:ListUsers",), resources=tuple(f"arn:aws:iam::{{account}}:user/{name}" for name in names))


def test_a_statement_longer_than_a_managed_policy_is_refused(catalogue: Catalogue, department: Department) -> None:
    long = with_needs(catalogue, [on_users([f"{'x' * 100}{index}" for index in range(60)])])
    with pytest.raises(ProblemsFound, match="AWS accepts 6144"):
        iam.persona_policies(long, department, "auditor")


def test_a_broad_persona_gets_several_policies_that_together_say_the_same(
    catalogue: Catalogue, department: Department
) -> None:
    broad = with_needs(catalogue, [on_users(["x" * 1000 + str(index)]) for index in range(30)])
    found = iam.persona_policies(broad, department, "auditor")
    assert 4 < len(found) <= 10
    assert all(len(iam.compact(each)) <= 6144 for each in found)
    needs = needs_of(broad.granted("auditor", department), department)
    assert [statement for each in found for statement in each["Statement"]] == allow_statements(needs)


def test_more_policies_than_a_role_carries_are_refused(catalogue: Catalogue, department: Department) -> None:
    vast = with_needs(catalogue, [on_users(["x" * 1000 + str(index)]) for index in range(80)])
    with pytest.raises(ProblemsFound, match=r"a role carries 10\. Grant fewer tools"):
        iam.persona_policies(vast, department, "auditor")


SERVICE_ROLES_NEED = [
    ("sts:AssumeRole", "arn:aws:iam::111122223333:role/ringfence-example-auditor"),
    ("sts:SetSourceIdentity", "arn:aws:iam::111122223333:role/ringfence-example-auditor"),
    ("kms:Sign", "arn:aws:kms:eu-west-2:111122223333:key/1"),
    ("logs:PutLogEvents", "arn:aws:logs:eu-west-2:111122223333:log-group:/aws/lambda/x:log-stream:y"),
    ("s3:GetObject", "arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-2/code.zip"),
    ("lambda:InvokeFunction", "arn:aws:lambda:eu-west-2:111122223333:function:ringfence-example-auditor-request"),
    (
        "bedrock-agentcore:InvokeAgentRuntime",
        "arn:aws:bedrock-agentcore:eu-west-2:111122223333:runtime/ringfence_example__auditor_iam-x",
    ),
    (
        "logs:PutRetentionPolicy",
        "arn:aws:logs:eu-west-2:111122223333:log-group:"
        "/aws/bedrock-agentcore/runtimes/ringfence_example__auditor_iam-a1b2c3d4e5-DEFAULT",
    ),
    ("ec2:CreateNetworkInterface", "*"),
]


@pytest.mark.parametrize(("action", "resource"), SERVICE_ROLES_NEED)
def test_the_service_boundary_admits_what_service_roles_need(
    department: Department, action: str, resource: str
) -> None:
    by_type = {"identity": ADMINISTRATOR, "boundary": iam.service_boundary(department)}
    assert allowed(action, by_type, resource=resource)
    assert not allowed(action, by_type, resource=resource, region="us-east-1")


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sts:AssumeRole", "arn:aws:iam::111122223333:role/admin"),
        ("sts:AssumeRole", "arn:aws:iam::111122223333:role/ringfence-other-auditor"),
        ("s3:GetObject", "arn:aws:s3:::department-records/x"),
        ("s3:PutObject", "arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-2/code.zip"),
        ("iam:PassRole", "*"),
        ("logs:CreateLogGroup", "*"),
        ("logs:Unmask", "*"),
        ("lambda:InvokeFunction", "arn:aws:lambda:eu-west-2:111122223333:function:payroll"),
        (
            "bedrock-agentcore:InvokeAgentRuntime",
            "arn:aws:bedrock-agentcore:eu-west-2:111122223333:runtime/ringfence_other__auditor_iam-x",
        ),
        (
            "bedrock-agentcore:InvokeAgentRuntime",
            "arn:aws:bedrock-agentcore:eu-west-2:111122223333:runtime/ringfence_example_two__auditor_iam-x",
        ),
        (
            "logs:PutRetentionPolicy",
            "arn:aws:logs:eu-west-2:111122223333:log-group:"
            "/aws/bedrock-agentcore/runtimes/ringfence_other__auditor_iam-a1b2c3d4e5-DEFAULT",
        ),
        ("kms:CreateGrant", "arn:aws:kms:eu-west-2:111122223333:key/1"),
        ("bedrock-agentcore:InvokeAgentRuntimeCommand", "*"),
        ("secretsmanager:GetSecretValue", "*"),
        ("dynamodb:GetItem", "*"),
    ],
)
def test_the_service_boundary_refuses_everything_else(department: Department, action: str, resource: str) -> None:
    by_type = {"identity": ADMINISTRATOR, "boundary": iam.service_boundary(department)}
    assert not allowed(action, by_type, resource=resource)


@pytest.mark.parametrize(
    ("operations", "constraint", "expected"),
    [
        (["Decrypt", "GenerateDataKey"], "EncryptionContextSubset", True),
        (["Decrypt", "CreateGrant"], "EncryptionContextSubset", False),
        (["Decrypt"], None, False),
    ],
)
def test_a_gateway_may_grant_its_key_for_reading_its_own_configuration_only(
    department: Department, operations: list[str], constraint: str | None, expected: bool
) -> None:
    context: dict[str, Any] = {"aws:RequestedRegion": "eu-west-2", "aws:ResourceAccount": "111122223333"}
    context |= {"kms:GrantOperations": operations}
    context |= {"kms:GrantConstraintType": constraint} if constraint else {}
    key = "arn:aws:kms:eu-west-2:111122223333:key/1"
    request = Request(principal_arn=ROLE, action="kms:CreateGrant", resource=key, context=context)
    by_type = {"identity": [ADMINISTRATOR], "boundary": [iam.service_boundary(department)]}
    assert decide(request, by_type).allowed is expected


def test_the_real_departments_compile(catalogue: Catalogue) -> None:
    real = load_catalogue(ROOT / "catalogue")
    for name in ("example-production", "example-sandbox"):
        department = load_department(name, catalogue=real, root=ROOT / "departments")
        assert documents(real, department)

"""What the organisation's guardrails deny, what they leave alone, and that none of their statements is spare."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.iam.actions import load
from ringfence.iam.evaluator import Decision, Request, decide
from ringfence.organisation.organisation import load_organisation
from ringfence.organisation.policies import Guardrail, guardrails
from ringfence.proofs.sweeps.forbidden_requests import (
    ACCOUNT,
    ADMINISTRATOR,
    BOUNDARY,
    BUCKET,
    GOVERNED,
    GROUP,
    IN_IAM,
    KEY,
    MODEL,
    OF_ACCOUNTS,
    OF_STRANGERS,
    ORGANISATION,
    OUR_KEY,
    ROLE,
    SERVICE,
    TRAIL,
)

ROOT = Path(__file__).resolve().parents[3]
DEPLOYMENT = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-eu-west-2"
KEEPER = f"arn:aws:iam::{ACCOUNT}:role/ringfence-example-production-log-keeper"
RUNTIME_OUTPUT = f"{GROUP}/aws/bedrock-agentcore/runtimes/ringfence_example_production__auditor_iam-a1b2c3d4e5-DEFAULT"
BREAK_GLASS = f"arn:aws:iam::{ACCOUNT}:role/ringfence-break-glass"
SWITCH_OFF = f"arn:aws:iam::{ACCOUNT}:role/ringfence-example-production-switch-off"
EVERYTHING = {"Statement": [{"Sid": "Full", "Effect": "Allow", "Action": "*", "Resource": "*"}]}
EVERYONE = {"Statement": [{"Sid": "Full", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
OTHER_KEY = {"kms:ResourceAliases": ["alias/something-else"]}

# What people and deployments need, and what would be denied by a guardrail drawn too wide.
ALLOWED: list[tuple[str, str, str, Mapping[str, Any]]] = [
    (ADMINISTRATOR, "ec2:RunInstances", "*", {}),
    (ADMINISTRATOR, "iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/other", IN_IAM),
    (ADMINISTRATOR, "organizations:DescribeOrganization", "*", IN_IAM),
    (ADMINISTRATOR, "bedrock:InvokeModel", MODEL, {}),
    (ADMINISTRATOR, "bedrock:ListInferenceProfiles", "*", {}),
    (ADMINISTRATOR, "bedrock-agentcore:CreateAgentRuntime", "*", {"bedrock-agentcore:subnets": ["subnet-1"]}),
    (ADMINISTRATOR, "bedrock-agentcore:CreateGateway", "*", GOVERNED),
    (ADMINISTRATOR, "bedrock-agentcore:InvokeAgentRuntime", "*", {}),
    (ADMINISTRATOR, "bedrock-agentcore:DeleteCodeInterpreter", "*", {}),
    (ADMINISTRATOR, "s3:GetObject", "arn:aws:s3:::x/y", {"aws:ViaAWSMCPService": "false"}),
    (ADMINISTRATOR, "eks-mcp:CallReadOnlyTool", "*", {}),
    (ADMINISTRATOR, "cloudtrail:StopLogging", TRAIL.replace("ringfence-", "other-"), {}),
    (ADMINISTRATOR, "cloudtrail:LookupEvents", "*", {}),
    (ADMINISTRATOR, "logs:DeleteLogGroup", f"{GROUP}/other/app", {}),
    (ADMINISTRATOR, "logs:FilterLogEvents", f"{GROUP}/ringfence/example-production/cloudtrail", {}),
    (ADMINISTRATOR, "s3:PutBucketPolicy", "arn:aws:s3:::other", {}),
    (ADMINISTRATOR, "s3:GetObject", f"{BUCKET}/trail/x", {}),
    (ADMINISTRATOR, "kms:DisableKey", KEY, OTHER_KEY),
    (ADMINISTRATOR, "kms:DisableKey", KEY, {}),
    (DEPLOYMENT, "cloudtrail:UpdateTrail", TRAIL, {}),
    (DEPLOYMENT, "logs:PutRetentionPolicy", f"{GROUP}/ringfence/example-production/cloudtrail", {}),
    (DEPLOYMENT, "logs:PutResourcePolicy", "*", {}),
    (DEPLOYMENT, "s3:PutBucketPolicy", BUCKET, {}),
    # What CloudFormation calls to make a gateway's target, a firewall's parts and the record of DNS.
    (DEPLOYMENT, "bedrock-agentcore:GetWorkloadAccessTokenForUserId", "*", {}),
    (DEPLOYMENT, "route53resolver:AssociateFirewallRuleGroup", "*", {}),
    (DEPLOYMENT, "route53resolver:UpdateFirewallRule", "*", {}),
    (DEPLOYMENT, "route53resolver:DisassociateResolverQueryLogConfig", "*", {}),
    (ADMINISTRATOR, "route53resolver:ListFirewallRules", "*", {}),
    (ADMINISTRATOR, "route53resolver:GetFirewallRuleGroupAssociation", "*", {}),
    (DEPLOYMENT, "kms:PutKeyPolicy", KEY, OUR_KEY),
    (DEPLOYMENT, "iam:CreatePolicy", BOUNDARY, IN_IAM),
    (DEPLOYMENT, "iam:CreateRole", ROLE, IN_IAM),
    (DEPLOYMENT, "iam:PutRolePermissionsBoundary", ROLE, IN_IAM),
    (SWITCH_OFF, "kms:DisableKey", KEY, OUR_KEY),
    *(
        (KEEPER, f"logs:{action}", RUNTIME_OUTPUT, {})
        for action in (
            "AssociateKmsKey",
            "PutDataProtectionPolicy",
            "PutLogGroupDeletionProtection",
            "PutRetentionPolicy",
        )
    ),
    (BREAK_GLASS, "logs:Unmask", f"{GROUP}/ringfence/example-production/cloudtrail", {}),
    (BREAK_GLASS, "kms:ScheduleKeyDeletion", KEY, OUR_KEY),
]

PERIMETER_ACTIONS = ("kms:Decrypt", "s3:GetObject", "secretsmanager:GetSecretValue", "sts:AssumeRole")
OURS = {"aws:PrincipalOrgID": ORGANISATION, "aws:PrincipalIsAWSService": "false"}
INSIDE: list[tuple[str, Mapping[str, Any]]] = [
    (ADMINISTRATOR, OURS),
    ("cloudtrail.amazonaws.com", {**SERVICE, "aws:SourceOrgID": ORGANISATION}),
    # A service that works for itself, such as the one that runs a function as its role.
    ("lambda.amazonaws.com", {"aws:PrincipalIsAWSService": "true"}),
]


@pytest.fixture(scope="module")
def found() -> list[Guardrail]:
    organisation = load_organisation("example", root=ROOT / "organisations", departments=ROOT / "departments")
    return guardrails(organisation, load_catalogue(ROOT / "catalogue"))


def documents(found: list[Guardrail], kind: str, *, without: str | None = None) -> list[dict[str, Any]]:
    chosen = copy.deepcopy([each.content for each in found if each.kind == kind])
    for document in chosen:
        document["Statement"] = [each for each in document["Statement"] if each["Sid"] != without]
    return [document for document in chosen if document["Statement"]]


def by_service_control(
    found: list[Guardrail],
    principal: str,
    action: str,
    resource: str,
    context: Mapping[str, Any],
    *,
    without: str | None = None,
) -> Decision:
    usual = {"aws:RequestedRegion": "eu-west-2", "aws:PrincipalArn": principal, "aws:PrincipalAccount": ACCOUNT}
    policies = documents(found, "SERVICE_CONTROL_POLICY", without=without)
    by_type = {"identity": [EVERYTHING], "scp": [EVERYTHING, *policies]}
    return decide(Request(principal, action, resource, {**usual, **context}), by_type)


def by_resource_control(
    found: list[Guardrail], principal: str, action: str, context: Mapping[str, Any], *, without: str | None = None
) -> Decision:
    policies = documents(found, "RESOURCE_CONTROL_POLICY", without=without)
    by_type = {"identity": [EVERYTHING], "rcp": [EVERYONE, *policies]}
    return decide(Request(principal, action, "*", context), by_type)


@pytest.mark.parametrize("sid", OF_ACCOUNTS)
def test_a_service_control_policy_denies_and_needs_its_statement(found: list[Guardrail], sid: str) -> None:
    for action, resource, context in OF_ACCOUNTS[sid]:
        decision = by_service_control(found, ADMINISTRATOR, action, resource, context)
        assert (decision.allowed, decision.policy_type, decision.sid) == (False, "scp", sid), action

        without = by_service_control(found, ADMINISTRATOR, action, resource, context, without=sid)
        assert without.allowed, f"{action} is denied by {without.sid}, too: {sid} is not needed for it"


@pytest.mark.parametrize(("principal", "action", "resource", "context"), ALLOWED)
def test_guardrails_leave_alone_what_they_are_not_for(
    found: list[Guardrail], principal: str, action: str, resource: str, context: Mapping[str, Any]
) -> None:
    decision = by_service_control(found, principal, action, resource, context)

    assert decision.allowed, decision.reason


def test_only_break_glass_unmasks_and_a_look_alike_role_is_nobody(found: list[Guardrail]) -> None:
    assert not by_service_control(found, DEPLOYMENT, "logs:Unmask", f"{GROUP}x", {}).allowed
    for stranger in (
        f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-eu-west-2-mine",
        f"arn:aws:iam::{ACCOUNT}:role/path/ringfence-break-glass",
        f"arn:aws:iam::000000000000:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-eu-west-2",
    ):
        assert not by_service_control(found, stranger, "cloudtrail:StopLogging", TRAIL, {}).allowed, stranger


@pytest.mark.parametrize("name", ["ringfence-break-glass", "emergency-{account}"])
@pytest.mark.parametrize("action", ["iam:CreateRole", "iam:UpdateAssumeRolePolicy"])
def test_nobody_makes_or_takes_over_the_break_glass_role(action: str, name: str) -> None:
    organisation = load_organisation("example", root=ROOT / "organisations", departments=ROOT / "departments")
    named = organisation.model_copy(update={"break_glass_role": name})
    found = guardrails(named, load_catalogue(ROOT / "catalogue"))
    role = f"arn:aws:iam::{ACCOUNT}:role/{name.replace('{account}', ACCOUNT)}"

    assert not by_service_control(found, ADMINISTRATOR, action, role, IN_IAM).allowed
    assert by_service_control(found, DEPLOYMENT, action, role, IN_IAM).allowed


@pytest.mark.parametrize("sid", OF_STRANGERS)
@pytest.mark.parametrize("action", PERIMETER_ACTIONS)
def test_the_perimeter_denies_strangers_and_needs_its_statement(found: list[Guardrail], sid: str, action: str) -> None:
    for principal, context in OF_STRANGERS[sid]:
        decision = by_resource_control(found, principal, action, context)
        assert (decision.allowed, decision.policy_type, decision.sid) == (False, "rcp", sid), principal
        assert by_resource_control(found, principal, action, context, without=sid).allowed, principal


@pytest.mark.parametrize("action", PERIMETER_ACTIONS)
def test_the_perimeter_lets_the_organisation_and_its_services_in(found: list[Guardrail], action: str) -> None:
    for principal, context in INSIDE:
        assert by_resource_control(found, principal, action, context).allowed, principal


def test_federation_and_other_services_stay_outside_the_perimeter(found: list[Guardrail]) -> None:
    assert by_resource_control(found, "anonymous", "sts:AssumeRoleWithSAML", {}).allowed
    assert by_resource_control(found, "anonymous", "ec2:RunInstances", {}).allowed


def test_every_statement_is_shown_to_be_needed(found: list[Guardrail]) -> None:
    statements = [statement["Sid"] for each in found for statement in each.content["Statement"]]

    assert len(set(statements)) == len(statements)
    assert set(statements) == set(OF_ACCOUNTS) | set(OF_STRANGERS)


def test_every_action_pattern_covers_an_action_that_exists(found: list[Guardrail]) -> None:
    table = load()
    for each in found:
        for statement in each.content["Statement"]:
            for pattern in statement.get("Action", []):
                assert pattern == "*" or table.matching(pattern), f"{statement['Sid']}: {pattern}"


def test_resource_control_policies_have_the_only_form_aws_takes(found: list[Guardrail]) -> None:
    for each in found:
        for statement in each.content["Statement"]:
            is_resource_policy = each.kind == "RESOURCE_CONTROL_POLICY"
            assert statement["Effect"] == "Deny"
            assert ("Principal" in statement) == is_resource_policy
            assert not is_resource_policy or (statement["Principal"] == "*" and "Action" in statement)

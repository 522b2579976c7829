"""The local AWS over the committed production department: its templates are understood, and they decide."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.roles import endpoints, roles
from ringfence.rehearsal.aws.server import LocalAws

ONE_ACTION = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Tool", "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}],
}


@pytest.fixture(scope="module")
def department(production: Path) -> Assembly:
    return Assembly.load(production)


@pytest.fixture
def aws(department: Assembly) -> Iterator[LocalAws]:
    with LocalAws(department) as running:
        yield running


@pytest.fixture
def connect(aws: LocalAws) -> Callable[..., Any]:
    def client(service: str, issued: dict[str, str], region: str = "eu-west-2") -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=aws.endpoint_url,
            aws_access_key_id=issued["AccessKeyId"],
            aws_secret_access_key=issued["SecretAccessKey"],
            aws_session_token=issued["SessionToken"],
            config=Config(retries={"total_max_attempts": 1}),
        )

    return client


@pytest.fixture
def auditor(aws: LocalAws, connect: Callable[..., Any]) -> dict[str, str]:
    """Credentials as the host of the iam server gets them for one call of list_users."""
    (runtime,) = [
        resource
        for resource in aws.assembly.of_type("AWS::BedrockAgentCore::Runtime")
        if resource.properties["AgentRuntimeName"] == "ringfence_example_production__auditor_iam"
    ]
    host = aws.issue_credentials(runtime.properties["RoleArn"], "host")
    tags = {"persona": "auditor", "tool": "iam___list_users", "call": "01CALL", "department": "example-production"}
    answer = connect("sts", host).assume_role(
        RoleArn=runtime.properties["EnvironmentVariables"]["RINGFENCE_PERSONA_ROLE_ARN"],
        RoleSessionName="01CALL",
        SourceIdentity="staff-0001",
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        TransitiveTagKeys=list(tags),
        DurationSeconds=900,
        Policy=json.dumps(ONE_ACTION),
    )
    issued: dict[str, str] = answer["Credentials"]
    return issued


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_every_value_and_policy_of_the_templates_is_understood(department: Assembly) -> None:
    department.check()
    assert all(role.boundary is not None for role in roles(department).values())
    assert all(endpoint.policy is not None for endpoint in endpoints(department).values())


def test_every_role_that_code_runs_under_trusts_its_service(aws: LocalAws) -> None:
    for kind, member in (("AWS::Lambda::Function", "Role"), ("AWS::BedrockAgentCore::Runtime", "RoleArn")):
        for resource in aws.assembly.of_type(kind):
            assert aws.issue_credentials(resource.properties[member], "code")["SessionToken"]


def test_the_auditor_does_what_the_tool_declares_and_no_more(
    aws: LocalAws, connect: Callable[..., Any], auditor: dict[str, str]
) -> None:
    iam = connect("iam", auditor)
    assert iam.list_users()["Users"]
    assert code_of(iam.list_roles) == "AccessDenied"
    assert aws.record[-1].policy_type == "session"
    assert code_of(iam.create_user, UserName="x1") == "AccessDenied"
    assert [call.source_identity for call in aws.calls_for("01CALL")] == ["staff-0001"] * 3


def test_nothing_is_within_reach_outside_london(connect: Callable[..., Any], auditor: dict[str, str]) -> None:
    assert code_of(connect("logs", auditor, "us-east-1").describe_log_groups) == "EndpointUnreachable"
    assert code_of(connect("s3", auditor, "eu-west-1").list_buckets) == "EndpointUnreachable"


@pytest.mark.parametrize("persona", ["auditor", "operator"])
def test_only_the_personas_own_request_interceptor_signs(
    aws: LocalAws, connect: Callable[..., Any], persona: str
) -> None:
    stack = f"ringfence-example-production-{persona}"
    (key,) = [
        each
        for each in aws.assembly.of_type("AWS::KMS::Key")
        if each.stack == stack and each.properties.get("KeyUsage") == "SIGN_VERIFY"
    ]
    arguments = {
        "KeyId": key.arn,
        "Message": b"0" * 32,
        "MessageType": "DIGEST",
        "SigningAlgorithm": "ECDSA_SHA_256",
    }
    signers = []
    for role in roles(aws.assembly).values():
        session = aws._sessions.open(role, "probe", seconds=900, inside_vpc=True)
        try:
            connect("kms", session.credentials()).sign(**arguments)
            signers.append(role.name)
        except ClientError as refusal:
            assert refusal.response["Error"]["Code"] == "AccessDeniedException"
    (request,) = [
        each
        for each in aws.assembly.of_type("AWS::Lambda::Function")
        if each.stack == stack and "Request" in each.logical_id
    ]
    assert signers == [request.properties["Role"].rsplit("/", 1)[-1]]

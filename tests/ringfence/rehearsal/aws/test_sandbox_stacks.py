"""A developer's new stack, from nothing: the real server and the real SAM CLI, against policies of the templates."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from callpath.call_record import new_call_id
from callpath.digest import digest
from callpath.txn_token import HEADER, TxnToken, mint
from ringfence.deployed.assembly import Assembly
from ringfence.deployed.roles import Role
from ringfence.deployed.runtimes import runtimes
from ringfence.iam.evaluator import Policy
from ringfence.reading import names
from ringfence.rehearsal.aws.server import LocalAws
from ringfence.rehearsal.aws.services.stack_making import Making, Stack
from ringfence.rehearsal.compute.runtimes import Runtime
from ringfence.rehearsal.scenarios.calls import Outcome

DEPARTMENT = "example-sandbox"
STACK = "ringfence-sandbox-shop"
BUCKET = "ringfence-sandbox-artifacts"
BOUNDARY = "arn:aws:iam::111122223333:policy/ringfence-example-sandbox-sandbox-functions"
Call = Callable[..., Outcome]


@pytest.fixture(scope="module")
def aws(assemblies: dict[str, Any]) -> Iterator[LocalAws]:
    with LocalAws(Assembly.load(assemblies[DEPARTMENT].folder)) as running:
        running.make_bucket(BUCKET)
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime's scratch folder."""
    return tmp_path_factory.mktemp("sandbox") / "runtime"


@pytest.fixture(scope="module")
def runtime(aws: LocalAws, folder: Path) -> Iterator[Runtime]:
    (spec,) = (each for each in runtimes(aws.assembly) if each.resource.logical_id == "DeveloperServerlessRuntime")
    issued = aws.issue_credentials(spec.role_arn, "host")
    running = Runtime(
        spec,
        folder=folder,
        credentials={
            "AWS_ACCESS_KEY_ID": issued["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": issued["SecretAccessKey"],
            "AWS_SESSION_TOKEN": issued["SessionToken"],
        },
        endpoint_url=aws.endpoint_url,
        log=lambda *_: None,
    )
    try:
        running.wait()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def call(aws: LocalAws, runtime: Runtime) -> Call:
    """Calls a tool of the runtime as the request interceptor would have it: with a Txn-Token for just this call."""
    key = runtime.spec.environment["RINGFENCE_TXN_KEY_ARN"]

    def sign(hashed: bytes) -> bytes:
        signing = {"MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
        return aws._keys.sign({"KeyId": key, "Message": hashed, **signing})["Signature"]

    def make(tool: str, **arguments: Any) -> Outcome:
        now = int(time.time())
        token = TxnToken(
            issuer=names.token_issuer(DEPARTMENT, "developer"),
            audience=names.token_audience(DEPARTMENT, "developer", "serverless"),
            issued_at=now,
            expires_at=now + 60,
            call_id=new_call_id(),
            staff_id="dev.example-03",
            persona="developer",
            tool=tool,
            arguments_sha256=digest(arguments),
            token_id="jti-1",
            client_id="client-1",
            session=None,
            approval=None,
        )
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        headers = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            HEADER: mint(token, key_id=key, sign=sign),
        }
        answer = runtime.post(headers=headers, body=json.dumps(body).encode())
        return Outcome.of_body(answer.json(), status=answer.status_code)

    return make


@pytest.fixture(scope="module")
def project(call: Call, folder: Path) -> Path:
    """A project of the sandbox's template, made by sam_init."""
    made = call("sam_init", project_name="shop", runtime="python3.13", architecture="arm64")
    assert not made.refused, made.text
    (template,) = folder.glob("tmp/*/shop/template.yaml")  # the server's home is below the runtime's folder
    return template


def deploy(call: Call, **changed: str) -> Outcome:
    return call(
        "sam_deploy", **{"application_name": STACK, "project_directory": "shop", "s3_bucket": BUCKET, **changed}
    )


def test_a_new_project_deploys_as_it_is_and_everything_in_it_is_there(aws: LocalAws, call: Call, project: Path) -> None:
    said = deploy(call)
    assert json.loads(said.text)["success"] is True, said.text
    moto = aws._moto
    function = moto.client("lambda").get_function(FunctionName=STACK)["Configuration"]
    role = moto.client("iam", "us-east-1").get_role(RoleName=function["Role"].rpartition("/")[2])["Role"]
    (group,) = moto.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{STACK}")["logGroups"]
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert role["Path"] == "/ringfence/sandbox/"
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    assert group["retentionInDays"] == 731
    stack_operations = aws.stack_operations_of(STACK)
    assert {stack_operation.decision for stack_operation in stack_operations} == {"allowed"}
    assert {stack_operation.action for stack_operation in stack_operations} >= {
        "iam:CreateRole",
        "iam:PassRole",
        "lambda:CreateFunction",
    }


@pytest.mark.parametrize(
    ("stack", "written", "instead"),
    [
        ("ringfence-sandbox-free", f"      PermissionsBoundary: {BOUNDARY}\n", ""),
        ("ringfence-sandbox-away", "/ringfence/sandbox/", "/"),
    ],
)
def test_a_function_whose_role_would_be_free_is_not_made_and_nothing_of_its_stack_is_left(
    aws: LocalAws, call: Call, project: Path, stack: str, written: str, instead: str
) -> None:
    whole = project.read_text()
    assert written in whole
    project.write_text(whole.replace(written, instead))
    try:
        said = deploy(call, application_name=stack)
    finally:
        project.write_text(whole)
    assert said.refused and "sam_deploy" in said.text
    assert [
        stack_operation.action
        for stack_operation in aws.stack_operations_of(stack)
        if stack_operation.decision == "refused"
    ] == ["iam:CreateRole"]
    moto = aws._moto
    assert moto.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{stack}")["logGroups"] == []
    roles = moto.client("iam", "us-east-1").list_roles()["Roles"]
    assert not [role for role in roles if role["RoleName"].startswith(stack)]


def test_a_function_whose_role_does_not_admit_lambda_is_not_made(
    aws: LocalAws, call: Call, project: Path, connect: Callable[[str], Any]
) -> None:
    stack = "ringfence-sandbox-shut"
    whole = project.read_text()
    # No document says that Lambda sends this key to the role a function runs as.
    strict = whole.replace("StringEqualsIfExists:", "StringEquals:")
    assert strict != whole
    project.write_text(strict)
    try:
        said = deploy(call, application_name=stack)
    finally:
        project.write_text(whole)
    assert said.refused and "sam_deploy" in said.text
    events = connect("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    (failed,) = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert "cannot be assumed by Lambda" in failed["ResourceStatusReason"]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws._moto.client("lambda").get_function(FunctionName=stack)


def test_cloudformation_works_as_the_role_itself_and_not_on_with_the_callers_session() -> None:
    """`aws:ViaAWSService` is true of forward access sessions, and false of a service role (IAM user guide)."""
    itself = {
        "Sid": "ItselfAlone",
        "Effect": "Allow",
        "Action": "*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:ViaAWSService": "false"}},
    }
    identity = Policy.parse({"Version": "2012-10-17", "Statement": [itself]})
    role = Role("stacks", "arn:aws:iam::111122223333:role/stacks", "AROA", Policy(()), (identity,), None, {}, Mock())
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/lambda/shop", "RetentionInDays": 731}}
    stack = Stack("shop", "id", {"Resources": {"Log": group}}, role, "change-set")
    assert Making(stack, "111122223333", "eu-west-2", Mock()).ref("Log") == "/aws/lambda/shop"
    assert {stack_operation.decision for stack_operation in stack.stack_operations} == {"allowed"}


@pytest.fixture(scope="module")
def connect(aws: LocalAws, runtime: Runtime) -> Callable[[str], Any]:
    """A client with the very credentials of a call of sam_deploy, for what the SAM CLI would never send."""
    rules = json.loads(zipfile.ZipFile(runtime.spec.zip_path).read("runtime.json"))

    def client(service: str, **credentials: str) -> Any:
        return boto3.client(
            service,
            region_name="eu-west-2",
            endpoint_url=aws.endpoint_url,
            config=Config(retries={"total_max_attempts": 1}),
            **credentials,
        )

    def keys(issued: dict[str, str]) -> dict[str, str]:
        return {
            "aws_access_key_id": issued["AccessKeyId"],
            "aws_secret_access_key": issued["SecretAccessKey"],
            "aws_session_token": issued["SessionToken"],
        }

    host = client("sts", **keys(aws.issue_credentials(runtime.spec.role_arn, "host")))
    tags = {"persona": "developer", "tool": "sam_deploy", "call": "01CALL", "department": DEPARTMENT}
    issued = host.assume_role(
        RoleArn=runtime.spec.environment["RINGFENCE_PERSONA_ROLE_ARN"],
        RoleSessionName="01CALL",
        SourceIdentity="dev.example-03",
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        TransitiveTagKeys=list(tags),
        DurationSeconds=900,
        Policy=json.dumps(rules["tools"]["sam_deploy"]["session_policy"]),
    )["Credentials"]
    return lambda service: client(service, **keys(issued))


@pytest.mark.parametrize(
    ("stack", "role", "refused"),
    [
        ("ringfence-sandbox-direct", None, "cloudformation:CreateChangeSet"),
        ("ringfence-sandbox-direct", "ringfence-example-sandbox-developer", "cloudformation:CreateChangeSet"),
        ("ringfence-sandbox-direct", "administrator", "cloudformation:CreateChangeSet"),
        ("another-stack", "ringfence-example-sandbox-sandbox-stacks", "cloudformation:CreateChangeSet"),
    ],
)
def test_no_other_role_and_no_other_stack_can_be_named(
    connect: Callable[[str], Any], stack: str, role: str | None, refused: str
) -> None:
    named = {"RoleARN": f"arn:aws:iam::111122223333:role/{role}"} if role else {}
    with pytest.raises(ClientError) as caught:
        connect("cloudformation").create_change_set(
            StackName=stack, ChangeSetName="samcli-deploy1", ChangeSetType="CREATE", TemplateBody="{}", **named
        )
    assert caught.value.response["Error"]["Code"] == "AccessDenied" and refused in str(caught.value)


def test_a_change_set_of_somebody_else_is_not_executed(connect: Callable[[str], Any]) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied.*ExecuteChangeSet"):
        connect("cloudformation").execute_change_set(StackName=STACK, ChangeSetName="prepared")


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("lambda", "delete_function", {"FunctionName": STACK}),
        ("cloudformation", "delete_stack", {"StackName": STACK}),
        ("logs", "delete_log_group", {"logGroupName": f"/aws/lambda/{STACK}"}),
    ],
)
def test_the_call_itself_can_do_nothing_of_what_cloudformation_does_for_it(
    connect: Callable[[str], Any], service: str, operation: str, arguments: dict[str, str]
) -> None:
    with pytest.raises(ClientError):
        getattr(connect(service), operation)(**arguments)

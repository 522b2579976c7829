"""The local AWS with real boto3 clients: who may do what, what is recorded, and how refusals look."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ringfence.deployed.assembly import Assembly
from ringfence.rehearsal.aws.protocol.wire import AwsError
from ringfence.rehearsal.aws.server import LocalAws

ACCOUNT = "111122223333"
PERSONA = f"arn:aws:iam::{ACCOUNT}:role/auditor"
HOST = f"arn:aws:iam::{ACCOUNT}:role/host"
FUNCTION = f"arn:aws:iam::{ACCOUNT}:role/function"
OUTSIDE = f"arn:aws:iam::{ACCOUNT}:role/outside"
ANALYST = f"arn:aws:iam::{ACCOUNT}:role/analyst"
GLUE = f"arn:aws:glue:eu-west-2:{ACCOUNT}"
SANDBOX = {"StringEquals": {"aws:ResourceTag/ringfence:sandbox": "true"}}
TOOL_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Tool", "Effect": "Allow", "Action": ["iam:ListUsers", "iam:CreateUser"], "Resource": "*"}],
}
Client = Callable[..., Any]


def allow(sid: str, actions: list[str], resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource, **more}


def deny(sid: str, actions: list[str], resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(sid, actions, resource, **more), "Effect": "Deny"}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(name: str, trust: list[dict[str, Any]], *statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    policies = [{"PolicyName": "own", "PolicyDocument": document(*statements)}]
    properties = {"RoleName": name, "AssumeRolePolicyDocument": document(*trust), "Policies": policies, **more}
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def trusts(principal: dict[str, str], actions: list[str], **condition: Any) -> dict[str, Any]:
    made = {"Effect": "Allow", "Principal": principal, "Action": actions}
    return {**made, "Condition": condition} if condition else made


def endpoint(service: str, *statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    properties = {"ServiceName": f"com.amazonaws.eu-west-2.{service}", "VpcId": "vpc-1", **more}
    if statements:
        properties["PolicyDocument"] = document(*({"Principal": "*", **statement} for statement in statements))
    return {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}


def template() -> dict[str, Any]:
    """A persona, a host that may become it, a signing function, and one function outside the VPC."""
    host_trust = [trusts({"Service": "bedrock-agentcore.amazonaws.com"}, ["sts:AssumeRole"])]
    host_trust[0]["Condition"] = {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock-agentcore:eu-west-2:{ACCOUNT}:runtime/ringfence_auditor_iam-*"},
    }
    named = {"StringLike": {"sts:SourceIdentity": "?*"}}
    tags = {"ForAllValues:StringEquals": {"aws:TagKeys": ["persona", "call"]}}
    person = {"AWS": HOST}
    own_key = {"Fn::GetAtt": ["Signing", "Arn"]}
    runtime = {
        "AgentRuntimeName": "ringfence_auditor_iam",
        "RoleArn": {"Fn::GetAtt": ["Host", "Arn"]},
        "NetworkConfiguration": {"NetworkMode": "VPC"},
    }
    lambda_trust = trusts({"Service": "lambda.amazonaws.com"}, ["sts:AssumeRole"])
    key_policy = document(
        {**allow("Account", ["kms:*"]), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
        {**deny("OnlyTheFunctionSigns", ["kms:Sign"]), "Principal": "*"}
        | {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": FUNCTION}}},
    )
    return {
        "Resources": {
            "Boundary": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": document(allow("Edge", ["*"]), deny("NoUsers", ["iam:CreateUser"]))},
            },
            "Persona": role(
                "auditor",
                [
                    trusts(person, ["sts:AssumeRole"], **named),
                    trusts(person, ["sts:SetSourceIdentity"], **named),
                    trusts(person, ["sts:TagSession"], **tags),
                ],
                allow("Read", ["iam:List*", "iam:Get*", "iam:CreateUser", "logs:*", "cloudtrail:LookupEvents"]),
                allow("Alarms", ["cloudwatch:*"]),
                allow("Chain", ["sts:*"], PERSONA),
                PermissionsBoundary={"Ref": "Boundary"},
                Tags=[{"Key": "team", "Value": "blue"}],
            ),
            "Host": role(
                "host",
                host_trust,
                allow("Become", ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"], PERSONA),
                allow("Verify", ["kms:GetPublicKey"], own_key),
                allow("Everything", ["s3:*", "dynamodb:*"]),
                allow("SignToo", ["kms:Sign", "kms:UpdateAlias"], own_key),
            ),
            "Function": role("function", [lambda_trust], allow("Sign", ["kms:Sign"], own_key)),
            "Outside": role("outside", [lambda_trust], allow("All", ["*"])),
            "Analyst": role(
                "analyst",
                [lambda_trust],
                allow("Queries", ["athena:*"], f"arn:aws:athena:eu-west-2:{ACCOUNT}:workgroup/boats"),
                allow("Sandbox", ["glue:CancelStatement"], f"{GLUE}:session/*", Condition=SANDBOX),
                allow("Tables", ["glue:*"], [f"{GLUE}:catalog", f"{GLUE}:database/boats", f"{GLUE}:table/boats/*"]),
            ),
            "Runtime": {"Type": "AWS::BedrockAgentCore::Runtime", "Properties": runtime},
            "Lambda": lambda_function("Function", SubnetIds=["subnet-1"], SecurityGroupIds=["sg-1"]),
            "OutsideLambda": lambda_function("Outside"),
            "AnalystLambda": lambda_function("Analyst"),
            "Signing": {
                "Type": "AWS::KMS::Key",
                "Properties": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY", "KeyPolicy": key_policy},
            },
            "Log": {
                "Type": "AWS::Logs::LogGroup",
                "Properties": {"LogGroupName": "/example/app", "RetentionInDays": 731},
            },
            "TrailLog": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/example/trail"}},
            "Trail": {
                "Type": "AWS::CloudTrail::Trail",
                "Properties": {
                    "IsLogging": True,
                    "IsMultiRegionTrail": True,
                    "S3BucketName": "example",
                    "CloudWatchLogsLogGroupArn": {"Fn::GetAtt": ["TrailLog", "Arn"]},
                },
            },
            "IamEndpoint": endpoint("iam", ServiceRegion="us-east-1")
            | {"Properties": {"ServiceName": "com.amazonaws.iam", "ServiceRegion": "us-east-1", "VpcId": "vpc-1"}},
            "StsEndpoint": endpoint("sts"),
            "KmsEndpoint": endpoint("kms"),
            "LogsEndpoint": endpoint("logs", deny("NoDeleting", ["logs:Delete*"]), allow("Rest", ["*"])),
            "TrailEndpoint": endpoint("cloudtrail"),
            "MonitoringEndpoint": endpoint("monitoring"),
        }
    }


def lambda_function(role_id: str, **network: Any) -> dict[str, Any]:
    properties = {"Role": {"Fn::GetAtt": [role_id, "Arn"]}, "Code": {"S3Key": "x.zip"}}
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {**properties, "VpcConfig": network} if network else properties,
    }


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    folder: Path = tmp_path_factory.mktemp("assembly")
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{ACCOUNT}/eu-west-2",
        "properties": {"templateFile": "one.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"one": artifact}}))
    (folder / "one.json").write_text(json.dumps(template()))
    loaded = Assembly.load(folder)
    loaded.check()
    return loaded


@pytest.fixture
def aws(assembly: Assembly) -> Iterator[LocalAws]:
    with LocalAws(assembly) as running:
        yield running


@pytest.fixture
def connect(aws: LocalAws) -> Client:
    def client(service: str, credentials: dict[str, str], region: str = "eu-west-2", **more: Any) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=aws.endpoint_url,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            config=Config(retries={"total_max_attempts": 1}, **more),
        )

    return client


@pytest.fixture
def host(aws: LocalAws) -> dict[str, str]:
    return aws.issue_credentials(HOST, "host-1")


@pytest.fixture
def become(connect: Client, host: dict[str, str]) -> Callable[..., dict[str, str]]:
    """Assumes the persona role as the host does for one call."""

    def assume(**changes: Any) -> dict[str, str]:
        request = {
            "RoleArn": PERSONA,
            "RoleSessionName": "01CALL",
            "SourceIdentity": "staff-0001",
            "Tags": [{"Key": "persona", "Value": "auditor"}, {"Key": "call", "Value": "01CALL"}],
            "TransitiveTagKeys": ["persona", "call"],
            "DurationSeconds": 900,
            "Policy": json.dumps(TOOL_POLICY),
            **changes,
        }
        sent = {name: value for name, value in request.items() if value is not None}
        issued: dict[str, str] = connect("sts", host).assume_role(**sent)["Credentials"]
        return issued

    return assume


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


# Who may do what


def test_a_call_within_every_layer_works(aws: LocalAws, connect: Client, become: Callable[..., Any]) -> None:
    users = connect("iam", become()).list_users()["Users"]
    assert "example-service-user" in [user["UserName"] for user in users]
    call = aws.record[-1]
    assert (call.call, call.decision, call.region) == ("iam:ListUsers", "allowed", "us-east-1")


def test_the_session_policy_limits_the_call_to_its_tool(connect: Client, become: Callable[..., Any]) -> None:
    code, message = refused(connect("iam", become()).list_roles)
    assert code == "AccessDenied"
    assert "assumed-role/auditor/01CALL is not authorized to perform: iam:ListRoles on resource: *" in message
    assert message.endswith("because no session policy allows the iam:ListRoles action")


def test_without_a_session_policy_the_same_call_works(connect: Client, become: Callable[..., Any]) -> None:
    assert connect("iam", become(Policy=None)).list_roles()["Roles"]


def test_the_boundary_denies_what_role_and_session_allow(
    aws: LocalAws, connect: Client, become: Callable[..., Any]
) -> None:
    client = connect("iam", become())
    code, message = refused(client.create_user, UserName="intruder")
    assert (code, aws.record[-1].policy_type, aws.record[-1].sid) == ("AccessDenied", "boundary", "NoUsers")
    assert message.endswith("with an explicit deny in a permissions boundary")
    assert "intruder" not in [user["UserName"] for user in client.list_users()["Users"]]


def test_a_service_without_an_endpoint_is_out_of_reach(aws: LocalAws, connect: Client, host: dict[str, str]) -> None:
    code, message = refused(connect("dynamodb", host).list_tables)
    assert (code, aws.record[-1].policy_type) == ("EndpointUnreachable", "network")
    assert "dynamodb in eu-west-2 has no VPC endpoint" in message


def test_another_region_is_out_of_reach(connect: Client, become: Callable[..., Any]) -> None:
    code, _ = refused(connect("cloudwatch", become(Policy=None), "us-east-1").describe_alarms)
    assert code == "EndpointUnreachable"


def test_code_outside_the_vpc_needs_no_endpoint(aws: LocalAws, connect: Client) -> None:
    outside = aws.issue_credentials(OUTSIDE, "outside-1")
    assert connect("dynamodb", outside).list_tables()["TableNames"] == []


def test_the_endpoint_policy_counts(aws: LocalAws, connect: Client, become: Callable[..., Any]) -> None:
    code, message = refused(connect("logs", become(Policy=None)).delete_log_group, logGroupName="/example/app")
    assert (code, aws.record[-1].policy_type, aws.record[-1].sid) == ("AccessDeniedException", "endpoint", "NoDeleting")
    assert message.endswith("with an explicit deny in a VPC endpoint policy")


def test_an_action_whose_resource_is_unknown_is_refused_by_name(
    aws: LocalAws, connect: Client, host: dict[str, str]
) -> None:
    client = connect("kms", host)
    code, message = refused(client.update_alias, AliasName="alias/x", TargetKeyId="x")
    assert (code, aws.record[-1].policy_type, aws.record[-1].decision) == ("UnmappedResource", "undecided", "refused")
    assert "The rehearsal does not know which resource this request of" in message
    assert "kms:UpdateAlias" in message


@pytest.mark.parametrize(
    ("service", "name", "within", "beyond"),
    [
        ("athena", "list_query_executions", {"WorkGroup": "boats"}, {"WorkGroup": "nets"}),
        ("athena", "list_query_executions", {"WorkGroup": "boats"}, {}),
        ("athena", "list_named_queries", {"WorkGroup": "boats"}, {"WorkGroup": "boats2"}),
        ("glue", "get_tables", {"DatabaseName": "boats"}, {"DatabaseName": "nets"}),
        (
            "glue",
            "get_partitions",
            {"DatabaseName": "boats", "TableName": "a"},
            {"DatabaseName": "n", "TableName": "a"},
        ),
    ],
)
def test_data_is_decided_by_its_workgroup_or_its_database(
    aws: LocalAws, connect: Client, service: str, name: str, within: dict[str, str], beyond: dict[str, str]
) -> None:
    client = connect(service, aws.issue_credentials(ANALYST, "analyst-1"))
    with suppress(ClientError):  # what is admitted need not be there
        getattr(client, name)(**within)
    assert (aws.record[-1].decision, aws.record[-1].error_code) != ("refused", "UnmappedResource")
    assert aws.record[-1].decision == "allowed"
    code, _ = refused(getattr(client, name), **beyond)
    assert (code, aws.record[-1].policy_type, aws.record[-1].decision) == (
        "AccessDeniedException",
        "identity",
        "refused",
    )


def test_an_athena_query_is_decided_by_the_workgroup_that_it_runs_in(aws: LocalAws, connect: Client) -> None:
    all_of_it = connect("athena", aws.issue_credentials(OUTSIDE, "outside-1"))
    ids = {}
    for group in ("boats", "nets"):
        all_of_it.create_work_group(Name=group, Configuration={})
        ids[group] = all_of_it.start_query_execution(QueryString="SELECT 1", WorkGroup=group)["QueryExecutionId"]
    analyst = connect("athena", aws.issue_credentials(ANALYST, "analyst-1"))
    assert analyst.get_query_execution(QueryExecutionId=ids["boats"])["QueryExecution"]["WorkGroup"] == "boats"
    for stranger in (ids["nets"], "00000000-0000-4000-8000-000000000000"):
        code, _ = refused(analyst.get_query_execution, QueryExecutionId=stranger)
        assert (code, aws.record[-1].policy_type) == ("AccessDeniedException", "identity")


def test_what_is_tagged_is_told_from_what_is_not(aws: LocalAws, connect: Client) -> None:
    aws.tag(f"{GLUE}:session/ours", {"ringfence:sandbox": "true"})
    aws.tag(f"{GLUE}:session/theirs", {"ringfence:sandbox": "false"})
    cancel = connect("glue", aws.issue_credentials(ANALYST, "analyst-1")).cancel_statement
    decisions = {}
    for session in ("ours", "theirs", "another"):
        refused(cancel, SessionId=session, Id=1)
        decisions[session] = (aws.record[-1].decision, aws.record[-1].error_code)
    refusal = ("refused", "AccessDeniedException")
    assert decisions == {"ours": ("allowed", "NotImplemented"), "theirs": refusal, "another": refusal}


def test_the_code_of_an_error_is_read_where_the_protocol_has_it(aws: LocalAws, connect: Client) -> None:
    client = connect("eks", aws.issue_credentials(OUTSIDE, "outside-1"))
    assert refused(client.describe_cluster, name="boats")[0] == "ResourceNotFoundException"


# Becoming a persona


def test_the_source_identity_is_demanded_by_the_trust_policy(
    aws: LocalAws, become: Callable[..., Any], connect: Client, host: dict[str, str]
) -> None:
    code, _ = refused(connect("sts", host).assume_role, RoleArn=PERSONA, RoleSessionName="01CALL")
    assert (code, aws.record[-1].policy_type) == ("AccessDenied", "trust")


def test_a_tag_beyond_the_trust_policy_is_refused(aws: LocalAws, become: Callable[..., Any]) -> None:
    code, message = refused(become, Tags=[{"Key": "persona", "Value": "a"}, {"Key": "admin", "Value": "yes"}])
    assert (code, aws.record[-1].policy_type) == ("AccessDenied", "trust")
    assert "sts:TagSession" in message


def test_an_unknown_role_cannot_be_assumed(become: Callable[..., Any]) -> None:
    code, _ = refused(become, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/nobody")
    assert code == "AccessDenied"


def test_a_function_may_not_become_a_persona(aws: LocalAws, connect: Client) -> None:
    credentials = aws.issue_credentials(FUNCTION, "fn")
    code, _ = refused(
        connect("sts", credentials).assume_role, RoleArn=PERSONA, RoleSessionName="x1", SourceIdentity="staff-0001"
    )
    assert (code, aws.record[-1].policy_type) == ("AccessDenied", "identity")


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"DurationSeconds": 3601}, "ValidationError", "role chaining"),
        ({"RoleSessionName": "has/slash"}, "ValidationError", "RoleSessionName must be"),
        ({"SourceIdentity": "has space"}, "ValidationError", "SourceIdentity must be"),
        ({"Policy": json.dumps({**TOOL_POLICY, "Id": "x" * 2048})}, "ValidationError", "STS accepts 2048"),
        ({"Policy": "{"}, "MalformedPolicyDocument", "cannot be read"),
        ({"Policy": json.dumps(document(deny("x", [])))[:-2]}, "MalformedPolicyDocument", "cannot be read"),
        ({"Tags": [{"Key": "call", "Value": "1"}, {"Key": "call", "Value": "2"}]}, "ValidationError", "each key once"),
    ],
)
def test_what_sts_would_not_accept_is_refused(
    become: Callable[..., Any], changes: dict[str, Any], code: str, says: str
) -> None:
    refusal = refused(become, **changes)
    assert refusal[0] == code
    assert says in refusal[1]


def test_a_chained_session_keeps_the_human_and_the_tags(aws: LocalAws, connect: Client, assembly: Assembly) -> None:
    first = aws._sessions.open(
        aws.role(HOST), "first", seconds=900, inside_vpc=True, source_identity="staff-0001",
        tags={"persona": "auditor", "team": "red"}, transitive=("persona",),
    )  # fmt: skip
    answer = connect("sts", first.credentials()).assume_role(RoleArn=PERSONA, RoleSessionName="second")
    assert answer["SourceIdentity"] == "staff-0001"
    second = aws._sessions.find(answer["Credentials"]["AccessKeyId"], answer["Credentials"]["SessionToken"])
    assert second.tags == {"persona": "auditor", "team": "blue"}
    code, message = refused(
        connect("sts", first.credentials()).assume_role,
        RoleArn=PERSONA, RoleSessionName="third", SourceIdentity="staff-0002",
    )  # fmt: skip
    assert (code, message) == ("AccessDenied", "A source identity cannot be changed once it is set.")


# Credentials


def test_a_service_must_be_trusted_with_its_source(aws: LocalAws, assembly: Assembly) -> None:
    with pytest.raises(AwsError, match="No function, runtime or gateway of the assembly runs under"):
        aws.issue_credentials(PERSONA, "x")
    with pytest.raises(AwsError, match="is no role of this assembly"):
        aws.issue_credentials(f"arn:aws:iam::{ACCOUNT}:role/nobody", "x")


def test_a_service_with_another_source_is_not_trusted(assembly: Assembly, tmp_path: Path) -> None:
    changed = template()
    changed["Resources"]["Runtime"]["Properties"]["AgentRuntimeName"] = "somebody_else"
    for file in assembly.path.iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "one.json").write_text(json.dumps(changed))
    with pytest.raises(AwsError, match=r"bedrock-agentcore\.amazonaws\.com for .* may not assume the role"):
        LocalAws(Assembly.load(tmp_path)).issue_credentials(HOST, "host-1")


@pytest.mark.parametrize("part", ["AccessKeyId", "SecretAccessKey", "SessionToken"])
@pytest.mark.parametrize("service", ["sts", "logs"])
def test_other_credentials_are_refused(connect: Client, host: dict[str, str], part: str, service: str) -> None:
    client = connect(service, {**host, part: "ASIAIOSFODNN7EXAMPLE"})
    code, _ = refused(client.get_caller_identity if service == "sts" else client.describe_log_groups)
    expected = {"sts": "InvalidClientTokenId", "logs": "UnrecognizedClientException"}[service]
    assert code == ("SignatureDoesNotMatch" if part == "SecretAccessKey" else expected)


def test_expired_credentials_are_refused(aws: LocalAws, connect: Client, host: dict[str, str]) -> None:
    session = aws._sessions.find(host["AccessKeyId"], host["SessionToken"])
    ended = replace(session, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    aws._sessions._sessions[session.access_key_id] = ended
    assert refused(connect("sts", host).get_caller_identity)[0] == "ExpiredToken"


# Keys


def test_the_function_signs_and_the_host_verifies(aws: LocalAws, connect: Client, host: dict[str, str]) -> None:
    import hashlib

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    (key,) = aws.assembly.of_type("AWS::KMS::Key")
    function = aws.issue_credentials(FUNCTION, "fn")
    signed = connect("kms", function).sign(
        KeyId=key.arn, Message=hashlib.sha256(b"text").digest(), MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
    )
    public = connect("kms", host).get_public_key(KeyId=key.arn)["PublicKey"]
    assert public == aws.public_key(key.arn)
    loaded = serialization.load_der_public_key(public)
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    loaded.verify(signed["Signature"], b"text", ec.ECDSA(hashes.SHA256()))


def test_the_key_policy_is_a_veto(aws: LocalAws, connect: Client, host: dict[str, str]) -> None:
    (key,) = aws.assembly.of_type("AWS::KMS::Key")
    arguments = {"Message": b"0" * 32, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    code, _ = refused(connect("kms", host).sign, KeyId=key.arn, **arguments)
    assert (code, aws.record[-1].policy_type, aws.record[-1].sid) == (
        "AccessDeniedException",
        "key",
        "OnlyTheFunctionSigns",
    )


# The record


def test_the_record_names_the_human_the_call_and_the_tool(
    aws: LocalAws, connect: Client, become: Callable[..., Any]
) -> None:
    connect("iam", become(), user_agent_extra="md/awslabs#mcp#iam-mcp-server#1.1.2").list_users()
    (call,) = aws.calls_for("01CALL")
    assert (call.source_identity, call.role, call.session_name) == ("staff-0001", PERSONA, "01CALL")
    assert call.session_policy_actions == ("iam:CreateUser", "iam:ListUsers")
    assert call.tags == {"persona": "auditor", "call": "01CALL", "team": "blue"}
    assert "md/awslabs#mcp#iam-mcp-server#1.1.2" in call.user_agent
    event = call.event
    assert event["userIdentity"]["sessionContext"]["sourceIdentity"] == "staff-0001"
    assert event["userIdentity"]["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/auditor/01CALL"
    assert (event["eventSource"], event["eventName"], event["awsRegion"]) == (
        "iam.amazonaws.com",
        "ListUsers",
        "us-east-1",
    )
    assert event["vpcEndpointId"].startswith("vpce-")
    assert event["requestID"] == call.request_id


def test_the_client_and_the_record_have_the_same_request_id(
    aws: LocalAws, connect: Client, become: Callable[..., Any]
) -> None:
    credentials = become(Policy=None)
    for service, operation in (
        ("iam", "list_users"),
        ("logs", "describe_log_groups"),
        ("cloudwatch", "describe_alarms"),
    ):
        answer = getattr(connect(service, credentials), operation)()
        assert answer["ResponseMetadata"]["RequestId"] == aws.record[-1].request_id, service


def test_assuming_is_recorded_with_what_was_issued(aws: LocalAws, become: Callable[..., Any]) -> None:
    issued = become()
    event = aws.record[-1].event
    assert event["requestParameters"]["principalTags"] == {"persona": "auditor", "call": "01CALL"}
    assert event["requestParameters"]["sourceIdentity"] == "staff-0001"
    assert event["responseElements"]["credentials"]["accessKeyId"] == issued["AccessKeyId"]
    assert issued["SecretAccessKey"] not in json.dumps(event)
    assert issued["SessionToken"] not in json.dumps(event)


def test_a_refusal_is_recorded_with_its_error(aws: LocalAws, connect: Client, become: Callable[..., Any]) -> None:
    refused(connect("iam", become()).list_roles)
    call = aws.record[-1]
    assert (call.decision, call.policy_type, call.error_code) == ("refused", "session", "AccessDenied")
    assert call.event["errorCode"] == "AccessDenied"
    assert "iam:ListRoles" in call.event["errorMessage"]


def test_an_allowed_call_that_fails_is_allowed_with_an_error(
    aws: LocalAws, connect: Client, become: Callable[..., Any]
) -> None:
    code, _ = refused(connect("iam", become(Policy=None)).get_user, UserName="nobody")
    assert (code, aws.record[-1].decision, aws.record[-1].error_code) == ("NoSuchEntity", "allowed", "NoSuchEntity")


def test_an_operation_nobody_emulates_says_so(aws: LocalAws, connect: Client, become: Callable[..., Any]) -> None:
    code, message = refused(connect("cloudwatch", become(Policy=None)).list_metric_streams)
    assert (code, message) == (
        "NotImplemented",
        "The rehearsal does not emulate cloudwatch ListMetricStreams; AWS would answer.",
    )


def test_every_event_reaches_the_trail(aws: LocalAws, connect: Client, become: Callable[..., Any]) -> None:
    connect("iam", become()).list_users()
    messages = [json.loads(event.message) for event in aws._moto.log_events("/example/trail")]
    assert ("ListUsers", "us-east-1") in [(event["eventName"], event["awsRegion"]) for event in messages]


# Callers side by side


def test_calls_in_parallel_are_recorded_under_their_own_session(
    aws: LocalAws, connect: Client, become: Callable[..., Any]
) -> None:
    clients = {f"01CALL{n}": connect("iam", become(RoleSessionName=f"01CALL{n}")) for n in range(6)}
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda client: [client.list_users() for _ in range(5)], clients.values()))
    for name in clients:
        assert [call.call for call in aws.calls_for(name)] == ["iam:ListUsers"] * 5


def test_nothing_leaves_the_machine(
    aws: LocalAws, connect: Client, become: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_socket = socket.socket.connect
    reached: list[Any] = []

    def watched(self: socket.socket, address: Any) -> Any:
        reached.append(address)
        return connect_socket(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    credentials = become(Policy=None)
    connect("iam", credentials).list_roles()
    connect("logs", credentials).describe_log_groups()
    assert {address[0] for address in reached} == {"127.0.0.1"}

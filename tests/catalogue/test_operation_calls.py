"""Each operation that a persona may hold, really called, makes the AWS calls that the catalogue declares for it.

The servers run with their write and sensitive flags, so that nothing stops before AWS. AWS's answers are examples made
from botocore's own models; what speaks XML goes to moto.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import threading
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import boto3
import botocore.session
import pytest
import requests
from botocore.model import OperationModel, ServiceModel, Shape
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from moto import mock_aws

from assets.local import packages
from governance.catalogue import Catalogue, load_catalogue
from governance.catalogue_files import Grant
from governance.servers import Server, Tool
from tests.waiting import LAST_RESORT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
PERSONA = "developer"
SERVERS = ("dataprocessing", "eks", "sagemaker", "serverless")

# The name a request is signed for: botocore's name of the service, and IAM's prefix.
SDK = {"elasticmapreduce": "emr", "monitoring": "cloudwatch"}
PREFIX = {"monitoring": "cloudwatch"}
# Calls whose permission has another name (Service Authorization Reference).
PERMISSION = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjectsV2": "s3:ListBucket",
}
# Permissions that AWS asks for beside the call's own.
BESIDE = re.compile(r"iam:PassRole|[\w-]+:(TagResource|AddTags)")
# Athena calls these itself, with the session of the caller.
BY_ATHENA = re.compile(r"(glue|s3):\w+")
LEVELS = ("read", "write")  # what the persona may hold at most
IDENTITY = "sts:GetCallerIdentity"
FROM_MOTO = ("cloudformation", "ec2", "iam", "monitoring", "s3", "sts")
# Where the calls are the SAM CLI's, which the host puts on the path: it is run in tests/runtime/test_sam.py.
NOT_DRIVEN = {
    "sam_build": "calls no AWS service",
    "sam_deploy": "uploads and waits for CloudFormation",
    "sam_init": "calls no AWS service",
    "sam_logs": "reads what a deployed function wrote",
}


@cache
def model(signed_for: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(SDK.get(signed_for, signed_for))


def example(shape: Shape, depth: int = 0) -> Any:
    """An answer of the shape, every member filled."""
    if shape.type_name == "structure":
        members = shape.members if depth < 6 else {}
        return {member.serialization.get("name", name): example(member, depth + 1) for name, member in members.items()}
    if shape.type_name == "list":
        return [example(shape.member, depth + 1)] if depth < 6 else []
    if shape.type_name == "map":
        return {"key": example(shape.value, depth + 1)} if depth < 6 else {}
    if shape.type_name == "string":
        return (getattr(shape, "enum", None) or ["text"])[0]
    simple = {"boolean": True, "timestamp": 1_763_800_000, "blob": base64.b64encode(b"{}").decode()}
    return simple.get(shape.type_name, 1)


class Aws(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Aws

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "Authorization" not in self.headers or "Credential=" not in self.headers["Authorization"]:
            self._answer(*kubernetes(self.path.partition("?")[0]))
            return
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", self.headers["Authorization"])
        assert scope is not None
        assert scope[1] == "eu-west-2", f"{scope[2]} was called in {scope[1]}"
        operation = self._operation(scope[2], body)
        action = f"{PREFIX.get(scope[2], scope[2])}:{operation.name}"
        self.server.calls.add(PERMISSION.get(action, action))
        if scope[2] not in FROM_MOTO:
            answer = example(operation.output_shape) if operation.output_shape else {}
            for token in ("NextToken", "nextToken", "Marker"):
                answer.pop(token, None)
            if action == "logs:GetQueryResults":
                answer["status"] = "Complete"
            if action == "eks:DescribeCluster":
                answer["cluster"] |= {"endpoint": self.server.url, "certificateAuthority": {"data": "bm9uZQ=="}}
            self._answer(200, answer)
            return
        host = "iam.amazonaws.com" if scope[2] == "iam" else f"{scope[2]}.eu-west-2.amazonaws.com"
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        response = requests.request(
            self.command, f"https://{host}{self.path}", data=body, headers=headers, timeout=LAST_RESORT_SECONDS
        )
        self._send(response.status_code, dict(response.headers), response.content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _any

    def _operation(self, signed_for: str, body: bytes) -> OperationModel:
        if "X-Amz-Target" in self.headers:
            return model(signed_for).operation_model(self.headers["X-Amz-Target"].rpartition(".")[2])
        if "/operation/" in self.path:
            return model(signed_for).operation_model(self.path.rpartition("/")[2])
        if b"Action=" in body:
            return model(signed_for).operation_model(parse_qs(body.decode())["Action"][0])
        return self._rest(signed_for)

    def _rest(self, signed_for: str) -> OperationModel:
        path, _, query = self.path.partition("?")
        found = []
        for name in model(signed_for).operation_names:
            if "Copy" in name and "x-amz-copy-source" not in self.headers:
                continue
            operation = model(signed_for).operation_model(name)
            form, _, wanted = operation.http["requestUri"].partition("?")
            pattern = re.sub(r"\\\{\w+(\\\+)?\\\}", lambda part: ".+" if part[1] else "[^/]+", re.escape(form))
            needs = [key for key in wanted.split("&") if key]
            if operation.http["method"] == self.command and re.fullmatch(pattern + "/?", unquote(path)):
                if all(key.partition("=")[0] in query for key in needs):
                    found.append((len(needs), -len(re.findall(r"\[", pattern)), len(found), operation))
        assert found, f"{signed_for}: {self.command} {self.path}"
        return max(found, key=lambda entry: entry[:2])[3]

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        self._send(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "connection", "transfer-encoding", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def kubernetes(path: str) -> tuple[int, dict[str, Any]]:
    """A cluster with Services and nothing else."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}}
    verbs = {"namespaced": True, "verbs": ["get", "list", "create", "delete", "patch", "update"]}
    if path == "/api":
        return 200, {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
    if path == "/api/v1":
        kinds = [{"name": f"{kind.lower()}s", "kind": kind, **verbs} for kind in ("Service", "Event", "Pod")]
        return 200, {"kind": "APIResourceList", "groupVersion": "v1", "resources": kinds}
    if path.endswith("s"):
        return 200, {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": []}
    return 200, service


@pytest.fixture
def aws() -> Iterator[Aws]:
    with Aws() as server, mock_aws():
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "catalogue")


# What the tools are called with, as far as a tool has such an argument.
ARGUMENTS: dict[str, Any] = {
    "account": "111122223333",
    "api_version": "v1",
    "application_id": "00example0000001",
    "application_type": "backend",
    "bucket_name": "ringfence-sandbox-data",
    "catalog_name": "AwsDataCatalog",
    "cluster_id": "j-EXAMPLE000001",
    "cluster_ids": ["j-EXAMPLE000001"],
    "cluster_name": "example",
    "cluster_uuid": "00000000-0000",
    "code_content": "print(1)",
    "configuration": {},
    "crawler_name": "c",
    "crawler_names": ["c"],
    "database": "d",
    "database_name": "d",
    "deployment_type": "backend",
    "dimensions": {"ClusterName": "example"},
    "function_name": "f",
    "instance_fleet": {"InstanceFleetType": "TASK", "TargetOnDemandCapacity": 1},
    "instance_fleet_config": {"InstanceFleetId": "if-1", "TargetOnDemandCapacity": 1},
    "instance_fleet_id": "if-1",
    "instance_group_configs": [{"InstanceGroupId": "ig-1", "InstanceCount": 1}],
    "job_name": "j",
    "job_run_id": "jr_1",
    "job_run_ids": ["jr_1"],
    "keywords": "order",
    "kind": "Service",
    "log_type": "application",
    "metric_name": "cpu",
    "name": "web",
    "namespace": "default",
    "named_query_id": "00000000-0000-4000-8000-000000000000",
    "named_query_ids": ["00000000-0000-4000-8000-000000000000"],
    "node_id": "i-0123456789abcdef0",
    "node_ids": ["i-0123456789abcdef0"],
    "optimization_targets": ["cost"],
    "partition_values": ["2026"],
    "partition_input": {"Values": ["2026"]},
    "pod_name": "web",
    "project_name": "p",
    "query_execution_id": "00000000-0000-4000-8000-000000000000",
    "query_execution_ids": ["00000000-0000-4000-8000-000000000000"],
    "query_string": "SELECT 1",
    "queue_name": "q",
    "region": "eu-west-2",
    "region_name": "eu-west-2",
    "registry_name": "example",
    "release_label": "emr-7.9.0",
    "resource_type": "pod",
    "role_name": "r",
    "s3_key": "a.py",
    "schema_name": "order",
    "security_configuration_name": "s",
    "search_text": "order",
    "session_id": "s",
    "stack_name": "stack",
    "statement_id": 1,
    "step_concurrency_level": 2,
    "step_id": "s-1",
    "step_ids": ["s-1"],
    "stream_name": "s",
    "table_input": {"Name": "t"},
    "table_name": "t",
    "termination_protected": True,
    "trigger_name": "t",
    "type": "SPARK",
    "use_case": "api",
    "work_group": "w",
    "workflow_definition": {},
    "workflow_name": "w",
}
# Where the same word means something else.
OF_TOOL: dict[str, dict[str, Any]] = {
    "get_cloudwatch_metrics": {"dimensions": {}, "namespace": "ContainerInsights"},
    "manage_aws_athena_workgroups": {"configuration": None, "name": "w"},
    "manage_aws_emr_ec2_instances": {
        "instance_groups": [{"InstanceRole": "TASK", "InstanceType": "m5.xlarge", "InstanceCount": 1}]
    },
    "get_metrics": {"resources": ["lambda"]},
    "get_iac_guidance": {"iac_tool": "SAM"},
}
OF_OPERATION: dict[tuple[str, str], dict[str, Any]] = {
    ("manage_k8s_resource", "create"): {"body": {"spec": {}}},
    ("manage_k8s_resource", "replace"): {"body": {"spec": {}}},
    ("manage_k8s_resource", "patch"): {"body": {"spec": {}}},
    ("manage_aws_glue_tables", "create-table"): {"table_input": {}},
    ("manage_aws_athena_named_queries", "update-named-query"): {"database": None},
    ("manage_aws_emr_serverless_applications", "update-application"): {
        "name": None,
        "release_label": None,
        "type": None,
    },
}
# Two answers each: with an insight's id the tool describes it, without it lists them.
ALSO: dict[str, dict[str, Any]] = {"get_eks_insights": {"insight_id": "00000000"}}


def arguments_of(tool: Tool, operation: str) -> dict[str, Any]:
    properties = tool.definition["inputSchema"].get("properties", {})
    chosen = {**ARGUMENTS, **OF_TOOL.get(tool.name, {}), **OF_OPERATION.get((tool.name, operation), {})}
    if operation:
        chosen[tool.operation] = operation
    return {name: value for name, value in chosen.items() if name in properties and value is not None}


def declared(grants: tuple[Grant, ...], tool: Tool) -> set[str]:
    actions = {action for grant in grants for action in grant.actions if not BESIDE.fullmatch(action)}
    if "athena" in tool.name:
        actions = {action for action in actions if not BY_ATHENA.fullmatch(action)}
    return actions


def units(server: Server, tools: set[str]) -> Iterator[tuple[Tool, str, tuple[Grant, ...]]]:
    for name in sorted(tools):
        tool = server.tools[name]
        for operation, each in tool.operations.items():
            if each.level in LEVELS and not each.refused:
                yield tool, operation, each.grants
        if not tool.operation:
            yield tool, "", tool.grants


@pytest.mark.slow
@pytest.mark.parametrize("name", SERVERS)
async def test_each_operation_makes_the_calls_it_declares(
    name: str, catalogue: Catalogue, aws: Aws, tmp_path: Path
) -> None:
    server = catalogue.servers[name]
    tools = {grant.partition(".")[0] for grant in catalogue.personas[PERSONA].servers[name]}
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", server.module, *server.flags, *server.write_flags, *server.sensitive_flags],
        cwd=tmp_path,
        env={
            **server.environment,
            "HOME": str(tmp_path),
            "PYTHONPATH": str(packages(name)),
            "AWS_REGION": "eu-west-2",
            "AWS_DEFAULT_REGION": "eu-west-2",
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "EXAMPLE",
            "AWS_MAX_ATTEMPTS": "1",
        },
    )
    ARGUMENTS.update(furnish())
    wrong, seen = [], []
    with (tmp_path / "stderr").open("w") as stderr:
        async with stdio_client(parameters, errlog=stderr) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            for tool, operation, grants in units(server, tools - NOT_DRIVEN.keys()):
                aws.calls.clear()
                arguments = arguments_of(tool, operation)
                if "cluster_name" in arguments:
                    # The eks server asks AWS for a cluster once and keeps the answer.
                    arguments["cluster_name"] += f"-{len(seen)}"
                seen.append(tool.name)
                result = await session.call_tool(tool.name, arguments)
                if tool.name in ALSO:
                    await session.call_tool(tool.name, arguments | ALSO[tool.name])
                # Who one is, the server asks once and keeps.
                made, expected = aws.calls - {IDENTITY}, declared(grants, tool) - {IDENTITY}
                if made != expected:
                    said = str(result.content)[:300]
                    wrong.append(f"{tool.name} {operation}: {sorted(made)}, declares {sorted(expected)}: {said}")
    assert not wrong, "\n".join([*wrong, (tmp_path / "stderr").read_text()[-3000:]])


def furnish() -> dict[str, Any]:
    """Makes what the tools look for in services that moto answers, and returns the names that moto chose."""
    london = {"region_name": "eu-west-2"}
    s3, iam = boto3.client("s3", **london), boto3.client("iam", **london)
    for bucket in ("ringfence-sandbox-data", "glue-data"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    policy = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    )
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=policy)
    iam.put_role_policy(RoleName="r", PolicyName="i", PolicyDocument=policy)
    managed = iam.create_policy(PolicyName="p", PolicyDocument=policy)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=managed)
    vpc = boto3.client("ec2", **london).create_vpc(CidrBlock="192.0.2.0/24")["Vpc"]["VpcId"]
    return {"vpc_id": vpc}


def test_little_is_not_driven(catalogue: Catalogue) -> None:
    held = [
        tool.name
        for name in SERVERS
        for tool, _, _ in units(
            catalogue.servers[name],
            {grant.partition(".")[0] for grant in catalogue.personas[PERSONA].servers[name]},
        )
    ]
    assert set(held) >= NOT_DRIVEN.keys()
    assert sum(name not in NOT_DRIVEN for name in held) / len(held) > 0.95

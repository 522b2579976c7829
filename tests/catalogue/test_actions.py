"""Each tool that nobody is granted, really called, makes exactly the AWS calls that the catalogue declares for it.

Those that somebody holds are called in `test_driven_calls.py`.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
import tomllib
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from moto import mock_aws

from ringfence.assets.local import packages
from ringfence.catalogue.catalogue import load_catalogue
from tests.waiting import LAST_RESORT_SECONDS

CATALOGUE = Path(__file__).resolve().parents[2] / "catalogue"
GROUP = "arn:aws:logs:eu-west-2:123456789012:log-group:app"
STORE = "arn:aws:cloudtrail:eu-west-2:123456789012:eventdatastore/EXAMPLE-0000"
SECOND = {"start_time": "2026-11-22T09:00:00+00:00", "end_time": "2026-11-22T09:00:01+00:00"}
QUERY = "00000000-0000-4000-8000-000000000000"
NOW = int(time.time() * 1000)

# What moto does not know, or answers with an error. The rest goes to moto.
ANSWERS: dict[str, dict[str, Any]] = {
    "cloudtrail:StartQuery": {"QueryId": QUERY},
    "cloudtrail:DescribeQuery": {"QueryId": QUERY, "QueryStatus": "FINISHED"},
    "cloudtrail:GetQueryResults": {"QueryStatus": "FINISHED", "QueryResultRows": []},
    "cloudtrail:ListEventDataStores": {"EventDataStores": [{"EventDataStoreArn": STORE, "Name": "events"}]},
    "cloudtrail:GetEventDataStore": {"EventDataStoreArn": STORE, "Name": "events"},
    "logs:DescribeAccountPolicies": {"accountPolicies": []},
    "logs:DescribeIndexPolicies": {"indexPolicies": []},
    "logs:DescribeLogGroups": {
        "logGroups": [
            {"logGroupName": "app", "logGroupArn": GROUP, "creationTime": NOW, "metricFilterCount": 0, "storedBytes": 1}
        ]
    },
    "logs:DescribeQueries": {
        "queries": [
            {"queryString": "filter code = 500", "createTime": NOW, "logGroupName": "app", "status": "Complete"}
        ]
    },
    "logs:DescribeQueryDefinitions": {"queryDefinitions": []},
    "logs:GetQueryResults": {"status": "Complete", "results": [[{"field": "code", "value": "500"}]]},
    "logs:StartQuery": {"queryId": QUERY},
    "logs:StopQuery": {"success": True},
}


class RecordingAws(ThreadingHTTPServer):
    """An AWS endpoint on loopback that notes each call's action and signed region, then answers it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[tuple[str, str]] = []
        self.answers = dict(ANSWERS)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def client(self, service: str) -> Any:
        """A client that goes through this endpoint too, for setting the scene."""
        keys = {"aws_access_key_id": "EXAMPLE", "aws_secret_access_key": "EXAMPLE"}
        return boto3.client(service, endpoint_url=self.url, region_name="eu-west-2", **keys)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RecordingAws

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", self.headers["Authorization"])
        assert scope is not None
        region, service = scope.groups()
        action = f"{service}:{self._operation(body)}"
        self.server.calls.append((action, region))
        if action in self.server.answers:
            self._answer(
                200, {"Content-Type": self.headers["Content-Type"]}, json.dumps(self.server.answers[action]).encode()
            )
            return
        # moto answers in this process: it catches every request that goes to an AWS host.
        host = "iam.amazonaws.com" if service == "iam" else f"{service}.{region}.amazonaws.com"
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        response = requests.post(f"https://{host}{self.path}", data=body, headers=headers, timeout=LAST_RESORT_SECONDS)
        self._answer(response.status_code, dict(response.headers), response.content)

    def _operation(self, body: bytes) -> str:
        if "X-Amz-Target" in self.headers:
            return self.headers["X-Amz-Target"].rpartition(".")[2]
        return urllib.parse.parse_qs(body.decode())["Action"][0]

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "connection", "transfer-encoding", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def aws() -> Iterator[RecordingAws]:
    with RecordingAws() as server, mock_aws():
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def declared(server: str, tool: str) -> set[str]:
    rules = tomllib.loads((CATALOGUE / "servers" / server / "server.toml").read_text())["tools"]
    return {action for grant in rules[tool]["grants"] for action in grant["actions"]}


def start(server: str, url: str, home: Path, *flags: str) -> StdioServerParameters:
    described = tomllib.loads((CATALOGUE / "servers" / server / "server.toml").read_text())
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", described["module"], *flags],
        cwd=home,
        env={
            **described["environment"],
            "HOME": str(home),
            "PYTHONPATH": str(packages(server)),
            "AWS_REGION": "eu-west-2",
            "AWS_DEFAULT_REGION": "eu-west-2",
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "EXAMPLE",
            "AWS_MAX_ATTEMPTS": "1",
        },
    )


async def hold_to_declaration(
    server: str,
    cases: list[tuple[str, dict[str, Any]]],
    *,
    aws: RecordingAws,
    home: Path,
    region: str,
    flags: tuple[str, ...] = (),
    changes: dict[str, dict[str, Any]] | None = None,
) -> set[str]:
    """Calls the tools in order and compares; returns the names called.

    `changes` holds answers of AWS that change when the named tool is called.
    """
    wrong = []
    with (home / "stderr").open("w") as stderr:
        async with (
            stdio_client(start(server, aws.url, home, *flags), errlog=stderr) as (read, write),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            for tool, arguments in cases:
                aws.calls.clear()
                aws.answers.update((changes or {}).get(tool, {}))
                result = await session.call_tool(tool, arguments)
                expected = {(action, region) for action in declared(server, tool)}
                if set(aws.calls) != expected:
                    wrong.append(f"{tool} made {sorted(set(aws.calls))}, declares {sorted(expected)}")
                if result.is_error:
                    wrong.append(f"{tool}: {result}")
    assert not wrong, "\n".join([*wrong, (home / "stderr").read_text()[-4000:]])
    return {tool for tool, _ in cases}


def tools_nobody_holds(server: str) -> set[str]:
    tools = tomllib.loads((CATALOGUE / "servers" / server / "server.toml").read_text())["tools"]
    personas = load_catalogue().personas.values()
    return set(tools) - {grant.partition(".")[0] for each in personas for grant in each.servers.get(server, ())}


POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::example/a"}],
    }
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}],
    }
)


async def test_iam(aws: RecordingAws, tmp_path: Path) -> None:
    client = aws.client("iam")
    policy = client.create_policy(PolicyName="p", PolicyDocument=POLICY)["Policy"]["Arn"]
    # Forced deletion makes all its calls only where there is everything to remove.
    furnish(client, user="full", group="full", policy=policy)
    client.create_user(UserName="keyed")
    key = client.create_access_key(UserName="keyed")["AccessKey"]["AccessKeyId"]

    ctx, yes = {"ctx": {"content": []}}, {"confirmed": True}
    user, group, role = {"user_name": "u"}, {"group_name": "g"}, {"role_name": "r"}
    managed, inline, document = {"policy_arn": policy}, {"policy_name": "i"}, {"policy_document": POLICY}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("create_user", {**ctx, **user, **yes}),
        ("create_group", {**group, **yes}),
        ("create_role", {**role, "assume_role_policy_document": TRUST, **yes}),
        ("add_user_to_group", {**user, **group, **yes}),
        ("attach_user_policy", {**user, **managed, **yes}),
        ("attach_group_policy", {**group, **managed, **yes}),
        ("put_user_policy", {**user, **inline, **document, **yes}),
        ("put_role_policy", {**role, **inline, **document, **yes}),
        ("create_access_key", {**user, **yes}),
        ("delete_role_policy", {**role, **inline, **yes}),
        ("delete_user_policy", {**user, **inline, **yes}),
        ("detach_user_policy", {**user, **managed, **yes}),
        ("detach_group_policy", {**group, **managed, **yes}),
        ("remove_user_from_group", {**user, **group, **yes}),
        ("delete_access_key", {"user_name": "keyed", "access_key_id": key, **yes}),
        ("delete_user", {"user_name": "full", "force": True, **yes}),
        ("delete_group", {"group_name": "full", "force": True, **yes}),
    ]
    called = await hold_to_declaration(
        "iam",
        cases,
        aws=aws,
        home=tmp_path,
        # In AWS these calls carry us-east-1; with an endpoint of one's own, botocore signs with the client's region.
        region="eu-west-2",
        # Elsewhere we never pass this; here the writes are to show what they would call.
        flags=("--allow-write",),
    )
    assert called == tools_nobody_holds("iam")


def furnish(client: Any, *, user: str, group: str, policy: str) -> None:
    """Makes a user and a group with one of each thing that either can have; another user stays in the group."""
    client.create_group(GroupName=group)
    for member in (user, "other"):
        client.create_user(UserName=member)
        client.add_user_to_group(GroupName=group, UserName=member)
    client.create_access_key(UserName=user)
    client.attach_user_policy(UserName=user, PolicyArn=policy)
    client.put_user_policy(UserName=user, PolicyName="i", PolicyDocument=POLICY)
    client.attach_group_policy(GroupName=group, PolicyArn=policy)
    client.put_group_policy(GroupName=group, PolicyName="i", PolicyDocument=POLICY)


async def test_cloudtrail(aws: RecordingAws, tmp_path: Path) -> None:
    london = {"region": "eu-west-2"}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("lake_query", {"sql": "SELECT 1", **london}),
        ("get_query_status", {"query_id": QUERY, **london}),
        ("get_query_results", {"query_id": QUERY, **london}),
        ("list_event_data_stores", london),
    ]
    called = await hold_to_declaration("cloudtrail", cases, aws=aws, home=tmp_path, region="eu-west-2")
    assert called == tools_nobody_holds("cloudtrail")


@pytest.mark.slow
async def test_cloudwatch(aws: RecordingAws, tmp_path: Path) -> None:
    london = {"region": "eu-west-2"}
    batch = {"log_group_names": ["app"], "regions": ["eu-west-2"], "query_string": "x", "max_timeout": 1, **SECOND}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("cancel_logs_insight_query", {"query_id": QUERY, **london}),
        ("recommend_indexes_loggroup", {"log_group_identifier": "app", **london}),
        ("recommend_indexes_account", london),
        ("execute_cwl_insights_batch", batch),
    ]
    # A query that does not end in time is stopped.
    running = {"logs:GetQueryResults": {"status": "Running", "results": []}}
    called = await hold_to_declaration(
        "cloudwatch",
        cases,
        aws=aws,
        home=tmp_path,
        region="eu-west-2",
        changes={"execute_cwl_insights_batch": running},
    )
    # The PromQL tools go to AWS whatever AWS_ENDPOINT_URL says: that is why nobody is granted one.
    assert tools_nobody_holds("cloudwatch") - called == {
        "execute_promql_query",
        "execute_promql_range_query",
        "get_promql_label_values",
        "get_promql_labels",
        "get_promql_series",
    }

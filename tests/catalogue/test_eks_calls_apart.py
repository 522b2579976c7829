"""Two calls of the real eks server, with other credentials and other rights: the second is decided anew.

The server with its shim runs against a cluster and EKS on loopback, which also lends it credentials as the host does.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from ringfence.assets.local import packages

BASE = "/api/v1/namespaces/default/configmaps"


class Account(ThreadingHTTPServer):
    """EKS, a cluster and the lender of credentials, with what each was asked.

    Attributes:
        key: the access key on loan.
        tagged: whether DescribeCluster is allowed, as IAM allows it for a tagged cluster.
        described: the access keys that signed DescribeCluster, in order.
        seen: the access keys in the Kubernetes tokens of writes, in order.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.key = ""
        self.tagged = True
        self.described: list[str] = []
        self.seen: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answers(BaseHTTPRequestHandler):
    server: Account

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/credentials":
            soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
            lent = {
                "AccessKeyId": self.server.key,
                "SecretAccessKey": "EXAMPLE",
                "Token": "EXAMPLE",
                "Expiration": soon,
            }
            return self._answer(200, lent)
        if path.startswith("/clusters/"):
            self.server.described.append(self.headers["Authorization"].partition("Credential=")[2].partition("/")[0])
            if not self.server.tagged:
                return self._answer(403, {"message": "not authorized to perform: eks:DescribeCluster"})
            certificate = base64.b64encode(b"none: the endpoint is plain HTTP").decode()
            cluster = {"endpoint": self.server.address, "certificateAuthority": {"data": certificate}}
            return self._answer(200, {"cluster": cluster})
        kinds = [{"name": "configmaps", "singularName": "", "namespaced": True, "kind": "ConfigMap", "verbs": ["get"]}]
        known = {
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
            "/version": {"major": "1", "minor": "34"},
            "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": kinds},
            BASE: {"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {}, "items": []},
        }
        return self._answer(200 if path in known else 404, known.get(path, {"kind": "Status", "code": 404}))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        token = self.headers["authorization"].rpartition("k8s-aws-v1.")[2]
        signed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        self.server.seen.append(signed.partition("X-Amz-Credential=")[2].partition("%2F")[0])
        self._answer(201, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "default"}})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def account() -> Iterator[Account]:
    with Account() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


LIST = ("list_k8s_resources", {"cluster_name": "c", "api_version": "v1", "kind": "ConfigMap", "namespace": "default"})
CREATE = (
    "manage_k8s_resource",
    {
        "operation": "create",
        "cluster_name": "c",
        "api_version": "v1",
        "kind": "ConfigMap",
        "name": "x",
        "namespace": "default",
        "body": {"data": {"a": "b"}},
    },
)


async def test_the_second_call_asks_for_the_cluster_anew_and_signs_as_itself(account: Account, tmp_path: Path) -> None:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "awslabs.eks_mcp_server.server", "--allow-write", "--allow-sensitive-data-access"],
        cwd=tmp_path,
        env={
            "HOME": str(tmp_path),
            "PYTHONPATH": str(packages("eks")),
            "AWS_REGION": "eu-west-2",
            "AWS_DEFAULT_REGION": "eu-west-2",
            "AWS_ENDPOINT_URL": account.address,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{account.address}/credentials",
        },
    )
    with (tmp_path / "stderr").open("w") as stderr:
        async with stdio_client(parameters, errlog=stderr) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            account.key = "AKIAFIRST"
            listed = await session.call_tool(*LIST)
            account.key = "AKIASECOND"
            made = await session.call_tool(*CREATE)
            account.key, account.tagged = "AKIATHIRD", False
            refused = await session.call_tool(*CREATE)

    assert "Successfully" in str(listed), listed
    assert "Successfully created" in str(made), made
    assert "Successfully" not in str(refused), "the tag was not looked at again"
    assert account.described[0] == "AKIAFIRST"
    assert {"AKIASECOND", "AKIATHIRD"} <= set(account.described)
    assert account.seen == ["AKIASECOND"], "the token named another call"

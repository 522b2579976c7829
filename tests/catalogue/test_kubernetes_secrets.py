"""Kubernetes Secrets cannot be read through the eks server: its own gate has holes, and the argument rules close them.

The real server runs in read-only mode against a Kubernetes API on loopback. Each hole is shown to be there first:
should a later version close one, this says so.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from callpath.arguments import ToolRule, check_arguments
from callpath.refusal import Refusal
from ringfence.assets.local import packages
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.catalogue.shown.published import published_definition
from ringfence.department.department import load_department

ROOT = Path(__file__).resolve().parents[2]
HIDDEN = "c3dvcmRmaXNo"
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {
        "name": "database",
        "namespace": "default",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": f'{{"data":{{"password":"{HIDDEN}"}}}}'},
    },
    "data": {"password": HIDDEN},
}
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}}


def _kind(kind: str, plural: str) -> dict[str, Any]:
    return {"name": plural, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": ["get", "list"]}


def _list(kind: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": f"{kind}List", "metadata": {}, "items": list(items)}


class Kubernetes(BaseHTTPRequestHandler):
    """As much of EKS and of a cluster's API as the server asks for."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        base = "/api/v1/namespaces/default"
        answers: dict[str, Any] = {
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
            "/version": {"major": "1", "minor": "34"},
            "/api/v1": {
                "kind": "APIResourceList",
                "groupVersion": "v1",
                "resources": [_kind("Secret", "secrets"), _kind("Service", "services")],
            },
            "/api/v1/secrets": _list("Secret", SECRET),
            f"{base}/secrets": _list("Secret", SECRET),
            f"{base}/secrets/database": SECRET,
            f"{base}/services": _list("Service", SERVICE),
            f"{base}/services/web": SERVICE,
        }
        if path.startswith("/clusters/"):
            certificate = base64.b64encode(b"none: the endpoint is plain HTTP").decode()
            own = f"http://127.0.0.1:{self.server.server_address[1]}"  # type: ignore[misc]
            answers[path] = {"cluster": {"endpoint": own, "certificateAuthority": {"data": certificate}}}
        found = answers.get(path)
        body = json.dumps(found if found is not None else {"kind": "Status", "code": 404}).encode()
        self.send_response(200 if found is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Kubernetes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def rules() -> dict[str, ToolRule]:
    """The developer's tools as every lock has them, in a sandbox, where most is permitted."""
    catalogue = load_catalogue(ROOT / "catalogue")
    department = load_department("example-sandbox", catalogue=catalogue, root=ROOT / "departments")
    return {
        tool.name: ToolRule(tool.name, published_definition(server, tool)["inputSchema"], tool.forced)
        for server, tool in catalogue.granted("developer", department)
        if server.name == "eks"
    }


CLUSTER = {"cluster_name": "any", "api_version": "v1"}
READ = {**CLUSTER, "operation": "read"}
HOLES: list[tuple[str, dict[str, Any]]] = [
    ("list_k8s_resources", {**CLUSTER, "kind": "Secret"}),
    ("list_k8s_resources", {**CLUSTER, "kind": "Secret", "namespace": "default"}),
    ("list_k8s_resources", {**CLUSTER, "kind": "Service", "namespace": "default/secrets?limit=9&x="}),
    ("manage_k8s_resource", {**READ, "kind": "Service", "name": "../secrets/database", "namespace": "default"}),
    ("manage_k8s_resource", {**READ, "kind": "Service", "name": "web", "namespace": "default/secrets/database?x="}),
]
WRITE = {**CLUSTER, "kind": "ConfigMap", "name": "x", "namespace": "default"}
# What reached another path of the API, or a node, another identity or the internet, and the rule that refuses it.
REACHING: list[tuple[dict[str, Any], str]] = [
    ({"operation": operation, "body": {"metadata": {"name": "x", "namespace": place}}, **named}, rule)
    for operation, place in (
        ("patch", "default/secrets/database?x="),
        ("create", "default/pods/http:any:8080/proxy/admin?x="),
        ("create", "../nodes/ip-10-0-0-1/proxy/run/kube-system/pod/container?cmd=id&x="),
        ("replace", "../../../apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings/admins?x="),
    )
    for named, rule in (
        ({}, "missing-argument"),
        ({"namespace": None}, "missing-argument"),
        ({"name": "x", "namespace": "default"}, "wrong-value"),
    )
]


def _workload(**spec: Any) -> dict[str, Any]:
    containers = [{"name": "web", "image": "web", **spec.pop("container", {})}]
    return {"spec": {"template": {"spec": {"containers": containers, **spec}}}}


def _annotated(*path: str) -> dict[str, Any]:
    """A body in which what stands at a path asks for a role, as kube2iam and kiam read it of a pod."""
    body: dict[str, Any] = {"metadata": {"annotations": {"iam.amazonaws.com/role": "Admin"}}}
    for name in reversed(path):
        body = {name: body}
    return body


BODIES: list[tuple[str, dict[str, Any]]] = [
    ("Service", {"spec": {"type": "LoadBalancer"}}),
    ("Service", {"spec": {"type": "NodePort"}}),
    ("Service", {"spec": {"externalIPs": ["192.0.2.1"]}}),
    (
        "Service",
        {"metadata": {"annotations": {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"}}},
    ),
    ("Job", _workload(hostPID=True)),
    ("Job", _workload(hostNetwork=True)),
    ("Job", _workload(serviceAccountName="admin")),
    ("Job", _workload(nodeName="ip-10-0-0-1")),
    ("Job", _workload(volumes=[{"name": "root", "hostPath": {"path": "/"}}])),
    ("Job", _workload(volumes=[{"name": "token", "projected": {"sources": []}}])),
    ("Job", _workload(container={"securityContext": {"privileged": True}})),
    ("Job", _workload(container={"securityContext": {"allowPrivilegeEscalation": True}})),
    ("Job", _workload(container={"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}})),
    ("Job", _workload(container={"ports": [{"containerPort": 80, "hostPort": 80}]})),
    ("Deployment", _workload(initContainers=[{"name": "x", "securityContext": {"privileged": True}}])),
    ("CronJob", {"spec": {"jobTemplate": _workload(hostPID=True)}}),
    *(("Deployment", _annotated(*path)) for path in ((), ("spec", "template"))),
    *(("CronJob", _annotated("spec", "jobTemplate", *path)) for path in ((), ("spec", "template"))),
    ("StatefulSet", {"spec": {"volumeClaimTemplates": [_annotated()]}}),
    ("StatefulSet", {"spec": {"volumeClaimTemplates": [{"spec": {"volumeName": "of-another"}}]}}),
    ("StatefulSet", {"spec": {"volumeClaimTemplates": [{"spec": {"selector": {"matchLabels": {"of": "another"}}}}]}}),
    ("PersistentVolumeClaim", {"spec": {"volumeName": "of-another"}}),
    ("PersistentVolumeClaim", {"spec": {"dataSourceRef": {"namespace": "of-another", "name": "x"}}}),
    *(
        ("Job", body)
        for rights in (
            {"windowsOptions": {"hostProcess": True}},
            {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]},
            {"runAsUser": 0},
            {"runAsNonRoot": False},
            {"seccompProfile": {"type": "Unconfined"}},
            {"seLinuxOptions": {"type": "spc_t"}},
            {"appArmorProfile": {"type": "Unconfined"}},
        )
        for body in (_workload(securityContext=rights), _workload(container={"securityContext": rights}))
    ),
    ("Job", {"spec": {"template": {"metadata": {"namespace": "../x"}}}}),
    ("ConfigMap", {"metadata": {"ownerReferences": []}}),
    ("ConfigMap", {"metadata": "x"}),
]
HONEST: list[tuple[str, dict[str, Any]]] = [
    ("list_k8s_resources", {**CLUSTER, "kind": "Service", "namespace": "default"}),
    ("manage_k8s_resource", {**READ, "kind": "Service", "name": "web", "namespace": "default"}),
]


async def test_the_servers_own_gate_lets_secrets_through(cluster: str, tmp_path: Path) -> None:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "awslabs.eks_mcp_server.server", "--no-allow-sensitive-data-access"],
        cwd=tmp_path,
        env={
            "HOME": str(tmp_path),
            "PYTHONPATH": str(packages("eks")),
            "AWS_REGION": "eu-west-2",
            "AWS_DEFAULT_REGION": "eu-west-2",
            "AWS_ENDPOINT_URL": cluster,
            "AWS_ACCESS_KEY_ID": "EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "EXAMPLE",
        },
    )
    with (tmp_path / "stderr").open("w") as stderr:
        async with stdio_client(parameters, errlog=stderr) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            shown = [str(await session.call_tool(tool, arguments)) for tool, arguments in HOLES + HONEST]
    assert [case for case, text in zip(HOLES, shown, strict=False) if HIDDEN not in text] == []
    assert all("web" in text and HIDDEN not in text for text in shown[len(HOLES) :])


@pytest.mark.parametrize(("tool", "arguments"), HOLES)
def test_the_argument_rules_close_each_hole(rules: dict[str, ToolRule], tool: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        check_arguments(rules[tool], arguments)
    assert refused.value.rule == "wrong-value"


@pytest.mark.parametrize(("arguments", "rule"), REACHING)
def test_a_namespace_in_the_body_reaches_no_other_path(
    rules: dict[str, ToolRule], arguments: dict[str, Any], rule: str
) -> None:
    sent = {**CLUSTER, "kind": "ConfigMap", **arguments}
    with pytest.raises(Refusal) as refused:
        check_arguments(rules["manage_k8s_resource"], sent)
    assert refused.value.rule == rule


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_a_body_that_takes_a_node_or_another_identity_is_refused(
    rules: dict[str, ToolRule], kind: str, body: dict[str, Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        check_arguments(rules["manage_k8s_resource"], {**WRITE, "operation": "create", "kind": kind, "body": body})
    assert refused.value.rule in ("wrong-value", "wrong-type")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("ConfigMap", {"metadata": {"name": "x", "namespace": "default", "labels": {"a": "b"}}, "data": {"k": "v"}}),
        ("Service", {"spec": {"type": "ClusterIP", "ports": [{"port": 80}], "selector": {"app": "web"}}}),
        (
            "Deployment",
            _workload(
                container={
                    "ports": [{"containerPort": 8080}],
                    "securityContext": {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}},
                },
                volumes=[{"name": "data", "emptyDir": {}}],
                securityContext={
                    "fsGroup": 2000,
                    "runAsNonRoot": True,
                    "runAsUser": 1000,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
            ),
        ),
        (
            "StatefulSet",
            {
                "spec": {
                    "template": {"metadata": {"labels": {"app": "web"}, "annotations": {"example.com/note": "x"}}},
                    "volumeClaimTemplates": [
                        {
                            "metadata": {"name": "data"},
                            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                        }
                    ],
                }
            },
        ),
        ("PersistentVolumeClaim", {"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "gp3"}}),
    ],
)
def test_an_ordinary_body_passes(rules: dict[str, ToolRule], kind: str, body: dict[str, Any]) -> None:
    sent = {**WRITE, "operation": "create", "kind": kind, "body": body}
    assert check_arguments(rules["manage_k8s_resource"], sent) == sent


def test_no_load_balancer_is_made_through_an_ingress(rules: dict[str, ToolRule]) -> None:
    with pytest.raises(Refusal):
        check_arguments(rules["manage_k8s_resource"], {**WRITE, "operation": "create", "kind": "Ingress", "body": {}})


@pytest.mark.parametrize(("tool", "arguments"), HONEST)
def test_an_honest_call_passes(rules: dict[str, ToolRule], tool: str, arguments: dict[str, Any]) -> None:
    assert check_arguments(rules[tool], arguments) == arguments


@pytest.mark.parametrize("tool", ["list_k8s_resources", "manage_k8s_resource"])
@pytest.mark.parametrize(
    "kind", ["Secret", "secret", "SECRET", "Secrets", "secrets", "SecretList", "v1/Secret", "List"]
)
def test_no_spelling_of_secret_is_a_permitted_kind(rules: dict[str, ToolRule], tool: str, kind: str) -> None:
    arguments = {**HONEST[0 if tool.startswith("list") else 1][1], "kind": kind}
    with pytest.raises(Refusal):
        check_arguments(rules[tool], arguments)


def test_no_tool_both_creates_workloads_and_reads_pods(rules: dict[str, ToolRule]) -> None:
    # A container can write the Secrets it mounts into its Pod's status.
    kinds = rules["manage_k8s_resource"].input_schema["properties"]["kind"]["pattern"]
    assert not re.search(kinds, "Pod")
    assert re.search(kinds, "Deployment")


def test_the_sensitive_flag_is_not_there_unless_a_department_names_a_tool() -> None:
    server = load_catalogue(ROOT / "catalogue").servers["eks"]
    assert "--allow-sensitive-data-access" not in server.flags + server.write_flags
    assert {name for name, tool in server.tools.items() if tool.sensitive} == {
        "get_cloudwatch_logs",
        "get_k8s_events",
        "get_pod_logs",
    }

"""Bad input at the running gateway: each gets a clear answer, and the next call works."""

from __future__ import annotations

import base64
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.waiting import LAST_RESORT_SECONDS

DIRECTLY: dict[str, Any] = {"trust_env": False, "timeout": LAST_RESORT_SECONDS}
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
LIST = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}


@pytest.fixture(scope="module")
def client(rehearsed):
    headers = {**ACCEPT, "Authorization": f"Bearer {rehearsed.token()}"}
    with httpx2.Client(base_url=rehearsed.url.removesuffix("/mcp"), headers=headers, **DIRECTLY) as client:
        yield client


@pytest.fixture(autouse=True)
def the_next_call_works(client):
    yield
    answer = client.post("/mcp", json=LIST)
    assert answer.status_code == 200
    assert len(answer.json()["result"]["tools"]) > 10


def call(tool: str, arguments: object) -> dict:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": NaN}}', -32700),
        (b"[" * 100_000, -32700),
        (json.dumps([LIST, LIST]).encode(), -32600),
        (b"3", -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": ["ping"]}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', -32602),
    ],
)
def test_a_body_that_is_no_message(client, body, code):
    answer = client.post("/mcp", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("size", [2 * 1024 * 1024 + 1, 5_000_000])
def test_a_huge_body(client, size):
    answer = client.post("/mcp", content=b" " * size)
    assert answer.status_code == 413
    assert "larger than" in answer.json()["error"]["message"]


def test_a_huge_body_without_a_length(client):
    answer = client.post("/mcp", content=(b" " * 65536 for _ in range(64)))
    assert answer.status_code == 413


def refused_before_a_tool(rehearsed, answer, rule: str) -> None:
    """The gateway loses the request interceptor's own words here, the worse reading; the caller is told them again."""
    told = answer.json()
    meta = told["error"]["data"] if "error" in told else told["result"]["_meta"]
    assert rule in meta.values() and told["id"] == 1
    rehearsed.wait_for(f"refused by request: {rule}")


def test_a_large_body_that_the_interceptor_refuses(client, rehearsed):
    answer = client.post("/mcp", json=call("iam___list_users", {"path_prefix": "x" * 200_000}))
    refused_before_a_tool(rehearsed, answer, "request-too-large")


def test_a_body_nested_too_deeply(client, rehearsed):
    nested: dict = {}
    for _ in range(50):
        nested = {"a": nested}
    answer = client.post("/mcp", json=call("iam___list_users", nested))
    refused_before_a_tool(rehearsed, answer, "request-too-deep")


@pytest.mark.parametrize(("header", "value", "status"), [
    ("Content-Type", "text/plain", 415),
    ("Content-Type", "", 415),
    ("Accept", "text/html", 406),
    ("Mcp-Protocol-Version", "1999-01-01", 400),
    ("Mcp-Session-Id", "not-a-session", 404),
])  # fmt: skip
def test_wrong_headers(client, header, value, status):
    answer = client.post("/mcp", json=LIST, headers={header: value})
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "authorization", [None, "", "Basic YTpi", "Bearer", "Bearer x", "Bearer a.b.c", "Bearer " + "x" * 20_000]
)
def test_no_token_or_a_broken_one(rehearsed, authorization):
    headers = ACCEPT if authorization is None else {**ACCEPT, "Authorization": authorization}
    answer = httpx2.post(rehearsed.url, json=LIST, headers=headers, **DIRECTLY)
    assert answer.status_code == 401
    metadata = rehearsed.url.removesuffix("/mcp") + "/.well-known/oauth-protected-resource"
    said = f'Bearer error="invalid_token", scope="ringfence/auditor", resource_metadata="{metadata}"'
    assert answer.headers["WWW-Authenticate"] == said
    assert answer.json()["error"]["data"]["layer"] == "ingress"


def test_the_challenge_leads_to_the_issuer(rehearsed):
    answer = httpx2.post(rehearsed.url, json=LIST, headers=ACCEPT, **DIRECTLY)
    address = answer.headers["WWW-Authenticate"].split('resource_metadata="')[1].split('"')[0]
    document = httpx2.get(address, **DIRECTLY).json()
    assert document["resource"] == rehearsed.url
    issuer = document["authorization_servers"][0]
    assert issuer.startswith("http://127.0.0.1:")  # never AWS: the pool is nobody's there
    found = httpx2.get(f"{issuer}/.well-known/openid-configuration", **DIRECTLY).json()
    assert found["issuer"] == issuer
    assert document["scopes_supported"] == ["ringfence/auditor"]
    assert set(document) == {"resource", "authorization_servers", "scopes_supported"}


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_with_another_algorithm(rehearsed, algorithm):
    head, claims, _ = rehearsed.token().split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**header, "alg": algorithm}).encode()).decode().rstrip("=")
    for signature in ("", "AAAA"):
        headers = {**ACCEPT, "Authorization": f"Bearer {forged}.{claims}.{signature}"}
        assert httpx2.post(rehearsed.url, json=LIST, headers=headers, **DIRECTLY).status_code == 401


@pytest.mark.parametrize(("params", "rule"), [
    ({"name": 3, "arguments": {}}, "unknown-tool"),
    ({"arguments": {}}, "unknown-tool"),
    ({"name": "iam___list_users", "arguments": []}, "wrong-type"),
    ({"name": "iam___list_users", "arguments": {"max_items": "many"}}, "wrong-type"),
    ({"name": "iam___list_users", "arguments": {}, "more": 1}, "malformed-request"),
    ({"name": "iam___list_users", "arguments": {}, "_meta": {"ringfence/call_id": "mine"}}, "malformed-request"),
])  # fmt: skip
def test_wrong_types_in_a_tool_call(client, rehearsed, params, rule):
    answer = client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    told = answer.json()
    assert "error" in told if rule == "malformed-request" else told["result"]["isError"]
    refused_before_a_tool(rehearsed, answer, rule)


def test_a_refusal_does_not_repeat_what_was_sent(client):
    secret = "correct-horse-battery-staple"
    answer = client.post("/mcp", json=call("iam___list_users", {"path_prefix": {secret: secret}, "max_items": secret}))
    assert answer.json()["result"]["isError"]
    assert secret not in answer.text


def test_other_paths_and_methods(client, rehearsed):
    parts = urlsplit(rehearsed.url)
    assert client.get(f"{parts.scheme}://{parts.netloc}/other").status_code == 404
    got = client.get("/mcp")
    assert got.status_code == 405
    assert "POST" in got.headers["Allow"]


def test_a_clients_own_txn_token_does_not_travel(client):
    """The header is allow-listed on the target; only the interceptor's value may reach the runtime."""
    headers = {"X-Amzn-Bedrock-AgentCore-Runtime-Custom-Txn-Token": "mine"}
    answer = client.post("/mcp", json=call("iam___list_users", {}), headers=headers).json()
    assert not answer["result"]["isError"]


def test_clients_that_leave_in_the_middle(rehearsed):
    parts = urlsplit(rehearsed.url)
    head = f"POST /mcp HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 1000\r\n\r\n{{"
    for sent in (b"", b"POST /mcp", head.encode()):
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            connection.sendall(sent)


def test_a_session_is_its_owners_alone(client, rehearsed):
    opened = client.post("/mcp", json={
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    })  # fmt: skip
    session = {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
    assert opened.json()["result"]["protocolVersion"] == "2025-06-18"
    assert client.post("/mcp", json=LIST, headers=session).status_code == 200
    assert client.delete("/mcp", headers=session).status_code == 204
    assert client.post("/mcp", json=LIST, headers=session).status_code == 404
    assert client.delete("/mcp", headers=session).status_code == 404


FROM_ELSEWHERE = [
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": ""},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1@evil.example"},
]


@pytest.mark.parametrize("headers", FROM_ELSEWHERE, ids=str)
def test_a_web_page_reaches_neither_the_gateway_nor_a_token(client, rehearsed, headers):
    for answer in (
        client.post("/mcp", json=LIST, headers=headers),
        httpx2.get(rehearsed.sign_in_url(), headers=headers, **DIRECTLY),
    ):
        assert answer.status_code == 403
        assert "Only programs on this computer" in answer.text


def test_a_tool_of_this_computer_reaches_both(client, rehearsed):
    headers = {"Host": "localhost:8000", "Origin": "http://localhost:6274"}
    assert client.post("/mcp", json=LIST, headers=headers).status_code == 200
    assert httpx2.get(rehearsed.sign_in_url(), headers=headers, **DIRECTLY).text.count(".") == 2

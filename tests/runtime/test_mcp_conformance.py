"""The host speaks MCP as the specification has it, to a real client and to careless ones."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from callpath.txn_token import HEADER
from tests.runtime.conftest import IAM_TOOLS, MCP_HEADERS
from tests.waiting import LAST_RESORT_SECONDS, wait_until

MODERN = "2026-07-28"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_real_client_lists_and_calls(iam_host: Any, aws: Any, token: Any, mode: str) -> None:
    import httpx2

    headers = {HEADER: token("list_users")}
    async with httpx2.AsyncClient(headers=headers, timeout=LAST_RESORT_SECONDS) as http:
        async with Client(streamable_http_client(iam_host.url, http_client=http), mode=mode) as client:
            listed = await client.list_tools()
            assert sorted(tool.name for tool in listed.tools) == sorted(IAM_TOOLS)
            assert listed.tools[0].description.endswith("as published")
            result = await client.call_tool("list_users", {})
            assert not result.is_error and "ada" in result.content[0].text
            assert len(result.meta["ringfence/call_id"]) == 26


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
def test_the_clients_revision_is_agreed(iam_host: Any, version: str) -> None:
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "x", "version": "0"}}
    result = iam_host.rpc("initialize", params).json()["result"]
    assert result["protocolVersion"] == version
    assert result["capabilities"] == {"tools": {"listChanged": False}}
    listed = iam_host.rpc("tools/list", **{"mcp-protocol-version": version, "mcp-session-id": "a-platform-made-id"})
    assert listed.status_code == 200 and len(listed.json()["result"]["tools"]) == len(IAM_TOOLS)


def test_an_unknown_revision_is_answered_with_the_newest_handshake(iam_host: Any) -> None:
    result = iam_host.rpc("initialize", {"protocolVersion": "1999-01-01", "capabilities": {}}).json()["result"]
    assert result["protocolVersion"] == "2025-11-25"
    answer = iam_host.rpc("tools/list", **{"mcp-protocol-version": "1999-01-01"})
    assert answer.status_code == 400 and answer.json()["error"]["code"] == -32022
    assert MODERN in answer.json()["error"]["data"]["supported"]


def test_ping_and_health(iam_host: Any) -> None:
    assert iam_host.rpc("ping").json() == {"jsonrpc": "2.0", "id": 1, "result": {}}
    health = iam_host.http.get(iam_host.url.replace("/mcp", "/ping"))
    assert (health.status_code, health.json()) == (200, {"status": "Healthy"})
    assert health.headers["ringfence-server"] == "ready"


def test_notifications_and_stray_answers_are_acknowledged(iam_host: Any) -> None:
    for body in (
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}},
        {"jsonrpc": "2.0", "id": 5, "result": {}},
    ):
        answer = iam_host.http.post(iam_host.url, json=body)
        assert (answer.status_code, answer.content) == (202, b"")


@pytest.mark.parametrize("method", ["resources/list", "prompts/list", "completion/complete", "logging/setLevel", "x"])
def test_other_methods_do_not_exist(iam_host: Any, method: str) -> None:
    answer = iam_host.rpc(method)
    assert answer.status_code == 200 and answer.json()["error"]["code"] == -32601


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, -32700),
        (b"{", 400, -32700),
        (b"\xff\xfe", 400, -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":NaN}}', 400, -32700),
        (b"[" * 100_000, 400, -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":' + b"9" * 5000 + b"}}", 400, -32700),
        (b"[]", 400, -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, -32600),
        (b'"ping"', 400, -32600),
        (b'{"id":1,"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}', 200, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["x"]}}', 200, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":[]}}', 200, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"2"}}', 200, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"initialize"}', 200, -32602),
    ],
)
def test_malformed_messages_get_the_errors_of_json_rpc(iam_host: Any, body: bytes, status: int, code: int) -> None:
    answer = iam_host.http.post(iam_host.url, content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["jsonrpc"] == "2.0" and "id" in answer.json()
    assert iam_host.rpc("ping").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/json; charset=utf-8"}, 200),
        ({"accept": "text/html"}, 406),
        ({"accept": "text/event-stream"}, 406),
        ({"accept": "application/json"}, 200),
        ({"accept": "*/*"}, 200),
        ({"origin": "https://example.org"}, 403),
    ],
)
def test_media_types_and_origin(iam_host: Any, headers: dict[str, str], status: int) -> None:
    assert iam_host.rpc("ping", **headers).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/mcp", 405), ("DELETE", "/mcp", 405), ("PUT", "/mcp", 405), ("POST", "/ping", 405), ("POST", "/", 404)],
)
def test_other_routes(iam_host: Any, method: str, path: str, status: int) -> None:
    answer = iam_host.http.request(method, iam_host.url.replace("/mcp", path))
    assert answer.status_code == status
    assert status != 405 or answer.headers["allow"] == ("POST" if path == "/mcp" else "GET")


def test_a_huge_body_is_refused_while_it_is_read(iam_host: Any) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "y" * 2**20}}).encode()
    answer = iam_host.http.post(iam_host.url, content=body)
    assert answer.status_code == 413 and answer.json()["error"]["message"] == "the body is larger than 256 KiB"

    def stream() -> Any:
        for _ in range(64):
            yield b"y" * 2**14

    assert iam_host.http.post(iam_host.url, content=stream()).status_code == 413


def callers_of(port: int) -> set[int]:
    """Ports of those whose connection to a port of ours is still open on our side."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = [
        (local.partition(":")[2], remote.partition(":")[2]) for _, local, remote, state, *_ in rows if state in "01 08"
    ]
    return {int(remote, 16) for local, remote in ends if int(local, 16) == port}


def test_a_caller_who_leaves_half_way_disturbs_nobody(iam_host: Any) -> None:
    left = set()
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", iam_host.port)) as connection:
            connection.sendall(
                b"POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"
            )
            left.add(connection.getsockname()[1])
    wait_until(lambda: not left & callers_of(iam_host.port))
    assert iam_host.rpc("ping").status_code == 200
    assert iam_host.stderr() == ""


def test_a_header_that_comes_twice_is_refused(iam_host: Any, token: Any) -> None:
    headers = [*MCP_HEADERS.items(), (HEADER, token("list_users")), (HEADER, token("list_users"))]
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_users"}}
    answer = httpx.post(iam_host.url, json=body, headers=headers, timeout=LAST_RESORT_SECONDS)
    assert answer.status_code == 400 and "more than once" in answer.json()["error"]["message"]


def test_the_2026_revision_needs_its_envelope_and_headers(iam_host: Any) -> None:
    def ask(method: str, params: dict[str, Any], **headers: str) -> httpx.Response:
        return iam_host.rpc(method, params, **{"mcp-protocol-version": MODERN, "mcp-method": method, **headers})

    found = ask("server/discover", {"_meta": ENVELOPE}).json()["result"]
    assert found["supportedVersions"] == [MODERN] and found["resultType"] == "complete"
    listed = ask("tools/list", {"_meta": ENVELOPE}).json()["result"]
    assert listed["cacheScope"] == "private" and len(listed["tools"]) == len(IAM_TOOLS)
    assert ask("tools/list", {}).json()["error"]["code"] == -32602
    assert ask("tools/list", {"_meta": ENVELOPE}, **{"mcp-method": "ping"}).json()["error"]["code"] == -32020
    mismatch = ask("tools/call", {"name": "get_user", "_meta": ENVELOPE}, **{"mcp-name": "list_users"})
    assert (mismatch.status_code, mismatch.json()["error"]["code"]) == (400, -32020)
    unknown = ask("resources/list", {"_meta": ENVELOPE})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, -32601)

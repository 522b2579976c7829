"""The HTTP face of the host: POST /mcp and GET /ping, as raw ASGI: every millisecond here is paid on every call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from callpath.txn_token import HEADER
from runtime.calls import Calls
from runtime.protocol import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    Message,
    Rejected,
    check_media_types,
    discover,
    initialize,
    list_tools,
    parse_message,
)
from runtime.server.supervisor import State

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGEST_BODY = 256 * 2**10  # bytes; twice what the request interceptor lets through, since the gateway may rewrite it
LARGEST_DRAIN = 8 * 2**20  # bytes of a refused body that are read and thrown away, so that the refusal can be read
BODY_SECONDS = 15.0

_TXN_TOKEN = HEADER.lower().encode()
# A second copy of one of these would let two readers see two values.
_SINGLE = frozenset({_TXN_TOKEN, b"mcp-protocol-version", b"mcp-method", b"mcp-name", b"content-type"})
# The guide names two states of a runtime that works, `Healthy` and `HealthyBusy`, both with 200 (AgentCore developer
# guide, HTTP protocol contract, read 28 November 2026). A host whose server is still starting works: it answers
# `initialize`. Anything else than 200 is how a platform learns that this one is of no use.
_HEALTHY, _UNHEALTHY = b'{"status":"Healthy"}', b'{"status":"Unhealthy"}'
SERVER_STATE = b"ringfence-server"  # a header of the answer to /ping, for whoever waits for the server itself


class McpApp:
    """ASGI application.

    Args:
        server: name of the MCP server, for `serverInfo`.
        version: what `serverInfo` calls the version.
        tools: definitions that `tools/list` publishes.
        calls: answers `tools/call`.
        server_state: says how the server is.
    """

    def __init__(
        self,
        *,
        server: str,
        version: str,
        tools: Iterable[dict[str, object]],
        calls: Calls,
        server_state: Callable[[], State],
    ) -> None:
        self._server = server
        self._version = version
        self._tools = list(tools)
        self._calls = calls
        self._server_state = server_state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. The platform's Mcp-Session-Id is accepted and means nothing here."""
        if scope["type"] != "http":
            return
        route = (scope["method"], scope["path"])
        if route == ("POST", "/mcp"):
            await self._post(scope, receive, send)
        elif route in (("GET", "/ping"), ("HEAD", "/ping")):
            state = self._server_state()
            status, body = (200, _HEALTHY) if state in ("starting", "ready") else (503, _UNHEALTHY)
            await _respond(send, status, body, [(SERVER_STATE, state.encode())])
        elif scope["path"] in ("/mcp", "/ping"):
            allow = b"POST" if scope["path"] == "/mcp" else b"GET"
            await _respond(send, 405, b"", [(b"allow", allow)])
        else:
            await _respond(send, 404, b'{"error":"only POST /mcp and GET /ping exist here"}')

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = _single_headers(scope["headers"])
            check_media_types(headers)
            message = parse_message(await _read_body(headers, receive), headers)
            if message.request_id is None:
                await _respond(send, 202, b"")  # notifications change nothing in a stateless host
                return
            result = await self._answer(message, headers)
        except Rejected as rejected:
            body = {"jsonrpc": "2.0", "id": rejected.request_id, "error": rejected.error}
            close = [(b"connection", b"close")] if rejected.status in (408, 413) else []
            await _respond(send, rejected.status, _encode(body), close)
            return
        except _ClientLeft:
            return
        await _respond(send, 200, _encode({"jsonrpc": "2.0", "id": message.request_id, "result": result}))

    async def _answer(self, message: Message, headers: dict[bytes, bytes]) -> dict[str, Any]:
        if message.method == "tools/call":
            return message.result(await self._call(message, headers))
        if message.method == "tools/list":
            return list_tools(message, self._tools)
        if message.method == "ping" and not message.modern:
            return {}
        if message.method == "initialize" and not message.modern:
            return initialize(message, server=self._server, version=self._version)
        if message.method == "server/discover" and message.modern:
            return discover(message, server=self._server, version=self._version)
        raise message.rejected(METHOD_NOT_FOUND, "this host has tools only: tools/list and tools/call")

    async def _call(self, message: Message, headers: dict[bytes, bytes]) -> dict[str, Any]:
        name, arguments = message.params.get("name"), message.params.get("arguments")
        if not isinstance(name, str) or not 1 <= len(name) <= 128:
            raise message.rejected(INVALID_PARAMS, 'tools/call needs a "name" of 1 to 128 characters')
        if not isinstance(arguments, dict | None):
            raise message.rejected(INVALID_PARAMS, 'the "arguments" of tools/call must be an object')
        token = headers.get(_TXN_TOKEN)
        return await self._calls.answer(name, arguments or {}, token.decode("latin-1") if token else None)


class _ClientLeft(Exception):
    """The connection closed before the request was complete."""


def _single_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    found: dict[bytes, list[bytes]] = {}
    for name, value in raw:
        if name in found and name in _SINGLE:
            raise Rejected(400, INVALID_REQUEST, f"the header {name.decode('latin-1')} appears more than once")
        found.setdefault(name, []).append(value)
    headers = {name: b",".join(values) for name, values in found.items()}
    if b"origin" in headers:
        # MCP asks servers to check Origin against DNS rebinding. No browser has business with this host.
        raise Rejected(403, INVALID_REQUEST, "requests from web pages are refused")
    return headers


async def _read_body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read_bounded(headers, receive)
    except TimeoutError:
        raise Rejected(408, INVALID_REQUEST, f"the body did not arrive within {BODY_SECONDS:.0f} seconds") from None


async def _read_bounded(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    declared = headers.get(b"content-length", b"0")
    too_large = int(declared) > LARGEST_BODY if declared.isdigit() else False
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise _ClientLeft
        size += len(event.get("body", b""))
        more = event.get("more_body", False)
        too_large = too_large or size > LARGEST_BODY
        if not too_large:
            parts.append(event.get("body", b""))
        elif size > LARGEST_DRAIN:
            break
    if too_large:
        raise Rejected(413, INVALID_REQUEST, f"the body is larger than {LARGEST_BODY // 1024} KiB")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


async def _respond(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    fixed = [(b"content-length", str(len(body)).encode())]
    if body:
        fixed.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})

"""MCP over stateless streamable HTTP: what a POST to /mcp may look like, and what each method but tools/call answers.

Pure: bytes and headers in, a message or a rejection out. Two eras of the protocol are spoken: the handshake revisions
up to 2025-11-25 (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports) and 2026-07-28, in which
every request carries its own envelope in `_meta` and repeats its method and tool name in headers.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callpath.json_limits import RepeatedField, usable_id, without_repeats

HANDSHAKE_VERSIONS = ("2025-03-26", "2025-06-18", "2025-11-25")
MODERN_VERSION = "2026-07-28"
ASSUMED_VERSION = "2025-03-26"  # the specification's rule for a request without the version header

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022

_ENVELOPE_VERSION = "io.modelcontextprotocol/protocolVersion"
_ENVELOPE_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
_ENCODED_HEADER = re.compile(r"=\?base64\?(?P<payload>[A-Za-z0-9+/]*={0,2})\?=")
_LISTED_FOR_MS = 300_000


class Rejected(Exception):
    """The message is answered with an error.

    Attributes:
        status: HTTP status.
        error: JSON-RPC error object.
        request_id: id to answer with, if the message had a usable one.
    """

    def __init__(
        self, status: int, code: int, message: str, *, request_id: str | int | None = None, data: object = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, object] = {"code": code, "message": message}
        if data is not None:
            self.error["data"] = data
        self.request_id = request_id


@dataclass(frozen=True)
class Message:
    """One checked JSON-RPC message. A notification or response has no request id and is only acknowledged."""

    method: str
    params: dict[str, Any]
    request_id: str | int | None
    modern: bool

    def rejected(self, code: int, message: str) -> Rejected:
        """An error answer. The 2026-07-28 revision maps JSON-RPC errors to HTTP statuses; the earlier ones do not."""
        status = {METHOD_NOT_FOUND: 404, INVALID_PARAMS: 400}[code] if self.modern else 200
        return Rejected(status, code, message, request_id=self.request_id)

    def result(self, fields: dict[str, Any]) -> dict[str, Any]:
        """A result in the form of the message's revision."""
        return {"resultType": "complete", **fields} if self.modern else fields


def check_media_types(headers: Mapping[bytes, bytes]) -> None:
    """Check Content-Type and Accept.

    Raises:
        Rejected: 415 or 406.
    """
    sent = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if sent != b"application/json":
        raise Rejected(415, INVALID_REQUEST, "Content-Type must be application/json")
    accepted = {part.split(b";")[0].strip().lower() for part in headers.get(b"accept", b"*/*").split(b",")}
    if not accepted & {b"application/json", b"application/*", b"*/*"}:
        raise Rejected(406, INVALID_REQUEST, "Accept must include application/json and text/event-stream")


def parse_message(body: bytes, headers: Mapping[bytes, bytes]) -> Message:
    """Check one POST body against JSON-RPC and the headers against MCP.

    Raises:
        Rejected: with the HTTP status and JSON-RPC error that the specification asks for.
    """
    try:
        decoded = json.loads(body, parse_constant=_no_constant, object_pairs_hook=without_repeats)
    except RepeatedField:
        raise Rejected(400, INVALID_REQUEST, "the body has a field twice") from None
    except (ValueError, RecursionError):
        raise Rejected(400, PARSE_ERROR, "the body is not valid JSON") from None
    if isinstance(decoded, list):
        raise Rejected(400, INVALID_REQUEST, "batches are not part of MCP since 2025-06-18: send one message")
    if not isinstance(decoded, dict) or decoded.get("jsonrpc") != "2.0":
        raise Rejected(400, INVALID_REQUEST, 'the body is not a JSON-RPC 2.0 message: "jsonrpc" must be "2.0"')
    if "method" not in decoded and ("result" in decoded or "error" in decoded):
        return Message("", {}, None, modern=False)  # an answer to a question nobody asked here
    request_id = _request_id(decoded)
    method, params = decoded.get("method"), decoded.get("params", {})
    if not isinstance(method, str) or not method:
        raise Rejected(400, INVALID_REQUEST, '"method" must be text', request_id=request_id)
    if not isinstance(params, dict):
        raise Rejected(400, INVALID_REQUEST, '"params" must be an object', request_id=request_id)
    version = headers.get(b"mcp-protocol-version", ASSUMED_VERSION.encode()).decode("latin-1")
    if version != MODERN_VERSION and version not in HANDSHAKE_VERSIONS and method != "initialize":
        data = {"supported": [*HANDSHAKE_VERSIONS, MODERN_VERSION], "requested": version[:32]}
        raise Rejected(400, UNSUPPORTED_VERSION, "unsupported MCP-Protocol-Version", request_id=request_id, data=data)
    message = Message(method, params, request_id, modern=version == MODERN_VERSION)
    if message.modern and request_id is not None:
        _check_envelope(message, headers)
    return message


def initialize(message: Message, *, server: str, version: str) -> dict[str, Any]:
    """Answer `initialize`: the client's revision if it is spoken here, else the newest with a handshake."""
    asked = message.params.get("protocolVersion")
    if not isinstance(asked, str) or not isinstance(message.params.get("capabilities", {}), dict):
        raise message.rejected(INVALID_PARAMS, "initialize needs protocolVersion and capabilities")
    return {
        "protocolVersion": asked if asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": f"ringfence-{server}", "version": version},
    }


def discover(message: Message, *, server: str, version: str) -> dict[str, Any]:
    """Answer `server/discover` (2026-07-28)."""
    return message.result(
        {
            "supportedVersions": [MODERN_VERSION],
            "capabilities": {"tools": {}},
            "_meta": {"io.modelcontextprotocol/serverInfo": {"name": f"ringfence-{server}", "version": version}},
            **_cacheable(message),
        }
    )


def list_tools(message: Message, tools: list[dict[str, object]]) -> dict[str, Any]:
    """Answer `tools/list`: one page with everything, so any cursor is unknown."""
    if message.params.get("cursor") is not None:
        raise message.rejected(INVALID_PARAMS, "unknown cursor: all tools are on the first page")
    return message.result({"tools": tools, **_cacheable(message)})


def _cacheable(message: Message) -> dict[str, Any]:
    # private: each persona sees its own tools.
    return {"ttlMs": _LISTED_FOR_MS, "cacheScope": "private"} if message.modern else {}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _request_id(decoded: dict[str, Any]) -> str | int | None:
    if "id" not in decoded:
        return None
    if (request_id := usable_id(decoded["id"])) is None:
        raise Rejected(
            400, INVALID_REQUEST, '"id" must be text of 1 to 128 visible characters or an integer within 2^53'
        )
    return request_id


def _check_envelope(message: Message, headers: Mapping[bytes, bytes]) -> None:
    meta = message.params.get("_meta")
    if not isinstance(meta, dict) or not {_ENVELOPE_VERSION, _ENVELOPE_CAPABILITIES} <= meta.keys():
        raise message.rejected(
            INVALID_PARAMS, f"params._meta must carry {_ENVELOPE_VERSION} and {_ENVELOPE_CAPABILITIES}"
        )
    told = {
        "mcp-protocol-version": (MODERN_VERSION, meta[_ENVELOPE_VERSION]),
        "mcp-method": (_header(headers, b"mcp-method"), message.method),
    }
    if message.method == "tools/call":
        told["mcp-name"] = (_header(headers, b"mcp-name"), message.params.get("name"))
    for name, (header, body) in told.items():
        if header != body:
            raise Rejected(
                400, HEADER_MISMATCH, f"{name} header does not match the body", request_id=message.request_id
            )


def _header(headers: Mapping[bytes, bytes], name: bytes) -> str | None:
    """A header's value; values beyond plain ASCII arrive as `=?base64?...?=`."""
    text = headers.get(name, b"").decode("latin-1")
    encoded = _ENCODED_HEADER.fullmatch(text)
    if not encoded:
        return text or None
    try:
        return base64.b64decode(encoded["payload"], validate=True).decode()
    except ValueError:
        return None

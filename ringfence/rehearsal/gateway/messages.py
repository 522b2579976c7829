"""JSON-RPC on the gateway's edge: strict reading, plain errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
NOT_AUTHORIZED = -32001
UNSUPPORTED_VERSION = -32022


@dataclass(frozen=True)
class Answer:
    """An answer: a JSON body, or none."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class BadMessage(Exception):
    """A body that is no JSON-RPC request."""

    def __init__(self, code: int, message: str, *, id_: Any = None, status: int = HTTPStatus.BAD_REQUEST) -> None:
        self.answer = Answer(status, error_body(id_, code, message))
        super().__init__(message)


def error_body(id_: Any, code: int, message: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A JSON-RPC error response."""
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = dict(data)
    return {"jsonrpc": "2.0", "id": id_, "error": error}


def result_body(id_: Any, result: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON-RPC result response."""
    return {"jsonrpc": "2.0", "id": id_, "result": dict(result)}


def parse_message(body: bytes) -> dict[str, Any]:
    """The JSON-RPC request or notification in a body.

    Raises:
        BadMessage: it is not JSON, a batch, or not JSON-RPC 2.0.
    """
    try:
        message = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadMessage(PARSE_ERROR, "The body is not JSON. Send one JSON-RPC message as UTF-8 JSON") from None
    if isinstance(message, list):
        raise BadMessage(INVALID_REQUEST, "Batches are not supported. Send one JSON-RPC message per request")
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise BadMessage(INVALID_REQUEST, 'The body is not a JSON-RPC message. Send an object with "jsonrpc": "2.0"')
    id_ = message.get("id")
    if isinstance(id_, bool) or not isinstance(id_, str | int | None):
        raise BadMessage(INVALID_REQUEST, "The id of a JSON-RPC message is a string or an integer")
    if not isinstance(message.get("method"), str):
        raise BadMessage(INVALID_REQUEST, "The method of a JSON-RPC message is a string", id_=id_)
    if not isinstance(message.get("params", {}), dict):
        raise BadMessage(INVALID_PARAMS, "The params of an MCP message are an object", id_=id_)
    return message


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")

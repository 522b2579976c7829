"""A person with a real MCP client (the MCP Python SDK, streamable HTTP), connected to a gateway with a bearer token."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from ringfence.rehearsal.scenarios.calls import Outcome

_SECONDS = 120.0


@dataclass(frozen=True)
class Reply:
    """An outcome and how long it took.

    Attributes:
        latency_ms: milliseconds the client waited.
    """

    outcome: Outcome
    latency_ms: float


class McpUser:
    """An open MCP session."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def tools(self) -> dict[str, dict[str, Any]]:
        """The listed tools' input schemas by name."""
        listed = await self._client.list_tools(cache_mode="bypass")
        return {tool.name: dict(tool.input_schema) for tool in listed.tools}

    async def call(self, tool: str, arguments: dict[str, Any]) -> Reply:
        """Call a tool; a refusal is an outcome, not an exception."""
        started = time.perf_counter()
        try:
            outcome = Outcome.of_result(await self._client.call_tool(tool, arguments))
        except MCPError as error:
            outcome = _of_error(error)
        return Reply(outcome, (time.perf_counter() - started) * 1000)

    async def read_resource(self) -> Reply:
        """Ask for a resource, which no gateway of ours gives."""
        started = time.perf_counter()
        try:
            await self._client.read_resource("example://resource", cache_mode="bypass")
            outcome = Outcome(refused=False)
        except MCPError as error:
            outcome = _of_error(error)
        return Reply(outcome, (time.perf_counter() - started) * 1000)


@asynccontextmanager
async def signed_in(url: str, token: str, *, trust_env: bool = False) -> AsyncIterator[McpUser]:
    """Connect to a gateway.

    Args:
        trust_env: whether the environment's proxy is used, which nothing on loopback needs.

    Raises:
        MCPError: the gateway does not let this token in.
    """
    headers = {"Authorization": f"Bearer {token}"}
    timeout = httpx2.Timeout(_SECONDS, connect=5.0)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout, trust_env=trust_env) as http,
        Client(streamable_http_client(url, http_client=http), read_timeout_seconds=_SECONDS) as client,
    ):
        yield McpUser(client)


async def probe(url: str, token: str) -> Reply:
    """Try to connect with a token that must be refused."""
    started = time.perf_counter()
    try:
        async with signed_in(url, token):
            outcome = Outcome(refused=False)
    except BaseException as error:
        refusal = _find(error)
        if refusal is None:
            raise
        outcome = _of_error(refusal)
    return Reply(outcome, (time.perf_counter() - started) * 1000)


def _find(error: BaseException) -> MCPError | None:
    if isinstance(error, MCPError):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((found for found in map(_find, error.exceptions) if found is not None), None)
    return None


def _of_error(error: MCPError) -> Outcome:
    data = error.error.data if isinstance(error.error.data, dict) else {}
    return Outcome(
        refused=True,
        layer=data.get("layer"),
        rule=data.get("rule"),
        call_id=data.get("call_id"),
        text=error.error.message,
    )

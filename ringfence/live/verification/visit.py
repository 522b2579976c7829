"""One person's visit to a gateway, kept as it was: what was sent, what came back, with which headers, how fast.

Written out on HTTP, because headers and bodies are what is looked at. A real MCP client lists the tools once besides.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from ringfence.live.problems import withheld
from ringfence.rehearsal.scenarios.calls import Outcome
from ringfence.rehearsal.scenarios.mcp_user import signed_in

VERSION: Final = "2025-11-25"
SESSION: Final = "mcp-session-id"
INVENTED_SESSION: Final = "00000000-0000-4000-8000-000000000000"
UNKNOWN_TOOL: Final = "nobody___nothing"
UNDECLARED: Final = "ringfence_undeclared"
_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Exchange:
    """One request with its answer.

    Attributes:
        status: HTTP status; 0 when nothing came back.
        headers: of the answer, names in lower case.
        body: the JSON-RPC message that came back, or None.
        size: bytes of the answer's body.
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    seconds: float
    size: int
    trouble: str = ""

    @property
    def outcome(self) -> Outcome:
        """What a caller sees in it."""
        outcome = Outcome.of_body(self.body, status=self.status)
        return outcome if self.body or self.status >= 400 else Outcome(refused=True, text=self.trouble or "no body")

    @property
    def call_id(self) -> str | None:
        """The call id in the answer."""
        return self.outcome.call_id

    def as_json(self) -> dict[str, Any]:
        """What the evidence keeps: never a result's text, which may hold what nobody else should read."""
        told = {"status": self.status, "seconds": round(self.seconds, 2), "bytes": self.size, "call_id": self.call_id}
        if self.outcome.refused:
            told |= {"layer": self.outcome.layer, "rule": self.outcome.rule, "said": self.outcome.text[:300]}
        return told


@dataclass
class Visit:
    """Everything that one visit saw.

    Attributes:
        initialized: answer to notifications/initialized.
        listed: answers to tools/list, page by page.
        by_client: the names that a real MCP client was shown, or why it was shown none.
        first: the first call of each safe tool, by published name.
        second: the same once more.
    """

    initialize: Exchange
    initialized: Exchange
    listed: list[Exchange]
    invented_session: Exchange
    without_token: Exchange
    spoiled_token: Exchange
    unknown_tool: Exchange
    undeclared_argument: Exchange
    resources: Exchange
    by_client: frozenset[str] | str
    first: dict[str, Exchange] = field(default_factory=dict)
    second: dict[str, Exchange] = field(default_factory=dict)

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools of all pages."""
        pages = [page.body.get("result", {}) for page in self.listed if isinstance(page.body, dict)]
        return [tool for page in pages for tool in page.get("tools", [])]


class Caller:
    """Sends JSON-RPC messages to one gateway."""

    def __init__(self, url: str, token: str) -> None:
        """Opens nothing yet."""
        self._url = url
        self._token = token
        self._session: str | None = None
        self._number = 0

    def open(self) -> tuple[Exchange, Exchange]:
        """Returns the answers to initialize and to notifications/initialized, and keeps the session."""
        client = {"name": "ringfence-verify-live", "version": "1"}
        parameters = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": client}
        answer = self.request("initialize", parameters)
        self._session = answer.headers.get(SESSION)
        return answer, self._send({"jsonrpc": "2.0", "method": "notifications/initialized"}, self._token, self._session)

    def request(self, method: str, parameters: dict[str, Any], **changes: str | None) -> Exchange:
        """Returns the answer to a request.

        Args:
            **changes: another `token` or `session` than this caller's own; None sends none.
        """
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": parameters}
        return self._send(message, changes.get("token", self._token), changes.get("session", self._session))

    def call(self, tool: str, arguments: dict[str, Any]) -> Exchange:
        """Returns the answer to a call of a tool."""
        return self.request("tools/call", {"name": tool, "arguments": arguments})

    def _send(self, message: dict[str, Any], token: str | None, session: str | None) -> Exchange:
        headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": VERSION}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Mcp-Session-Id": session} if session else {}
        started = time.perf_counter()
        try:
            answer = httpx2.post(self._url, json=message, headers=headers, timeout=_SECONDS, trust_env=True)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            trouble = withheld(f"{type(error).__name__}: {error}")
            return Exchange(0, {}, None, time.perf_counter() - started, 0, trouble)
        names = {name.lower(): value for name, value in answer.headers.items()}
        body = _message(answer.text, names.get("content-type", ""))
        return Exchange(answer.status_code, names, body, time.perf_counter() - started, len(answer.content))


def visit(url: str, token: str, safe: Mapping[str, dict[str, Any]], *, tell: Callable[[str], None]) -> Visit:
    """Returns what a gateway answers to a person, and to what must not pass.

    Args:
        safe: calls that only read: arguments by published name.
    """
    caller = Caller(url, token)
    tell("initialize")
    initialize, initialized = caller.open()
    tell("tools/list")
    listed = [caller.request("tools/list", {})]
    while cursor := _cursor(listed[-1].body):
        listed.append(caller.request("tools/list", {"cursor": cursor}))
    some = next(iter(safe), UNKNOWN_TOOL)
    tell("what must be refused")
    seen = Visit(
        initialize,
        initialized,
        listed,
        invented_session=caller.request("tools/list", {}, session=INVENTED_SESSION),
        without_token=caller.request("tools/list", {}, token=None),
        spoiled_token=caller.request("tools/list", {}, token=_spoiled(token)),
        unknown_tool=caller.call(UNKNOWN_TOOL, {}),
        undeclared_argument=caller.call(some, {**safe.get(some, {}), UNDECLARED: "x"}),
        resources=caller.request("resources/read", {}),
        by_client=_listed_by_client(url, token),
    )
    for round_of in (seen.first, seen.second):
        for tool, arguments in safe.items():
            tell(f"call {tool}")
            round_of[tool] = caller.call(tool, arguments)
    return seen


def _listed_by_client(url: str, token: str) -> frozenset[str] | str:
    """The tools that the MCP Python SDK lists, or why it does not."""

    async def names() -> frozenset[str]:
        async with signed_in(url, token, trust_env=True) as user:
            return frozenset(await user.tools())

    try:
        return asyncio.run(names())
    except Exception as trouble:  # whatever a client's library may raise, it is what a person would see
        while isinstance(trouble, ExceptionGroup):
            trouble = trouble.exceptions[0]
        return withheld(f"{type(trouble).__name__}: {trouble}")


def _spoiled(token: str) -> str:
    """The token with another signature."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[::-1]}"


def _cursor(body: Any) -> str | None:
    result = body.get("result") if isinstance(body, dict) else None
    return result.get("nextCursor") if isinstance(result, dict) else None


def _message(text: str, kind: str) -> Any:
    """The JSON-RPC message of an answer, also where it comes as a stream of events."""
    if "text/event-stream" in kind:
        data = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")]
        text = data[-1] if data else ""
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return None

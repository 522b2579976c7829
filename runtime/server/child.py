"""The awslabs server as a child process, spoken to in JSON-RPC over its stdin and stdout.

The server is not trusted: whatever it writes is bounded, and late or unasked-for answers are dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from typing import Any

from runtime.server.spawn import Spawned

LONGEST_LINE = 16 * 2**20  # bytes of one message; a result that long is read, and refused (runtime.result_limits)
STDERR_KEPT = 256 * 2**10  # bytes of stderr kept to find the cause of a failure
PROTOCOL_VERSION = "2025-11-25"  # the newest revision that awslabs servers on mcp 1.x and 2.x both speak on stdio

_METHOD_NOT_FOUND = -32601
_ANSWER = b'{"jsonrpc"'  # how the servers' library begins each message


class ChildGone(Exception):
    """The child ended, or was ended because it broke the protocol, before it answered."""


class ChildError(Exception):
    """The child answered with a JSON-RPC error.

    Attributes:
        code: its number; 0 for anything else, which would be the server's own words.
    """

    def __init__(self, code: object) -> None:
        self.code = code if type(code) is int and abs(code) < 100_000 else 0
        super().__init__(f"JSON-RPC error {self.code}")


class ChildUnreadable(Exception):
    """The child wrote a message that cannot be read: nested beyond the stack, or a number of thousands of digits."""


class Child:
    """A running child.

    Attributes:
        garbage_lines: lines on stdout that were no JSON-RPC message, counted and dropped.
        unasked_answers: answers to no open request (late ones among them), counted and dropped.
    """

    def __init__(self, spawned: Spawned) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.garbage_lines = 0
        self.unasked_answers = 0
        self._spawned = spawned
        self._open: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._next_id = 0
        self._stdin: asyncio.WriteTransport | None = None
        self._outputs: list[asyncio.ReadTransport] = []
        self._stderr = _Tail(STDERR_KEPT)

    async def attach(self) -> None:
        """Connect the child's pipes to the running event loop."""
        loop = asyncio.get_running_loop()
        process = self._spawned.process
        self._stdin, _ = await loop.connect_write_pipe(asyncio.Protocol, process.stdin)
        answers, _ = await loop.connect_read_pipe(lambda: _Lines(self._line, self._lost), process.stdout)
        complaints, _ = await loop.connect_read_pipe(lambda: self._stderr, process.stderr)
        self._outputs = [answers, complaints]

    async def initialize(self) -> None:
        """Do MCP's handshake."""
        client = {"name": "ringfence", "version": "1"}
        params = {"protocolVersion": PROTOCOL_VERSION, "capabilities": {}, "clientInfo": client}
        await self.request("initialize", params)
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def list_tools(self) -> list[dict[str, Any]]:
        """All tools the child lists, page by page (at most 100 pages)."""
        tools: list[dict[str, Any]] = []
        params: dict[str, Any] = {}
        for _ in range(100):
            page = await self.request("tools/list", params)
            tools.extend(tool for tool in page.get("tools", []) if isinstance(tool, dict))
            if not isinstance(page.get("nextCursor"), str):
                break
            params = {"cursor": page["nextCursor"]}
        return tools

    async def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return its result.

        Raises:
            ChildGone: the child ended first.
            ChildError: the child answered with an error.
            ChildUnreadable: the child wrote a message that cannot be read.
        """
        self._next_id += 1
        request_id = self._next_id
        answer = asyncio.get_running_loop().create_future()
        self._open[request_id] = answer
        try:
            self._send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
            message: dict[str, Any] = await answer
        finally:
            self._open.pop(request_id, None)
        result = message.get("result")
        if not isinstance(result, dict):
            error = message.get("error")
            raise ChildError(error.get("code") if isinstance(error, dict) else None)
        return result

    def stderr_mark(self) -> int:
        """Position in stderr now, for `stderr_since`."""
        return self._stderr.total

    def stderr_since(self, mark: int) -> str:
        """What the child wrote to stderr since `mark`, as far as it is kept."""
        return self._stderr.since(mark)

    @property
    def exit_code(self) -> int | None:
        """Exit code, negative for a signal; None until `kill` has reaped the child."""
        return self._spawned.process.returncode

    def kill(self) -> None:
        """End the child now, or clear up after it. Open requests fail with ChildGone."""
        self._lost()
        self._spawned.kill()
        if self._stdin and not self._stdin.is_closing():
            self._stdin.abort()
        for output in self._outputs:
            output.close()

    def _send(self, message: dict[str, Any]) -> None:
        if self.gone.done() or self._stdin is None or self._stdin.is_closing():
            raise ChildGone
        self._stdin.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def _line(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
            if line.startswith(_ANSWER):
                self._fail_open(ChildUnreadable)  # else whoever waits for it would wait in vain
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            self.garbage_lines += bool(line.strip())
        elif "method" in message:
            if "id" in message:
                self._answer(message)
        else:
            answer = self._open.get(message["id"]) if type(message.get("id")) is int else None
            if answer is None or answer.done():
                self.unasked_answers += 1
            else:
                answer.set_result(message)

    def _answer(self, message: dict[str, Any]) -> None:
        """Answer a request of the child: ping only. Sampling, elicitation and roots do not exist here."""
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
        if message["method"] == "ping":
            reply["result"] = {}
        else:
            reply["error"] = {"code": _METHOD_NOT_FOUND, "message": "this host offers no such method"}
        with contextlib.suppress(ChildGone):
            self._send(reply)

    def _lost(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
        self._fail_open(ChildGone)

    def _fail_open(self, fault: type[Exception]) -> None:
        for answer in self._open.values():
            if not answer.done():
                answer.set_exception(fault())


class _Lines(asyncio.Protocol):
    """Cuts the child's stdout into lines. A line beyond LONGEST_LINE counts as the end of the child."""

    def __init__(self, line: Any, lost: Any) -> None:
        self._line = line
        self._lost_callback = lost
        self._parts: list[bytes] = []
        self._size = 0
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        first, *others = data.split(b"\n")
        self._parts.append(first)
        self._size += len(first)
        for part in others:
            line = b"".join(self._parts)
            self._parts, self._size = [part], len(part)
            self._line(line)
        if self._size > LONGEST_LINE and self._transport:
            self._parts, self._size = [], 0
            self._transport.close()
            self._lost_callback()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost_callback()


class _Tail(asyncio.Protocol):
    """Reads stderr as fast as it comes, so that the child never blocks on it, and keeps only its end."""

    def __init__(self, kept: int) -> None:
        self.total = 0
        self._kept = kept
        self._size = 0
        self._chunks: deque[bytes] = deque()

    def data_received(self, data: bytes) -> None:
        self.total += len(data)
        data = data[-self._kept :]
        self._chunks.append(data)
        self._size += len(data)
        while self._size - len(self._chunks[0]) >= self._kept:
            self._size -= len(self._chunks.popleft())

    def since(self, mark: int) -> str:
        wanted = min(self.total - mark, self._size)
        return b"".join(self._chunks)[-wanted:].decode("utf-8", "replace") if wanted > 0 else ""

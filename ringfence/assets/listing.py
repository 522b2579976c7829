"""Starts an MCP server for a moment, over stdio, and asks it for its tools."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from ringfence import CannotGoOn

PROTOCOL: Final = "2025-11-25"
# A server that never ends its list must not hold us: the largest of the awslabs servers fits one page.
_LONGEST_LIST_PAGES: Final = 50
_STDERR_SHOWN_CHARACTERS: Final = 2000
# From the end of a server's output to its own end, which is near: only one that hangs in its last steps takes longer.
_END_SECONDS: Final = 30.0


class ServerFailed(CannotGoOn):
    """A server did not start, did not answer in time or did not speak MCP; the message ends with its stderr."""

    remedy = "Correct its lock, or how server.toml starts it, and run `make lock`."


def list_tools(
    *,
    module: str,
    packages: Path,
    flags: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    timeout_seconds: float = 60,
) -> list[dict[str, Any]]:
    """Return the tool definitions a server lists, exactly as it sent them and in its order.

    The server gets an empty home and nothing of our environment: no credentials, no proxy, no Python settings. It is
    killed before this returns, whatever happens.

    Args:
        module: started as `python -m <module>`, with this interpreter.
        environment: the server's own variables, on top of the minimum.
        timeout_seconds: for start, handshake and list together.

    Raises:
        ServerFailed: see the class.
    """
    deadline = time.monotonic() + timeout_seconds
    with tempfile.TemporaryDirectory(prefix="ringfence-listing-") as home, tempfile.TemporaryFile() as stderr:
        command = [sys.executable, "-m", module, *flags]
        variables = {**_minimum(home=home, packages=packages), **(environment or {})}
        with _running(command, environment=variables, folder=home, stderr=stderr) as server:
            try:
                return _ask(_Conversation(server, deadline))
            except _Broken as error:
                if isinstance(error, _Stopped):  # the exit code says more than the broken pipe that it caused
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        server.wait(timeout=_END_SECONDS)
                ended = f" (it ended with code {server.returncode})" if server.poll() is not None else ""
                raise ServerFailed(f"{module} {error}{ended}{_last_words(stderr)}") from None


def _minimum(*, home: str, packages: Path) -> dict[str, str]:
    return {
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "PYTHONPATH": str(packages.resolve()),
        "PYTHONDONTWRITEBYTECODE": "1",
        # Some servers make their clients on import, and boto3 wants a region for that.
        "AWS_REGION": "eu-west-2",
        "AWS_DEFAULT_REGION": "eu-west-2",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class _Broken(Exception):
    """What went wrong in the conversation, as the rest of a sentence that begins with the server's name."""


class _Stopped(_Broken):
    """The server's end of a pipe is closed."""


class _Conversation:
    """JSON-RPC requests to a child and their answers, one at a time, before a deadline."""

    def __init__(self, server: subprocess.Popen[bytes], deadline: float) -> None:
        assert server.stdin is not None and server.stdout is not None  # noqa: S101  both are pipes of ours
        self._stdin = server.stdin
        self._deadline = deadline
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._last_id = 0
        # A thread reads, so that waiting can end; it ends itself when the killed child's pipe closes.
        threading.Thread(target=_pump, args=(server.stdout, self._lines), daemon=True).start()

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._last_id += 1
        self._send({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})
        while True:
            message = self._receive(method)
            if message.get("id") != self._last_id or "method" in message:
                continue  # a notification, or a request to the client: neither changes the list
            if not isinstance(message.get("result"), dict):
                raise _Broken(f"refused {method}: {json.dumps(message.get('error'))[:300]}")
            return dict(message["result"])

    def notify(self, method: str) -> None:
        self._send({"jsonrpc": "2.0", "method": method})

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._stdin.write(json.dumps(message).encode() + b"\n")
            self._stdin.flush()
        except OSError:
            raise _Stopped(f"stopped before {message['method']}") from None

    def _receive(self, method: str) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=max(0.0, self._deadline - time.monotonic()))
        except queue.Empty:
            raise _Broken(f"did not answer {method} in time") from None
        if not line:
            raise _Stopped(f"stopped before it answered {method}")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise _Broken("wrote something to stdout that is not a JSON-RPC message")
        return message


def _pump(stdout: IO[bytes], lines: queue.Queue[bytes]) -> None:
    with contextlib.suppress(ValueError, OSError):  # closed under us: the server was killed
        for line in stdout:
            lines.put(line)
    lines.put(b"")


def _ask(conversation: _Conversation) -> list[dict[str, Any]]:
    client = {"name": "ringfence-lock", "version": "1"}
    conversation.request("initialize", {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client})
    conversation.notify("notifications/initialized")
    tools: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    for _ in range(_LONGEST_LIST_PAGES):
        page = conversation.request("tools/list", cursor)
        listed = page.get("tools")
        if not isinstance(listed, list) or not all(isinstance(tool, dict) for tool in listed):
            raise _Broken("answered tools/list without a list of tools")
        tools.extend(listed)
        if not page.get("nextCursor"):
            return tools
        cursor = {"cursor": page["nextCursor"]}
    raise _Broken(f"listed more than {_LONGEST_LIST_PAGES} pages of tools")


@contextlib.contextmanager
def _running(
    command: list[str], *, environment: Mapping[str, str], folder: str, stderr: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    # Its own session, so that whatever it starts dies with it.
    server = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=dict(environment),
        cwd=folder,
        start_new_session=True,
    )
    try:
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        for pipe in (server.stdin, server.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()


def _last_words(stderr: IO[bytes]) -> str:
    stderr.seek(0)
    text = stderr.read().decode("utf-8", "replace").strip()
    if not text:
        return ""
    return f"; its stderr ends:\n{text[-_STDERR_SHOWN_CHARACTERS:]}"

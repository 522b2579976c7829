"""Wires the parts together on the event loop and serves until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from runtime.aws import HostAws
from runtime.calls import Calls
from runtime.http import McpApp
from runtime.server.credentials import CredentialsEndpoint
from runtime.server.spawn import Spawned
from runtime.server.supervisor import Supervisor
from runtime.settings import Settings

VERSION = "1"
_MOST_CONNECTIONS = 128


async def serve(
    settings: Settings,
    listener: socket.socket,
    loopback: socket.socket,
    token: str,
    spawned: Spawned,
    *,
    graceful_seconds: int,
) -> None:
    """Serve until SIGTERM or SIGINT, then end the child.

    `/ping`, `initialize` and `tools/list` are answered at once, from the lock; only calls wait for the child.

    Args:
        settings: the host's settings.
        listener: bound socket to serve MCP on.
        loopback: bound socket for the credentials endpoint.
        token: the first child's token for that endpoint.
        spawned: the first child, already starting.
        graceful_seconds: how long calls in flight may go on after a signal.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    endpoint = CredentialsEndpoint(loopback, token=token)
    supervisor = Supervisor(settings, endpoint)
    calls = Calls(settings, supervisor, HostAws(settings))
    server = _web_server(settings, supervisor, calls, graceful_seconds)
    try:
        await endpoint.serve()
        supervisor.begin(spawned)
        # Beside the child's start, which takes longer, so that neither the start nor the first call waits for it.
        loading = asyncio.get_running_loop().run_in_executor(None, _quietly, calls.prepare)
        # The objects of the start live for ever: scanning them again would cost latency.
        loading.add_done_callback(lambda _loaded: gc.freeze())
        web = asyncio.create_task(server.serve(sockets=[listener]))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((web, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        server.should_exit = True
        await web
    finally:
        await supervisor.stop()
        endpoint.close()


def _web_server(settings: Settings, supervisor: Supervisor, calls: Calls, graceful_seconds: int) -> uvicorn.Server:
    definitions = [tool.definition for tool in settings.tools.values()]
    config = uvicorn.Config(
        McpApp(
            server=settings.server,
            version=VERSION,
            tools=definitions,
            calls=calls,
            server_state=lambda: supervisor.state,
        ),
        http="httptools",
        ws="none",
        loop="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=graceful_seconds,
    )
    config.load()
    return _WebServer(config)


class _WebServer(uvicorn.Server):
    """uvicorn without its signal handling, which would end the process before the child is ended."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _quietly(prepare: Callable[[], None]) -> None:
    """Prepare AWS clients ahead of the first call; what fails here fails there again, with a caller to tell."""
    with contextlib.suppress(Exception):
        prepare()

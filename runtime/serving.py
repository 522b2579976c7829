"""Wires the parts together on the event loop and serves until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import uvicorn

from runtime.aws import HostAws
from runtime.calls import Calls
from runtime.credentials import CredentialsEndpoint
from runtime.http import McpApp
from runtime.settings import Settings
from runtime.spawn import Spawned
from runtime.supervisor import Supervisor

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

    Args:
        settings: the host's settings.
        listener: bound socket to serve MCP on.
        loopback: bound socket for the credentials endpoint.
        token: the first child's token for that endpoint.
        spawned: the first child, already starting.
        graceful_seconds: how long calls in flight may go on after a signal.

    Raises:
        StartFault: the child does not start, or its tools differ from the lock, now or after a restart.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    endpoint = CredentialsEndpoint(loopback, token=token)
    supervisor = Supervisor(settings, endpoint)
    calls = Calls(settings, supervisor, HostAws(settings))
    server = _web_server(settings, calls, graceful_seconds)
    # Beside the child's start, which takes longer, so that neither the start nor the first call waits for it.
    asyncio.get_running_loop().run_in_executor(None, _quietly, calls.prepare)
    try:
        await endpoint.serve()
        if await _stopped_before(stop, supervisor.start(spawned)):
            return
        gc.freeze()  # the objects of the start live for ever: scanning them again would cost latency
        web = asyncio.create_task(server.serve(sockets=[listener]))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((web, stopped, supervisor.failed), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        server.should_exit = True
        await web
        if supervisor.failed.done():
            raise supervisor.failed.result()
    finally:
        await supervisor.stop()
        endpoint.close()


def _web_server(settings: Settings, calls: Calls, graceful_seconds: int) -> uvicorn.Server:
    definitions = [tool.definition for tool in settings.tools.values()]
    config = uvicorn.Config(
        McpApp(server=settings.server, version=VERSION, tools=definitions, calls=calls),
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


async def _stopped_before(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work, unless a signal comes first. True: the signal came first."""
    doing = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            return True
        doing.result()
        return False
    finally:
        for task in (doing, stopping):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


def _quietly(prepare: Callable[[], None]) -> None:
    """Prepare AWS clients ahead of the first call; what fails here fails there again, with a caller to tell."""
    with contextlib.suppress(Exception):
        prepare()

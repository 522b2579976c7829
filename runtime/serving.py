"""Wires the parts together on the event loop and serves until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import uvicorn

from runtime.aws import HostAws
from runtime.calls import Calls
from runtime.child import Spawned
from runtime.credentials import CredentialsEndpoint
from runtime.http import McpApp
from runtime.settings import Settings
from runtime.supervisor import Supervisor

VERSION = "1"
_MOST_CONNECTIONS = 128


async def serve(
    settings: Settings,
    listener: socket.socket,
    endpoint: CredentialsEndpoint,
    spawned: Spawned,
    *,
    graceful_seconds: int,
) -> None:
    """Serve until SIGTERM or SIGINT, then end the child.

    Raises:
        StartFault: the child does not start, or its tools differ from the lock, now or after a restart.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    supervisor = Supervisor(settings, endpoint)
    try:
        await endpoint.serve()
        if await _stopped_before(stop, supervisor.start(spawned)):
            return
        aws = HostAws(settings)
        calls = Calls(settings, supervisor, aws)
        definitions = [tool.definition for tool in settings.tools.values()]
        app = McpApp(server=settings.server, version=VERSION, tools=definitions, calls=calls)
        server = _WebServer(
            uvicorn.Config(
                app,
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
        )
        web = asyncio.create_task(server.serve(sockets=[listener]))
        asyncio.get_running_loop().run_in_executor(None, _quietly, aws.prepare)
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

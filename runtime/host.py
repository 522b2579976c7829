"""The host's start and end: settings, sockets, child first, everything heavy after.

The order matters. The server needs most of the start time, so it is started before the host imports its own web server
and cryptography, and both load side by side.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path

from runtime.server.spawn import Spawned, credentials_url, loopback_listener, new_token
from runtime.settings import EXIT_SETTINGS, Settings, StartFault, load_settings

_PR_SET_DUMPABLE = 4
_GRACEFUL_SECONDS = 3


def main(root: Path | None = None) -> int:
    """Run the host until it is told to stop.

    Args:
        root: folder with runtime.json and packages/server; the folder above this package when left out.

    Returns:
        0 after SIGTERM or SIGINT; 2 for a setting to mend. A server that does not start, or is not the locked one, does
        not end the host: `/ping` says that it is unhealthy, and each call is told why.
    """
    try:
        settings = load_settings(root or Path(__file__).resolve().parents[1], os.environ)
        with _bind(settings.bind) as listener, loopback_listener() as loopback:
            token = new_token()
            _hide_memory()  # before anything runs that could look
            spawned = Spawned(settings, credentials_url=credentials_url(loopback), token=token)
            try:
                return _run(settings, listener, loopback, token, spawned)
            finally:
                spawned.kill()
    except StartFault as fault:
        print(fault, file=sys.stderr, flush=True)
        return fault.exit_code


def _run(settings: Settings, listener: socket.socket, loopback: socket.socket, token: str, spawned: Spawned) -> int:
    import asyncio

    from runtime.serving import serve

    # Not asyncio.run: it would wait for every thread that still waits for AWS.
    loop = asyncio.new_event_loop()
    loop.run_until_complete(serve(settings, listener, loopback, token, spawned, graceful_seconds=_GRACEFUL_SECONDS))
    return 0


def _bind(bind: tuple[str, int]) -> socket.socket:
    """Take the port now, so that a taken one ends the start at once; the web server listens on it."""
    host, port = bind
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named for asyncio to switch Nagle's algorithm off; with it, every answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(bind)
    except OSError as fault:
        listener.close()
        taken = fault.errno == errno.EADDRINUSE
        remedy = "end the process that holds it" if taken else "check the address"
        why = "is taken" if taken else f"cannot be used ({errno.errorcode.get(fault.errno or 0, 'unknown error')})"
        raise StartFault(EXIT_SETTINGS, f"{host}:{port} {why}: {remedy}, or set RINGFENCE_BIND.") from None
    return listener


def _hide_memory() -> None:
    """Keep the server, which runs as the same user, from reading the host's environment and memory through /proc.

    The host's own credentials may assume the persona role without a session policy. Against root this is no help.
    """
    import ctypes

    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

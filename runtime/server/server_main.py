"""Entry point of the server's process: ties its life to the host's, then runs the server's own module.

Usage: `python -s -P server_main.py <host process id> <module> [flags]`; started by runtime.server.spawn, never
imported.

The host ends its server in order. Killed outright it cannot, and a server that waits for something else does not notice
that its stdin has closed; it would stay, with nobody to speak to.
"""

from __future__ import annotations

import ctypes
import logging
import os
import runpy
import signal
import sys

_PR_SET_PDEATHSIG = 1


def _end_with(host: int) -> None:
    """Have the kernel (Linux) kill this process when the thread that started it ends: the host's main thread."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != host:
        sys.exit("the host ended while its server was starting")


if __name__ == "__main__":
    _end_with(int(sys.argv[1]))
    # Before mcp does: it would draw the traceback of every call that fails, which takes longer than the call.
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)

"""Runs a Python script that does not outlive its starter; started by ringfence.rehearsal.compute.child_process, never
imported.

Usage: `python exit_with_parent.py <lifeline> <script> [arguments]`. The lifeline is a pipe's read end, whose other end
the starter holds and never writes to: reading it returns when the starter has gone, even by SIGKILL. (Linux can send a
signal instead, but it does when the *thread* that forked ends, and the rehearsal starts processes on passing threads.)
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

_GRACE_SECONDS = 5.0


def _follow(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)  # a host ends its server, and a rehearsal everything, in order
    time.sleep(_GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_follow, args=(int(sys.argv[1]),), name="lifeline", daemon=True).start()
    sys.argv = sys.argv[2:]
    if not sys.flags.safe_path:
        sys.path[0] = str(Path(sys.argv[0]).resolve().parent)  # as Python itself does for a script
    runpy.run_path(sys.argv[0], run_name="__main__")

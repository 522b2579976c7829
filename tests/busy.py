"""Runs a command beside busy processes: `python -m tests.busy COMMAND …`. What fails only there depends on speed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

PROCESSES = 8
# Each ends by itself when this process has gone, however it went: its standard input closes.
_LOOPS = f"""
import os, threading
any(os.fork() == 0 for _ in range({PROCESSES - 1}))
threading.Thread(target=lambda: (os.read(0, 1), os._exit(0))).start()
while True:
    pass
"""


def main(command: list[str]) -> int:
    """Run the command and return its exit code; what asks this process to end asks the command."""
    if not command or command[0] in ("-h", "--help"):
        print(f"{__doc__}\nIts exit code is the command's own; 2 when there is none to run.")
        return 0 if command else 2
    if shutil.which(command[0]) is None:
        print(f"busy: there is no command {command[0]}", file=sys.stderr)
        return 2
    # In a session of their own, as somebody else's: Linux divides the processor between sessions before processes.
    loops = subprocess.Popen([sys.executable, "-c", _LOOPS], stdin=subprocess.PIPE, start_new_session=True)
    try:
        with subprocess.Popen(command) as tested:
            signal.signal(signal.SIGINT, lambda *_: None)  # the terminal's Ctrl-C reaches the command by itself
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda *_: tested.terminate())
            return tested.wait()
    finally:
        os.killpg(loops.pid, signal.SIGKILL)
        loops.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

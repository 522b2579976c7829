"""Processes of the rehearsal: started with an explicit environment, logged line by line, ended by their own id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

# What a child may see of our own environment; everything else it gets comes from the template.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
_GRACE_SECONDS = 2.0  # Ctrl-C ends everything within three seconds, on a machine with time to spare
_LAST_LINES_SECONDS = 30.0  # to read what an ended child has written
_EXIT_WITH_PARENT = str(Path(__file__).with_name("exit_with_parent.py"))
# Both ends belong to this process for as long as it lives; a child gets the read end, and sees it close.
LIFELINE, _HELD = os.pipe()


def base_environment() -> dict[str, str]:
    """The few variables every child inherits."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def ending_with_parent(*script: str, safe_path: bool = True) -> list[str]:
    """The command that runs a Python script so that it ends when we do; LIFELINE must be among its `pass_fds`.

    Args:
        script: the script and its arguments.
        safe_path: whether to keep the script's folder off its path.
    """
    return [sys.executable, *(["-P"] if safe_path else []), _EXIT_WITH_PARENT, str(LIFELINE), *script]


class ChildProcess:
    """A Python script whose output goes line by line to `on_line`, and which never outlives the rehearsal."""

    def __init__(
        self,
        script: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        on_line: Callable[[str], None],
        stdin: int | None = subprocess.DEVNULL,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._tail: deque[str] = deque(maxlen=30)
        self._on_line = on_line
        # A session of its own: Ctrl-C in the terminal reaches us alone, and we end the group in order.
        self.process = subprocess.Popen(
            ending_with_parent(*script),
            env=dict(environment),
            cwd=folder,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(LIFELINE, *pass_fds),
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (self.process.stdout, self.process.stderr)
            if stream is not None
        ]
        for reader in self._readers:
            reader.start()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    @property
    def tail(self) -> str:
        """The last lines of its output, for a message about its failure."""
        return "\n".join(self._tail)

    def write_line(self, line: str) -> None:
        """Hand a line to its standard input.

        Raises:
            OSError: the process has gone.
        """
        if self.process.stdin is None:
            raise OSError("the process takes no input")
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        """End the process and everything it started; returns when it is gone."""
        for number, patience in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, None)):
            with contextlib.suppress(ProcessLookupError):
                # The group holds this child and its descendants only: it was made for them at the start.
                os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
                if number is signal.SIGKILL or not _group_alive(self.process.pid):
                    break
        for reader in self._readers:
            reader.join(_LAST_LINES_SECONDS)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _read(self, stream: IO[str]) -> None:
        with contextlib.suppress(ValueError):  # closed under us at the end
            for line in stream:
                text = line.rstrip("\n")
                self._tail.append(text[:2000])
                self._on_line(text)


def _group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True

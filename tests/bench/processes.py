"""Whole-process measurements: how long a command takes, how much memory it and its children use."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_SECONDS_TO_END = 30.0
_SAMPLE_SECONDS = 0.5


@dataclass(frozen=True)
class Ran:
    """How one command went.

    Attributes:
        seconds: wall time.
        cpu_seconds: processor time of the command and its descendants; says more than wall time on a busy machine.
        peak_mb: largest sum of resident memory of the command and its descendants, sampled.
        output: both streams.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    output: str


def progress(text: str) -> None:
    """Say on standard error what is being done: a section can take minutes."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def run(command: Sequence[str], *, cwd: Path = ROOT, environment: Mapping[str, str] | None = None) -> Ran:
    """Run a command to its end; interrupted, end it and all that it started.

    Raises:
        RuntimeError: it failed; the message holds the end of its output.
    """
    environ = {**os.environ, **(environment or {})}
    start, cpu = time.monotonic(), _cpu_of_children()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    peak, done = [0.0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, done), daemon=True)
    try:
        watcher.start()
        output, _ = process.communicate()
        seconds = time.monotonic() - start
    except BaseException:
        # In a session of its own it hears nothing of the terminal's Ctrl-C.
        _end(process)
        raise
    finally:
        done.set()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output[-2000:]}")
    return Ran(seconds, _cpu_of_children() - cpu, peak[0], output)


def in_turn(rounds: int, *commands: Callable[[], Ran]) -> list[list[Ran]]:
    """Run commands in turn, after one warm-up each: for each command its runs, in the order of the rounds."""
    for command in commands:
        command()
    taken = [[command() for command in commands] for _ in range(rounds)]
    return [list(runs) for runs in zip(*taken, strict=True)]


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _end(process: subprocess.Popen[str]) -> None:
    """End every process of a command's session, gently first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _session(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        until = time.monotonic() + _SECONDS_TO_END
        while time.monotonic() < until and (process.poll() is None or _session(process.pid)):
            time.sleep(0.05)


def _watch(root: int, peak: list[float], done: threading.Event) -> None:
    while not done.wait(_SAMPLE_SECONDS):
        peak[0] = max(peak[0], sum(_resident_mb(pid) for pid in _session(root)))


def _session(leader: int) -> list[int]:
    """All processes of the session: helpers that were started aside count too."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def _resident_mb(pid: int) -> float:
    """Proportional set size: memory shared between processes counts once."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    except OSError:
        pass
    return 0.0

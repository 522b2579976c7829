"""Whole-process measurements: how long a command takes, how much memory it and its children use."""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """How one command went.

    Attributes:
        seconds: wall time.
        peak_mb: largest sum of resident memory of the command and its descendants, sampled.
        output: both streams.
    """

    seconds: float
    peak_mb: float
    output: str


def run(command: Sequence[str], *, cwd: Path = ROOT, environment: Mapping[str, str] | None = None) -> Ran:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed; the message holds the end of its output.
    """
    environ = {**os.environ, **(environment or {})}
    start = time.monotonic()
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
    watcher.start()
    output, _ = process.communicate()
    seconds = time.monotonic() - start
    done.set()
    watcher.join()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output[-2000:]}")
    return Ran(seconds, peak[0], output)


def paired(
    first: Sequence[str], second: Sequence[str], *, pairs: int, environment: Mapping[str, str] | None = None
) -> tuple[float, float, float]:
    """Run two commands in turn after one warm-up each; medians of both in seconds, median ratio pair by pair."""
    run(first, environment=environment)
    run(second, environment=environment)
    taken = [
        (run(first, environment=environment).seconds, run(second, environment=environment).seconds)
        for _ in range(pairs)
    ]
    return (
        statistics.median(one for one, _ in taken),
        statistics.median(two for _, two in taken),
        statistics.median(one / two for one, two in taken),
    )


def _watch(root: int, peak: list[float], done: threading.Event) -> None:
    while not done.wait(0.2):
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
            if int(fields[3]) == leader:
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

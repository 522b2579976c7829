"""How long somebody waits at the terminal: for what is wrong with a file, and for the end that Ctrl-C asks for."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.bench import departments
from tests.bench.processes import ROOT, progress, run
from tests.bench.table import Row
from tests.ringfence.rehearsal.conftest import free_ports
from tests.waiting import LAST_RESORT_SECONDS

CHECK: Final = ("make", "check", "DEPARTMENT=example-production", "ARGS=")
ROUNDS: Final = 5
MOST_SECONDS_OF_CHECK: Final = 2.0
MOST_SECONDS_OF_ENDING: Final = 3.0


def check_rows() -> list[Row]:
    """`make check` of a sound file, which every command that takes a department begins with."""
    taken = [run(CHECK, environment={"MAKEFLAGS": ""}) for _ in range(ROUNDS)]
    seconds = statistics.median(each.seconds for each in taken)
    used = statistics.median(each.cpu_seconds for each in taken)
    return [Row("make check", seconds, "s", MOST_SECONDS_OF_CHECK, f"median of {ROUNDS}; {used:.2f} s of processor")]


def ending_rows() -> list[Row]:
    """SIGINT to the group of a rehearsal that plays, and of one that serves on, as the terminal sends it at Ctrl-C."""
    folder = departments.assembly("department=example-production")
    made = []
    for what, seen in (("in the middle of the play", "as expected"), ("while it serves on", "Requests from here on")):
        progress(f"a rehearsal starts, to be ended {what}")
        seconds, code = ended(folder, seen)
        made.append(Row(f"Ctrl-C to the end {what}", seconds, "s", MOST_SECONDS_OF_ENDING, f"exit code {code}"))
    return made


def ended(assembly: Path, seen: str) -> tuple[float, int]:
    """Seconds from SIGINT, sent once a line holds what is to be seen, to the end of a rehearsal; and its exit code.

    Raises:
        RuntimeError: it ended before.
    """
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as scratch:
        words = ["--assembly", str(assembly), "--output", f"{scratch}/report.json", "--keep", *free_ports()]
        process = subprocess.Popen(
            [sys.executable, "-m", "ringfence", "rehearse", *words],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": scratch},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            if not any(seen in line for line in process.stdout):
                raise RuntimeError(f"the rehearsal ended with {process.wait()} before it came to {seen!r}")
            began = time.monotonic()
            os.killpg(process.pid, signal.SIGINT)
            process.stdout.read()
            code = process.wait(LAST_RESORT_SECONDS)
            return time.monotonic() - began, code
        finally:
            process.kill()  # what it started notices
            process.stdout.close()

"""Waiting for states. A busy machine comes to each of them later, and no test may tell it from an idle one."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

# Ends a test that hangs, and no other: ten minutes are more than anything here takes beside eight busy processes.
LAST_RESORT_SECONDS = 600.0
_Seen = TypeVar("_Seen")


def wait_until(state: Callable[[], _Seen], *, what: Callable[[], object] = lambda: "the state") -> _Seen:
    """Look until what is seen is true, and return it.

    Args:
        state: looks once.
        what: what was waited for, and what is known about it; asked only for a failure.
    """
    end = time.monotonic() + LAST_RESORT_SECONDS
    while not (seen := state()):
        assert time.monotonic() < end, f"never came: {what()}"
        time.sleep(0.02)
    return seen


def running(pid: int | str) -> bool:
    """Whether a process runs: one that has ended and is only not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def growth(work: Callable[[int], object], *, times: int, tries: int = 7) -> float:
    """How many times the processor time of `work(1)` that `work(times)` takes: an algorithm's cost on any machine."""
    return least_time(lambda: work(times), tries=tries) / least_time(lambda: work(1), tries=tries)


def least_time(work: Callable[[], object], *, tries: int) -> float:
    """The processor time of a piece of work in seconds: the least of several runs, since other processes only add.

    Without the garbage collector, as timeit does it: what that takes grows with all that this process holds.
    """
    spent = []
    gc.disable()
    try:
        for _ in range(tries):
            started = time.thread_time()
            work()
            spent.append(time.thread_time() - started)
    finally:
        gc.enable()
    return min(spent)

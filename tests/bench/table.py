"""Rows of figures: what was measured, what the goal is, and whether it was met in this run."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what: what was measured.
        value: the figure.
        unit: `x` for a ratio of two figures from the same run, `ms`, `s`, `MB`, `MB/s`, `%`, `USD`, or nothing for a
            number.
        goal: the largest value that meets the goal; None where the figure only informs.
        note: how it came about.
    """

    what: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, or nothing where there is no goal."""
        if self.goal is None:
            return ""
        return "met" if self.value <= self.goal else "MISSED"

    def as_data(self) -> dict[str, object]:
        """For the JSON report."""
        return {**asdict(self), "what": self.what.strip(), "value": round(self.value, 3), "verdict": self.verdict}


def machine() -> str:
    """The machine the figures were taken on: they mean nothing without it."""
    model = next((line.split(":")[1] for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors ({model.strip()}), "
        f"{int(memory) / 1e6:.0f} GB, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )


def show(rows: Sequence[Row]) -> None:
    """Print the rows as a table."""
    width = max((len(row.what) for row in rows), default=0)
    for row in rows:
        goal = f"<= {row.goal:g}" if row.goal is not None else ""
        value = f"{row.value:,.2f}" if row.unit else f"{row.value:,.0f}"
        print(f"{row.what:{width}}  {value:>9} {row.unit:3} {goal:>9} {row.verdict:7} {row.note}", flush=True)


def median_ms(work: Callable[[], object], *, runs: int) -> float:
    """Median duration of a function in milliseconds, after a tenth of the runs as warm-up."""
    import time

    for _ in range(max(1, runs // 10)):
        work()
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.is_file() else []

"""How the cost of synthesis grows with the number of departments: one `cdk synth` each, as a department deploys."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench import departments
from tests.bench.processes import Ran, progress, run
from tests.bench.table import Row

MARKS = (1, 5, 10, 20)
DEFAULT = 20
_ENDS = 5


def rows(count: int = DEFAULT) -> list[Row]:
    """Synthesises departments one after another, each with the files of all before it beside its own.

    Args:
        count: how many.
    """
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as scratch:
        home = departments.home(Path(scratch) / "home", {})
        ran = []
        for number in range(count + 1):
            name = f"example-{number:02}"
            (home / "departments" / f"{name}.toml").write_text(departments.renamed(name), encoding="utf-8")
            ran.append(_synthesised(home, f"department={name}"))
            progress(f"department {number} of {count}: {ran[-1].seconds:.1f} s" if number else "warm-up done")
        guardrails = _synthesised(home, f"organisation={departments.ORGANISATION}")
    departments_only = ran[1:]  # the first warmed up the caches
    note = f"reads all {count + 1} department files"
    return [*growth(departments_only), Row("organisation beside them", guardrails.seconds, "s", note=note)]


def growth(ran: Sequence[Ran]) -> list[Row]:
    """The total at each mark, and what the last departments cost against the first."""
    made = []
    for mark in sorted({*(mark for mark in MARKS if mark < len(ran)), len(ran)}):
        part = ran[:mark]
        seconds, peak = sum(each.seconds for each in part), max(each.peak_mb for each in part)
        cpu = sum(each.cpu_seconds for each in part) / mark
        note = f"{seconds / mark:.1f} s and {cpu:.1f} s of processor each; peak {peak:.0f} MB"
        made.append(Row(f"cdk synth of {mark} department{'s' if mark > 1 else ''}", seconds, "s", note=note))
    ends = min(_ENDS, len(ran) // 2)
    if ends:
        made.append(_last_to_first(ran, ends))
    return made


def _last_to_first(ran: Sequence[Ran], ends: int) -> Row:
    first, last = (statistics.median(each.cpu_seconds for each in part) for part in (ran[:ends], ran[-ends:]))
    note = f"medians of {ends}: {last:.1f} s against {first:.1f} s of processor; 1 = no growth"
    return Row("  the last departments to the first", last / first, "x", note=note)


def _synthesised(home: Path, context: str) -> Ran:
    output = home / "out"
    ran = run(departments.synth("app.py", output, context), cwd=home, environment=departments.ENVIRONMENT)
    shutil.rmtree(output)  # an assembly holds its zips: twenty would fill a small disk
    return ran

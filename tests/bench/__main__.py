"""`python -m tests.bench`: every figure the project promises, measured in one run and printed as a table.

Absolute times are those of this machine at this moment; ratios and differences are taken side by side: quote those.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from assets.zips import base_zips, summary_of
from tests.bench import callpath, synth
from tests.bench.processes import ROOT, run
from tests.bench.table import Row, machine, show


def zip_rows() -> list[Row]:
    """Sizes of the zips."""
    made = []
    for base in base_zips().values():
        summary = summary_of(base)
        note = f"{int(summary['unzipped']) / 1e6:.0f} MB unzipped"
        made.append(Row(f"zip {base.name}", int(summary["zipped"]) / 1e6, "MB", 250.0, note))
    return made


def rehearsal_rows() -> list[Row]:
    """`make rehearse` from a fresh clone and again, as a newcomer runs it."""
    with tempfile.TemporaryDirectory(prefix="ringfence-clone-") as scratch:
        clone = Path(scratch) / "ringfence"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        first = run(["make", "rehearse", f"PYTHON={sys.executable}"], cwd=clone)
        again = run(["make", "rehearse", f"PYTHON={sys.executable}"], cwd=clone)
        shutil.rmtree(clone / "build", ignore_errors=True)
    return [
        Row("make rehearse from a fresh clone", first.seconds, "s", 360.0, "package cache as found"),
        Row("make rehearse again", again.seconds, "s", 90.0),
        Row("  peak memory", max(first.peak_mb, again.peak_mb) / 1000, "GB", 4.0, "proportional, all processes"),
    ]


SECTIONS: dict[str, Callable[[], list[Row]]] = {
    "zips": zip_rows,
    "imports": callpath.import_rows,
    "interceptors": callpath.interceptor_rows,
    "host": callpath.host_rows,
    "start": callpath.start_rows,
    "synth": synth.rows,
    "rehearsal": rehearsal_rows,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; exit code 0 when every goal was met, 1 when one was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=sorted(SECTIONS), default=list(SECTIONS), metavar="SECTION")
    options = parser.parse_args(arguments)
    print(machine())
    made = []
    for name in options.only:
        print(f"\n{name}")
        rows = SECTIONS[name]()
        show(rows)
        made += rows
    missed = [row.what.strip() for row in made if row.verdict == "MISSED"]
    if missed:
        print(f"\nmissed: {'; '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())

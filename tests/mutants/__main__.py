"""Plants every fault of the table in the compilers, one at a time, and says which proof notices it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.mutants.home import ROOT, Home, Mutant, mutants

REPORT = ROOT / "build" / "mutants" / "mutants.json"
_SHOWN = 160
"""Characters of what was noticed."""


def main(arguments: list[str] | None = None) -> int:
    """Run the table, or a part of it.

    Returns:
        0 when every mutant is killed but those that the table explains, 1 otherwise, 2 when the table cannot be run.
    """
    chosen = _parser().parse_args(arguments)
    wanted = [each for each in mutants() if not chosen.only or any(word in each.name for word in chosen.only)]
    if chosen.part:
        return _part(wanted, chosen.part)
    found: dict[str, tuple[str, str]] = {}
    parts = [_start(number, chosen) for number in range(chosen.processes)]
    readers = [threading.Thread(target=_read, args=(part, found)) for part in parts]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    if any(part.wait() for part in parts) or found.keys() != {each.name for each in wanted}:
        print("mutants: not every mutant could be tried", file=sys.stderr)
        return 2
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return _summary(wanted, found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False, prog="python -m tests.mutants", description=__doc__)
    parser.add_argument(
        "--only", action="extend", nargs="+", metavar="WORDS", help="mutants whose name holds one of these"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N", help="(%(default)s)")
    parser.add_argument("--json", type=Path, default=REPORT, metavar="PATH", help="where the report goes (%(default)s)")
    parser.add_argument("--part", help=argparse.SUPPRESS)  # how this command calls itself: `<number>/<processes>`
    return parser


def _start(number: int, chosen: argparse.Namespace) -> subprocess.Popen[str]:
    only = ["--only", *chosen.only] if chosen.only else []
    command = [sys.executable, "-m", "tests.mutants", "--part", f"{number}/{chosen.processes}", *only]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _read(part: subprocess.Popen[str], found: dict[str, tuple[str, str]]) -> None:
    """Print what a part finds, as it comes. What the CDK prints between is left out."""
    for line in part.stdout or ():
        if line.startswith('{"mutant"'):
            told = json.loads(line)
            found[told["mutant"]] = told["by"], told["words"]
            by = told["by"] or "NOTHING"
            print(f"{by:11}{told['seconds']:6.1f} s  {told['mutant']}: {told['words'][:_SHOWN]}", flush=True)


def _part(wanted: list[Mutant], part: str) -> int:
    number, _, of = part.partition("/")
    with tempfile.TemporaryDirectory(prefix="ringfence-mutants-") as folder:
        home = Home(Path(folder).resolve())
        # Where a proof finds something without any fault, it would end every mutant.
        for department in sorted({mutant.department for mutant in wanted})[int(number) :: int(of)]:
            by, words = home.outcome(None, department=department)
            if by:
                print(f"mutants: {department} does not prove without a fault: {by}: {words}", file=sys.stderr)
                return 1
        for mutant in wanted[int(number) :: int(of)]:
            started = time.perf_counter()
            by, words = home.outcome(mutant)
            seconds = round(time.perf_counter() - started, 1)
            print(json.dumps({"mutant": mutant.name, "by": by, "words": words, "seconds": seconds}), flush=True)
    return 0


def _summary(wanted: list[Mutant], found: dict[str, tuple[str, str]]) -> int:
    alive = [each for each in wanted if not found[each.name][0]]
    wrong = [each for each in wanted if bool(each.survives) != (each in alive)]
    print(f"\n{len(wanted)} mutants, {len(wanted) - len(alive)} killed, {len(alive)} alive")
    for each in alive:
        print(f"alive: {each.name}: {each.survives or 'NOTHING NOTICED IT, AND THE TABLE DOES NOT SAY WHY'}")
    for each in wrong:
        if each.survives:
            print(f"killed, though the table says why it survives: {each.name}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

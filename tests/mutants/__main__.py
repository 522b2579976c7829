"""Plants every fault of the table in the compilers, one at a time, and says which proof notices it."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.home import ROOT, Home, Mutant, mutants

REPORT = ROOT / "build" / "mutants" / "mutants.json"


def main(arguments: list[str] | None = None) -> int:
    """Run the table, or a part of it.

    Returns:
        0 when every mutant is killed but those that the table explains, 1 otherwise.
    """
    chosen = _parser().parse_args(arguments)
    wanted = [each for each in mutants() if not chosen.only or any(word in each.name for word in chosen.only)]
    if chosen.part:
        return _part(wanted, chosen.part)
    parts = [_start(number, chosen) for number in range(chosen.processes)]
    found: dict[str, tuple[str, str]] = {}
    for part in parts:
        assert part.stdout is not None
    for line in _lines(parts):
        told = json.loads(line)
        found[told["name"]] = told["by"], told["words"]
        print(
            f"{told['by'] or 'SURVIVES':10} {told['seconds']:5.1f} s  {told['name']}: {told['words'][:160]}", flush=True
        )
    return _summary(wanted, found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="WORDS", help="mutants whose name holds one of these")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="how many at a time (%(default)s)")
    parser.add_argument("--part", help=argparse.SUPPRESS)  # how this command calls itself: `<number>/<processes>`
    return parser


def _start(number: int, chosen: argparse.Namespace) -> subprocess.Popen[str]:
    only = ["--only", *chosen.only] if chosen.only else []
    command = [sys.executable, "-m", "tests.mutants", "--part", f"{number}/{chosen.processes}", *only]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _lines(parts: list[subprocess.Popen[str]]) -> list[str]:
    """Every line that the parts write, as they end; a part that fails ends the command."""
    lines = []
    for part in parts:
        said, _ = part.communicate()
        if part.returncode:
            raise SystemExit(f"mutants: a part ended with {part.returncode}")
        lines += [line for line in said.splitlines() if line.startswith("{")]
    return lines


def _part(wanted: list[Mutant], part: str) -> int:
    number, _, of = part.partition("/")
    with tempfile.TemporaryDirectory(prefix="ringfence-mutants-") as folder:
        home = Home(Path(folder).resolve())
        for mutant in wanted[int(number) :: int(of)]:
            started = time.perf_counter()
            by, words = home.outcome(mutant)
            told = {"name": mutant.name, "by": by, "words": words, "seconds": round(time.perf_counter() - started, 1)}
            print(json.dumps(told), flush=True)
    return 0


def _summary(wanted: list[Mutant], found: dict[str, tuple[str, str]]) -> int:
    alive = [each for each in wanted if not found[each.name][0]]
    surprises = [each for each in alive if not each.survives] + [
        each for each in wanted if each.survives and each not in alive
    ]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({name: list(told) for name, told in found.items()}, indent=2) + "\n", encoding="utf-8")
    print(f"\n{len(wanted)} mutants, {len(wanted) - len(alive)} killed, {len(alive)} alive")
    for each in alive:
        print(f"alive: {each.name}: {each.survives or 'NOTHING NOTICED, AND NO REASON STANDS IN THE TABLE'}")
    for each in wanted:
        if each.survives and each not in alive:
            print(f"killed, though the table says why it survives: {each.name}")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())

"""Plants every fault of the tables, one at a time, and says what notices it: a proof, synthesis, or a test."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from ringfence.rehearsal.ending import Interrupted, end_in_order
from tests.mutants.home import ROOT, TABLES, Home, Mutant, mutants

REPORT = ROOT / "build" / "mutants" / "mutants.json"
_EPILOG = """Exit codes: 0 every mutant is killed but those that the table explains; 1 one is not; 2 not every mutant
could be tried, or none has such a name; 130, 143, 129 interrupted, and nothing is left running."""
_SHOWN = 160
"""Characters of what was noticed."""


def main(arguments: list[str] | None = None) -> int:
    """Run the table, or a part of it.

    Returns:
        0 when every mutant is killed but those that the table explains, 1 otherwise, 2 when the table cannot be run.
    """
    chosen = _parser().parse_args(arguments)
    table = mutants()
    unknown = [word for word in chosen.only or () if not any(word in each.name for each in table)]
    if unknown:
        print(
            f"mutants: no mutant's name holds {' or '.join(map(repr, unknown))}: see {TABLES[0].parent}",
            file=sys.stderr,
        )
        return 2
    wanted = [each for each in table if not chosen.only or any(word in each.name for word in chosen.only)]
    if chosen.part:
        return _part(wanted, chosen.part, Path(chosen.folder))
    end_in_order()
    try:
        found = _tried(chosen)
    except Interrupted as interrupted:
        return interrupted.told()
    if found is None or found.keys() != {each.name for each in wanted}:
        print("mutants: not every mutant could be tried; what is said above names the cause", file=sys.stderr)
        return 2
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return _summary(wanted, found)


def _tried(chosen: argparse.Namespace) -> dict[str, tuple[str, str]] | None:
    """What killed each mutant, or None where a part ended before its end. Whatever happens, no part outlives this."""
    found: dict[str, tuple[str, str]] = {}
    with tempfile.TemporaryDirectory(prefix="ringfence-mutants-") as folder:
        parts = [_start(number, chosen, Path(folder).resolve() / str(number)) for number in range(chosen.processes)]
        try:
            readers = [threading.Thread(target=_read, args=(part, found)) for part in parts]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
            ended = [part.wait() for part in parts]
        finally:
            for part in parts:
                _end(part)
    return None if any(ended) else found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        allow_abbrev=False, prog="python -m tests.mutants", description=__doc__, epilog=_EPILOG
    )
    parser.add_argument(
        "--only", action="extend", nargs="+", metavar="WORDS", help="mutants whose name holds one of these"
    )
    parser.add_argument("--processes", type=_number, default=os.cpu_count() or 1, metavar="N", help="(%(default)s)")
    parser.add_argument("--json", type=Path, default=REPORT, metavar="PATH", help="where the report goes (%(default)s)")
    parser.add_argument("--part", help=argparse.SUPPRESS)  # how this command calls itself: `<number>/<processes>`
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of processes; use 1 or more")
    return int(text)


def _start(number: int, chosen: argparse.Namespace, folder: Path) -> subprocess.Popen[str]:
    only = ["--only", *chosen.only] if chosen.only else []
    part = ["--part", f"{number}/{chosen.processes}", "--folder", str(folder)]
    command = [sys.executable, "-m", "tests.mutants", *part, *only]
    # A session of its own: Ctrl-C in the terminal reaches us alone, and we end the group.
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)


def _end(part: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(part.pid, signal.SIGKILL)  # the group holds this part and the node that it started, and no other
    part.wait()


def _read(part: subprocess.Popen[str], found: dict[str, tuple[str, str]]) -> None:
    """Print what a part finds, as it comes. What the CDK prints between is left out."""
    for line in part.stdout or ():
        if line.startswith('{"mutant"'):
            told = json.loads(line)
            found[told["mutant"]] = told["by"], told["words"]
            by = told["by"] or "NOTHING"
            print(f"{by:11}{told['seconds']:6.1f} s  {told['mutant']}: {told['words'][:_SHOWN]}", flush=True)


def _part(wanted: list[Mutant], part: str, folder: Path) -> int:
    number, _, of = part.partition("/")
    folder.mkdir()
    home = Home(folder)
    # Where a proof finds something without any fault, it would end every mutant.
    for test, department in sorted({(mutant.test, mutant.department) for mutant in wanted})[int(number) :: int(of)]:
        by, words = home.outcome(None, department=department, test=test)
        if by:
            print(f"mutants: {test or department} does not prove without a fault: {by}: {words}", file=sys.stderr)
            return 1
    for mutant in wanted[int(number) :: int(of)]:
        started = time.perf_counter()
        by, words = home.outcome(mutant, department=mutant.department, test=mutant.test)
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

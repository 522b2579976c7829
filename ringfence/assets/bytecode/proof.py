"""Proves that the bytecode in a folder's zips is that of its sources."""

from __future__ import annotations

import json
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ringfence import CannotGoOn
from ringfence.assets.bundles import FUNCTION_PYTHON, ROOT, RUNTIME_PYTHON
from ringfence.assets.bytecode.interpreters import run_pinned

TITLE = "the bytecode in the zips is that of its sources"
_REMEDY = "Synthesise first (make synth), or correct the path."
_CHECK = ROOT / "ringfence" / "assets" / "bytecode" / "check.py"


@dataclass(frozen=True)
class Outcome:
    """What was found.

    Attributes:
        modules: how many different modules were compiled again.
        findings: one line each; none means that it is proved.
    """

    zips: int
    modules: int
    findings: tuple[str, ...]


def check(folder: Path) -> Outcome:
    """Compile every source in the zips of a folder again, with the pinned Pythons, and compare.

    Raises:
        InterpreterFailed: a pinned Python is not installed, or ended.
    """
    archives = {path.name for path in folder.iterdir() if path.is_file() and zipfile.is_zipfile(path)}
    loose = [
        f"{path.name}: is a folder, in which nothing is compared"
        for path in sorted([*folder.glob("asset.*/"), *folder.glob("assembly-*/")])
    ]
    # Python looks for a zip's end in the last 65,557 bytes alone; who unpacks it may look further.
    loose += [
        f"{path.name}: is no zip, so nothing in it is compared"
        for path in sorted(folder.glob("asset.*"))
        if path.is_file() and path.name not in archives
    ]
    if not archives:
        return Outcome(zips=0, modules=0, findings=tuple(loose))
    print(f"bytecode: compiling every module of {len(archives)} zips again", file=sys.stderr)
    said = [json.loads(run_pinned(_CHECK, folder, python)) for python in (FUNCTION_PYTHON, RUNTIME_PYTHON)]
    compared = [name for each in said for name in each["zips"]]
    findings = [*loose, *(finding for each in said for finding in each["findings"])]
    findings += [f"{name}: holds no bytecode of a deployed version" for name in sorted(archives - set(compared))]
    findings += [f"{name}: holds bytecode of two versions" for name in sorted(archives) if compared.count(name) > 1]
    return Outcome(len(archives), sum(each["modules"] for each in said), tuple(findings))


def prove(folder: Path, *, report: Path | None = None) -> int:
    """Proves it, and says what was found.

    Args:
        folder: A cloud assembly, or another folder with zips.
        report: The report of the other proofs, into which it is written beside them.

    Returns:
        0 proved, 1 something differs.

    Raises:
        CannotGoOn: it cannot be said.
    """
    if not folder.is_dir():
        raise CannotGoOn(f"{folder} is no folder", _REMEDY)
    begun = time.perf_counter()
    outcome = check(folder)
    for finding in outcome.findings:
        print(f"bytecode: {finding}")
    if not outcome.zips:
        raise CannotGoOn(f"there is no zip in {folder}", _REMEDY)
    verdict = f"{len(outcome.findings)} findings" if outcome.findings else "each as its source compiles"
    print(f"bytecode: {outcome.modules} modules in {outcome.zips} zips, {verdict}")
    if report:
        _write_beside(outcome, time.perf_counter() - begun, report)
    return 1 if outcome.findings else 0


def _write_beside(outcome: Outcome, seconds: float, report: Path) -> None:
    found = json.loads(report.read_text(encoding="utf-8"))
    told = [finding.partition(": ") for finding in outcome.findings]
    mine = {
        "name": "bytecode",
        "title": TITLE,
        "holds": not told,
        "looked_at": {"zips": outcome.zips, "modules": outcome.modules},
        "on_purpose": [],
        "seconds": round(seconds, 3),
        "findings": [{"subject": name, "message": message} for name, _, message in told],
    }
    found |= {"holds": found["holds"] and not told, "proofs": [*found["proofs"], mine]}
    report.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")

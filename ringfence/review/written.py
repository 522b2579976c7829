"""What a reviewer gets of a department's cloud assembly, written where somebody wants it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ringfence.deployment.changes import changes
from ringfence.deployment.templates import CannotAsk, department_in, in_folder
from ringfence.proofs import golden
from ringfence.reading.annotations import errors
from ringfence.review import comment, results, sarif

REPORT: Final = "validation-report.json"


def findings(assembly: Path, department: str, *, proofs: Path | None, waived: bool, output: Path | None) -> int:
    """Writes what is open as SARIF 2.1.0.

    Args:
        proofs: The report of the proofs, if they ran.
        waived: Whether waived findings are written too, as suppressed results.
        output: Where it goes; to standard output where there is none.

    Returns:
        0 when nothing is open, 1 when something is.

    Raises:
        CannotGoOn: something cannot be read.
    """
    file = _file(department)
    found = of_synthesis(assembly, department)
    if proofs:
        found += results.of_proofs(_read(proofs), file=file)
    also = list(results.waivers(in_folder(assembly), file=file)) if waived else []
    log = sarif.sarif_of([*sorted(found), *sorted(also)], department=department)
    _write(output, json.dumps(log, indent=2) + "\n")
    if not waived:
        print(f"{len(found)} open findings{_told(output)}", file=sys.stderr)
    return 1 if found else 0


def of_synthesis(assembly: Path, department: str) -> list[results.Result]:
    """Returns what synthesis found, and what constructs call an error; raises as `findings`."""
    file = _file(department)
    found = list(results.of_synthesis(_read(assembly / REPORT), file=file))
    called = errors(assembly) if (assembly / "manifest.json").is_file() else ()
    return [*found, *results.of_constructs(called, file=file)]


def waivers(assembly: Path, *, output: Path | None) -> None:
    """Lists every finding that a template acknowledges, by reason; raises as `findings`."""
    by_reason: dict[str, list[results.Result]] = {}
    for each in sorted(results.waivers(in_folder(assembly), file="")):
        by_reason.setdefault(each.waiver, []).append(each)
    _write(output, "\n".join(_list(by_reason)) + "\n")


def _list(by_reason: dict[str, list[results.Result]]) -> Iterator[str]:
    yield f"{sum(map(len, by_reason.values()))} findings are acknowledged, for {len(by_reason)} reasons."
    for reason, waived in by_reason.items():
        yield f"\n{reason}"
        yield from (f"  {each.rule}  {each.place}" for each in waived)


def write_comment(
    assembly: Path, against: Path | None, *, records: Path, records_against: Path | None, output: Path | None
) -> None:
    """Writes what a change means, as a comment on its pull request; raises as `findings`.

    Args:
        against: Folder of its earlier templates; the department is new where there is none.
        records: Folder of the committed records of what every role can do.
        records_against: Folder of the earlier ones; without it, rights are compared for a new department alone.
        output: Where it goes; to standard output where there is none.
    """
    after = in_folder(assembly)
    before = in_folder(against) if against else {}
    department = department_in(after)
    if before and (there := department_in(before)) != department:
        raise CannotAsk(f"{against} holds the department {there}, not {department}; name a folder of {department}")
    both = (_records(records_against, department) if records_against else {}, _records(records, department))
    text = comment.comment_of(department, before=before, after=after, changes=changes(before, after), records=both)
    _write(output, text)
    if output:
        print(f"comment: written to {output}", file=sys.stderr)


def _records(folder: Path, department: str) -> dict[str, str]:
    if not folder.is_dir():
        raise CannotAsk(f"{folder} is no folder; name the one with the records of what every role can do")
    return golden.committed(folder, department)


def _file(department: str) -> str:
    return f"departments/{department}.toml"


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise CannotAsk(f"{path} cannot be read as JSON ({problem})") from None


def _write(path: Path | None, text: str) -> None:
    if path is None:
        sys.stdout.write(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _told(path: Path | None) -> str:
    return f", written to {path}" if path else ""

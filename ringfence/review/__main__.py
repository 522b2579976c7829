"""`python -m ringfence.review`: what a reviewer gets of a department's cloud assembly."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ringfence.deployment.changes import changes
from ringfence.deployment.templates import CannotAsk, department_in, in_folder
from ringfence.proofs import golden
from ringfence.reading.problems import ProblemsFound
from ringfence.review import comment, results, sarif

_REPORT: Final = "validation-report.json"
_EPILOG: Final = (
    "exit: 0 it is written, and no finding is open; 1 it is written, and a finding is open (findings); "
    "2 something could not be read"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one of the commands and returns its exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        code: int = chosen.run(chosen)
    except (CannotAsk, LookupError, ProblemsFound, ValueError) as problem:
        print(f"review: {problem}", file=sys.stderr)
        return 2
    except OSError as problem:
        print(f"review: {problem.filename}: {problem.strerror}", file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        allow_abbrev=False, prog="python -m ringfence.review", description=__doc__, epilog=_EPILOG
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, run, text in (
        (
            "findings",
            _findings,
            "write open findings of synthesis and proofs, and on demand the waivers, as SARIF 2.1.0",
        ),
        ("waivers", _waivers, "list every finding that a template acknowledges, by reason"),
        ("comment", _comment, "write what a change means, as a comment on its pull request"),
    ):
        command = commands.add_parser(name, allow_abbrev=False, help=text, description=text, epilog=_EPILOG)
        command.add_argument(
            "--assembly", type=Path, required=True, metavar="PATH", help="folder of the cloud assembly"
        )
        command.add_argument("--output", type=Path, metavar="PATH", help="where it goes (default: standard output)")
        command.set_defaults(run=run)
        _MORE[name](command)
    return parser


def _of_findings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--department", required=True, metavar="NAME", help="whose assembly it is")
    command.add_argument("--proofs", type=Path, metavar="PATH", help="the report of python -m ringfence.proofs")
    command.add_argument("--waivers", action="store_true", help="waived findings too, as suppressed results")


def _of_comment(command: argparse.ArgumentParser) -> None:
    earlier = command.add_mutually_exclusive_group(required=True)
    earlier.add_argument("--against", type=Path, metavar="PATH", help="folder of the earlier templates")
    earlier.add_argument("--new", action="store_true", help="the department is new: there is nothing earlier")
    command.add_argument(
        "--records", type=Path, default=golden.FOLDER, metavar="PATH", help="committed records (%(default)s)"
    )
    command.add_argument(
        "--records-against", type=Path, metavar="PATH", help="the earlier ones (default: none is told)"
    )


_MORE: Final = {"findings": _of_findings, "waivers": lambda _: None, "comment": _of_comment}


def _findings(chosen: argparse.Namespace) -> int:
    file = f"departments/{chosen.department}.toml"
    found = list(results.of_synthesis(_read(chosen.assembly / _REPORT), file=file))
    if chosen.proofs:
        found += results.of_proofs(_read(chosen.proofs), file=file)
    waived = list(results.waivers(in_folder(chosen.assembly), file=file)) if chosen.waivers else []
    log = sarif.sarif_of([*sorted(found), *sorted(waived)], department=chosen.department)
    _write(chosen.output, json.dumps(log, indent=2) + "\n")
    print(f"{len(found)} open findings{_told(chosen.output)}", file=sys.stderr)
    return 1 if found else 0


def _waivers(chosen: argparse.Namespace) -> int:
    by_reason: dict[str, list[results.Result]] = {}
    for each in sorted(results.waivers(in_folder(chosen.assembly), file="")):
        by_reason.setdefault(each.waiver, []).append(each)
    _write(chosen.output, "\n".join(_list(by_reason)) + "\n")
    return 0


def _list(by_reason: dict[str, list[results.Result]]) -> Iterator[str]:
    yield f"{sum(map(len, by_reason.values()))} findings are acknowledged, for {len(by_reason)} reasons."
    for reason, waived in by_reason.items():
        yield f"\n{reason}"
        yield from (f"  {each.rule}  {each.place}" for each in waived)


def _comment(chosen: argparse.Namespace) -> int:
    after = in_folder(chosen.assembly)
    before = {} if chosen.new else in_folder(chosen.against)
    department = department_in(after)
    if before and (there := department_in(before)) != department:
        raise CannotAsk(
            f"{chosen.against} holds the department {there}, not {department}; name a folder of {department}"
        )
    now = _records(chosen.records, department)
    earlier = {} if chosen.new else now
    if chosen.records_against:
        earlier = _records(chosen.records_against, department)
    text = comment.comment_of(
        department, before=before, after=after, changes=changes(before, after), records=(earlier, now)
    )
    _write(chosen.output, text)
    if chosen.output:
        print(f"comment: written to {chosen.output}", file=sys.stderr)
    return 0


def _records(folder: Path, department: str) -> dict[str, str]:
    if not folder.is_dir():
        raise CannotAsk(f"{folder} is no folder; name the one with the records of what every role can do")
    return golden.committed(folder, department)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as problem:
        raise CannotAsk(f"{path} is no JSON ({problem}); make it again") from None


def _write(path: Path | None, text: str) -> None:
    if path is None:
        sys.stdout.write(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _told(path: Path | None) -> str:
    return f", written to {path}" if path else ""


if __name__ == "__main__":
    sys.exit(main())

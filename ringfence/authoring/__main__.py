"""Checks a department's or an organisation's file, or makes a department's file from an example."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ringfence.authoring.checked import checked_department, checked_organisation
from ringfence.authoring.copied import copied
from ringfence.reading.problems import ProblemsFound

ROOT: Final = Path()  # the folder that it runs in, as every command of the project
_EXIT_CODES: Final = "exit: 0 nothing is wrong, or the file is made; 1 something is wrong with what is named; 2 usage"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one of the two commands and returns its exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command == "new":
            said = copied(chosen.name, like=chosen.like, root=ROOT)
        elif chosen.organisation:
            said = checked_organisation(chosen.organisation, root=ROOT)
        else:
            said = checked_department(chosen.department, root=ROOT, to_deploy=chosen.to_deploy)
    except ProblemsFound as problem:
        print(problem, file=sys.stderr)
        return 1
    if not getattr(chosen, "quiet", False):
        print(said)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        allow_abbrev=False, prog="python -m ringfence.authoring", description=__doc__, epilog=_EXIT_CODES
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check",
        allow_abbrev=False,
        help="say everything that is wrong with a file",
        description="Reads a file and the catalogue, and nothing else.",
        epilog=_EXIT_CODES,
    )
    what = check.add_mutually_exclusive_group(required=True)
    what.add_argument("--department", metavar="NAME", help="departments/<NAME>.toml; its path is taken as well")
    what.add_argument("--organisation", metavar="NAME", help="organisations/<NAME>.toml")
    check.add_argument("--quiet", action="store_true", help="say nothing where nothing is wrong")
    check.add_argument("--to-deploy", action="store_true", help="refuse an example, which is never deployed")
    new = commands.add_parser(
        "new",
        allow_abbrev=False,
        help="make a department's file from another",
        description="Writes departments/<NAME>.toml and names every value that is still to be filled in.",
        epilog=_EXIT_CODES,
    )
    new.add_argument("name", metavar="NAME", help="the department's name")
    new.add_argument("--like", metavar="NAME", default="example-production", help="the example (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

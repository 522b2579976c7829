"""What deploying a department asks of the account, and what a change would do to it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ringfence.deployment import command_changes, command_policy
from ringfence.reading.problems import ProblemsFound

_EXIT_CODES = (
    "exit: 0 it is done, and nothing stands in the way; 1 something is to be mended or confirmed first; "
    "2 something could not be read or asked. Each command's own --help says which."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one of the two commands and returns its exit code."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False, prog="python -m ringfence.deployment", description=__doc__, epilog=_EXIT_CODES
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (command_policy, command_changes):
        command.add_to(commands)
    chosen = parser.parse_args(arguments)
    try:
        code: int = chosen.run(chosen)
    except ProblemsFound as problem:  # with a data file of ours
        print(f"deployment: {problem}", file=sys.stderr)
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main())

"""`python -m live preflight` before a deployment."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from governance.problems import ProblemsFound
from live.account import Account
from live.before import Before
from live.needs import read_needs
from live.preflight.checks import NOT_ASKED
from live.preflight.run import as_json, ask_everything, policy
from live.problems import CannotStart
from live.results import COULD_NOT_ASK, exit_code
from live.table import print_table

ROOT = Path(__file__).resolve().parents[1]
INTERRUPTED = 130
_PREFLIGHT = """\
Ask the account of the credentials, by calls that only read, whether a department can be deployed into it: what is
right, what is wrong with its remedy, and what could not be asked and why. Nothing is changed, and no secret's value
is read.
"""
_EXIT_CODES = """\
exit codes: 0 everything is right; 1 something is wrong; 2 something could not be asked (and nothing is wrong);
130 interrupted.
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it otherwise
    try:
        code: int = options.run(options)
        return code
    except (CannotStart, ProblemsFound) as problem:
        print(problem, file=sys.stderr)
        return COULD_NOT_ASK
    except KeyboardInterrupt:
        print("\nInterrupted; nothing was changed.", file=sys.stderr)
        return INTERRUPTED


def preflight(options: argparse.Namespace) -> int:
    """Asks everything, prints it, and says by the exit code how it went."""
    if options.policy:
        print(policy())
        return 0
    needs = read_needs(options.department, options.assembly, root=ROOT)
    answers = ask_everything(Before(Account(), needs), progress=_progress)
    code = exit_code(result for _, found in answers for result in found)
    if options.json:
        print(json.dumps(as_json(needs, answers, code), indent=2, ensure_ascii=False))
        return code
    print(f"{needs.department.name} in account {needs.account}, {needs.department.region}")
    print_table([(check.question, found) for check, found in answers], sys.stdout)
    print(f"Not asked: {'; '.join(NOT_ASKED)}.")
    return code


def _progress(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m live", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    before = commands.add_parser(
        "preflight",
        help="before a deployment: can this account take the department?",
        description=_PREFLIGHT,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    before.set_defaults(run=preflight)
    before.add_argument("--department", default="example-production", metavar="NAME", help="whose file to compare")
    before.add_argument(
        "--assembly", type=Path, default=Path("cdk.out"), metavar="FOLDER", help="cloud assembly (default: cdk.out)"
    )
    before.add_argument("--json", action="store_true", help="print the report as JSON")
    before.add_argument("--policy", action="store_true", help="print the IAM policy that the questions need, and end")
    return parser


if __name__ == "__main__":
    sys.exit(main())

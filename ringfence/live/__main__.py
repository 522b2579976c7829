"""`python -m ringfence.live preflight` before a deployment, `python -m ringfence.live verify` after one."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import signal
import sys
from pathlib import Path

from ringfence.live.account import Account
from ringfence.live.before import Before
from ringfence.live.needs import Needs, read_needs
from ringfence.live.preflight import run as before
from ringfence.live.preflight.checks import NOT_ASKED
from ringfence.live.problems import CannotAsk, CannotStart
from ringfence.live.results import COULD_NOT_ASK, Verdict, exit_code
from ringfence.live.table import print_table
from ringfence.reading.problems import ProblemsFound

ROOT = Path(__file__).resolve().parents[2]
INTERRUPTED = 130
TOKEN = "RINGFENCE_TOKEN"  # noqa: S105 - the variable's name
_PREFLIGHT = """\
Ask the account of the credentials, by calls that only read, whether a department can be deployed into it: what is
right, what is wrong with its remedy, and what could not be asked and why. Nothing is changed, and no secret's value
is read.
"""
_VERIFY = """\
After a deployment, look at what only a live account can show: sign in as one persona, list its tools, make one allowed
call of each server and some that must be refused, and look for what they left in the logs and in CloudTrail. Writes
evidence.json and evidence.md, into a folder of their own each time: each point with its state, its owner, and how it is
judged; none for an account that is not known. Nothing is changed, but for --drill.
"""
_POINTS = """\
Print the points that only a live account can show (ringfence/live/data/points.toml), or write them into
docs/verification.md.
"""
_EXIT_CODES = """\
exit codes: 0 everything is right; 1 something is wrong; 2 something could not be asked (and nothing is wrong);
130 interrupted.
"""


class _Kept(io.StringIO):
    """What is printed, kept until all of it is known; coloured where it will be seen on a terminal."""

    def isatty(self) -> bool:
        return sys.__stdout__ is not None and sys.__stdout__.isatty()


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it otherwise
    said = _Kept()
    try:
        with contextlib.redirect_stdout(said):
            code: int = options.run(options)
        return code
    except (CannotStart, ProblemsFound) as problem:
        print(problem, file=sys.stderr)
        return COULD_NOT_ASK
    except CannotAsk as problem:
        print(f"{problem}\n{problem.remedy}", file=sys.stderr)
        return COULD_NOT_ASK
    except KeyboardInterrupt:
        print("\nInterrupted; nothing was changed, and what a drill had changed was undone.", file=sys.stderr)
        return INTERRUPTED
    finally:
        _print(said.getvalue())


def _print(text: str) -> None:
    """Prints what was found, once that is all known: a reader that leaves early, as `head` does, changes no verdict."""
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try again at its end


def preflight(options: argparse.Namespace) -> int:
    """Asks everything, prints it, and says by the exit code how it went."""
    if options.policy:
        print(before.policy())
        return 0
    needs = _needs(options)
    answers = before.ask_everything(Before(Account(), needs), progress=_progress)
    code = exit_code(result for _, found in answers for result in found)
    if options.json:
        print(json.dumps(before.as_json(needs, answers, code), indent=2, ensure_ascii=False))
        return code
    print(f"{needs.department.name}, for account {needs.account}, {needs.department.region}")
    print_table([(check.question, found) for check, found in answers], sys.stdout)
    print(f"Not asked: {'; '.join(NOT_ASKED)}.")
    return code


def verify(options: argparse.Namespace) -> int:
    """Signs in, visits, looks at everything, writes the evidence."""
    if options.policy:
        print(before.policy(drill=options.drill))
        return 0
    # Imported here: the HTTP client takes a while to load, which --help and a preflight should not cost.
    from ringfence.live.verification import evidence
    from ringfence.live.verification import run as after
    from ringfence.live.verification.after import After
    from ringfence.live.verification.checks import CHECKS
    from ringfence.live.verification.points import read_points

    needs = _needs(options)
    persona = options.persona or needs.department.personas[0]
    if persona not in needs.department.personas:
        there_are = ", ".join(needs.department.personas)
        raise CannotStart(f"{needs.department.name} has no persona {persona}", f"Choose one of: {there_are}.")
    looked = After(Account(), needs, persona, tell=_progress, drill=options.drill)
    if not options.without_visit and after.is_the_departments(looked):
        given = os.environ.get(TOKEN)
        token = given or after.get_token(looked, host=options.host, seconds=options.wait, tell=_progress)
        looked = after.with_visit(looked, token)
    results = after.look(looked)
    points = read_points()
    print_table([(check.question, results[check.name]) for check in CHECKS if results[check.name]], sys.stdout)
    if all(each.verdict is Verdict.RIGHT for each in results["account"]):
        for point in points:
            print(f"  {point.id}  {evidence.state_of(point, results):18} {point.owner}: {point.command}")
        folder = evidence.folder_of(options.output, looked)
        machine, page = evidence.write(folder, evidence.as_json(looked, points, results))
        print(f"Written to {machine} and {page}. Keep them with your records: `make clean` removes build/.")
    else:
        print("No evidence is written: the account is not known to be the department's.")
    return exit_code(each for found in results.values() for each in found)


def points(options: argparse.Namespace) -> int:
    """Prints the points, or writes them into the page."""
    from ringfence.live.verification.points import PAGE, as_markdown, read_points, with_points

    if options.write:
        PAGE.write_text(with_points(PAGE.read_text(encoding="utf-8"), read_points()), encoding="utf-8")
    else:
        print(as_markdown(read_points()))
    return 0


def _needs(options: argparse.Namespace) -> Needs:
    return read_needs(options.department, options.assembly, root=ROOT)


def _progress(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False, prog="python -m ringfence.live", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    asks = _command(commands, "preflight", "before a deployment: can this account take the department?", _PREFLIGHT)
    asks.set_defaults(run=preflight)
    asks.add_argument("--json", action="store_true", help="print the report as JSON")
    looks = _command(commands, "verify", "after a deployment: does the account show what it must?", _VERIFY)
    looks.set_defaults(run=verify)
    looks.add_argument("--persona", metavar="NAME", help="whose gateway to visit (default: the department's first)")
    looks.add_argument("--host", metavar="NAME", help="MCP host to sign in with (default: the first on this machine)")
    looks.add_argument(
        "--wait", type=float, default=300.0, metavar="SECONDS", help="how long to wait for the sign-in (default: 300)"
    )
    looks.add_argument(
        "--without-visit", action="store_true", help=f"sign nobody in; else {TOKEN} holds a token, or a browser is used"
    )
    looks.add_argument("--drill", action="store_true", help="make deliberate faults too, and undo them")
    looks.add_argument(
        "--output",
        type=Path,
        default=Path("build/verify-live"),
        metavar="FOLDER",
        help="where the evidence goes, below it <department>/<time>-<persona> (default: build/verify-live)",
    )
    told = commands.add_parser(
        "points", allow_abbrev=False, help="what only a live account can show", description=_POINTS
    )
    told.set_defaults(run=points)
    told.add_argument("--write", action="store_true", help="write them into docs/verification.md")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_: str, text: str
) -> argparse.ArgumentParser:
    """A command that compares a department with an account."""
    command = commands.add_parser(
        name,
        allow_abbrev=False,
        help=help_,
        description=text,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--department", default="example-production", metavar="NAME", help="whose file to compare")
    command.add_argument(
        "--assembly", type=Path, default=Path("cdk.out"), metavar="FOLDER", help="cloud assembly (default: cdk.out)"
    )
    command.add_argument("--policy", action="store_true", help="print the IAM policy that this needs, and end")
    return command


if __name__ == "__main__":
    sys.exit(main())

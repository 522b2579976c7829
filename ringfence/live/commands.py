"""An account is asked: `preflight` before a deployment, `verify` after one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ringfence.live.account import Account
from ringfence.live.before import Before
from ringfence.live.needs import read_needs
from ringfence.live.preflight import run as before
from ringfence.live.preflight.checks import NOT_ASKED
from ringfence.live.problems import CannotStart
from ringfence.live.results import Verdict, exit_code
from ringfence.live.table import print_table

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "RINGFENCE_TOKEN"  # noqa: S105 - the variable's name


@contextmanager
def _told_at_ctrl_c() -> Iterator[None]:
    """Says what became of the account when somebody interrupts the asking."""
    try:
        yield
    except KeyboardInterrupt:
        print("\nWhat a drill had changed was undone, and nothing was changed besides.", file=sys.stderr)
        raise


@_told_at_ctrl_c()
def preflight(department: str, assembly: Path, *, as_json: bool) -> int:
    """Asks everything, prints it, and says by the exit code how it went."""
    needs = read_needs(department, assembly, root=ROOT)
    answers = before.ask_everything(Before(Account(), needs), progress=_progress)
    code = exit_code(result for _, found in answers for result in found)
    if as_json:
        print(json.dumps(before.as_json(needs, answers, code), indent=2, ensure_ascii=False))
        return code
    print(f"{needs.department.name}, for account {needs.account}, {needs.department.region}")
    print_table([(check.question, found) for check, found in answers], sys.stdout)
    print(f"Not asked: {'; '.join(NOT_ASKED)}.")
    return code


@dataclass(frozen=True)
class Visit:
    """How somebody is signed in.

    Attributes:
        persona: Whose gateway is visited; the department's first where none is named.
        host: MCP host to sign in with; the first on this machine where none is named.
        openid: Whether the scope openid is asked for.
    """

    persona: str
    host: str
    seconds: float
    nobody: bool
    openid: bool = True


@_told_at_ctrl_c()
def verify(department: str, assembly: Path, visit: Visit, *, drill: bool, output: Path) -> int:
    """Signs in, visits, looks at everything, writes the evidence.

    Args:
        drill: Whether deliberate faults are made too, and undone.
        output: Where the evidence goes, below it `<department>/<time>-<persona>`.
    """
    # Imported here: the HTTP client takes a while to load, which --help and a preflight should not cost.
    from ringfence.live.verification import evidence
    from ringfence.live.verification import run as after
    from ringfence.live.verification.after import After
    from ringfence.live.verification.checks import CHECKS
    from ringfence.live.verification.points import read_points

    needs = read_needs(department, assembly, root=ROOT)
    persona = visit.persona or needs.department.personas[0]
    if persona not in needs.department.personas:
        there_are = ", ".join(needs.department.personas)
        raise CannotStart(f"{needs.department.name} has no persona {persona}", f"Choose one of: {there_are}.")
    looked = After(Account(), needs, persona, tell=_progress, drill=drill)
    if not visit.nobody and after.is_the_departments(looked):
        token = os.environ.get(TOKEN) or after.get_token(
            looked, host=visit.host or None, openid=visit.openid, seconds=visit.seconds, tell=_progress
        )
        looked = after.with_visit(looked, token)
    results = after.look(looked)
    points = read_points()
    print_table([(check.question, results[check.name]) for check in CHECKS if results[check.name]], sys.stdout)
    if all(each.verdict is Verdict.RIGHT for each in results["account"]):
        for point in points:
            print(f"  {point.id}  {evidence.state_of(point, results):18} {point.owner}: {point.command}")
        folder = evidence.folder_of(output, looked)
        machine, page = evidence.write(folder, evidence.as_json(looked, points, results))
        print(f"Written to {machine} and {page}. Keep them with your records: `make clean` removes build/.")
    else:
        print("No evidence is written: the account is not known to be the department's.")
    return exit_code(each for found in results.values() for each in found)


def policy(*, drill: bool = False) -> int:
    """Prints the IAM policy that asking needs."""
    print(before.policy(drill=drill))
    return 0


def _progress(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)

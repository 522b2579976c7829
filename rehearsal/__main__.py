"""`python -m rehearsal`: run a synthesised department on 127.0.0.1 and play the calls."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from types import FrameType

from mcp.shared.exceptions import MCPError

from assets.zips import AssetMissing
from assurance.assembly import Assembly
from assurance.problems import UndecidablePolicy, UnresolvedTemplate
from rehearsal.department import RunningDepartment
from rehearsal.functions import FunctionError
from rehearsal.identity import User
from rehearsal.play import PERSONA, PlayStopped, member_groups, play, set_stage
from rehearsal.problems import CannotStart
from rehearsal.report import Account, account_on_stdout, client_configuration, summary, write_report
from rehearsal.stage import AUDITOR_STAFF_ID, Stage

EXIT_AS_EXPECTED = 0
EXIT_NOT_AS_EXPECTED = 1
EXIT_CANNOT_START = 2
EXIT_INTERRUPTED = 130

_DESCRIPTION = """\
Run a synthesised department on 127.0.0.1, from its cloud assembly alone: a local AWS that decides with the synthesised
policies, the functions' own code, the gateway, and the real MCP servers. Then play an auditor's calls, and attacks,
through a real MCP client.
"""
_EPILOG = """\
exit codes: 0 everything as it must be; 1 a call went otherwise; 2 it cannot start (the message names the remedy);
130 interrupted. Nothing is left running in any case, and nothing listens on anything but 127.0.0.1.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run a rehearsal and return the exit code."""
    options = _options(arguments)
    account = account_on_stdout()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _rehearse(options, account)
    except CannotStart as problem:
        return _cannot_start(problem.what, problem.remedy)
    except (UnresolvedTemplate, UndecidablePolicy) as problem:
        return _cannot_start(
            f"the template cannot be interpreted: {problem}", "Correct the template, or teach assurance/."
        )
    except AssetMissing as problem:
        return _cannot_start(str(problem), "Run `make assets`.")
    except KeyboardInterrupt:
        account.line("\nInterrupted; everything that was started has been stopped.")
        return EXIT_INTERRUPTED


def _rehearse(options: argparse.Namespace, account: Account) -> int:
    started = time.monotonic()

    def progress(text: str) -> None:
        account.line(f"{time.monotonic() - started:6.1f} s  {text}")

    assembly = Assembly.load(options.assembly)
    department = RunningDepartment(
        assembly, port=options.port, sign_in=lambda name: _sign_in(department, name), progress=progress
    )
    if options.department not in (None, department.name):
        raise CannotStart(
            f"{options.assembly} holds the department {department.name}, not {options.department}",
            f"Synthesise it first: make synth DEPARTMENT={options.department}.",
        )
    progress(f"read {len(assembly.stacks)} stacks of {department.name} from {options.assembly}")
    with department:
        stage = set_stage(department, tell=account.tell)
        ready = time.monotonic()
        problem = ""
        account.line()
        try:
            asyncio.run(play(stage))
        except Exception as stopped:  # the report must be written, and everything stopped, whatever went wrong
            problem = _cause(stopped)
        played = time.monotonic()
        calls = stage.script.calls
        write_report(
            options.report,
            department=department.name,
            calls=calls,
            not_emulated=department.not_emulated,
            seconds={"start": ready - started, "play": played - ready},
        )
        _conclude(account, stage, options.report, problem, played - started)
        if options.keep:
            _keep(stage, account)
    return EXIT_AS_EXPECTED if not problem and all(call.held for call in calls) else EXIT_NOT_AS_EXPECTED


def _cause(error: BaseException) -> str:
    """The first cause inside the groups that task groups make of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, PlayStopped | FunctionError | MCPError):
        traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"


def _conclude(account: Account, stage: Stage, report: Path, problem: str, seconds: float) -> None:
    account.line()
    if problem:
        account.line(f"The play stopped: {problem}")
    account.line(f"{summary(stage.script.calls)}. {seconds:.1f} s. Written to {report}.")
    account.line(f"Not emulated: {'; '.join(stage.department.not_emulated)}.")


def _keep(stage: Stage, account: Account) -> None:
    token = stage.token()
    account.line(f"\nServing {stage.persona} at {stage.server.url} until Ctrl-C. Bearer token of {AUDITOR_STAFF_ID}:\n")
    account.line(token)
    account.line(f"\nIt lives {stage.client.lifetime // 60} minutes, as the template says. A fresh one:")
    account.line(f"  curl -s {stage.department.identity.url}/sign-in/{stage.persona}")
    account.line("\nAn MCP client's configuration:\n")
    account.line(client_configuration(stage.server.url, token))
    threading.Event().wait()


def _sign_in(department: RunningDepartment, name: str) -> str | None:
    if name not in department.gateways or name != PERSONA:
        return None
    user = User(AUDITOR_STAFF_ID, member_groups(department, name))
    return department.pool.sign_in(user, department.pool.clients[0])


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--department", metavar="NAME", help="the department that the assembly must hold")
    parser.add_argument(
        "--assembly", type=Path, default=Path("cdk.out"), metavar="FOLDER", help="cloud assembly (default: cdk.out)"
    )
    parser.add_argument("--keep", action="store_true", help="keep serving after the play, until Ctrl-C")
    parser.add_argument("--port", type=_port, default=0, help="port of the gateway (default: a free one)")
    parser.add_argument(
        "--report",
        type=Path,
        default=Path("build/rehearsal/report.json"),
        metavar="PATH",
        help="where to write the report (default: build/rehearsal/report.json)",
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; use 1 to 65535")
    return int(text)


def _cannot_start(what: str, remedy: str) -> int:
    print(f"rehearsal: {what.rstrip('.')}.\n{remedy}", file=sys.stderr)
    return EXIT_CANNOT_START


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

"""One rehearsal from reading the assembly to the report."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import threading
import time
import traceback
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from mcp.shared.exceptions import MCPError

from ringfence.deployed.department import DeployedDepartment
from ringfence.rehearsal.compute.function_process import FunctionError
from ringfence.rehearsal.connect import CONNECT, connections, entries, written
from ringfence.rehearsal.department import RunningDepartment
from ringfence.rehearsal.ending import interrupted_in
from ringfence.rehearsal.ports import SIGN_IN
from ringfence.rehearsal.problems import CannotStart
from ringfence.rehearsal.records import halves, joined
from ringfence.rehearsal.reporting.account import Account, account_on_stdout, summary
from ringfence.rehearsal.reporting.document import document_of, write_report
from ringfence.rehearsal.reporting.provenance import Provenance, provenance_of
from ringfence.rehearsal.reporting.waived import waived_of
from ringfence.rehearsal.scenarios.granted import ANSWERED, NoExample, granted_tools, problems_of
from ringfence.rehearsal.scenarios.play import PlayStopped, play, set_stages
from ringfence.rehearsal.scenarios.stage import Stage


def rehearse(
    deployed: DeployedDepartment,
    *,
    department_name: str | None,
    port: int | None,
    keep: bool,
    tokens: bool,
    report: Path | None,
) -> bool:
    """Start the department, play, write the report, stop everything.

    Args:
        deployed: the department, as `template.read` gives it.
        department_name: the department it must hold, or None for whichever it holds.
        port: port of the sign-in page, which the gateways' follow; None for the usual ones while it serves on, and for
            free ones otherwise.
        tokens: whether to print access tokens for scripts while it serves on.
        report: where to write the report, or None for the department's own place (`write_report`).

    Returns:
        Whether every call went as it must.

    Raises:
        CannotGoOn: something is missing or cannot be interpreted.
    """
    account, started = account_on_stdout(), time.monotonic()

    def progress(text: str) -> None:
        account.line(f"{time.monotonic() - started:6.1f} s  {text}")

    assembly_path = deployed.assembly.path
    if department_name not in (None, deployed.name):
        raise CannotStart(
            f"{assembly_path} holds the department {deployed.name}, not {department_name}",
            f"Synthesise it first: make synth DEPARTMENT={department_name}.",
        )
    department = RunningDepartment(
        deployed,
        port=(SIGN_IN if keep else 0) if port is None else port,
        progress=progress,
        gives_tokens=tokens,
    )
    progress(f"read {len(deployed.assembly.stacks)} stacks of {department.name} from {assembly_path}")
    with department:
        stages = set_stages(department, tell=account.tell)
        provenance = provenance_of(assembly_path, now=datetime.datetime.now(datetime.UTC))
        problem_in_play = _play(stages, account, report, started, provenance, waived_of(assembly_path))
        if keep:
            with written(CONNECT if report is None else report.with_name(CONNECT.name), connections(department)):
                _keep(stages, account, tokens=tokens)
    return not problem_in_play and all(call.held for stage in stages for call in stage.script.calls)


def _play(
    stages: list[Stage],
    account: Account,
    report: Path | None,
    started: float,
    provenance: Provenance,
    waived: list[dict[str, Any]],
) -> str:
    """Play and report; returns what stopped the play early, or nothing."""
    ready, problem = time.monotonic(), ""
    try:
        for stage in stages:
            asyncio.run(play(stage))
    except Exception as stopped:  # the report must be written, and everything stopped, whatever went wrong
        problem = _cause(stopped)
    except BaseExceptionGroup as stopped:
        raise interrupted_in(stopped) or stopped from None
    department, played = stages[0].department, time.monotonic()
    calls = [call for stage in stages for call in stage.script.calls]
    records = joined(calls, halves(department))
    if records["incomplete"] and not problem:
        problem = f"records of answered calls do not join: {records['incomplete']}"
    granted = {stage.persona: granted_tools(stage) for stage in stages}
    if not problem:
        problem = "; ".join(unshown for stage in stages for unshown in problems_of(stage))
    document = document_of(
        department=department.name,
        provenance=provenance,
        calls=calls,
        emulated=department.emulated,
        not_emulated=department.not_emulated,
        readings=asdict(stages[0].gateway.readings),
        problem=problem,
        seconds={"start": ready - started, "play": played - ready},
        runtime_log_groups=department.runtime_log_groups,
        records=records,
        granted_tools=granted,
        waived=waived,
    )
    page = write_report(report, document)
    account.line()
    if problem:
        account.line(f"Not as it must be: {problem}")
    for persona, said in granted.items():
        account.line(f"{persona}: {list(said.values()).count(ANSWERED)} of {len(said)} granted tools answered.")
    account.line(f"{records['joined']} of {records['answered']} answered calls have all three halves of their record.")
    account.items("Not emulated:", department.not_emulated)
    account.line(f"{summary(calls)}. {played - started:.1f} s.")
    account.line(f"Written to {page.with_suffix('.json')}, to be filed, and as a page to {page}.")
    return problem


def _cause(error: BaseException) -> str:
    """The first cause inside the groups that task groups make of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, PlayStopped | NoExample | FunctionError | MCPError | CannotStart):
        traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"


def _keep(stages: list[Stage], account: Account, *, tokens: bool) -> None:
    department = stages[0].department
    account.line()
    for stage in stages:
        account.line(f"Serving {stage.persona} at {stage.server.url} until Ctrl-C.")
        stage.gateway.listener = partial(account.tell_passage, persona=stage.persona)
    account.line(f"Who can sign in, and what each host is told: {department.sign_in.authorization.base}")
    account.line(
        "\nConnect your own MCP host: make connect HOST=<host> PERSONA=<persona> prints what it needs. Claude Code's:\n"
    )
    account.line(entries(department))
    if tokens:
        account.line("\nFor scripts, with tokens:\n")
        account.line(entries(department, {stage.persona: stage.token() for stage in stages}))
        account.line(f"\nThey live {stages[0].client.lifetime // 60} minutes, as the template says. Fresh ones:")
        for stage in stages:
            account.line(f"  curl -s {department.sign_in.authorization.base}/sign-in/{stage.persona}")
    account.line("\nRequests from here on:\n")
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    account.line("\nStopping.")

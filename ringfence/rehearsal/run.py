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
from ringfence.rehearsal.reporting.console_report import ConsoleReport, account_on_stdout, summary
from ringfence.rehearsal.reporting.document import document_of, write_report
from ringfence.rehearsal.reporting.provenance import Provenance, provenance_of
from ringfence.rehearsal.reporting.waived import waived_of
from ringfence.rehearsal.scenarios.granted import ANSWERED, NoExample, granted_tools, problems_of
from ringfence.rehearsal.scenarios.persona_scenarios import ScenarioStopped, contexts_of, run_scenarios
from ringfence.rehearsal.scenarios.scenario_context import ScenarioContext


def rehearse(
    deployed: DeployedDepartment,
    *,
    port: int | None,
    keep: bool,
    tokens: bool,
    report: Path | None,
) -> bool:
    """Start the department, play, write the report, stop everything.

    Args:
        deployed: the department, as `template.read` gives it.
        port: port of the sign-in page, which the gateways' follow; None for the usual ones while it serves on, and for
            free ones otherwise.
        tokens: whether to print access tokens for scripts while it serves on.
        report: where to write the report, or None for the department's own place (`write_report`).

    Returns:
        Whether every call went as it must.

    Raises:
        CannotGoOn: something is missing or cannot be interpreted.
    """
    console, started = account_on_stdout(), time.monotonic()

    def progress(text: str) -> None:
        console.line(f"{time.monotonic() - started:6.1f} s  {text}")

    assembly_path = deployed.assembly.path
    department = RunningDepartment(
        deployed,
        port=(SIGN_IN if keep else 0) if port is None else port,
        progress=progress,
        gives_tokens=tokens,
    )
    progress(f"read {len(deployed.assembly.stacks)} stacks of {department.name} from {assembly_path}")
    with department:
        contexts = contexts_of(department, tell=console.tell)
        provenance = provenance_of(assembly_path, now=datetime.datetime.now(datetime.UTC))
        problem_in_scenarios = _run_scenarios(
            contexts, console, report, started, provenance, waived_of(deployed.assembly)
        )
        if keep:
            with written(CONNECT if report is None else report.with_name(CONNECT.name), connections(department)):
                _keep(contexts, console, tokens=tokens)
    return not problem_in_scenarios and all(call.held for context in contexts for call in context.transcript.calls)


def _run_scenarios(
    contexts: list[ScenarioContext],
    console: ConsoleReport,
    report: Path | None,
    started: float,
    provenance: Provenance,
    waived: list[dict[str, Any]],
) -> str:
    """Play and report; returns what stopped the play early, or nothing."""
    ready, problem = time.monotonic(), ""
    try:
        for context in contexts:
            asyncio.run(run_scenarios(context))
    except Exception as stopped:  # the report must be written, and everything stopped, whatever went wrong
        problem = _cause(stopped)
    except BaseExceptionGroup as stopped:
        raise interrupted_in(stopped) or stopped from None
    department, played = contexts[0].department, time.monotonic()
    calls = [call for context in contexts for call in context.transcript.calls]
    records = joined(calls, halves(department))
    if records["incomplete"] and not problem:
        problem = f"records of answered calls do not join: {records['incomplete']}"
    granted = {context.persona: granted_tools(context) for context in contexts}
    if not problem:
        problem = "; ".join(unshown for context in contexts for unshown in problems_of(context))
    document = document_of(
        department=department.name,
        provenance=provenance,
        calls=calls,
        emulated=department.emulated,
        not_emulated=department.not_emulated,
        readings=asdict(contexts[0].gateway.readings),
        problem=problem,
        seconds={"start": ready - started, "play": played - ready},
        runtime_log_groups=department.runtime_log_groups,
        records=records,
        granted_tools=granted,
        waived=waived,
    )
    page = write_report(report, document)
    console.line()
    if problem:
        console.line(f"Not as it must be: {problem}")
    for persona, said in granted.items():
        console.line(f"{persona}: {list(said.values()).count(ANSWERED)} of {len(said)} granted tools answered.")
    console.line(f"{records['joined']} of {records['answered']} answered calls have all three halves of their record.")
    console.items("Not emulated:", department.not_emulated)
    console.line(f"{summary(calls)}. {played - started:.1f} s.")
    console.line(f"Written to {page.with_suffix('.json')}, to be filed, and as a page to {page}.")
    return problem


def _cause(error: BaseException) -> str:
    """The first cause inside the groups that task groups make of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, ScenarioStopped | NoExample | FunctionError | MCPError | CannotStart):
        traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"


def _keep(contexts: list[ScenarioContext], console: ConsoleReport, *, tokens: bool) -> None:
    department = contexts[0].department
    console.line()
    for context in contexts:
        console.line(f"Serving {context.persona} at {context.server.url} until Ctrl-C.")
        context.gateway.listener = partial(console.show_request, persona=context.persona)
    console.line(f"Who can sign in, and what each host is told: {department.sign_in.authorization.base}")
    console.line(
        "\nConnect your own MCP host: make connect HOST=<host> PERSONA=<persona> prints what it needs. Claude Code's:\n"
    )
    console.line(entries(department))
    if tokens:
        console.line("\nFor scripts, with tokens:\n")
        console.line(entries(department, {context.persona: context.token() for context in contexts}))
        console.line(f"\nThey live {contexts[0].client.lifetime // 60} minutes, as the template says. Fresh ones:")
        for context in contexts:
            console.line(f"  curl -s {department.sign_in.authorization.base}/sign-in/{context.persona}")
    console.line("\nRequests from here on:\n")
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    console.line("\nStopping.")

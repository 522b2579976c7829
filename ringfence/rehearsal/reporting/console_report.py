"""What a rehearsal prints on a terminal: scenario by scenario, two or three lines a call."""

from __future__ import annotations

import functools
import sys
import textwrap
from collections.abc import Sequence
from http import HTTPStatus
from typing import TextIO

from ringfence.reading.visible import visible
from ringfence.rehearsal.gateway.request_trace import RequestTrace
from ringfence.rehearsal.scenarios.calls import ScenarioCall

_WIDTH = 120
_seen = functools.partial(visible, keep="")


class ConsoleReport:
    """Shows a rehearsal on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._scenario = ("", "")
        colours = stream.isatty()
        self._good = "\x1b[32m✓\x1b[0m" if colours else "✓"
        self._bad = "\x1b[31m✗\x1b[0m" if colours else "✗"

    def line(self, text: str = "") -> None:
        """One line."""
        print(text, file=self._stream, flush=True)

    def items(self, heading: str, items: Sequence[str]) -> None:
        """A list, an item a line; a long one goes on below itself."""
        self.line(heading)
        for item in items:
            self.line(textwrap.fill(_seen(item), _WIDTH, initial_indent="  - ", subsequent_indent="    "))

    def tell(self, call: ScenarioCall) -> None:
        """One call: what happened, against what had to happen, and what AWS saw; the first names its scenario."""
        if self._scenario != (call.persona, call.scenario):
            self._scenario = (call.persona, call.scenario)
            self.line(f"\n{call.persona.capitalize()}: {call.scenario}")
        mark = self._good if call.held else self._bad
        against = ", as expected" if call.held else f"; expected: {expectation(call)}"
        self.line(f" {mark} {_seen(f'{call.step}: {what_happened(call)}{against}')}")
        self.line("     " + _seen("; ".join(part for part in (_asked(call), _aws(call), call.note) if part)))
        for problem in call.problems:
            self.line(f"     {self._bad} {_seen(problem)}")

    def show_request(self, trace: RequestTrace, *, persona: str) -> None:
        """One request of somebody's own client to a persona's gateway, while the department is kept serving."""
        mark = self._bad if trace.rule or trace.status >= HTTPStatus.BAD_REQUEST else self._good
        if _asks_for_events(trace):
            mark = "·"  # a normal answer of a server that sends none
        took = f"[{trace.latency_ms:.0f} ms]"
        self.line(f" {mark} {persona}: {_seen(what_was_asked(trace))}  {took}{_call_of(trace)}")


def what_happened(call: ScenarioCall) -> str:
    """What became of a call, in a few words."""
    outcome = call.outcome
    if not outcome.refused:
        return "answered"
    return f"refused by {outcome.layer or 'nobody'} ({outcome.rule or outcome.text[:60]})"


def expectation(call: ScenarioCall) -> str:
    """What had to become of a call, in a few words."""
    expected = call.expected
    if expected.layer is None:
        return "an answer, or what the local AWS lacks" if expected.excuse else "an answer"
    return f"refused by {expected.layer}" + (f" ({' or '.join(expected.rules)})" if expected.rules else "")


def what_was_asked(trace: RequestTrace) -> str:
    """A request of a client and what became of it, in words; what is not MCP has words of its own."""
    status = f"HTTP {trace.status}"
    if _asks_for_events(trace):
        return f"asks for a stream of events → there is none here ({status})"
    known = {
        ("GET", HTTPStatus.OK): f"reads where to sign in, {trace.path} → told",
        ("DELETE", HTTPStatus.NO_CONTENT): "ends its session → ended",
    }
    if trace.layer is None and (trace.http_method, trace.status) in known:
        return known[trace.http_method, HTTPStatus(trace.status)]
    name = " ".join(part for part in (trace.method, trace.tool) if part)
    asked = name or f"{trace.http_method} {trace.path}"
    if trace.rule:
        return f"{asked} → refused by {trace.layer}: {trace.rule}"
    if trace.status < HTTPStatus.BAD_REQUEST:
        return f"{asked} → answered"
    return f"{asked} → refused with {status}" + (f": {trace.words}" if trace.words else "")


def _asks_for_events(trace: RequestTrace) -> bool:
    return trace.layer is None and (trace.http_method, trace.status) == ("GET", HTTPStatus.METHOD_NOT_ALLOWED)


def _call_of(trace: RequestTrace) -> str:
    """The id that the caller reads, and the request half's where that is another: its record has that one."""
    told = trace.told_id or trace.call_id
    if not told:
        return ""
    apart = trace.call_id and trace.call_id != told
    return f"  call {told}" + (f" (request half: {trace.call_id})" if apart else "")


def summary(calls: Sequence[ScenarioCall]) -> str:
    """One sentence about the whole play."""
    failed = sum(not call.held for call in calls)
    refused = sum(call.outcome.refused for call in calls)
    verdict = "all as they must be" if not failed else f"{failed} NOT as they must be"
    return f"{len(calls)} calls, {len(calls) - refused} allowed and {refused} refused: {verdict}"


def _asked(call: ScenarioCall) -> str:
    took = f"[{call.latency_ms:.0f} ms]"
    return took if call.name == call.step else f"{call.name} {took}"


def _aws(call: ScenarioCall) -> str:
    if not call.aws_calls:
        return ""
    seen = dict.fromkeys(
        f"{item.call}{'' if item.decision == 'allowed' else ' REFUSED'} in {item.region}" for item in call.aws_calls
    )
    return f"AWS saw {', '.join(seen)} by {call.aws_calls[0].source_identity}"


def account_on_stdout() -> ConsoleReport:
    """The account of a rehearsal, on standard output."""
    return ConsoleReport(sys.stdout)

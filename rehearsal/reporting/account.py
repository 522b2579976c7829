"""What a rehearsal leaves behind: a short account while it runs, and report.json."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from rehearsal.calls import PlayedCall
from rehearsal.passage import Passage

CAVEAT = "Evidence about this project's code and policies on the synthesised template; not about AWS itself."


def write_report(
    path: Path,
    *,
    department: str,
    calls: Sequence[PlayedCall],
    emulated: Sequence[str],
    not_emulated: Sequence[str],
    readings: Mapping[str, object],
    problem: str,
    seconds: Mapping[str, float],
    runtime_log_groups: Sequence[Mapping[str, Any]],
    records: Mapping[str, Any],
    granted_tools: Mapping[str, Mapping[str, str]],
) -> None:
    """Write report.json.

    Args:
        path: the file; its folder is made.
        department: the department's name.
        calls: every played call.
        emulated: the resource types whose behaviour it emulates.
        not_emulated: what the rehearsal does not emulate.
        readings: how the service was taken where its documents are silent.
        problem: what stopped the play early, or the empty text.
        seconds: how long starting and playing took.
        runtime_log_groups: AgentCore's log groups as the department's custom resources left them.
        records: whether the halves of the call records join.
        granted_tools: by persona, what was shown of each tool that it is granted.
    """
    report = {
        "department": department,
        "calls": [call.as_json() for call in calls],
        "expectations": {
            "held": sum(call.held for call in calls),
            "failed": [{"scene": call.scene, "problems": call.problems} for call in calls if not call.held],
            "stopped_by": problem or None,
        },
        "records": dict(records),
        "granted_tools": {persona: dict(said) for persona, said in granted_tools.items()},
        "runtime_log_groups": list(runtime_log_groups),
        "emulated": list(emulated),
        "not_emulated": list(not_emulated),
        "readings": dict(readings),
        "caveat": CAVEAT,
        "machine": {"python": platform.python_version(), "processor": platform.machine()},
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


class Account:
    """Tells a play on a terminal, one or two lines a call."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        colours = stream.isatty()
        self._good = "\x1b[32m✓\x1b[0m" if colours else "✓"
        self._bad = "\x1b[31m✗\x1b[0m" if colours else "✗"

    def line(self, text: str = "") -> None:
        """One line."""
        print(text, file=self._stream, flush=True)

    def tell(self, call: PlayedCall) -> None:
        """One call: whether it went as it must, who was asked for what, and what AWS saw."""
        outcome = call.outcome
        name = f"{call.server}.{call.tool}" if call.server else call.tool
        told = (
            f"refused by {outcome.layer or 'nobody'}: {outcome.rule or outcome.text[:60]}"
            if outcome.refused
            else "allowed"
        )
        mark = self._good if call.held else self._bad
        self.line(f" {mark} {call.scene}")
        self.line(f"     {name} → {told}  [{call.latency_ms:.0f} ms]{_aws(call)}")
        if call.note:
            self.line(f"     {call.note}")
        for problem in call.problems:
            self.line(f"     {self._bad} {problem}")

    def tell_passage(self, passage: Passage) -> None:
        """One request of somebody's own client, while the department is kept serving."""
        told = f"refused by {passage.layer}: {passage.rule}" if passage.layer else "allowed"
        name = " ".join(part for part in (passage.method or "request", passage.tool) if part)
        call_id = f"  call {passage.call_id}" if passage.call_id else ""
        self.line(
            f" {self._bad if passage.layer else self._good} {name} → {told}  [{passage.latency_ms:.0f} ms]{call_id}"
        )


def summary(calls: Sequence[PlayedCall]) -> str:
    """One sentence about the whole play."""
    failed = sum(not call.held for call in calls)
    refused = sum(call.outcome.refused for call in calls)
    verdict = "all as they must be" if not failed else f"{failed} NOT as they must be"
    return f"{len(calls)} calls, {len(calls) - refused} allowed and {refused} refused: {verdict}"


def _aws(call: PlayedCall) -> str:
    if not call.aws_calls:
        return ""
    seen = dict.fromkeys(
        f"{item.call}{'' if item.decision == 'allowed' else ' REFUSED'} in {item.region}" for item in call.aws_calls
    )
    first = call.aws_calls[0]
    return f"\n     AWS saw {', '.join(seen)} by {first.source_identity} in session {first.session_name}"


def client_configuration(url: str, token: str) -> str:
    """An example configuration for an MCP client."""
    server: dict[str, Any] = {"type": "http", "url": url, "headers": {"Authorization": f"Bearer {token}"}}
    return json.dumps({"mcpServers": {"ringfence-rehearsal": server}}, indent=2)


def account_on_stdout() -> Account:
    """The account of a rehearsal, on standard output."""
    return Account(sys.stdout)

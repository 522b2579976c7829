"""report.json: all that was played and seen, to be filed; its shape is docs/schemas/rehearsal-report.schema.json."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ringfence.rehearsal.reporting.page import page_of
from ringfence.rehearsal.reporting.provenance import Provenance
from ringfence.rehearsal.scenarios.calls import ScenarioCall

FORMAT: Final = "ringfence-rehearsal-report/2"
CAVEAT: Final = "Evidence about this project's code and policies on the synthesised template; not about AWS itself."
FOLDER: Final = Path("build/rehearsal")
_NAME: Final = "report.json"


def document_of(
    *,
    department: str,
    provenance: Provenance,
    calls: Sequence[ScenarioCall],
    emulated: Sequence[str],
    not_emulated: Sequence[str],
    readings: Mapping[str, object],
    problem: str,
    seconds: Mapping[str, float],
    runtime_log_groups: Sequence[Mapping[str, Any]],
    records: Mapping[str, Any],
    granted_tools: Mapping[str, Mapping[str, str]],
    waived: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The report as a document.

    Args:
        emulated: the resource types whose behaviour it emulates.
        not_emulated: what the rehearsal does not emulate.
        readings: how the service was taken where its documents are silent.
        problem: what stopped the play early, or the empty text.
        seconds: how long starting and playing took.
        runtime_log_groups: AgentCore's log groups as the department's custom resources left them.
        records: whether the halves of the call records join.
        granted_tools: by persona, what was shown of each tool that it is granted.
        waived: what `waived_of` found in the templates.
    """
    return {
        "format": FORMAT,
        "department": department,
        **provenance.as_json(),
        "calls": [call.as_json() for call in calls],
        "expectations": {
            "held": sum(call.held for call in calls),
            "failed": [
                {"scenario": call.scenario, "step": call.step, "problems": call.problems}
                for call in calls
                if not call.held
            ],
            "stopped_by": problem or None,
        },
        "records": dict(records),
        "granted_tools": {persona: dict(said) for persona, said in granted_tools.items()},
        "runtime_log_groups": list(runtime_log_groups),
        "waived": list(waived),
        "emulated": list(emulated),
        "not_emulated": list(not_emulated),
        "readings": dict(readings),
        "caveat": CAVEAT,
        "machine": {"python": platform.python_version(), "processor": platform.machine()},
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
    }


def write_report(path: Path | None, document: Mapping[str, Any]) -> Path:
    """Write the report, and the page beside it.

    Args:
        path: the file; None takes `build/rehearsal/<department>/report.json`, so that another department's stays, and
            leaves the same two files in `build/rehearsal/` as the last report of any.

    Returns:
        The page; report.json has the same name but for its ending.
    """
    own = path or FOLDER / str(document["department"]) / _NAME
    own.parent.mkdir(parents=True, exist_ok=True)
    # A lone surrogate in somebody's answer has no UTF-8; JSON writes it as an escape.
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    own.write_bytes(text.encode("utf-8", "backslashreplace"))
    page = own.with_suffix(".html")
    page.write_text(page_of(document), encoding="utf-8")
    if path is None:
        for each in (own, page):
            shutil.copyfile(each, FOLDER / each.name)
    return page

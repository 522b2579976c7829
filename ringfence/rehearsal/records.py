"""The halves of every call's record, read from the log groups that the functions and the hosts write to themselves.

What a runtime prints is not looked at: AgentCore promises nobody that it arrives.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ringfence.rehearsal.department import RunningDepartment
from ringfence.rehearsal.scenarios.calls import ScenarioCall

HALVES: Final = ("request", "runtime", "response")


def halves(department: RunningDepartment) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The records by call id and half, in the order in which they were written."""
    groups = [function.spec.log_group for function in department.functions.values()]
    groups += sorted({runtime.spec.environment["RINGFENCE_CALL_LOG_GROUP"] for runtime in department.runtimes.values()})
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for group in groups:
        for record in _records(department.aws.log_lines(group)):
            found.setdefault(record["call_id"], {}).setdefault(record["half"], []).append(record)
    return found


def joined(calls: Iterable[ScenarioCall], found: Mapping[str, Mapping[str, list[dict[str, Any]]]]) -> dict[str, Any]:
    """What a report says about the records of answered calls.

    Returns:
        `answered`: how many calls to tools were answered; `joined`: how many of them have all three halves, of one
        tool and one person; `incomplete`: what the others lack; `begun`: calls that were on record before they could
        change anything.
    """
    answered = [call for call in calls if call.server and not call.outcome.refused and call.outcome.call_id]
    incomplete = {}
    for call in answered:
        records = found.get(str(call.outcome.call_id), {})
        if lacking := _lacking(call, records):
            incomplete[str(call.outcome.call_id)] = lacking
    begun = sum(any(record.get("phase") == "begun" for record in each.get("runtime", [])) for each in found.values())
    return {
        "answered": len(answered),
        "joined": len(answered) - len(incomplete),
        "incomplete": incomplete,
        "begun": begun,
    }


def _lacking(call: ScenarioCall, records: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    # A replay bears the call id of the genuine call; its record says that it was refused.
    answered = {half: [one for one in records.get(half, ()) if one["outcome"] != "refused"] for half in HALVES}
    missing = [half for half in HALVES if not answered[half]]
    if missing:
        return missing
    tools = {str(record["tool"]) for half in HALVES for record in answered[half]}
    people = {str(record["staff_id"]) for half in ("request", "runtime") for record in answered[half]}
    wrong = [] if tools == {call.tool} else [f"tools {sorted(tools)}"]
    return wrong if people == {call.user} else [*wrong, f"people {sorted(people)}"]


def _records(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and record.get("record") == "ringfence.call":
            yield record

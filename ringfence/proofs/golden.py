"""The committed, readable record of what every role can do: a reviewer reads its diff, and a proof compares it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ringfence.proofs.evidence import Evidence
from ringfence.proofs.expected_permissions import LONDON
from ringfence.proofs.findings import Finding, Outcome
from ringfence.proofs.sweeps.permission_sweep import Allowed, summary
from ringfence.proofs.sweeps.permission_sweeps import PermissionSweeps

FOLDER: Final = Path("tests/golden")
_NAMED = re.compile(r"^# What .* of (\S+) could ever do in AWS:$", re.MULTILINE)
_CODE = re.compile(r"\b[0-9a-f]{64}\.zip\b")
_WIDTHS: Final = (11, 44)
_SHOWN_LINES: Final = 12


def files(evidence: Evidence, sweeps: PermissionSweeps | None = None) -> dict[str, str]:
    """The golden files of an assembly: text by file name."""
    sweeps = PermissionSweeps(evidence) if sweeps is None else sweeps
    department = evidence.department.name
    found = {f"{department}-{persona}.txt": _persona(evidence, sweeps, persona) for persona in sweeps.of_personas}
    found[f"{department}-service-roles.txt"] = _service_roles(evidence, sweeps)
    return found


def prove(evidence: Evidence, folder: Path, sweeps: PermissionSweeps | None = None) -> Outcome:
    """Compare the golden files of an assembly with the committed ones."""
    made = files(evidence, sweeps)
    department = evidence.department.name
    record = committed(folder, department)
    findings = []
    for name, text in made.items() if record else ():
        if name not in record:
            findings.append(Finding(name, "is not in the record"))
        elif record[name] != text:
            findings += [Finding(name, line) for line in _changes(record[name], text)]
    stale = [name for name in record if name not in made]
    findings += [Finding(name, "is in the record, but the assembly has no such persona: delete it") for name in stale]
    if not record and not evidence.department.is_example:
        note = f"nothing is recorded in {FOLDER}, so nothing was compared: {_written_by(department)}"
        return Outcome((), {"files that could be recorded": len(made)}, (note,))
    if not record:
        findings.append(Finding(department, f"has no record in {FOLDER} yet: {_written_by(department)}"))
    elif len(findings) > len(stale):
        findings.append(Finding(department, f"where all of it is meant: {_written_by(department)}"))
    return Outcome(tuple(findings), {"files": len(made), "lines": sum(text.count("\n") for text in made.values())})


def committed(folder: Path, department: str) -> dict[str, str]:
    """The golden files of a department in a folder: text by file name, and none of a name that begins alike."""
    record = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob(f"{department}-*.txt"))}
    return {name: text for name, text in record.items() if _is_of(department, text)}


def write(evidence: Evidence, folder: Path, sweeps: PermissionSweeps | None = None) -> list[Path]:
    """Write the golden files; the reviewer of the change reads their diff."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in files(evidence, sweeps).items():
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written


def _is_of(department: str, text: str) -> bool:
    """Whether a file is of a department, and not of another whose name only begins alike."""
    named = _NAMED.search(text)
    return named is None or named[1] == department


def _written_by(department: str) -> str:
    return f"`make record DEPARTMENT={department}` writes the record; read it, and commit it"


def _changes(then: str, now: str) -> list[str]:
    lines = [
        line
        for line in difflib.unified_diff(then.splitlines(), now.splitlines(), lineterm="", n=0)
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    shown = [f"{'is new' if line[0] == '+' else 'is gone'}: {line[1:].strip()}" for line in lines[:_SHOWN_LINES]]
    return shown + ([f"and {len(lines) - _SHOWN_LINES} more lines differ"] if len(lines) > _SHOWN_LINES else [])


def _persona(evidence: Evidence, sweeps: PermissionSweeps, persona: str) -> str:
    sessions = {session.name: sweeps.of_session(persona, session) for session in evidence.sessions(persona)}
    callers: dict[str, list[str]] = {}
    for name, questions in sessions.items():
        for action in {question.action.name for question in questions}:
            callers.setdefault(action, []).append(name)
    lines = [
        f"# What the persona {persona} of {evidence.department.name} could ever do in AWS:",
        f"# its policy, boundary and the endpoint policies together, decided over {len(sweeps.table)} actions.",
        f"# Every action not listed is denied, and so is every region but {LONDON} where no other is named.",
        "# `by` names the calls whose session policy allows the action. Made by `ringfence prove --write-golden`.",
        "",
    ]
    names = _names(evidence)
    for one in summary(sweeps.of_personas[persona]):
        by = ", ".join(sorted(callers.get(one.action, ["no call"])))
        lines.append(f"{_line(one, names)}  by {by}")
    lines += ["", "# The calls, and the actions of each session.", ""]
    for name, questions in sessions.items():
        actions = sorted({question.action.name for question in questions})
        lines.append(f"{name}: {', '.join(actions) or 'none'}")
    changing = {call.name for call in evidence.expected_calls(persona) if call.level != "read"}
    if changing:
        lines += ["", "# Of the calls above read, what each session may do, on what and when."]
    for name in sorted(changing & sessions.keys()):
        lines += ["", f"[{name}]", *(_line(one, names) for one in summary(sessions[name]))]
    return "\n".join(lines) + "\n"


def _service_roles(evidence: Evidence, sweeps: PermissionSweeps) -> str:
    lines = [
        f"# What every other role of {evidence.department.name} could ever do in AWS:",
        f"# its policies and boundary together, decided over {len(sweeps.table)} actions.",
        "# Every action not listed is denied, and so is every region but where another is named.",
        "# {Name} stands for the physical id of that resource. Made by `ringfence prove --write-golden`.",
    ]
    names = _names(evidence)
    for role in sorted(sweeps.of_service_roles):
        lines += ["", f"[{role}]", *(_line(one, names) for one in summary(sweeps.of_service_roles[role]))]
    return "\n".join(lines) + "\n"


def _line(one: Allowed, names: Mapping[str, str]) -> str:
    resource = _CODE.sub("{Code}.zip", one.resource)
    for physical, logical in names.items():
        resource = resource.replace(physical, logical)
    where = "" if one.region == LONDON else f"  in {one.region}"
    when = f"  when {' and '.join(one.conditions)}" if one.conditions else ""
    return f"{one.level.split()[0]:<{_WIDTHS[0]}} {one.action:<{_WIDTHS[1]}} {resource}{where}{when}"


def _names(evidence: Evidence) -> dict[str, str]:
    """Physical ids that AWS makes up, and the logical ids that a reader knows."""
    found = {}
    for resource in evidence.assembly.resources():
        if resource.type in ("AWS::KMS::Key", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup"):
            found[str(resource.ref)] = f"{{{resource.logical_id}}}"
            if resource.type == "AWS::EC2::SecurityGroup":
                found[str(resource.attribute("GroupId"))] = f"{{{resource.logical_id}}}"
        elif resource.type in ("AWS::BedrockAgentCore::Runtime", "AWS::BedrockAgentCore::PolicyEngine"):
            found[resource.arn.rpartition("/")[2]] = f"{{{resource.logical_id}}}"
    return found

"""Proves from a synthesised assembly that the department is what its catalogue says, and shows every surprise."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ringfence import CannotGoOn
from ringfence.proofs import golden
from ringfence.proofs import registry as proofs
from ringfence.proofs.evidence import Evidence

REPORT: Final = Path("build/proof/proof.json")
_SHOWN: Final = 25


def prove(
    assembly: Path, *, organisation: Path | None, only: Sequence[str], write_golden: bool, report: Path = REPORT
) -> int:
    """Runs the proofs, prints their table and writes their report.

    Args:
        organisation: Folder of an organisation's: its SCPs then count as well.
        only: Names of the proofs to run; the usual ones where there is none.
        write_golden: Whether the record of what every role can do is written anew first.

    Returns:
        0 when every proof holds, 1 on any surprise.

    Raises:
        CannotGoOn: the assembly cannot be judged.
    """
    evidence = Evidence.load(assembly, organisation=organisation)
    name, stacks = evidence.department.name, evidence.assembly.stacks
    unmade = [each for each in evidence.expected.personas if f"ringfence-{name}-{each}" not in stacks]
    if unmade:
        remedy = f"Synthesise it again (make synth DEPARTMENT={name})."
        raise CannotGoOn(f"the assembly {assembly} has no stack for {', '.join(unmade)}", remedy)
    case = proofs.Case(evidence)
    if write_golden:
        for path in golden.write(evidence, golden.FOLDER, case.sweeps):
            print(f"wrote {path}")
    results = proofs.run(case, only or proofs.default_names(), tell=_tell)
    _write_report(report, evidence, results)
    print(_table(evidence, results))
    print(f"\nreport: {report}")
    return 0 if all(result.outcome.holds for result in results) else 1


def _tell(text: str) -> None:
    print(f"proofs: proof {text}", file=sys.stderr, flush=True)


def _write_report(path: Path, evidence: Evidence, results: list[proofs.Result]) -> None:
    report = {
        "department": evidence.department.name,
        "holds": all(result.outcome.holds for result in results),
        "organisation": evidence.organisation is not None,
        "proofs": [result.as_data() for result in results],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _table(evidence: Evidence, results: list[proofs.Result]) -> str:
    lines = [f"department {evidence.department.name}, personas {', '.join(evidence.department.personas)}", ""]
    for result in results:
        mark = "holds" if result.outcome.holds else "FAILS"
        counts = ", ".join(f"{number:,} {what}" for what, number in result.outcome.looked_at.items())
        lines.append(f"{mark}  {result.name:<11} {result.seconds:6.2f} s  {proofs.PROOFS[result.name].title}")
        lines.append(f"{'':28}{counts}")
        lines += [f"{'':28}on purpose: {one}" for one in result.outcome.on_purpose]
        findings = result.outcome.findings
        lines += [f"       - {finding}" for finding in findings[:_SHOWN]]
        if len(findings) > _SHOWN:
            lines.append(f"       - and {len(findings) - _SHOWN} more, in the report")
        lines += [f"       - looked at no {what}" for what, number in result.outcome.looked_at.items() if not number]
    return "\n".join(lines)

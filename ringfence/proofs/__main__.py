"""Proves from a synthesised assembly that the department is what its catalogue says, and shows every surprise."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.iam.problems import UndecidablePolicy
from ringfence.proofs import golden
from ringfence.proofs import registry as proofs
from ringfence.proofs.evidence import Evidence
from ringfence.reading.problems import ProblemsFound

ASSEMBLY: Final = Path("build/rehearsal/cdk.out")
REPORT: Final = Path("build/proof/proof.json")
_SHOWN: Final = 25


def main(arguments: list[str] | None = None) -> int:
    """Run the proofs.

    Returns:
        0 when every proof holds, 1 on any surprise, 2 when the proofs cannot run.
    """
    chosen = _parser().parse_args(arguments)
    try:
        evidence = Evidence.load(chosen.assembly, organisation=chosen.organisation)
        name, stacks = evidence.department.name, evidence.assembly.stacks
        unmade = [each for each in evidence.promise.personas if f"ringfence-{name}-{each}" not in stacks]
        if unmade:
            remedy = f"synthesise it again (make synth DEPARTMENT={name})"
            return _cannot(f"the assembly {chosen.assembly} has no stack for {', '.join(unmade)}: {remedy}")
        case = proofs.Case(evidence)
        if chosen.write_golden:
            for path in golden.write(evidence, golden.FOLDER, case.reach):
                print(f"wrote {path}")
        results = proofs.run(case, chosen.only or proofs.default_names(), tell=_tell)
    except (UnresolvedTemplate, UndecidablePolicy) as problem:
        return _cannot(f"the assembly {chosen.assembly} cannot be judged: {problem}")
    except ProblemsFound as problem:
        return _cannot(str(problem))
    except ImportError as problem:
        return _cannot(f"{problem}; run `make setup`")
    except OSError as problem:
        return _cannot(f"{problem.filename or chosen.assembly}: {problem.strerror or problem}")
    _write_report(chosen.json, evidence, results)
    print(_table(evidence, results))
    print(f"\nreport: {chosen.json}")
    return 0 if all(result.outcome.holds for result in results) else 1


def _parser() -> argparse.ArgumentParser:
    names = "\n".join(f"  {name:<11} {proof.title}" for name, proof in proofs.PROOFS.items())
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        prog="python -m ringfence.proofs",
        description=__doc__,
        epilog=f"proofs:\n{names}\n\nexit: 0 every proof holds, 1 a surprise, 2 the proofs cannot run",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--assembly", type=Path, default=ASSEMBLY, help="folder of the cloud assembly (%(default)s)")
    parser.add_argument(
        "--organisation", type=Path, metavar="PATH", help="an organisation's assembly: its SCPs then count as well"
    )
    parser.add_argument(
        "--only",
        action="extend",
        nargs="+",
        choices=list(proofs.PROOFS),
        metavar="NAME",
        help="run these proofs (default: all but oracle)",
    )
    parser.add_argument(
        "--write-golden", action="store_true", help=f"write {golden.FOLDER}/<department>-*.txt anew; review the diff"
    )
    parser.add_argument("--json", type=Path, default=REPORT, metavar="PATH", help="where the report goes (%(default)s)")
    return parser


def _tell(text: str) -> None:
    print(f"proofs: proof {text}", file=sys.stderr, flush=True)


def _cannot(message: str) -> int:
    print(f"proofs: {message}", file=sys.stderr)
    return 2


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


if __name__ == "__main__":
    sys.exit(main())

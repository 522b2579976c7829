"""Commands for whoever reviews a change."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import click

from ringfence.command_line import options, steps
from ringfence.command_line.options import Named
from ringfence.command_line.proving import proved
from ringfence.command_line.table import Command

_REVIEW: Final = Path("build/review")


@click.command("findings", cls=Command)
@options.department
@options.organisation("below whose guardrails the department is judged")
def findings(department: str, organisation: str | None) -> int:
    """Write the open findings of synthesis and proofs as SARIF.

    build/review/findings.sarif, and with the waived ones build/review/waived.sarif.
    """
    from ringfence.review import written

    folder, report = _REVIEW / "cdk.out", _REVIEW / "proof.json"
    steps.checked(Named(department))
    shutil.rmtree(folder, ignore_errors=True)
    for left in [report, *_REVIEW.glob("*.sarif")]:
        left.unlink(missing_ok=True)
    below = steps.below(organisation, _REVIEW / "organisation", department)
    steps.build_assets()
    code = steps.app(Named(department), folder)
    if not code:
        code = proved(folder, below, (), report)
    elif not (folder / written.REPORT).is_file() or not written.of_synthesis(folder, department):
        return code  # what stopped it is no finding
    proofs = report if report.is_file() else None
    written.findings(folder, department, proofs=proofs, waived=True, output=_REVIEW / "waived.sarif")
    open_ = written.findings(folder, department, proofs=proofs, waived=False, output=_REVIEW / "findings.sarif")
    return max(code, open_)


@click.command("waivers", cls=Command)
@options.department
@options.assembly
@options.path("--output", "where the list goes  [default: standard output]")
def waivers(department: str, assembly: Path | None, output: Path | None) -> int:
    """List every finding that the templates acknowledge, by reason."""
    folder = steps.templates(Named(department), assembly, _REVIEW / "cdk.out")
    from ringfence.review import written

    written.waivers(folder, output=output)
    return 0


@click.command("changes", cls=Command)
@options.department_or_organisation()
@options.assembly
@options.against("folder of earlier templates  [default: what is deployed, which asks the account]")
@options.accept
def changes(named: Named, assembly: Path | None, against: Path | None, accept: tuple[str, ...]) -> int:
    """Say what a change would replace, remove, weaken or break."""
    options.check_against(against, named, assembly)
    folder = steps.templates(named, assembly, Path("build/diff/cdk.out"))
    from ringfence.deployment.confirmed import tell_changes

    return tell_changes(folder, against=against, accepted=accept)


@click.command("comment", cls=Command, replaces={"--new": ["--against"]})
@options.department
@options.assembly
@options.against("folder of earlier templates")
@click.option("--new", is_flag=True, help="the department is new: there is nothing earlier")
@options.path("--records", "committed records of what every role can do", default=Path("tests/golden"))
@options.path("--records-against", "the earlier ones  [default: rights are not compared]")
@options.path("--output", "where it goes", default=_REVIEW / "comment.md", show_default=True)
def comment(
    department: str,
    assembly: Path | None,
    against: Path | None,
    new: bool,
    records: Path,
    records_against: Path | None,
    output: Path,
) -> int:
    """Write what a change means, as a comment on its pull request."""
    if not new and not against:
        text = (
            "Name the folder of earlier templates, as in --against build/base/cdk.out; or, for a new department, --new."
        )
        raise options.refused(text)
    options.check_against(against, Named(department), assembly)
    folder = steps.templates(Named(department), assembly, _REVIEW / "cdk.out")
    from ringfence.review import written

    written.write_comment(folder, against, records=records, records_against=records_against, output=output)
    return 0

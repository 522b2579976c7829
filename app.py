"""Synthesises one department, `cdk synth -c department=example-production`, or one organisation's guardrails,
`cdk synth -c organisation=example`. `python app.py` alone takes the default department.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":  # before the imports, which take seconds: Ctrl-C needs no traceback through them
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import aws_cdk as cdk

from governance.catalogue import load_catalogue
from governance.department import load_department
from governance.house_rules import Residency
from governance.organisation import load_organisation
from governance.organisation import register as register_of_organisation
from governance.problems import Problem, ProblemsFound
from governance.residency import register
from stacks import AssetMissing, ListRefused
from stacks.audit import AuditStack
from stacks.checks import add_checks
from stacks.identity import IdentityStack
from stacks.network import NetworkStack
from stacks.organisation import OrganisationStack
from stacks.persona import PersonaStack
from stacks.retired import RetiredPersonaStack

ROOT = Path(__file__).resolve().parent
DEFAULT = "example-production"


def build(app: cdk.App, name: str) -> Residency:
    """Adds the stacks of the department that `departments/<name>.toml` describes.

    Returns:
        What the department declares outside eu-west-2.

    Raises:
        ProblemsFound: the department's file or the catalogue is wrong.
        AssetMissing: the zips have not been built.
        ListRefused: the list of what stays out of the zips is wrong.
    """
    catalogue = load_catalogue(ROOT / "catalogue")
    department = load_department(name, catalogue=catalogue, root=ROOT / "departments")
    prefix = f"ringfence-{department.name}"
    audit = AuditStack(app, f"{prefix}-audit", department=department)
    network = NetworkStack(app, f"{prefix}-network", department=department, catalogue=catalogue, audit=audit)
    identity = IdentityStack(
        app, f"{prefix}-identity", department=department, catalogue=catalogue, network=network, audit=audit
    )
    for persona in department.personas:
        PersonaStack(
            app,
            f"{prefix}-{persona}",
            department=department,
            catalogue=catalogue,
            persona=persona,
            network=network,
            identity=identity,
            audit=audit,
        )
    for persona in department.retired:
        RetiredPersonaStack(app, f"{prefix}-{persona}", department=department, persona=persona)
    return Residency.of(register(catalogue, department))


def build_organisation(app: cdk.App, name: str) -> Residency:
    """Adds the stack of guardrails that `organisations/<name>.toml` describes.

    Returns:
        What the organisation declares outside eu-west-2.

    Raises:
        ProblemsFound: the organisation's file or the catalogue is wrong, or a guardrail is too long.
    """
    catalogue = load_catalogue(ROOT / "catalogue")
    organisation = load_organisation(name, root=ROOT / "organisations", departments=ROOT / "departments")
    stack = f"ringfence-organisation-{organisation.name}"
    OrganisationStack(app, stack, organisation=organisation, catalogue=catalogue)
    return Residency.of(register_of_organisation(organisation, catalogue))


def chosen(app: cdk.App) -> tuple[str, Residency]:
    """Builds what the context names, and returns its name and what it declares outside eu-west-2.

    Raises:
        ProblemsFound: both a department and an organisation are named, or what is named is wrong.
        AssetMissing: the zips have not been built.
        ListRefused: the list of what stays out of the zips is wrong.
    """
    department, organisation = (app.node.try_get_context(key) for key in ("department", "organisation"))
    if department and organisation:
        both = f"{department}, {organisation}"
        message = "A department and an organisation live in different accounts and are deployed apart."
        problem = Problem("department, organisation", both, message, "Give one of the two with -c.")
        raise ProblemsFound("context", [problem])
    if organisation:
        return str(organisation), build_organisation(app, str(organisation))
    name = str(department or DEFAULT)
    return name, build(app, name)


def main() -> int:
    """Synthesises; everything that is wrong is said on standard error, in plain words."""
    # The settings of the cdk command line, so that both write the same assembly to the same place.
    settings = json.loads((ROOT / "cdk.json").read_text())
    app = cdk.App(
        context=settings["context"],
        outdir=os.environ.get("CDK_OUTDIR", settings["output"]),
        analytics_reporting=False,
    )
    try:
        name, declared = chosen(app)
    except (ProblemsFound, AssetMissing, ListRefused) as problem:
        print(problem, file=sys.stderr)
        return 1
    add_checks(app, declared=declared)
    try:
        app.synth()
    except RuntimeError as refusal:
        # CDK has already printed each finding with its construct and the id to acknowledge it by.
        if "ValidationFailed" not in str(refusal):
            raise
        print(f"{name}: not synthesised, because of the findings above", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

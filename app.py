"""Synthesises one department: `cdk synth -c department=example-production`, or `python app.py` for the default."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import aws_cdk as cdk

from governance.catalogue import load_catalogue
from governance.department import load_department
from governance.house_rules import Residency
from governance.problems import ProblemsFound
from governance.residency import register
from stacks import AssetMissing
from stacks.audit import AuditStack
from stacks.checks import add_checks
from stacks.identity import IdentityStack
from stacks.network import NetworkStack
from stacks.persona import PersonaStack

ROOT = Path(__file__).resolve().parent
DEFAULT = "example-production"


def build(app: cdk.App, name: str) -> Residency:
    """Adds the stacks of the department that `departments/<name>.toml` describes.

    Returns:
        What the department declares outside eu-west-2.

    Raises:
        ProblemsFound: the department's file or the catalogue is wrong.
        AssetMissing: the zips have not been built.
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
    return Residency.of(register(catalogue, department))


def main() -> int:
    """Synthesises; everything that is wrong is said on standard error, in plain words."""
    # The settings of the cdk command line, so that both write the same assembly to the same place.
    settings = json.loads((ROOT / "cdk.json").read_text())
    app = cdk.App(
        context=settings["context"],
        outdir=os.environ.get("CDK_OUTDIR", settings["output"]),
        analytics_reporting=False,
    )
    name = str(app.node.try_get_context("department") or DEFAULT)
    try:
        declared = build(app, name)
    except (ProblemsFound, AssetMissing) as problem:
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

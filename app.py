"""Synthesises one department, `python app.py --department example-production`, or one organisation's guardrails,
`python app.py --organisation example`; below the CDK's command line `-c department=…`, `-c organisation=…` say which.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

if __name__ == "__main__":  # before the imports, which take seconds: Ctrl-C needs no traceback through them
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import aws_cdk as cdk

from ringfence import CannotGoOn
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.department.department import load_department
from ringfence.department.residency import register
from ringfence.house_rules import Residency
from ringfence.organisation.organisation import load_organisation
from ringfence.organisation.organisation import register as register_of_organisation
from ringfence.reading.annotations import errors
from ringfence.reading.chosen_file import nearest
from ringfence.reading.problems import Problem, ProblemsFound, shown
from stacks.audit import AuditStack
from stacks.checks import add_checks
from stacks.identity import IdentityStack
from stacks.network import NetworkStack
from stacks.organisation import OrganisationStack
from stacks.output_folder import FolderInUse, NoFolder, made, sole_writer
from stacks.persona import PersonaStack
from stacks.retired import RetiredPersonaStack

ROOT = Path(__file__).resolve().parent
DEFAULT = "example-production"
_KEYS = ("department", "organisation")
"""What the context may say of ours."""


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


def chosen(context: Mapping[str, object], settings: Mapping[str, object]) -> tuple[str, str]:
    """Returns what the context names: `department` or `organisation`, and its name.

    Raises:
        ProblemsFound: both are named, or a key is not known.
    """
    problems = []
    for key in context:
        # With a colon or an at sign it is the CDK's own: a feature flag, or something it has looked up.
        if key not in _KEYS and key not in settings and not re.search("[:@]", key):
            near = nearest(key, _KEYS)
            remedy = f"Did you mean `{near}`?" if near else f"Use one of: {', '.join(_KEYS)}."
            problems.append(Problem(key, shown(context[key], field=key), "This context key is not known.", remedy))
    department, organisation = (context.get(key) for key in _KEYS)
    if department and organisation:
        both = f"{department}, {organisation}"
        message = "A department and an organisation live in different accounts and are deployed apart."
        problems.append(Problem("department, organisation", both, message, "Give one of the two with -c."))
    if problems:
        raise ProblemsFound("context", problems)
    return ("organisation", str(organisation)) if organisation else ("department", str(department or DEFAULT))


def synthesise(app: cdk.App, kind: str, name: str) -> int:
    """Builds, checks and writes what is named; returns the exit code, everything that is wrong having been said."""
    try:
        declared = build_organisation(app, name) if kind == "organisation" else build(app, name)
    except CannotGoOn as problem:
        print(problem, file=sys.stderr)
        return 1
    add_checks(app, declared=declared)
    try:
        assembly = app.synth()
    except RuntimeError as refusal:
        # CDK has already printed each finding with its construct and the id to acknowledge it by.
        if "ValidationFailed" not in str(refusal):
            raise
        print(f"{name}: not synthesised, because of the findings above", file=sys.stderr)
        return 1
    called = [f"{path}: {error}" for path, error in errors(Path(assembly.directory))]
    if called:
        print(*called, f"{name}: not to be deployed, because of the errors above", sep="\n", file=sys.stderr)
    return 1 if called else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Synthesises; everything that is wrong is said on standard error, in plain words."""
    options = _options(arguments)
    # The settings of the cdk command line, so that both write the same assembly to the same place.
    settings = json.loads((ROOT / "cdk.json").read_text())
    given = os.environ.get("CDK_OUTDIR")
    folder = Path(options.output or given or settings["output"])
    named = {key: getattr(options, key) for key in _KEYS if getattr(options, key)}
    begun = time.monotonic()
    try:
        app = cdk.App(context=settings["context"], outdir=str(made(folder)), analytics_reporting=False)
        kind, name = chosen({**app.node.get_all_context(), **named}, settings["context"])
        if given is None:
            print(f"synth: {kind} {name} into {folder}", file=sys.stderr)
        # Below the CDK's command line the folder is its own to keep.
        with nullcontext() if given else sole_writer(folder):
            code = synthesise(app, kind, name)
    except ProblemsFound as problem:
        print(problem, file=sys.stderr)
        return 1
    except (FolderInUse, NoFolder) as problem:
        print(f"synth: {problem}", file=sys.stderr)
        return 2
    if given is None and code == 0:
        print(f"synth: {name} is in {folder}, after {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return code


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        prog="python app.py",
        description=__doc__,
        epilog="exit: 0 it is written; 1 something is wrong with what is named, or a finding is open; "
        "2 usage, or the folder is none or somebody else works in it",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--department", metavar="NAME", help=f"departments/<NAME>.toml (default: {DEFAULT})")
    what.add_argument("--organisation", metavar="NAME", help="organisations/<NAME>.toml")
    parser.add_argument("--output", metavar="FOLDER", help="where the cloud assembly goes (default: as cdk.json says)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())

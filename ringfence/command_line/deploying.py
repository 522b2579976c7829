"""Commands about an account: the rights to deploy, the questions before and after, and the deployment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from ringfence.command_line import options, steps
from ringfence.command_line.options import EXAMPLE, Named
from ringfence.command_line.table import Command

_CDK: Final = "node_modules/.bin/cdk"


@click.command("deploy-policy", cls=Command)
@options.own_department
@options.assembly
@options.path("--departments", "the other departments' files", default=Path("departments"), hidden=True)
@options.path("--output", "where the files go", default=Path("build/deploy-policy"), show_default=True)
def deploy_policy(department: str | None, assembly: Path | None, departments: Path, output: Path) -> int:
    """Write the least rights CloudFormation needs.

    As managed policies for `cdk bootstrap --cloudformation-execution-policies`. Asks AWS nothing.
    """
    department = options.require(department)
    folder = steps.templates(Named(department), assembly, Path("build/deploy-policy/cdk.out"))
    from ringfence.deployment.policy_files import write_policies

    write_policies(folder, departments=departments, output=output)
    return 0


@click.command("preflight", cls=Command, replaces={"--policy": ["--json", "--assembly"]})
@options.own_department
@options.assembly
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON")
@click.option("--policy", is_flag=True, help="print the IAM policy that this needs, and end")
def preflight(department: str | None, assembly: Path | None, as_json: bool, policy: bool) -> int:
    """Ask your account whether a department can be deployed.

    By calls that only read: what is right, what is wrong with its remedy (exit code 1), and what could not be asked and
    why (2, where nothing is wrong). Nothing is changed, and no secret's value is read.
    """
    from ringfence.live import commands as live

    if policy:
        return live.policy()
    department = options.require(department)
    folder = steps.templates(Named(department), assembly, Path("build/preflight/cdk.out"))
    return live.preflight(department, folder, as_json=as_json)


_SWITCHES: Final = (
    *("--ci", "--debug", "--force", "--import-existing-resources", "--no-color", "--no-rollback", "--revert-drift"),
    *("--rollback", "--verbose"),
)
_VALUED: Final = (
    *("--concurrency", "--profile", "--progress", "--require-approval", "--role-arn", "--tags"),
    "--toolkit-stack-name",
)
"""What of the CDK's options a deployment may have (aws-cdk 2.1148.1): with each of them everything is deployed."""


@click.command("deploy", cls=Command)
@options.department_or_organisation(default="")
@options.accept
@click.argument("cdk", nargs=-1)
def deploy(named: Named, accept: tuple[str, ...], cdk: tuple[str, ...]) -> int:
    """Deploy, unless what holds data, or a guardrail, would go.

    What would be lost or weaker is named by --accept, or nothing is deployed. What follows -- is handed to the CDK.
    """
    options.require(named.department or named.organisation)
    _all_of_it(cdk)
    folder = Path("build/deploy/cdk.out")
    steps.synthesised(named, folder, to_deploy=True)
    from ringfence.deployment.confirmed import tell_changes

    if code := tell_changes(folder, against=None, accepted=accept):
        return code
    if code := steps.child([_CDK, "deploy", "--all", "--app", str(folder), *cdk]):
        return code
    # What was deployed last, to be compared with: it comes here once the CDK has deployed it.
    kind = "deployed-organisation" if named.organisation else "deployed"
    last = Path("build") / kind / (named.organisation or named.department)
    shutil.rmtree(last, ignore_errors=True)
    last.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(last)
    return 0


def _all_of_it(words: Sequence[str]) -> None:
    """Refuses what would leave something undeployed that is then kept as what was deployed last.

    Below `--all` the CDK reads no stack's name, and what only prepares a change set, or prints help, ends alike.
    """
    waiting = False  # for the value of the option before
    for word in words:
        name, has_value, value = word.partition("=")
        if waiting or (name in _SWITCHES and value in ("", "true")):
            waiting = False
        elif name in _VALUED:
            waiting = not has_value
        elif word.startswith("-"):
            known = ", ".join(sorted({*_SWITCHES, *_VALUED}))
            raise options.refused(f"{word}: this is not handed to the CDK's deploy. What is: {known}.")
        else:
            raise options.refused(f"{word}: every stack is deployed, each after those it needs. Leave the name out.")


@click.command("diff", cls=Command)
@options.department_or_organisation(default="")
@options.against("folder, or file, of earlier templates: no account is asked")
@options.accept
@click.argument("cdk", nargs=-1)
def diff(named: Named, against: Path | None, accept: tuple[str, ...], cdk: tuple[str, ...]) -> int:
    """Show what a deployment would change, lose or weaken.

    What follows -- is handed to the CDK, which compares templates and makes no change set unless -- --method asks for
    one.
    """
    if any(word.startswith("--template") for word in cdk):
        raise options.refused(
            "Name the file of the earlier template instead: --against <folder>/<stack>.template.json."
        )
    if not against:
        options.require(named.department or named.organisation)
    named = named if named.department or named.organisation else Named(EXAMPLE)
    options.check_against(against, named)
    if cdk and against and against.is_dir():
        text = f"{' '.join(cdk)}: the CDK is not asked beside a folder. Leave it out, or name a template's file."
        raise options.refused(text)
    folder = Path("build/diff/cdk.out")
    steps.synthesised(named, folder)
    from ringfence.deployment.confirmed import tell_changes

    told = tell_changes(folder, against=against, accepted=accept)
    if against and against.is_dir():
        return told
    # By itself the CDK makes a change set to look at, with the role that deploys; by templates it only reads, with the
    # role for lookups (CDK v2 Developer Guide, `cdk diff`, `--method`; read 29 November 2026).
    how = [] if any(word.startswith(("--method", "-m")) for word in cdk) else ["--method", "template"]
    if against:  # one template's file has the stack's name, as every folder has it
        how = [against.name.removesuffix(options.TEMPLATE), "--exclusively", "--template", str(against)]
    return steps.child([_CDK, "diff", *how, "--app", str(folder), *cdk]) or told


@click.command(
    "verify-live",
    cls=Command,
    replaces={
        "--policy": ["--assembly", "--persona", "--host", "--wait", "--without-openid", "--without-visit", "--output"],
        "--without-visit": ["--host", "--wait", "--without-openid"],
    },
)
@options.own_department
@options.assembly
@options.persona("whose gateway to visit  [default: the department's first]")
@options.host("MCP host to sign in with  [default: the first on this machine]")
@click.option("--wait", type=float, default=300.0, show_default=True, metavar="SECONDS", help="for the sign-in")
@click.option("--without-openid", is_flag=True, help="sign in as a host does that asks for the persona's scope alone")
@click.option("--without-visit", is_flag=True, help="sign nobody in; else RINGFENCE_TOKEN holds a token, or a browser")
@click.option("--drill", is_flag=True, help="make deliberate faults too, and undo them")
@options.path("--output", "folder of the evidence", default=Path("build/verify-live"), show_default=True)
@click.option("--policy", is_flag=True, help="print the IAM policy that this needs, and end")
def verify_live(
    department: str | None,
    assembly: Path | None,
    persona: str | None,
    host: str | None,
    wait: float,
    without_openid: bool,
    without_visit: bool,
    drill: bool,
    output: Path,
    policy: bool,
) -> int:
    """Look at what only an account can show, and keep the evidence.

    After a deployment: signs in as one persona, lists its tools, makes one allowed call of each server and some that
    must be refused, and looks for what they left in the logs and in CloudTrail. Writes evidence.json and evidence.md,
    into a folder of their own each time: each point with its state, its owner, and how it is judged; none for an
    account that is not known. Nothing is changed, but for --drill.
    """
    from ringfence.live import commands as live

    if policy:
        return live.policy(drill=drill)
    if (idle := options.given("host", "wait", "without_openid")) and os.environ.get(live.TOKEN):
        raise options.refused(f"{', '.join(idle)}: {live.TOKEN} holds a token, so nobody signs in. Unset it.")
    department = options.require(department)
    folder = steps.templates(Named(department), assembly, Path("build/verify-live/cdk.out"), to_deploy=True)
    visit = live.Visit(persona or "", host or "", wait, nobody=without_visit, openid=not without_openid)
    return live.verify(department, folder, visit, drill=drill, output=output)

"""Commands that say what an MCP host is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ringfence.command_line import options, steps
from ringfence.command_line.options import Named
from ringfence.command_line.table import Command

if TYPE_CHECKING:
    from ringfence.hosts.commands import Deployment

_FOLDER: Final = Path("build/hosts")


@click.command(
    "connect",
    cls=Command,
    needs={"--output": "--write", "--outputs": "--department", "--departments": "--department"},
    replaces={"--token": ["--write"], "--department": ["--rehearsal"]},
)
@options.deployed_department
@options.host("name of a host of the department", required=True)
@options.persona("name of a persona of the department", required=True)
@options.path("--outputs", "the stacks' outputs; without it the account is asked")
@click.option("--write", is_flag=True, help="write it below --output instead of printing it")
@options.path("--output", "a folder", default=_FOLDER, show_default=True)
@click.option("--token", is_flag=True, help="print an access token for scripts, in a rehearsal")
@options.path("--rehearsal", "the file of a rehearsal that serves", hidden=True)
@options.path("--departments", "the departments' files", hidden=True)
def connect(
    department: str | None, host: str, persona: str, write: bool, output: Path, token: bool, **more: Path | None
) -> int:
    """Print what a person puts into an MCP host.

    For the rehearsal that serves or, with --department, for a deployment.
    """
    from ringfence.hosts import commands as hosts

    hosts.connect(_deployment(department, more), host, persona, folder=output if write else None, token=token)
    return 0


@click.command(
    "hosts",
    cls=Command,
    needs={"--outputs": "--department", "--departments": "--department"},
    replaces={"--department": ["--rehearsal"]},
)
@options.deployed_department
@options.path("--outputs", "the stacks' outputs; without it the account is asked")
@options.path("--output", "a folder", default=_FOLDER, show_default=True)
@options.path("--rehearsal", "the file of a rehearsal that serves", hidden=True)
@options.path("--departments", "the departments' files", hidden=True)
def hosts(department: str | None, output: Path, **more: Path | None) -> int:
    """Write the files by which hosts are managed centrally."""
    from ringfence.hosts import commands as hosts_

    hosts_.manage(_deployment(department, more), folder=output)
    return 0


def _deployment(department: str | None, more: dict[str, Path | None]) -> Deployment:
    from ringfence.hosts.commands import Deployment

    if department and not more["departments"]:
        steps.checked(Named(department))
    return Deployment(department or "", more["outputs"], more["rehearsal"], more["departments"])

"""Commands that write a department's file, and say what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.command_line import options, steps
from ringfence.command_line.table import Command


@click.command("check", cls=Command)
@options.department_or_organisation()
@click.option("--to-deploy", is_flag=True, help="refuse an example, which is never deployed")
@click.option("--quiet", is_flag=True, help="say nothing where nothing is wrong")
def check(named: options.Named, to_deploy: bool, quiet: bool) -> int:
    """Say everything that is wrong with a file, in a second."""
    said = steps.checked(named, to_deploy=to_deploy)
    if not quiet:
        print(said)
    return 0


@click.command("new", cls=Command)
@options.new_department
@click.option(
    "--from", "like", type=options.FileName("departments"), metavar="NAME", default=options.EXAMPLE, show_default=True,
    help="the department to begin with",
)  # fmt: skip
def new(department: str, like: str) -> int:
    """Make a department's file, and name what is to be filled in."""
    from ringfence.authoring.copied import copied

    print(copied(department, like=like, root=Path()))
    return 0

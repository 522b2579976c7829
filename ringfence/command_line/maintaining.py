"""Commands that make generated files anew."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import get_completion_class

from ringfence.command_line import options
from ringfence.command_line.table import COMPLETE, PROJECT, Command


def _servers() -> list[str]:
    from ringfence.assets.lock import known_servers

    return known_servers()


@click.command("lock", cls=Command)
@click.option("--check", is_flag=True, help="write nothing; show what drifted and exit 1 if anything")
@click.option("--server", multiple=True, type=options.OneOf(_servers), help="this one alone; may be given again")
@click.option("--timeout", type=float, default=60.0, show_default=True, metavar="SECONDS", help="for each server")
def lock(check: bool, server: tuple[str, ...], timeout: float) -> int:
    """Pin the tools that the really started servers list.

    In catalogue/servers/<name>/tools.lock.json: name, description, schemas and a SHA-256 of each; without credentials.
    `make lock` resolves the requirements first.
    """
    from ringfence.assets.lock import pin

    return pin(server, check=check, timeout_seconds=timeout)


@click.command("actions", cls=Command)
@options.path("--source", "folder of the npm package  [default: as package.json pins it]")
@click.option("--check", is_flag=True, help="write nothing; exit 1 when a committed file differs")
def actions(source: Path | None, check: bool) -> int:
    """Make the table of AWS's actions, and what is made from it."""
    from ringfence.assets import service_reference
    from ringfence.iam import actions as table

    if code := table.write(source or table.SOURCE, check=check):
        return code
    return service_reference.write(check=check)


@click.command("pages", cls=Command)
def pages() -> int:
    """Write the pages that are made from the catalogue.

    docs/tools/, docs/refusals.md and docs/hosts.md, and in docs/verification.md the points that only an account shows.
    """
    from ringfence.compilers.pages import write_pages
    from ringfence.hosts import commands as hosts
    from ringfence.live.verification.points import write_page

    write_pages(PROJECT)
    hosts.write_page(Path("docs/hosts.md"))
    write_page()
    return 0


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print what makes a shell complete commands and names."""
    if found := get_completion_class(shell):
        print(found(click.get_current_context().find_root().command, {}, "ringfence", COMPLETE).source())
    return 0

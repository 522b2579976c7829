"""The options that mean the same in every command, and what a shell completes them with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from ringfence.reading.chosen_file import name_in

EXAMPLE: Final = "example-production"
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class FileName(click.ParamType[str]):
    """The name of a file in one of the folders that people edit; its path means the same."""

    name = "name"

    def __init__(self, folder: str) -> None:
        """Takes the folder, such as `departments`."""
        self.folder = Path(folder)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Returns the name alone."""
        if not value.strip():
            self.fail(f"it is empty; name a file of {self.folder}/.", param, ctx)
        return name_in(value, self.folder)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offers the names of the files there."""
        names = sorted(path.stem for path in self.folder.glob("*.toml"))
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@dataclass(frozen=True)
class Named:
    """Whose templates are meant: one of the two.

    Attributes:
        department: The department's name, or nothing.
        organisation: The organisation's, or nothing.
    """

    department: str = ""
    organisation: str = ""

    @property
    def words(self) -> list[str]:
        """The same as words of a command line."""
        kind = "organisation" if self.organisation else "department"
        return [f"--{kind}", self.organisation or self.department]


def department(command: Decorated) -> Decorated:
    """Adds `--department`, which is the example for production where nobody names one."""
    return _department(command, default=EXAMPLE, show_default=True)


def own_department(command: Decorated) -> Decorated:
    """Adds `--department` that somebody has to name: nobody means the example by saying nothing."""
    return _department(command, required=True)


def department_or_organisation(command: Callable[..., int]) -> Callable[..., int]:
    """Adds `--department` and `--organisation`, of which one is taken, and gives the command what is `named`."""

    @wraps(command)
    def of_one(department: str | None, organisation: str | None, **more: Any) -> int:
        if department and organisation:
            raise click.UsageError("--department and --organisation: take one of them, and leave the other out.")
        return command(named=Named("" if organisation else department or EXAMPLE, organisation or ""), **more)

    with_both = organisation("organisations/<NAME>.toml, and not a department")(of_one)
    return _department(with_both, help_=f"departments/<NAME>.toml  [default: {EXAMPLE}]")


def organisation(help_: str) -> Callable[[Decorated], Decorated]:
    """Adds `--organisation`."""
    return click.option("--organisation", type=FileName("organisations"), metavar="NAME", help=help_)


def folder(name: str, help_: str, **more: Any) -> Callable[[Decorated], Decorated]:
    """Adds an option that names a folder or a file."""
    return click.option(name, type=click.Path(path_type=Path), metavar="PATH", help=help_, **more)


def _department(command: Decorated, *, help_: str = "departments/<NAME>.toml", **more: Any) -> Decorated:
    add = click.option("--department", type=FileName("departments"), metavar="NAME", help=help_, **more)
    return add(command)

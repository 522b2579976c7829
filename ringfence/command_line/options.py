"""The options that mean the same in every command, and what a shell completes them with."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from ringfence.command_line.table import COMMANDLINE
from ringfence.reading.chosen_file import name_in

EXAMPLE: Final = "example-production"
TEMPLATE: Final = ".template.json"
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
        return offered([path.stem for path in self.folder.glob("*.toml")], incomplete)


class PersonaName(click.ParamType[str]):
    """The name of a persona."""

    name = "name"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offers those of the catalogue."""
        return offered(personas(), incomplete)


class HostName(click.ParamType[str]):
    """The name of an MCP host."""

    name = "name"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offers those of the department that is named, or else every kind of the catalogue."""
        department = ctx.params.get("department")
        own = _read(f"departments/{department}.toml").get("hosts", []) if department else []
        kinds = _read("catalogue/hosts.toml").get("kinds", {})
        return offered([host.get("name") or host.get("kind", "") for host in own] or kinds, incomplete)


class OneOf(click.ParamType[str]):
    """One of some names, which are looked up only when they are needed: importing what knows them takes a while."""

    name = "name"

    def __init__(self, names: Callable[[], Mapping[str, str] | list[str]]) -> None:
        """Takes what gives them, with words about each where there are any."""
        self.names = names

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Returns the name, which has to be one."""
        return click.Choice(list(self.names())).convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offers them."""
        return offered(self.names(), incomplete)


class Port(click.IntRange):
    """A port of this computer."""

    name = "number"

    def __init__(self) -> None:
        """Takes whatever port there may be."""
        super().__init__(1, 65535)


def personas() -> list[str]:
    """Returns the names of the catalogue's personas."""
    return list(_read("catalogue/personas.toml").get("personas", {}))


def offered(names: Iterable[str] | Mapping[str, str], incomplete: str) -> list[CompletionItem]:
    """Returns what a shell offers of some names; with words about each where they are given."""
    helps = names if isinstance(names, Mapping) else {}
    return [
        CompletionItem(name, help=help_ if isinstance(help_ := helps.get(name), str) else None)
        for name in sorted(names)
        if name.startswith(incomplete)
    ]


def _read(path: str) -> dict[str, Any]:
    """Returns a data file as it is, or nothing: a shell is not told what is wrong with one."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


@dataclass(frozen=True)
class Named:
    """Whose templates are meant: one of the two."""

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
    """Adds `--department` of a command about an account: it `require`s one, and the example is not meant by silence."""
    return _department(command, help_="departments/<NAME>.toml; it has to be named")


def new_department(command: Decorated) -> Decorated:
    """Adds `--department` of one that is not there yet."""
    return _department(command, required=True)


def deployed_department(command: Decorated) -> Decorated:
    """Adds `--department` of a command that is about the rehearsal that serves where none is named."""
    return _department(command, help_="of a deployment; without it, the rehearsal that serves")


def require(name: str | None) -> str:
    """Returns the name, without which no account is asked or changed."""
    if not name:
        raise refused("Name the department, as in: --department fisheries")
    return name


def department_or_organisation(default: str = EXAMPLE) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Adds `--department` and `--organisation`, of which one is taken, and gives the command what is `named`."""

    def add(command: Callable[..., int]) -> Callable[..., int]:
        @wraps(command)
        def of_one(department: str | None, organisation: str | None, **more: Any) -> int:
            if department and organisation:
                raise refused("--department and --organisation: take one of them, and leave the other out.")
            return command(named=Named("" if organisation else department or default, organisation or ""), **more)

        with_both = organisation("organisations/<NAME>.toml, and not a department")(of_one)
        told = f"  [default: {default}]" if default else ""
        return _department(with_both, help_=f"departments/<NAME>.toml{told}")

    return add


def organisation(help_: str) -> Callable[[Decorated], Decorated]:
    """Adds `--organisation`."""
    return click.option("--organisation", type=FileName("organisations"), metavar="NAME", help=help_)


def path(name: str, help_: str, **more: Any) -> Callable[[Decorated], Decorated]:
    """Adds an option that names a folder or a file."""
    return click.option(name, type=click.Path(path_type=Path), metavar="PATH", help=help_, **more)


def assembly(command: Decorated) -> Decorated:
    """Adds `--assembly`, beside which nothing is checked, built or synthesised."""
    return path("--assembly", "take this cloud assembly, and synthesise nothing")(command)


def persona(help_: str, **more: Any) -> Callable[[Decorated], Decorated]:
    """Adds `--persona`."""
    return click.option("--persona", type=PersonaName(), metavar="NAME", help=help_, **more)


def host(help_: str, **more: Any) -> Callable[[Decorated], Decorated]:
    """Adds `--host`."""
    return click.option("--host", type=HostName(), metavar="NAME", help=help_, **more)


def against(help_: str) -> Callable[[Decorated], Decorated]:
    """Adds `--against`."""
    return path("--against", help_)


def accept(command: Decorated) -> Decorated:
    """Adds `--accept`."""
    text = "confirm the loss or weakening of one resource, or a way that you cleared by hand; may be given again"
    return click.option("--accept", multiple=True, metavar="STACK/ID", help=text)(command)


def check_against(folder: Path | None, named: Named, assembly: Path | None = None) -> None:
    """Refuses, before anything is built, what is not there to compare with, or is somebody else's.

    Args:
        assembly: Holds what is compared with it, unless somebody names whose it is.
    """
    if folder is None:
        return
    if not folder.exists():
        raise refused(f"--against {folder} is not there; name a folder of earlier templates, as synth writes one.")
    if assembly is None or given("department", "organisation"):
        check_whose("--against", folder, named)


def check_whose(option: str, folder: Path, named: Named) -> None:
    """Refuses a folder that an option names where its templates are another's than who is named."""
    there = {path.name for kind in ("*-audit", "organisation-*") for path in folder.glob(f"ringfence-{kind}{TEMPLATE}")}
    own = f"organisation-{named.organisation}" if named.organisation else f"{named.department}-audit"
    if there and f"ringfence-{own}{TEMPLATE}" not in there:
        name = named.organisation or named.department
        raise refused(f"{option} {folder} holds {', '.join(sorted(there))}, and not {name}; name a folder of {name}.")


def refused(text: str) -> click.UsageError:
    """Returns what ends a command that was called wrongly."""
    return click.UsageError(text, click.get_current_context())


def given(*names: str) -> list[str]:
    """Returns those of some options that somebody gave; the others are defaults, or the command has none such."""
    source = click.get_current_context().get_parameter_source
    return [f"--{name.replace('_', '-')}" for name in names if source(name) is COMMANDLINE]


def _department(command: Decorated, *, help_: str = "departments/<NAME>.toml", **more: Any) -> Decorated:
    add = click.option("--department", type=FileName("departments"), metavar="NAME", help=help_, **more)
    return add(command)

"""The commands as one table: grouped in `--help`, and a slip is answered with the nearest word."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import click
from click.core import ParameterSource

COMMANDLINE: Final = ParameterSource.COMMANDLINE
COMPLETE: Final = "_RINGFENCE_COMPLETE"
PROJECT: Final = Path(__file__).parents[2]
EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 something is wrong with what is named, or a finding is open; 2 it was called wrongly, or it "
    "could not be said: something could not be read, started or asked; 130 interrupted."
)
_SETTINGS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 120}
_ANYWHERE: Final = ("completion",)
"""Commands that a shell may run in whatever folder it starts in."""


class Command(click.Command):
    """A command of which no option is ignored: not another command's, and not one that does nothing beside others."""

    def __init__(
        self,
        *arguments: Any,
        needs: Mapping[str, str] = MappingProxyType({}),
        replaces: Mapping[str, Sequence[str]] = MappingProxyType({}),
        more: Callable[[], list[str]] = list,
        **others: Any,
    ) -> None:
        """Takes what click's command does.

        Args:
            needs: Options that do nothing without another, and that other.
            replaces: Options beside which others do nothing, and those others.
            more: Gives the lines that `--help` is to end with.
        """
        others["context_settings"] = _SETTINGS
        super().__init__(*arguments, **others)
        self.needs, self.replaces, self.more = needs, replaces, more

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            left = super().parse_args(ctx, args)
        except click.NoSuchOption as problem:
            table = ctx.find_root().command
            of = table.that_take(problem.option_name) if isinstance(table, Table) else []
            if not of:
                raise
            text = f"No such option '{problem.option_name}' of {self.name} (it is for: {', '.join(of)}). Leave it out."
            raise click.UsageError(text, ctx) from None
        if (idle := list(self._idle(ctx))) and not ctx.resilient_parsing:
            raise click.UsageError("\n".join(idle), ctx)
        return left

    def _idle(self, ctx: click.Context) -> Iterator[str]:
        """Yields what is wrong with options that somebody gave, and that would be ignored."""
        given = [each.opts[0] for each in self.params if ctx.get_parameter_source(each.name or "") is COMMANDLINE]
        for option, other in self.needs.items():
            if option in given and other not in given:
                yield f"{option} does nothing without {other}. Add that, or leave {option} out."
        for option, others in self.replaces.items():
            for other in others:
                if option in given and other in given:
                    yield f"{other} does nothing beside {option}. Leave one of the two out."

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for paragraph in (self.more(), textwrap.wrap(EXIT_CODES, formatter.width)):
            formatter.write("".join(f"\n{line}" for line in ["", *paragraph] if paragraph))
        formatter.write("\n")


class Table(click.Group):
    """Every command, below the heading of what somebody wants to do."""

    def __init__(self, sections: Mapping[str, Sequence[click.Command]]) -> None:
        """Takes the commands as they are to stand in `--help`."""
        super().__init__(
            callback=_in_the_project,
            help="Write a department's file, prove and rehearse what comes of it, and ask an account about it. No "
            "account is asked but where a command says so.",
            epilog=EXIT_CODES,
            context_settings=_SETTINGS,
        )
        self.sections = sections
        for commands in sections.values():
            for command in commands:
                self.add_command(command)

    def that_take(self, option: str) -> list[str]:
        """Returns the names of the commands that have an option."""
        return [name for name, command in self.commands.items() if any(option in each.opts for each in command.params)]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self.commands))
        for heading, commands in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [(f"{command.name:<{width}}", command.get_short_help_str(limit=200)) for command in commands]
                )


def _in_the_project() -> None:
    context = click.get_current_context()
    if context.invoked_subcommand not in _ANYWHERE and not Path("departments").is_dir():
        raise click.UsageError(f"{Path.cwd()} is not the project's folder; work in it: cd {PROJECT}")

"""Where the command begins and ends: every way to fail becomes a sentence and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn

import click
from click.shell_completion import shell_complete

from ringfence import CannotGoOn
from ringfence.command_line.sections import SECTIONS
from ringfence.command_line.table import COMPLETE, Table
from ringfence.reading.problems import ProblemsFound
from ringfence.rehearsal.ending import Interrupted, end_in_order

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

COMMANDS: Final = Table(SECTIONS)
NAME: Final = "ringfence"
WRONG, COULD_NOT = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The words after `ringfence`; those of this process where none are given.

    Returns:
        The exit code, as `ringfence --help` tells them.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        # Not click's own `main`, which has its own opinion of Ctrl-C and of a reader that leaves early.
        with COMMANDS.make_context(NAME, words) as context:
            code: int = COMMANDS.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except CannotGoOn as problem:
        print(problem, file=sys.stderr)
        return WRONG if isinstance(problem, ProblemsFound) else COULD_NOT
    except OSError as problem:
        if problem.filename is None:
            raise
        remedy = "Name another path, or see that this one can be read and written."
        print(f"{problem.filename}: {problem.strerror}. {remedy}", file=sys.stderr)
        return COULD_NOT
    return code


def run() -> NoReturn:
    """Runs this process's command and ends it: in order at Ctrl-C, and without waiting for what is taken apart."""
    end_in_order()
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_Output(1, "w", closefd=False)), "utf-8", line_buffering=sys.stdout.isatty()
    )
    code = COULD_NOT
    with suppress(OSError):  # of standard error: nobody is left to be told
        try:
            code = _ended()
            sys.stdout.flush()
        except OSError as problem:
            code = COULD_NOT
            remedy = "See what the system lacks (space, memory, open files, the network), and try again."
            print(f"{problem.strerror or problem}. {remedy}", file=sys.stderr)
        sys.stderr.flush()
    os._exit(code)


def _ended() -> int:
    try:
        completing = os.environ.get(COMPLETE)
        return shell_complete(COMMANDS, {}, NAME, COMPLETE, completing) if completing else main()
    except Interrupted as interrupted:
        return interrupted.told()


class _Output(io.FileIO):
    """Standard output, of which a reader may have seen enough: `head` leaves early, and that changes no verdict."""

    def write(self, data: ReadableBuffer) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            return memoryview(data).nbytes

"""What several commands begin with: the file is checked, the zips are built, and the templates are synthesised."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from ringfence.command_line.options import Named
from ringfence.rehearsal.ending import Interrupted


def checked(named: Named, *, to_deploy: bool = False) -> str:
    """Returns that a file is sound, before anything is built.

    Raises:
        ProblemsFound: everything that is wrong with it.
    """
    from ringfence.authoring.checked import checked_department, checked_organisation

    if named.organisation:
        return checked_organisation(named.organisation, root=Path())
    return checked_department(named.department, root=Path(), to_deploy=to_deploy)


def build_assets() -> None:
    """Builds the zips that are missing, and installs the same locks for this machine.

    Raises:
        click.exceptions.Exit: it could not; the reason is told.
    """
    from ringfence.assets.build import main

    _go_on(main(["--local"]))


def synthesised(named: Named, folder: Path | None, *more: str) -> None:
    """Checks the file, builds what is missing, and writes the templates into a folder, or where `cdk.json` says.

    The app runs by itself, as below the CDK: what judges its templates reads what was written, and no more.

    Raises:
        ProblemsFound: the file is wrong.
        click.exceptions.Exit: nothing was synthesised; the reason is told.
    """
    checked(named)
    build_assets()
    synthesise(named, folder, *more)


def synthesise(named: Named, folder: Path | None, *more: str) -> None:
    """Writes the templates of what has been checked.

    Raises:
        click.exceptions.Exit: nothing was synthesised; the reason is told.
    """
    where = ["--output", str(folder)] if folder else []
    _go_on(child([sys.executable, "app.py", *where, *named.words, *more]))


def child(words: Sequence[str], **more: str) -> int:
    """Runs a program to its end, which a signal to this process is its signal too; returns its exit code.

    Args:
        words: The program and its arguments.
        more: What its environment is to hold beside ours.
    """
    with subprocess.Popen(words, env={**_environment(os.environ), **more}) as process:
        try:
            return process.wait()
        except Interrupted as asked:
            process.send_signal(asked.number)
            raise


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Node of the virtual environment first: jsii must not pick up an older one of the system.

    Bytecode is written where it is missing, whatever a container's image says: without it synthesis takes half as long
    again.
    """
    kept = {name: value for name, value in given.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{given.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1"}


def _go_on(code: int) -> None:
    if code:
        raise click.exceptions.Exit(code)

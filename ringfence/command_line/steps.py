"""What several commands begin with: the file is checked, the zips are built, and the templates are synthesised."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from ringfence.command_line import options
from ringfence.command_line.options import Named
from ringfence.rehearsal.ending import Interrupted


def checked(named: Named, *, to_deploy: bool = False) -> str:
    """Returns that a file is sound, before anything is built.

    Raises:
        ProblemsFound: everything that is wrong with it.
    """
    from ringfence.authoring.checked import checked_department, checked_organisation

    if named.organisation:
        return checked_organisation(named.organisation, root=Path(), to_deploy=to_deploy)
    return checked_department(named.department, root=Path(), to_deploy=to_deploy)


def personas(department: str) -> tuple[str, ...]:
    """Returns the personas of a department's file; raises as `checked`."""
    from ringfence.authoring.checked import personas_of

    return personas_of(department, root=Path())


def build_assets() -> None:
    """Builds the zips that are missing, and installs the same locks for this machine.

    Raises:
        click.exceptions.Exit: it could not; the reason is told.
    """
    from ringfence.assets.build import build

    _go_on(build())


def synthesised(named: Named, folder: Path | None, *, to_deploy: bool = False) -> None:
    """Checks the file, builds what is missing, and writes the templates into a folder, or where `cdk.json` says.

    Raises:
        ProblemsFound: the file is wrong, or an example, which is never deployed.
        click.exceptions.Exit: nothing was synthesised; the reason is told.
    """
    checked(named, to_deploy=to_deploy)
    build_assets()
    _go_on(app(named, folder))


def templates(named: Named, given: Path | None, folder: Path, *, to_deploy: bool = False) -> Path:
    """Returns the folder of a cloud assembly: the one that is given, or else `folder` after a synthesis; raises as
    `synthesised`, and where the one that is given is another's than somebody names."""
    if given:
        if options.given("department", "organisation"):
            options.check_whose("--assembly", given, named)
        return given
    synthesised(named, folder, to_deploy=to_deploy)
    return folder


def below(organisation: str | None, folder: Path, department: str) -> Path | None:
    """Synthesises an organisation's guardrails, where one is named; raises as `synthesised`, for the department too."""
    if not organisation:
        return None
    checked(Named(department))  # before anything is built for the other
    synthesised(Named(organisation=organisation), folder)
    return folder


def app(named: Named, folder: Path | None) -> int:
    """Writes the templates of what has been checked; returns the app's exit code.

    It runs by itself, as below the CDK: what judges its templates reads what was written, and no more.
    """
    where = ["--output", str(folder)] if folder else []
    return child([sys.executable, "app.py", *where, *named.words])


def child(words: Sequence[str], **more: str) -> int:
    """Runs a program to its end, which a signal to this process is its signal too; returns its exit code."""
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

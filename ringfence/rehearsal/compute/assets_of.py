"""The packages of an assembly's locks for this machine, and bytecode for it."""

from __future__ import annotations

from pathlib import Path

from ringfence.assets import local
from ringfence.assets.bytecode import interpreters
from ringfence.assets.bytecode.interpreters import InterpreterFailed
from ringfence.assets.install import InstallFailed
from ringfence.rehearsal.problems import CannotStart


def packages_of(bundle: str) -> Path:
    """Packages of a function, a server, or the `host`, for this machine.

    Raises:
        CannotStart: they cannot be had.
    """
    try:
        return local.packages(bundle).resolve()
    except (KeyError, InstallFailed) as problem:
        raise CannotStart(
            f"the packages of {bundle} are not installed for this machine: {problem}", "Run `make assets`."
        ) from None


def compile_sources(folder: Path) -> None:
    """Give unpacked sources their bytecode for this machine, as the zip holds it for the deployed Python.

    Links are not followed: packages have theirs.

    Raises:
        CannotStart: this machine's Python failed at it.
    """
    try:
        interpreters.compile_at_hand(folder)
    except InterpreterFailed as problem:
        raise CannotStart(f"the code in {folder.name} cannot be compiled: {problem}", "Run `make assets`.") from None

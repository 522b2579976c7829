"""The built code that an assembly's resources run, and the same locks' packages for this machine."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ringfence.assets import local
from ringfence.assets.bytecode import interpreters
from ringfence.assets.bytecode.interpreters import InterpreterFailed
from ringfence.assets.install import InstallFailed
from ringfence.deployed.assembly import Assembly
from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.rehearsal.problems import CannotStart


def asset_file(assembly: Assembly, key: str, *, needed_by: str) -> Path:
    """The zip that deployment would upload under a key.

    Raises:
        CannotStart: it is missing, or it is no zip.
    """
    remedy = "Run `make synth`, which builds it."
    try:
        archive = assembly.asset(key)
    except UnresolvedTemplate as problem:
        raise CannotStart(f"the code of {needed_by} cannot be found: {problem}", remedy) from None
    if not zipfile.is_zipfile(archive):
        raise CannotStart(f"the code of {needed_by}, {archive.name}, is not a zip", remedy)
    return archive


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

"""The one place where the rehearsal's templates are read; all that follows works with what was read."""

from __future__ import annotations

from pathlib import Path

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.department import DeployedDepartment
from ringfence.rehearsal.coverage import HONOURED
from ringfence.rehearsal.problems import CannotStart


def read(path: Path) -> DeployedDepartment:
    """Read the department of a cloud assembly.

    Raises:
        CannotGoOn: there is none, it is damaged, or it holds something that cannot be interpreted or emulated.
    """
    remedy = "Synthesise first (make synth), or name the folder with --assembly."
    if not (path / "manifest.json").is_file():
        raise CannotStart(f"{path} is no cloud assembly: it holds no manifest.json", remedy)
    try:
        return of_assembly(Assembly.load(path))
    except (ValueError, KeyError, OSError) as damage:
        raise CannotStart(f"{path} cannot be read: {type(damage).__name__}: {damage}", remedy) from None


def of_assembly(assembly: Assembly) -> DeployedDepartment:
    """Read the department of an assembly that is loaded already.

    Raises:
        CannotGoOn: it holds something that cannot be interpreted or emulated.
    """
    return DeployedDepartment.read(assembly, HONOURED)

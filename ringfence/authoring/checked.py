"""What is wrong with a file, and what of it should be seen: from the file and the catalogue alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ringfence.catalogue import models
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.department import department_checks
from ringfence.department.department import load_department, others_beside
from ringfence.organisation.organisation import load_organisation
from ringfence.reading.chosen_file import named_file
from ringfence.reading.documents import read_toml
from ringfence.reading.placeholder_checks import is_example, made_up
from ringfence.reading.problems import Problem, ProblemsFound


def checked_department(name: str, *, root: Path, to_deploy: bool = False) -> str:
    """Returns that nothing is wrong with a department's file, and what of it should be seen all the same.

    Args:
        to_deploy: Whether it is to be deployed, which an example never is.

    Raises:
        ProblemsFound: everything that is wrong with the file, or with the catalogue.
    """
    folder = root / "departments"
    path = named_file("department", name, folder)
    if to_deploy:
        _no_example("DEPARTMENT", path, f"Make your own: `make new DEPARTMENT=fisheries FROM={path.stem}`.")
    department = load_department(name, catalogue=load_catalogue(root / "catalogue"), root=folder)
    ending = models.notes(department.models, models.known_models())
    return _told(path.relative_to(root), (*_notes(read_toml(path), path), *ending))


def personas_of(name: str, *, root: Path) -> tuple[str, ...]:
    """Returns the personas of a department's file; raises as `checked_department`."""
    folder = root / "departments"
    path = named_file("department", name, folder)
    return load_department(path.stem, catalogue=load_catalogue(root / "catalogue"), root=folder).personas


def checked_organisation(name: str, *, root: Path, to_deploy: bool = False) -> str:
    """Returns that nothing is wrong with an organisation's file.

    Args:
        to_deploy: Whether it is to be deployed, which an example never is.

    Raises:
        ProblemsFound: everything that is wrong with the file, or with the catalogue.
    """
    folder = root / "organisations"
    path = named_file("organisation", name, folder)
    if to_deploy:
        _no_example("ORGANISATION", path, f"Copy {path} to a name of your own: docs/runbooks/organisation.md.")
    load_catalogue(root / "catalogue")
    load_organisation(name, root=folder, departments=root / "departments")
    return _told(path.relative_to(root), ())


def _no_example(setting: str, path: Path, remedy: str) -> None:
    if is_example(path.stem):
        problem = Problem(setting, path.stem, "An example is never deployed.", remedy)
        raise ProblemsFound(f"{path.parent.name}/{path.name}", [problem])


def _notes(data: dict[str, Any], path: Path) -> Iterable[Problem]:
    """Yields what may be meant. A sandbox may hold made-up values, which a deployment of it would stumble over."""
    yield from department_checks.notes(data)
    if not is_example(path.stem):
        yield from made_up(data, own=path.stem, others=others_beside(path.stem, path.parent))


def _told(path: Path, notes: Iterable[Problem]) -> str:
    lines = [f"  {note}" for note in notes]
    if not lines:
        return f"{path}: nothing is wrong."
    count = f"{len(lines)} thing{'s' if len(lines) > 1 else ''}"
    return "\n".join([f"{path}: nothing is wrong; {count} to look at:", *lines])

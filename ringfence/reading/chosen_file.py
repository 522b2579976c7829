"""Which file somebody means who names a department or an organisation, and which word is meant by a mistyped one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from ringfence.reading.problems import Problem, ProblemsFound, shown


def named_file(kind: str, written: str, root: Path) -> Path:
    """Returns the file that a name, a file's name or its path leads to: `x`, `x.toml` or `departments/x.toml`.

    Args:
        kind: What the files of the folder describe, such as `department`.
        written: What was given on the command line.
        root: The folder; nothing outside it is found.

    Raises:
        ProblemsFound: there is no such file; the nearest name is told.
    """
    there_are = sorted(path.stem for path in root.glob("*.toml")) if root.is_dir() else []
    name = name_in(written, root)
    if name in there_are:
        return root / f"{name}.toml"
    near = nearest(name, there_are)
    if near:
        remedy = f"Did you mean `{near}`?"
    elif there_are:
        remedy = f"Choose one of: {', '.join(there_are)}."
    else:
        remedy = f"There is none in {root} yet; add one."
    raise ProblemsFound(kind, [Problem(kind, shown(written), f"There is no file {root}/{name}.toml.", remedy)])


def check_names(command: str, field: str, names: Iterable[str], *, known: Iterable[str], whose: str) -> None:
    """Refuses names on a command line that are not known.

    Args:
        command: Who was asked, such as `connect`.
        field: Where the names were given, such as `PERSONA`.
        whose: What has those that are known, at the beginning of a sentence.

    Raises:
        ProblemsFound: each that is not known, with the nearest that is.
    """
    there = list(known)
    unknown = {name: nearest(name, there) for name in names if name not in there}
    remedies = {
        name: f"Did you mean `{near}`?" if near else f"Choose one of: {', '.join(there)}."
        for name, near in unknown.items()
    }
    if unknown:
        message = f"{whose} has none of this name."
        raise ProblemsFound(command, [Problem(field, shown(name), message, remedies[name]) for name in unknown])


def name_in(written: str, root: Path) -> str:
    """Returns the name that is meant by a file's name or path; a path that leads elsewhere stays as it is."""
    name = written.strip().removesuffix(".toml")
    folder, _, last = name.rpartition("/")
    return last if folder and Path(folder).resolve() == root.resolve() else name


def nearest(written: str, known: Iterable[str]) -> str | None:
    """Returns the known word that a mistyped one is most like, whatever its case; None where none is like it."""
    by_case = {each.lower(): each for each in known}
    found = difflib.get_close_matches(written.lower(), by_case, n=1, cutoff=0.6)
    return by_case[found[0]] if found else None

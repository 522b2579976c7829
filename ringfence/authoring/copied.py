"""A new department's file, made from another one, with what is still to be filled in named."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.department.department import judged, others_beside
from ringfence.reading.chosen_file import name_in, named_file
from ringfence.reading.documents import read_toml
from ringfence.reading.placeholder_checks import is_example, made_up
from ringfence.reading.problems import Problem, ProblemsFound, shown

_OWN: Final = ("name", "domain_prefix", "client_secret_name")
"""Values that carry the department's name and are its own to choose. A client's id is its provider's to say."""

_TABLES: Final = ("network", "identity", "identity.groups", "security")
"""What is read of the file that a new one is made from."""

_ANYBODYS: Final = {
    "network.existing_networks": "networks that yours must not overlap",
    "identity.groups": "whoever is in them has the persona",
    "security.roles": "whoever may switch a persona off",
    "enable": "optional servers, for a reason that was another department's",
    "sensitive": "sensitive tools, for a reason that was another department's",
}
"""Values that no rule can tell from real ones, and what hangs on them."""

_ANOTHERS: Final = {
    "account": "where yours is deployed",
    "contact": "whom those whom yours refuses may ask",
    "ingress.allowed_networks": "from where yours is called",
    "identity.issuer": "who says who somebody is",
    "identity.metadata_url": "who says who somebody is",
    "identity.client_id": "as whom yours asks them",
    "identity.client_secret_version": "of another secret than yours",
    "hosts": "where codes of a sign-in are sent",
    "log_groups": "what a persona may query",
    "bootstrap": "how another account was made ready",
}
"""The same of a file that is no example: an example's are made up, and told as that."""

_ASSURANCE: Final = '#   plain_names = "<why no group here has a comma, a bracket or a quotation mark in its name>"\n'


def copied(name: str, *, like: str, root: Path) -> str:
    """Writes a department's file; returns what is still to be filled in.

    Args:
        name: The new department's name, or the name or path of its file.

    Raises:
        ProblemsFound: the file exists, the name cannot be one, or there is nothing sound to begin with.
    """
    folder = root / "departments"
    name = name_in(name, folder)
    catalogue = load_catalogue(root / "catalogue")
    # Before the name is written into a text, which it could make unreadable.
    _, found = judged({"name": name}, file_name=name, catalogue=catalogue, root=folder)
    if refused := [problem for problem in found if problem.field == "name"]:
        raise ProblemsFound("new department", refused)
    path = folder / f"{name}.toml"
    source = named_file("department", like, folder)
    _check_tables(read_toml(source), source.relative_to(root))  # what is wrong with it is told as its own fault
    text = _renamed(source.read_text(encoding="utf-8-sig"), source.stem, name)
    data = tomllib.loads(text)
    _, found = judged(data, file_name=name, catalogue=catalogue, root=folder)
    others = others_beside(name, folder)
    open_ = found if is_example(name) else [*found, *made_up(data, own=name, others=others)]
    try:
        with path.open("x", encoding="utf-8") as file:  # nor through a link that leads nowhere yet
            file.write(text)
    except FileExistsError:
        remedy = "Choose another name, or edit the file."
        there_is = Problem("name", shown(name), f"There is a file departments/{name}.toml already.", remedy)
        raise ProblemsFound("new department", [there_is]) from None
    check = _ANYBODYS if is_example(source.stem) else _ANOTHERS | _ANYBODYS
    taken_over = [line for key, why in check.items() for line in _taken_over(key, _at(data, key), why)]
    return _told(path.relative_to(root), source.relative_to(root), list(dict.fromkeys(open_)), taken_over)


def _check_tables(data: Mapping[str, Any], path: Path) -> None:
    found = []
    for key in _TABLES:
        value = _at(data, key)
        if value is not None and not isinstance(value, dict):
            remedy = f"Write its keys below a heading of its own, `[{key}]`, or begin with another department."
            found.append(Problem(key, shown(value, field=key), "This must be a table.", remedy))
    if found:
        raise ProblemsFound(str(path), found)


def _at(data: Mapping[str, Any], key: str) -> Any:
    """Returns what stands at a dotted key, and None where nothing does."""
    value: Any = data
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _renamed(text: str, old: str, new: str) -> str:
    """Returns a file's text under a new name, without the words with which the example introduces itself."""
    body = re.sub(r"\A(?:#[^\n]*\n)+\n*", "", text)
    body = re.sub(r"^plain_names = .*\n", _ASSURANCE, body, flags=re.MULTILINE)  # nobody has given it for this one
    for key in _OWN:
        body = re.sub(
            rf'^({key} = ".*?)(?<![a-z0-9]){re.escape(old)}(?![a-z0-9])(.*?")',
            lambda found: f"{found[1]}{new}{found[2]}",
            body,
            flags=re.MULTILINE,
        )
    head = (
        f"# The department {new}. `make check DEPARTMENT={new}` tells what is still to be filled in; each key is\n"
        f"# explained in example-production.toml.\n\n"
    )
    return head + body


def _taken_over(key: str, value: Any, why: str) -> Iterator[str]:
    """Yields what a file was made with at a key, and what hangs on it: one line each for a table's parts."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield f"{key}.{name}: {shown(part)}; {why}."
    elif isinstance(value, list) and all(isinstance(each, dict) for each in value):
        for index, each in enumerate(value):
            yield f"{key}[{index}]: {', '.join(shown(part) for part in each.values())}; {why}."
    elif value:
        yield f"{key}: {shown(value)}; {why}."


def _told(path: Path, source: Path, found: list[Problem], taken_over: list[str]) -> str:
    lines = [f"{path}: made from {source}."]
    if found:
        lines += ["Still to be filled in:", *(f"  {problem}" for problem in found)]
    if taken_over:
        lines += [f"Yours to check, as {source.stem} has them:", *(f"  {each}" for each in taken_over)]
    if is_example(path.stem):
        lines.append("It is an example, as its name says, and is never deployed: give a real department another name.")
    lines.append(f"Edit it, and then: make check DEPARTMENT={path.stem}")
    return "\n".join(lines)

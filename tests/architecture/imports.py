"""Which file imports which: the arrows that `test_rooms.py` judges and `picture.py` draws."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOUSE = "ringfence"
# What the top level is made of: each wing's folders, and files, of code or data.
WINGS = {
    "what CDK makes": ("app", "stacks", "constructs"),
    "what runs in AWS": ("lambda", "runtime", "servers", "callpath"),
    "what people edit": ("departments", "organisations", "catalogue"),
    "what runs on your machine": (HOUSE,),
}
BESIDE = ("docs", "tests")
ROOTS = ("lambda", "servers")
"""Folders whose own folders are imported by their names alone: functions, and MCP servers of ours."""
TOPS = {path.name: root for root in ROOTS for path in (ROOT / root).iterdir() if path.is_dir()}


@cache
def files() -> dict[str, Path]:
    """Every module of the wings by its dotted name; a package's is its `__init__`. No server's shim is among them."""
    found = {"app": ROOT / "app.py"}
    for folder in ("stacks", "constructs", *ROOTS, "runtime", "callpath", HOUSE):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder if folder in ROOTS else ROOT).with_suffix("").parts
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


def room_of(module: str) -> str:
    """The room that a module of ours lives in: `ringfence.<folder>`, or a folder of another wing."""
    top, *below = module.replace(f"{HOUSE}.__main__", f"{HOUSE}.command_line").split(".")
    if top in TOPS:
        return TOPS[top]
    return f"{HOUSE}.{below[0]}" if top == HOUSE and below else top


@cache
def named(path: Path) -> frozenset[str]:
    """Dotted names imported anywhere in a file, inside functions too, or held as text for `import_module`."""
    return named_in(path.read_text(encoding="utf-8"))


def named_in(source: str) -> frozenset[str]:
    """Dotted names that a file's text imports or may import."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"relative import of {node.module}"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and re.fullmatch(rf"{HOUSE}(\.\w+)+", str(node.value)):
            found.add(str(node.value))
    return frozenset(found)


def binds_the_house(source: str) -> bool:
    """Whether a file has the whole house under its name: any room can be had of it, and no arrow shows which."""
    imports = [each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Import)]
    names = [(alias.name, alias.asname) for node in imports for alias in node.names]
    return any(name == HOUSE or (name.startswith(f"{HOUSE}.") and not other) for name, other in names)


@cache
def imports() -> dict[str, frozenset[str]]:
    """The modules of ours that each module imports."""
    return {module: frozenset(_ours(named(path))) - {module} for module, path in files().items()}


def _ours(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        while name and name not in files():
            name = name.rpartition(".")[0]
        # `constructs` alone is the PyPI package, to which our folder's modules are joined.
        if name and name != "constructs":
            yield name


def arrows() -> dict[str, set[str]]:
    """Room -> the other rooms it imports from."""
    found: dict[str, set[str]] = {room_of(module): set() for module in files() if module != HOUSE}
    for module, used in imports().items():
        if module != HOUSE:
            found[room_of(module)] |= {room_of(each) for each in used} - {room_of(module), HOUSE}
    return found


def floors(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The members of a graph by floor: each uses only what is on floors below its own.

    Raises:
        ValueError: some use each other in a circle; it names them, and those above them.
    """
    left = {name: {each for each in used if each in graph} for name, used in graph.items()}
    found = []
    while left:
        floor = sorted(name for name, used in left.items() if not used & left.keys())
        if not floor:
            raise ValueError(f"a circle among {', '.join(sorted(left))}")
        found.append(floor)
        left = {name: used for name, used in left.items() if name not in floor}
    return found


def inside(folder: str) -> dict[str, set[str]]:
    """Entry of a package -> the other entries of it that it uses; an entry is a module, or a folder as a whole."""
    prefix = f"{folder}."
    found: dict[str, set[str]] = {}
    for module, used in imports().items():
        if module.startswith(prefix):
            entry = module.removeprefix(prefix).split(".")[0]
            others = {each.removeprefix(prefix).split(".")[0] for each in used if each.startswith(prefix)}
            found.setdefault(entry, set()).update(others - {entry})
    return found


def offers(room: str) -> tuple[str, ...]:
    """The modules of a room that others may use, as its `__init__` names them."""
    for node in ast.parse(files()[room].read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OFFERS":
            return tuple(ast.literal_eval(node.value))
    raise AssertionError(f"{room} has no OFFERS")

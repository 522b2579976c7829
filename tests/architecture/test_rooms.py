"""The rooms of the house and who may use whom: arrows run one way (docs/architecture.md)."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# room -> the rooms it may import from. A room may always use itself.
MAY_USE = {
    "app": {"stacks", "governance", "assets"},
    "stacks": {"constructs", "governance", "assets"},
    "constructs": {"governance", "assets"},
    "governance": {"callpath"},
    "authoring": {"governance"},
    "assets": {"callpath"},
    "lambda": {"callpath"},
    "runtime": {"callpath"},
    "callpath": set(),
    "assurance": {"governance", "callpath"},
    "deployment": {"live", "assurance", "governance", "callpath"},
    "rehearsal": {"assurance", "assets", "callpath"},
    "review": {"deployment", "assurance", "governance"},
    "hosts": {"governance"},
    "live": {"rehearsal", "assurance", "governance", "callpath"},
}
FUNCTIONS = {path.name for path in (ROOT / "lambda").iterdir() if path.is_dir()}


def room_of(module: str) -> str | None:
    """The room a dotted module name belongs to; None for a library."""
    top, _, rest = module.partition(".")
    if top in FUNCTIONS:
        return "lambda"
    if top == "constructs":
        # The folder shares its name with the PyPI package: only modules that are files here are ours.
        return "constructs" if (ROOT / "constructs" / f"{rest.split('.')[0]}.py").is_file() else None
    return top if top in MAY_USE else None


def imports_of(path: Path) -> set[str]:
    """Dotted names imported anywhere in a file, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files_of(room: str) -> list[Path]:
    return [ROOT / "app.py"] if room == "app" else sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", MAY_USE)
def test_a_room_uses_only_the_rooms_below_it(room: str) -> None:
    files = files_of(room)
    assert files, f"the room {room} is empty"
    wrong = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files
        for module in imports_of(path)
        if (used := room_of(module)) and used != room and used not in MAY_USE[room]
    }
    assert not wrong


def test_the_proofs_take_nothing_from_the_compilers_that_they_judge() -> None:
    """The department's own fields, and AWS's generator of Cedar schemas: no more, but how any data file is read."""
    reading = {"governance.documents.Strict", "governance.documents.read_checked", "governance.problems.ProblemsFound"}
    used = {
        path.stem: {module for module in imports_of(path) if module.startswith("governance")} - reading
        for path in files_of("assurance")
    }
    assert {name: modules for name, modules in used.items() if modules} == {
        "cedar": {"governance.cedar_schema.NoCedarSchema", "governance.cedar_schema.schema_of"},
        "evidence": {
            "governance.catalogue.load_catalogue",
            "governance.department.Department",
            "governance.department.load_department",
        },
        "gateways": {"governance.cedar_schema.schema_of"},
    }


def test_only_constructs_and_stacks_and_the_app_know_the_cdk() -> None:
    knows = {
        room
        for room in MAY_USE
        for path in files_of(room)
        if any(module.split(".")[0] in {"aws_cdk", "cdk_nag"} for module in imports_of(path))
    }
    assert knows <= {"app", "stacks", "constructs"}


def test_functions_do_not_import_each_other() -> None:
    for name in FUNCTIONS:
        for path in (ROOT / "lambda" / name).rglob("*.py"):
            others = {module.split(".")[0] for module in imports_of(path)} & (FUNCTIONS - {name})
            assert not others, f"{path} imports {others}"


def test_the_constructs_folder_joins_the_pypi_package_and_does_not_hide_it() -> None:
    """An `__init__.py` there breaks the CDK: `No module named 'constructs._jsii'`."""
    assert not (ROOT / "constructs" / "__init__.py").exists()
    package = importlib.import_module("constructs")
    assert "site-packages" in str(package.__file__)
    assert package.Construct
    assert importlib.import_module("constructs.audit_log_group")

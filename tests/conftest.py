"""Each committed department, synthesised once a run by the app itself, with every gate.

In this process, where the CDK is warm: a process of its own takes three times as long. That the command writes the same
bytes is shown by tests/stacks/gates/test_house_promises.py.
"""

from __future__ import annotations

import fcntl
import gc
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ringfence.catalogue import catalogue as _loading
from ringfence.catalogue.catalogue import Catalogue
from ringfence.department.department import Department, load_department
from tests.bench.departments import COMMITTED, SANDBOX, home, recorded, text_of, with_every_server

ROOT = Path(__file__).resolve().parents[1]


def _remembered(load: Callable[[Path], Catalogue]) -> Any:
    """A loader that reads the same bytes once a process: hundreds of tests load the real catalogue."""
    loaded: dict[tuple[Path, bytes], Catalogue] = {}

    def load_once(root: Path = Path("catalogue")) -> Catalogue:
        digest = hashlib.sha256()
        for path in sorted(each for each in root.rglob("*") if each.is_file()):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root)} {len(content)} ".encode() + content)
        key = (root, digest.digest())
        if key not in loaded:
            loaded[key] = load(root)
        return loaded[key]

    return load_once


# Before any module takes the loader's name.
_loading.load_catalogue = load_catalogue = _remembered(_loading.load_catalogue)
# As in the Makefile: bytecode is kept, whatever an image says, and jsii picks up no older Node of the system.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("JSII_NODE", str(Path(sys.executable).with_name("node")))
DEPARTMENTS = [*COMMITTED, *recorded(ROOT / "departments")]
PRODUCTION = "example-production"
LONGEST = "a-department-of-28-letters-x"
TOGETHER = {
    "the rehearsal": ("test_gateway_bad_input.py", "test_play.py", "test_document.py", "test_command_line.py"),
    "the department": ("sign_in", "test_layers_off.py", "test_no_log_holds_values.py"),
}
"""Files, and a folder, of tests/ringfence/rehearsal that share what runs: it starts once, and one worker has them
all."""

FIRST = (
    *("assets/test_bytecode.py", "mutants/test_mutants.py", "runbooks/test_commands.py", "adding/test_adding.py"),
    *("catalogue/test_driven_calls.py", "authoring/test_record.py", *TOGETHER),
    *("ablation/test_ablation.py", "functions/test_functions_are_quick.py"),
)
"""What takes longest: begun last, it would leave the other workers without work."""


def pytest_configure() -> None:
    """End as at Ctrl-C, so that fixtures stop what they started; what a killed run leaves ends by its own leash."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the garbage collector need not walk it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@cache
def unit_of(path: Path) -> str:
    """What a worker takes at a time: a file, or those that share what runs."""
    for unit, names in TOGETHER.items():
        if "rehearsal" in path.parts and (path.name in names or path.parent.name in names):
            return unit
    return "/".join(path.parts[-2:])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Units whole, in the order of their first tests, and the longest before the others."""
    places: dict[str, int] = {}
    for item in items:
        places.setdefault(unit_of(item.path), len(places))
    items.sort(key=lambda item: (unit_of(item.path) not in FIRST, places[unit_of(item.path)]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A unit to a worker at a time."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(Path(super()._split_scope(nodeid)))

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    stack: str
    logical_id: str
    type: str
    properties: dict[str, Any]
    whole: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.stack} {self.logical_id}"


@dataclass(frozen=True)
class Synthesised:
    """A department's cloud assembly."""

    department: Department
    folder: Path
    templates: dict[str, dict[str, Any]]  # stack name without the department's part -> template

    def resources(self, kind: str | None = None) -> Iterator[Resource]:
        for stack, template in self.templates.items():
            for logical_id, whole in template["Resources"].items():
                if kind in (None, whole["Type"]):
                    yield Resource(stack, logical_id, whole["Type"], whole.get("Properties", {}), whole)

    def only(self, stack: str, logical_id: str) -> Resource:
        (found,) = (each for each in self.resources() if (each.stack, each.logical_id) == (stack, logical_id))
        return found


def templates_in(folder: Path, prefix: str) -> dict[str, dict[str, Any]]:
    suffix = ".template.json"
    paths = sorted(folder.glob(f"{prefix}*{suffix}"))
    return {path.name.removeprefix(prefix).removesuffix(suffix): json.loads(path.read_text()) for path in paths}


def start_synthesis(department: str, folder: Path, *, home: Path = ROOT) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps({"department": department}),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen([sys.executable, "app.py"], cwd=home, env=environment, stderr=subprocess.PIPE, text=True)


def run_app(*arguments: str, output: Path, home: Path = ROOT) -> int:
    """Run the app in this process, on the data of a folder; returns its exit code, and leaves nothing of a failure."""
    import app  # takes a second, which only those who synthesise need

    code = 1
    try:
        with patch.object(app, "ROOT", home):
            code = app.main([*arguments, "--output", str(output)])
    finally:
        if code:
            shutil.rmtree(output, ignore_errors=True)  # so that another worker does not take it for a whole one
    return code


@contextmanager
def made_once(factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """A folder that all worker processes of a run share; one at a time is in here."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


@pytest.fixture(scope="session")
def synthesise() -> Callable[..., subprocess.Popen[str]]:
    """Starts `python app.py` for a department; its output goes to a folder, what it says to standard error."""
    return start_synthesis


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "catalogue")


@dataclass
class Assemblies(Mapping[str, Synthesised]):
    """The assemblies of departments by name; each is made when somebody first asks for it."""

    factory: pytest.TempPathFactory
    catalogue: Catalogue
    found: dict[str, Synthesised] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        return iter(DEPARTMENTS)

    def __len__(self) -> int:
        return len(DEPARTMENTS)

    def __getitem__(self, name: str) -> Synthesised:
        if name not in DEPARTMENTS:
            raise KeyError(name)
        if name not in self.found:
            department = load_department(name, catalogue=self.catalogue, root=ROOT / "departments")
            with made_once(self.factory, f"assembly-{name}") as parent:
                proved = os.environ["RECORD_OF"] if name == os.environ.get("RECORD") else ""  # `make record` made it
                self.found[name] = _synthesised(department, Path(proved) if proved else parent / name)
        return self.found[name]


def _synthesised(department: Department, out: Path, *, home: Path = ROOT) -> Synthesised:
    """A department's assembly, made where it is missing."""
    if not out.is_dir():
        assert run_app("--department", department.name, output=out, home=home) == 0, f"{department.name}: see stderr"
    return Synthesised(department, out, templates_in(out, f"ringfence-{department.name}-"))


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Assemblies:
    """All departments; any finding of cdk-nag or of CloudFormation's schema ends it."""
    return Assemblies(tmp_path_factory, catalogue)


@pytest.fixture(scope="session")
def longest(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Synthesised:
    """The largest department there can be, made by the app with every gate: a sandbox with the longest name that a
    department may have, all personas, and every server that the catalogue grants them."""
    with made_once(tmp_path_factory, "longest") as parent:
        place = parent / "home"
        if not place.is_dir():
            home(place, {LONGEST: with_every_server(text_of(SANDBOX), catalogue, name=LONGEST)})
        department = load_department(LONGEST, catalogue=catalogue, root=place / "departments")
        return _synthesised(department, parent / "out", home=place)


@pytest.fixture(scope="session")
def enabled(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """The assembly of tests/departments/example-restarts.toml, made by the app with every gate: production, no auditor,
    a developer who only reads, and the optional server aws-api."""
    with made_once(tmp_path_factory, "enabled") as parent:
        place = parent / "home"
        if not place.is_dir():
            name = "example-restarts"
            home(place, {name: (ROOT / "tests" / "departments" / f"{name}.toml").read_text(encoding="utf-8")})
        department = load_department("example-restarts", catalogue=catalogue, root=place / "departments")
        return _synthesised(department, parent / "out", home=place).folder

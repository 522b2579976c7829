"""Each committed department, synthesised once a session, as a platform engineer does: by the app, with every gate."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from governance.catalogue import Catalogue, load_catalogue
from governance.department import Department, load_department
from tests.bench.departments import COMMITTED, SANDBOX, home, recorded, text_of, with_every_server
from tests.waiting import LAST_RESORT_SECONDS

ROOT = Path(__file__).resolve().parents[1]
DEPARTMENTS = [*COMMITTED, *recorded(ROOT / "departments")]
PRODUCTION = "example-production"
LONGEST = "a-department-of-28-letters-x"
SHARE_A_REHEARSAL = ("test_gateway_bad_input.py", "test_play.py", "test_document.py")


def pytest_configure() -> None:
    """End as at Ctrl-C, so that fixtures stop what they started; what a killed run leaves ends by its own leash."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the garbage collector need not walk it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file to a worker at a time, and files that share a running rehearsal to the same one: it starts once."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            if Path(file).parent.name == "sign_in":
                return "the sign-in"
            return "the rehearsal" if Path(file).name in SHARE_A_REHEARSAL else file

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


def start_synthesis(department: str, folder: Path, *, home: Path = ROOT, **more: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps({"department": department}),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        **more,
    }
    return subprocess.Popen([sys.executable, "app.py"], cwd=home, env=environment, stderr=subprocess.PIPE, text=True)


def finished(department: str, folder: Path, process: subprocess.Popen[str]) -> None:
    _, said = process.communicate(timeout=LAST_RESORT_SECONDS)
    if process.returncode:
        shutil.rmtree(folder, ignore_errors=True)  # so that another worker does not take it for a whole one
    assert process.returncode == 0, f"{department}: {said[-4000:]}"


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


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> dict[str, Synthesised]:
    """All departments, side by side; any finding of cdk-nag or of CloudFormation's schema ends it."""
    with made_once(tmp_path_factory, "assemblies") as parent:
        missing = [name for name in DEPARTMENTS if not (parent / name).is_dir()]
        for name, process in {name: start_synthesis(name, parent / name) for name in missing}.items():
            finished(name, parent / name, process)
    found = {}
    for name in DEPARTMENTS:
        department = load_department(name, catalogue=catalogue, root=ROOT / "departments")
        found[name] = Synthesised(department, parent / name, templates_in(parent / name, f"ringfence-{name}-"))
    return found


@pytest.fixture(scope="session")
def longest(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Synthesised:
    """The largest department there can be, made by the app with every gate: a sandbox with the longest name that a
    department may have, all personas, and every server that the catalogue grants them."""
    with made_once(tmp_path_factory, "longest") as parent:
        out = parent / "out"
        if not out.is_dir():
            text = with_every_server(text_of(SANDBOX), catalogue, name=LONGEST)
            place = parent / "home"
            shutil.rmtree(place, ignore_errors=True)
            home(place, {LONGEST: text})
            finished(LONGEST, out, start_synthesis(LONGEST, out, home=place))
    department = load_department(LONGEST, catalogue=catalogue, root=parent / "home" / "departments")
    return Synthesised(department, out, templates_in(out, f"ringfence-{LONGEST}-"))


@pytest.fixture(scope="session")
def enabled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of tests/departments/example-restarts.toml, made by the app with every gate: production, no auditor,
    a developer who only reads, and the optional server aws-api."""
    with made_once(tmp_path_factory, "enabled") as home:
        if not (home / "out").is_dir():
            for name in ("app.py", "cdk.json"):
                shutil.copy(ROOT / name, home)
            for name, target in (("catalogue", ROOT / "catalogue"), ("departments", ROOT / "tests" / "departments")):
                if not (home / name).is_symlink():
                    (home / name).symlink_to(target)
            finished("example-restarts", home / "out", start_synthesis("example-restarts", home / "out", home=home))
    return home / "out"

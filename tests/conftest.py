"""Each committed department, synthesised once a session, as a platform engineer does: by the app, with every gate."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from governance.catalogue import Catalogue, load_catalogue
from governance.department import Department, load_department

ROOT = Path(__file__).resolve().parents[1]
DEPARTMENTS = sorted(path.stem for path in (ROOT / "departments").glob("*.toml"))
PRODUCTION = "example-production"


def pytest_configure() -> None:
    """End as at Ctrl-C, so that fixtures stop what they started; what a killed run leaves ends by its own leash."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


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


def start_synthesis(department: str, folder: Path) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps({"department": department}),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    return subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="session")
def synthesise() -> Callable[[str, Path], subprocess.Popen[str]]:
    """Starts `python app.py` for a department; its output goes to a folder, what it says to standard error."""
    return start_synthesis


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "catalogue")


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> dict[str, Synthesised]:
    """All departments, side by side; any finding of cdk-nag or of CloudFormation's schema ends it."""
    parent = tmp_path_factory.mktemp("assemblies")
    running = {name: start_synthesis(name, parent / name) for name in DEPARTMENTS}
    found = {}
    for name, process in running.items():
        _, said = process.communicate(timeout=180)
        assert process.returncode == 0, f"{name}: {said}"
        department = load_department(name, catalogue=catalogue, root=ROOT / "departments")
        found[name] = Synthesised(department, parent / name, templates_in(parent / name, f"ringfence-{name}-"))
    return found


@pytest.fixture(scope="session")
def enabled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of tests/departments/example-restarts.toml, made by the app with every gate: production, no auditor,
    a developer who only reads, and the optional server aws-api."""
    home = tmp_path_factory.mktemp("enabled")
    shutil.copy(ROOT / "app.py", home)
    shutil.copy(ROOT / "cdk.json", home)
    (home / "catalogue").symlink_to(ROOT / "catalogue")
    (home / "departments").symlink_to(ROOT / "tests" / "departments")
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(home / "out"),
        "CDK_CONTEXT_JSON": json.dumps({"department": "example-restarts"}),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run([sys.executable, "app.py"], cwd=home, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return home / "out"

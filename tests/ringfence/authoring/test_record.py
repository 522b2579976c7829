"""`make new` and `make record`, run by make on a copy of the project, for a department that is nobody's example."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.waiting import LAST_RESORT_SECONDS

ROOT = Path(__file__).resolve().parents[3]
BUILT = ("arm64", "assets", "local", "sources")
NAME = "coastguard"
HANDED_DOWN = ("ARGS", "MAKEFLAGS", "MAKELEVEL", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER")


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs make in a copy of the project."""
    home = tmp_path / "project"
    beside = ("build", "cdk.out", ".git", ".venv", "node_modules", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, home, ignore=shutil.ignore_patterns(*beside))
    for name in (".venv", "node_modules"):
        (home / name).symlink_to(ROOT / name)
    (home / "build").mkdir()
    for name in BUILT:
        (home / "build" / name).symlink_to(ROOT / "build" / name)
    environment = {name: value for name, value in os.environ.items() if name not in HANDED_DOWN}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        line = ["make", "-o", "setup", "-o", ".venv/.setup", "-o", "assets", *words]
        return subprocess.run(
            line, cwd=home, env=environment, capture_output=True, text=True, timeout=LAST_RESORT_SECONDS
        )

    return run


def test_a_departments_own_record_is_written_beside_the_examples(
    make: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    home = tmp_path / "project"
    before = {path: path.read_bytes() for path in kept(home)}

    assert (done := make("new", f"DEPARTMENT={NAME}", "FROM=example-sandbox")).returncode == 0, (
        done.stdout + done.stderr
    )
    file = home / "departments" / f"{NAME}.toml"
    every = 'personas = ["auditor", "operator", "developer"]'
    assert every in file.read_text()
    file.write_text(file.read_text().replace(every, 'personas = ["auditor"]'))
    assert (done := make("record", f"DEPARTMENT={NAME}")).returncode == 0, done.stdout + done.stderr

    made = sorted(path.name for path in set(kept(home)) - set(before))
    assert made == [
        *(f"{NAME}-{each}.txt" for each in ("auditor", "service-roles")),
        *(f"test_template[{NAME}-{each}].json" for each in ("audit", "auditor", "identity", "network")),
    ]
    assert {path: path.read_bytes() for path in before} == before, "nobody else's record is touched"
    network = home / "tests" / "stacks" / "__snapshots__" / "test_snapshots" / f"test_template[{NAME}-network].json"
    assert f"ringfence-{NAME}" in network.read_text()


def kept(home: Path) -> list[Path]:
    return [*(home / "tests" / "golden").glob("*.txt"), *(home / "tests" / "stacks" / "__snapshots__").rglob("*.json")]

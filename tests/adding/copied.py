"""A copy of the project in which something may be added, and a wheel of the invented server."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.adding.steps import ROOT
from tests.waiting import LAST_RESORT_SECONDS

_BESIDE = ("build", "cdk.out", ".git", ".venv", "node_modules", "tests", "docs", "__pycache__", ".*_cache")
_SET_UP = ("-o", "setup", "-o", ".venv/.setup", "-o", ".venv/bin/ringfence")
# Where a variable of pytest says that a test is running, the CDK leaves its findings unsaid.
_NOT_HANDED_DOWN = re.compile("ARGS|MAKEFLAGS|MAKELEVEL|VIRTUAL_ENV|PYTEST.*")


def copy(home: Path) -> None:
    """Everything that is not installed or built is the copy's own; of what is built it sees each thing, and makes its
    own beside it."""
    shutil.copytree(ROOT, home, ignore=shutil.ignore_patterns(*_BESIDE))
    for name in (".venv", "node_modules"):
        (home / name).symlink_to(ROOT / name)
    (home / "tests" / "golden").mkdir(parents=True)
    for kind in ("arm64", "assets", "local", "sources"):
        (home / "build" / kind).mkdir(parents=True)
        for built in (ROOT / "build" / kind).glob("*"):  # what nobody needed yet is not there
            (home / "build" / kind / built.name).symlink_to(built)


@dataclass(frozen=True)
class Made:
    """A copy in which make runs, with no index of packages but a folder of wheels."""

    home: Path
    wheels: Path

    def make(self, *words: str) -> str:
        """Run make; returns what it printed.

        Raises:
            AssertionError: it failed.
        """
        offline = {"UV_FIND_LINKS": str(self.wheels), "UV_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_NO_CACHE": "1"}
        inherited = {name: value for name, value in os.environ.items() if not _NOT_HANDED_DOWN.fullmatch(name)}
        done = subprocess.run(
            ["make", *_SET_UP, *words],
            cwd=self.home,
            env={**inherited, **offline},
            capture_output=True,
            text=True,
            timeout=LAST_RESORT_SECONDS,
        )
        assert done.returncode == 0, f"make {' '.join(words)}\n{done.stdout[-6000:]}{done.stderr[-6000:]}"
        return done.stdout + done.stderr


def wheel(folder: Path, module: Path, *, package: str, version: str) -> None:
    """Write a wheel of one module without dependencies (PyPA, Binary distribution format, 1.0)."""
    name = package.replace("-", "_")
    described = f"{name}-{version}.dist-info"
    files = {
        module.name: module.read_bytes(),
        f"{described}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n".encode(),
        f"{described}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in files.items())
    files[f"{described}/RECORD"] = f"{record}{described}/RECORD,,\n".encode()
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as made:
        for path, content in files.items():
            made.writestr(path, content)


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()

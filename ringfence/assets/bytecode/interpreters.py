"""The Pythons that make bytecode: those that are deployed, pinned and brought by npm, and the one at hand.

Bytecode belongs to a minor version of Python, not to a processor or a system, and patch releases of one minor version
differ in what they make. So that every machine makes the same zips, each deployed version has one interpreter, pinned
with a hash in `package-lock.json`: CPython built for WebAssembly, which the Node of the virtual environment runs.
See docs/decisions/0024.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

from ringfence import CannotGoOn
from ringfence.assets.bundles import ROOT

COMPILE_TREE = ROOT / "ringfence" / "assets" / "bytecode" / "compile_tree.py"
_RUN_PINNED = ROOT / "ringfence" / "assets" / "bytecode" / "pinned_python.mjs"


class InterpreterFailed(CannotGoOn):
    """An interpreter is not installed, or did not do its work."""

    remedy = "Run `make setup`, which brings the pinned interpreters."


def pinned(python: str) -> str:
    """What is pinned for a version of Python, as `npm:pyodide@0.29.5`: changes when its bytecode may.

    Raises:
        InterpreterFailed: nothing is.
    """
    brought = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    if _package(python) not in brought:
        raise InterpreterFailed(f"no interpreter of Python {python} is pinned in package.json")
    return str(brought[_package(python)])


def at_hand() -> str:
    """The same for the interpreter that runs this."""
    return f"{sys.implementation.cache_tag} {importlib.util.MAGIC_NUMBER.hex()}"


def compile_pinned(folder: Path, python: str) -> None:
    """Write bytecode of a deployed version beside every source below a folder.

    Raises:
        InterpreterFailed: it is not installed, or failed.
    """
    run_pinned(COMPILE_TREE, folder, python)


def compile_at_hand(folder: Path) -> None:
    """Write bytecode of the interpreter at hand beside every source below a folder, in the same form.

    Raises:
        InterpreterFailed: it failed.
    """
    _run([sys.executable, "-I", str(COMPILE_TREE), str(folder)])


def run_pinned(script: Path, folder: Path, python: str) -> str:
    """Run a Python file that needs the standard library alone, and return what it printed.

    Args:
        folder: its only argument, which it may read and write.
        python: minor version, as `3.13`.

    Raises:
        InterpreterFailed: that version is not pinned or not installed, or the file failed.
    """
    pinned(python)
    package = ROOT / "node_modules" / _package(python)
    # The virtual environment's own; where this runs without one, the first on the path.
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    if node is None or not package.is_dir():
        raise InterpreterFailed(f"the interpreter of Python {python} is not installed")
    return _run([node, str(_RUN_PINNED), str(package / "pyodide.mjs"), str(script), str(folder.resolve())])


def _package(python: str) -> str:
    return f"pyodide-{python}"


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InterpreterFailed(f"`{Path(command[-2]).name}` failed:\n{(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout

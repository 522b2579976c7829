"""Installs a bundle's lock into a folder: for ARM64, or for the machine at hand."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ringfence import CannotGoOn
from ringfence.assets.bundles import PLATFORM, Bundle
from ringfence.assets.bytecode import interpreters
from ringfence.assets.bytecode.interpreters import COMPILE_TREE, InterpreterFailed
from ringfence.assets.pruning import NothingToLeaveOut, prune
from ringfence.assets.shared_bytecode import compile_once

# Raise when the recipe below changes what an installation contains: caches are keyed by it.
RECIPE = "2"


class InstallFailed(CannotGoOn):
    """The packages of a lock could not be installed."""

    remedy = "Correct what is named, and run `make assets`."


def arm64_key(bundle: Bundle) -> str:
    """Cache key of an installation for the deployed platform: changes with everything that decides its content."""
    return _key(bundle, PLATFORM, interpreters.pinned(bundle.python))


def local_key(bundle: Bundle) -> str:
    """The same for this machine and its interpreter."""
    return _key(bundle, "local", interpreters.at_hand())


def _key(bundle: Bundle, platform: str, interpreter: str) -> str:
    text = "\n".join((RECIPE, bundle.python, platform, interpreter, bundle.left_out.as_text()))
    key = hashlib.sha256(text.encode() + b"\n" + COMPILE_TREE.read_bytes() + b"\n" + bundle.lock.read_bytes())
    for name, path in bundle.own_files().items():
        key.update(f"\n{name} ".encode() + path.read_bytes())
    return key.hexdigest()[:16]


def install_arm64(bundle: Bundle, target: Path) -> None:
    """Install for the deployed platform: wheels only, so that nothing is compiled or run from a source package."""
    _install(bundle, target, "--python-platform", PLATFORM, "--python-version", bundle.python)
    _compile(
        bundle,
        target,
        lambda folder: interpreters.compile_pinned(folder, bundle.python),
        interpreter=interpreters.pinned(bundle.python),
        tag=f"cpython-{bundle.python.replace('.', '')}",
    )


def install_local(bundle: Bundle, target: Path) -> None:
    """Install the same for this machine's interpreter; the rehearsal, the locks and the bench run from it."""
    _install(bundle, target, "--python", sys.executable)
    tag = str(sys.implementation.cache_tag)
    _compile(bundle, target, interpreters.compile_at_hand, interpreter=interpreters.at_hand(), tag=tag)


def replace_folder(target: Path, bundle: Bundle, install: Callable[[Bundle, Path], None]) -> None:
    """Install into a temporary sibling and move it into place, so that a half-made folder is never used."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        install(bundle, scratch)
        if target.exists():
            shutil.rmtree(target)
        os.replace(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _install(bundle: Bundle, target: Path, *platform: str) -> None:
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(target), "--require-hashes"]
    command += ["--only-binary", ":all:", *platform, "--requirement", str(bundle.lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InstallFailed(f"cannot install {bundle.name} from {bundle.lock}:\n{done.stderr.strip()}")
    shutil.rmtree(target / "bin", ignore_errors=True)
    try:
        prune(target, bundle.left_out)
    except NothingToLeaveOut as problem:
        raise InstallFailed(f"{bundle.name}: {problem}") from None
    _add_own(bundle, target)


def _compile(bundle: Bundle, target: Path, work: Callable[[Path], None], *, interpreter: str, tag: str) -> None:
    try:
        compile_once(target, work, interpreter=interpreter, tag=tag)
    except InterpreterFailed as problem:
        raise InstallFailed(f"cannot compile the packages of {bundle.name}: {problem}") from None


def _add_own(bundle: Bundle, target: Path) -> None:
    for name, path in bundle.own_files().items():
        added = target / name
        if added.exists():
            raise InstallFailed(f"{bundle.name}: {path} would replace a file of the packages; give it another name")
        added.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, added)

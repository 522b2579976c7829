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

from assets.bundles import PLATFORM, Bundle

# Raise when the recipe below changes what an installation contains: caches are keyed by it.
RECIPE = "1"
# Data that botocore needs whatever service is called.
_BOTOCORE_SHARED = {"endpoints.json", "partitions.json", "_retry.json", "sdk-default-configuration.json"}


class InstallFailed(Exception):
    """The packages of a lock could not be installed."""


def bundle_key(bundle: Bundle, *, platform: str) -> str:
    """Cache key of an installation: changes when the lock, the Python, the platform, the recipe or the shim change."""
    kept = ",".join(bundle.aws_services) if bundle.aws_services is not None else "all"
    text = "\n".join((RECIPE, bundle.python, platform, kept, *bundle.left_out))
    key = hashlib.sha256(text.encode() + b"\n" + bundle.lock.read_bytes())
    for name, path in bundle.shim_files().items():
        key.update(f"\n{name} ".encode() + path.read_bytes())
    return key.hexdigest()[:16]


def install_arm64(bundle: Bundle, target: Path) -> None:
    """Install for the deployed platform: wheels only, so that nothing is compiled or run from a source package."""
    _install(bundle, target, "--python-platform", PLATFORM, "--python-version", bundle.python)


def install_local(bundle: Bundle, target: Path) -> None:
    """Install the same lock for this machine's interpreter; the rehearsal and `make lock` run from it."""
    _install(bundle, target, "--python", sys.executable, "--compile-bytecode")


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
    if bundle.aws_services is not None:
        _keep_aws_services(target / "botocore" / "data", bundle.aws_services)
    _leave_out(bundle, target)
    _add_shim(bundle, target)


def _leave_out(bundle: Bundle, target: Path) -> None:
    for name in bundle.left_out:
        path = target / name
        if not path.is_file():
            raise InstallFailed(f"{bundle.name}: there is no {name} to leave out; mend assets/bundles.py")
        path.unlink()


def _add_shim(bundle: Bundle, target: Path) -> None:
    for name, path in bundle.shim_files().items():
        added = target / name
        if added.exists():
            raise InstallFailed(f"{bundle.name}: {path} would replace a file of the packages; give it another name")
        added.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, added)


def _keep_aws_services(data: Path, services: tuple[str, ...]) -> None:
    for entry in data.iterdir():
        if entry.name not in services and entry.name.removesuffix(".gz") not in _BOTOCORE_SHARED:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

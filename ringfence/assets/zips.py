"""Reproducible zips: the same inputs give the same bytes, and the name says the content.

A base zip holds third-party packages only, with their bytecode, and is made once per lock by `make assets`. Synthesis
adds our sources, with theirs, and the compiled rules of one persona to a copy of it, without a network.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ringfence import CannotGoOn
from ringfence.assets.bundles import BUILD, ROOT, Bundle, functions, host, servers
from ringfence.assets.bytecode.sources import bytecode_of
from ringfence.assets.install import arm64_key

ASSETS = BUILD / "assets"
# AgentCore direct code deployment, and Lambda below it.
RUNTIME_LIMIT_ZIPPED = 250_000_000
RUNTIME_LIMIT_UNZIPPED = 750_000_000
FUNCTION_LIMIT_UNZIPPED = 250_000_000

_ELF = b"\x7fELF"
_ELF_MACHINE_AARCH64 = 183
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold


class AssetMissing(CannotGoOn):
    """A base zip has not been built for the present locks and sources."""

    remedy = "Run `make assets`."


class AssetRefused(CannotGoOn):
    """A zip breaks a limit, or holds a library for another processor."""

    remedy = "Correct its lock, or name in ringfence/assets/left_out.toml what is not needed."


@dataclass(frozen=True)
class Asset:
    """A zip to deploy.

    Attributes:
        sha256: hash of the content (names, modes, bytes), independent of the compressor; names the CDK asset.
    """

    path: Path
    sha256: str


@dataclass(frozen=True)
class Entry:
    """One file of a zip: where it goes and where it comes from."""

    name: str
    source: Path


@dataclass(frozen=True)
class BaseZip:
    """What a base zip is made of.

    Attributes:
        name: `request_interceptor`, `runtime-iam`, …
        sources: our files, added when a zip is made from the base.
        packages: folder inside the zip (empty for the root) -> bundle installed there.
        limit_unzipped: bytes.
    """

    name: str
    sources: tuple[Entry, ...]
    packages: tuple[tuple[str, Bundle], ...]
    limit_unzipped: int

    @property
    def python(self) -> str:
        """The deployed version that its bytecode is for."""
        (version,) = {bundle.python for _, bundle in self.packages}
        return version

    @property
    def path(self) -> Path:
        """Where the zip is, or will be: the name changes with every lock."""
        keys = "\n".join(f"{folder}={arm64_key(bundle)}" for folder, bundle in self.packages)
        return ASSETS / f"base-{self.name}-{hashlib.sha256(keys.encode()).hexdigest()[:16]}.zip"


def base_zips() -> dict[str, BaseZip]:
    """Every base zip of the deployment by name: one per function, one per server."""
    made = {}
    for name, bundle in functions().items():
        sources = (*_sources(f"lambda/{name}", name), *_sources("callpath", "callpath"))
        made[name] = BaseZip(name, sources, (("", bundle),), FUNCTION_LIMIT_UNZIPPED)
    for name, bundle in servers().items():
        sources = (
            Entry("main.py", ROOT / "runtime" / "main.py"),
            *(entry for entry in _sources("runtime", "runtime") if entry.name != "runtime/main.py"),
            *_sources("callpath", "callpath"),
        )
        packages = (("packages/host/", host()), ("packages/server/", bundle))
        made[f"runtime-{name}"] = BaseZip(f"runtime-{name}", sources, packages, RUNTIME_LIMIT_UNZIPPED)
    return made


def function_zip(name: str, *, files: dict[str, bytes]) -> Asset:
    """The zip of a Lambda function with `files` added at its root.

    Raises:
        AssetMissing: `make assets` has not been run since a lock or a source changed.
    """
    return _with_files(name, files)


def runtime_zip(server: str, *, files: dict[str, bytes]) -> Asset:
    """The zip of an AgentCore runtime for `server` with `files` added at its root.

    Raises:
        AssetMissing: `make assets` has not been run since a lock or a source changed.
    """
    return _with_files(f"runtime-{server}", files)


def write_base_zip(base: BaseZip, folders: dict[str, Path]) -> dict[str, int | str]:
    """Write a base zip and its summary from installed packages.

    Args:
        folders: folder inside the zip -> installed packages on disk.

    Returns:
        The summary: content hash, sizes in bytes, number of native libraries.

    Raises:
        AssetRefused: a native library is not for aarch64, or a limit is exceeded.
    """
    entries: list[Entry] = []
    for folder, tree in folders.items():
        entries += [Entry(f"{folder}{path.relative_to(tree).as_posix()}", path) for path in _files(tree)]
    ASSETS.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(prefix=f".{base.name}-", suffix=".zip", dir=ASSETS)
    os.close(handle)
    content, unzipped, native = hashlib.sha256(), 0, 0
    try:
        with zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for entry in sorted(entries, key=lambda entry: entry.name):
                data = entry.source.read_bytes()
                native += _check_native(base.name, entry.name, data)
                unzipped += len(data)
                content.update(f"{entry.name} {hashlib.sha256(data).hexdigest()}\n".encode())
                archive.writestr(_info(entry.name), data)
        zipped = os.path.getsize(scratch)
        _check_limits(base, zipped, unzipped)
        summary: dict[str, int | str] = {
            "content_sha256": content.hexdigest(),
            "zipped": zipped,
            "unzipped": unzipped,
            "native": native,
        }
        base.path.with_suffix(".json").write_text(json.dumps(summary, indent=2) + "\n")
        os.chmod(scratch, 0o644)
        os.replace(scratch, base.path)
    finally:
        Path(scratch).unlink(missing_ok=True)
    return summary


def summary_of(base: BaseZip) -> dict[str, int | str]:
    """The summary written beside a base zip.

    Raises:
        AssetMissing: the zip has not been built.
    """
    path = base.path
    if not path.is_file() or not path.with_suffix(".json").is_file():
        raise AssetMissing(f"the zip {base.name} is not built for the present sources and locks ({path.name})")
    return dict(json.loads(path.with_suffix(".json").read_text()))


def _with_files(name: str, files: dict[str, bytes]) -> Asset:
    bases = base_zips()
    if name not in bases:
        raise AssetMissing(f"there is no zip {name}", f"Name one of: {', '.join(sorted(bases))}.")
    base = bases[name]
    summary = summary_of(base)
    sources = {entry.name: entry.source.read_bytes() for entry in base.sources}
    added = sources | bytecode_of(sources, base.python) | files
    content = hashlib.sha256(str(summary["content_sha256"]).encode())
    for file_name in sorted(added):
        content.update(f"\n{file_name} {hashlib.sha256(added[file_name]).hexdigest()}".encode())
    asset = Asset(ASSETS / f"{name}-{content.hexdigest()[:16]}.zip", content.hexdigest())
    if not asset.path.is_file():
        _check_limits(base, 0, int(summary["unzipped"]) + sum(map(len, added.values())))
        _copy_with(base.path, asset.path, added)
    return asset


def _copy_with(source: Path, target: Path, files: dict[str, bytes]) -> None:
    handle, scratch = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=".zip", dir=ASSETS)
    os.close(handle)
    try:
        shutil.copyfile(source, scratch)
        with zipfile.ZipFile(scratch, "a", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name in sorted(files):
                archive.writestr(_info(name), files[name])
        os.chmod(scratch, 0o644)
        os.replace(scratch, target)
    finally:
        Path(scratch).unlink(missing_ok=True)


def _sources(folder: str, name: str) -> tuple[Entry, ...]:
    return tuple(
        Entry(f"{name}/{path.relative_to(ROOT / folder).as_posix()}", path)
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "__pycache__" not in path.parts
    )


def _files(tree: Path) -> Iterator[Path]:
    for path in tree.rglob("*"):
        if path.is_file():
            yield path


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    info.create_system = 3
    return info


def _check_native(zip_name: str, name: str, data: bytes) -> int:
    if not data.startswith(_ELF):
        return 0
    machine = int.from_bytes(data[18:20], "little")
    if machine != _ELF_MACHINE_AARCH64:
        raise AssetRefused(f"{zip_name}: {name} is built for ELF machine {machine}, not for aarch64 (183)")
    return 1


def _check_limits(base: BaseZip, zipped: int, unzipped: int) -> None:
    if unzipped > base.limit_unzipped:
        raise AssetRefused(f"{base.name} unpacks to {unzipped:,} bytes; the limit is {base.limit_unzipped:,}")
    if zipped > RUNTIME_LIMIT_ZIPPED:
        raise AssetRefused(f"{base.name} is {zipped:,} bytes zipped; the limit is {RUNTIME_LIMIT_ZIPPED:,}")

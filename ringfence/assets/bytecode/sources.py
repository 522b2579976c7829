"""The bytecode of our own sources, which change more often than the packages: made when it is first asked for, kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ringfence.assets.bundles import BUILD
from ringfence.assets.bytecode import interpreters
from ringfence.assets.bytecode.interpreters import COMPILE_TREE

COMPILED = BUILD / "sources"


def bytecode_of(sources: Mapping[str, bytes], python: str) -> dict[str, bytes]:
    """The bytecode of Python sources, by its place beside them.

    Args:
        sources: content by place in the zip, as `runtime/host.py`.
        python: the deployed version, as `3.13`.

    Raises:
        InterpreterFailed: that version's interpreter is not installed, or failed.
    """
    key = hashlib.sha256(f"{interpreters.pinned(python)}\n".encode() + COMPILE_TREE.read_bytes())
    for name in sorted(sources):
        key.update(f"\n{name} {hashlib.sha256(sources[name]).hexdigest()}".encode())
    kept = COMPILED / f"{python}-{key.hexdigest()[:16]}"
    if not kept.is_dir():
        _compile(sources, python, kept)
    return {path.relative_to(kept).as_posix(): path.read_bytes() for path in sorted(kept.rglob("*.pyc"))}


def _compile(sources: Mapping[str, bytes], python: str, kept: Path) -> None:
    COMPILED.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{kept.name}-", dir=COMPILED))
    try:
        for name, content in sources.items():
            path = scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        interpreters.compile_pinned(scratch, python)
        try:
            os.replace(scratch, kept)
        except OSError:
            if not kept.is_dir():  # else another process was quicker, with the same content
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)

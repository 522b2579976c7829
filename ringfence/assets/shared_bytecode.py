"""Bytecode of the modules that many bundles hold is made once in a build: of 43,000 in the zips 8,000 differ.

It is found by everything that decides it, and gone when the build has ended (`forget`). That each zip holds what its
sources compile to is proved apart, with nothing remembered (`ringfence.assets.bytecode.proof`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from ringfence.assets.bundles import BUILD
from ringfence.assets.bytecode.interpreters import COMPILE_TREE

KEPT = BUILD / "bytecode"


def compile_once(tree: Path, work: Callable[[Path], None], *, interpreter: str, tag: str) -> None:
    """Put bytecode beside every source below a folder, compiling only what no other bundle had at the same place.

    Args:
        tree: the folder.
        work: compiles every source below the folder that it is given, as `interpreters.compile_pinned`.
        interpreter: what compiles; changes when its bytecode may.
        tag: its mark in the names of bytecode, as `cpython-313`.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    recipe = hashlib.sha256(f"{interpreter}\n".encode() + COMPILE_TREE.read_bytes())
    sources = sorted(path.relative_to(tree) for path in tree.rglob("*.py") if path.is_file())
    kept = {source: KEPT / _key(recipe.copy(), source, (tree / source).read_bytes()) for source in sources}
    missing = [source for source, place in kept.items() if not place.exists()]
    if missing:
        with tempfile.TemporaryDirectory(dir=KEPT, prefix=".compiling-") as scratch:
            _compile([(tree / source, Path(scratch) / source) for source in missing], work, Path(scratch))
            for source in missing:
                _keep(kept[source], _beside(Path(scratch) / source, tag))
    for source, place in kept.items():
        if content := place.read_bytes():  # none of what this Python cannot compile
            beside = _beside(tree / source, tag)
            beside.parent.mkdir(exist_ok=True)
            beside.write_bytes(content)


def forget() -> None:
    """Remove what is kept."""
    shutil.rmtree(KEPT, ignore_errors=True)


def _key(recipe: hashlib._Hash, source: Path, content: bytes) -> str:
    recipe.update(f"\n{source.as_posix()}\n".encode() + content)
    return recipe.hexdigest()


def _compile(copies: list[tuple[Path, Path]], work: Callable[[Path], None], scratch: Path) -> None:
    for source, copy in copies:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    work(scratch)


def _beside(source: Path, tag: str) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"


def _keep(place: Path, made: Path) -> None:
    """In one step: another bundle's installation may look for it."""
    handle, scratch = tempfile.mkstemp(dir=place.parent, prefix=".")
    os.close(handle)
    Path(scratch).write_bytes(made.read_bytes() if made.exists() else b"")
    os.replace(scratch, place)

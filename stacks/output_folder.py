"""Who writes into the folder of a cloud assembly: one at a time, and nobody while the CDK's command line reads it.

Kept by the CDK's own files, so that each sees the other: `synth.lock` and `read.<pid>.<n>.lock`, each with the number
of the process that holds it (aws-cdk 2.1148.1, toolkit-lib, `api/rwlock.ts`).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ringfence import CannotGoOn

_WRITER: Final = "synth.lock"
_READERS: Final = "read.*.lock"


class FolderInUse(CannotGoOn):
    """Another process works in the folder."""

    remedy = "Wait until it has ended, or name another folder with --output."


class NoFolder(CannotGoOn):
    """Something else is in its place, or nobody may make it."""

    remedy = "Name another with --output."


def made(folder: Path) -> Path:
    """Makes the folder where it is missing.

    Raises:
        NoFolder: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise NoFolder(f"{folder} cannot be a folder ({fault.strerror})") from None
    return folder


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Makes the folder and keeps every other writer out of it.

    Raises:
        FolderInUse: somebody writes into it, or the CDK reads it.
        NoFolder: it cannot be made.
    """
    place = os.open(made(folder), os.O_RDONLY)
    try:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, whatever ends it
        except BlockingIOError:
            raise _in_use(folder, "Another synthesis writes into it") from None
        for path in [folder / _WRITER, *folder.glob(_READERS)]:
            if _is_alive(path):
                raise _in_use(folder, f"Process {path.read_text().strip()} works in it")
        (folder / _WRITER).write_text(str(os.getpid()))
        yield
        (folder / _WRITER).unlink(missing_ok=True)
    finally:
        os.close(place)


def _in_use(folder: Path, who: str) -> FolderInUse:
    return FolderInUse(f"{folder}: {who}")


def _is_alive(path: Path) -> bool:
    try:
        number = int(path.read_text())
    except (FileNotFoundError, ValueError):
        return False
    return number != os.getpid() and Path(f"/proc/{number}").exists()

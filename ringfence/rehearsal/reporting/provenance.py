"""What a report is about: when, of which commit, of which bytes; without it a report is evidence of nothing."""

from __future__ import annotations

import datetime
import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).resolve().parents[3]
_SUFFIXES: Final = (".template.json", ".assets.json")


@dataclass(frozen=True)
class Provenance:
    """Where a report comes from.

    Attributes:
        date: when the rehearsal began, in UTC, ISO 8601 with seconds.
        commit: 40 hex digits of the checkout, or None where it is no Git checkout.
        changed: whether files of the checkout differ from that commit; None where there is none.
        files: SHA-256 of each template and each list of assets by file name. Assets are named by their own digest,
            so these fix every byte that would be deployed.
    """

    date: str
    commit: str | None
    changed: bool | None
    files: Mapping[str, str]

    @property
    def digest(self) -> str:
        """One SHA-256 of all files: of lines `<digest>  <name>`, in the names' order, as `sha256sum` prints them."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The provenance in the shape of report.json."""
        return {
            "date": self.date,
            "commit": self.commit,
            "changed": self.changed,
            "assembly": {"sha256": self.digest, "files": dict(sorted(self.files.items()))},
        }


def provenance_of(assembly: Path, *, now: datetime.datetime, checkout: Path = _ROOT) -> Provenance:
    """The provenance of a report that is made now of an assembly.

    Args:
        now: the time, with its zone.
        checkout: the folder whose commit is told.
    """
    commit = _git(checkout, "rev-parse", "--verify", "HEAD")
    changes = _git(checkout, "status", "--porcelain") if commit else None
    return Provenance(
        date=now.astimezone(datetime.UTC).isoformat(timespec="seconds"),
        commit=commit,
        changed=None if changes is None else bool(changes),
        files={
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(assembly.iterdir())
            if path.name.endswith(_SUFFIXES)
        },
    )


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says, or None where there is no git or no checkout."""
    try:
        said = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return said.stdout.strip() if said.returncode == 0 else None

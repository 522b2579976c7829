"""Runs the public MCP conformance suite (npm `@modelcontextprotocol/conformance`, pinned in tests/peers)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.waiting import LAST_RESORT_SECONDS

ROOT: Final = Path(__file__).resolve().parents[2]
_PROGRAM: Final = ROOT / "tests/peers/node_modules/@modelcontextprotocol/conformance/dist/index.js"
_EXPECTED: Final = Path(__file__).with_name("expected.toml")


@dataclass(frozen=True)
class Outcome:
    """What a scenario came to.

    Attributes:
        checks: how many held.
        failed: what each other one said, warnings too.
    """

    checks: int
    failed: tuple[str, ...]

    @property
    def passes(self) -> bool:
        """Whether something was checked, and all of it held."""
        return self.checks > 0 and not self.failed

    @property
    def words(self) -> str:
        """What the suite says of it."""
        return "; ".join(self.failed) or ("" if self.checks else "nothing that it checks")


def passing() -> list[str]:
    """The scenarios that must pass."""
    return list(_expected()["passes"])


def refused() -> dict[str, str]:
    """The scenarios refused on purpose, with the reason."""
    return {name: entry["reason"] for entry in _expected()["refused"] for name in entry["scenarios"]}


def as_expected(name: str, outcome: Outcome) -> bool:
    """Whether a scenario passes that must, or is refused in the words that belong to its reason."""
    said = next((entry["says"] for entry in _expected()["refused"] if name in entry["scenarios"]), "")
    return not outcome.passes and re.search(said, outcome.words) is not None if said else outcome.passes


def answers() -> dict[str, str]:
    """Words that the answer of each tool holds that the suite is not content with: they tell why."""
    return dict(_expected()["answers"])


def _expected() -> dict[str, Any]:
    return tomllib.loads(_EXPECTED.read_text(encoding="utf-8"))


def scenarios() -> list[str]:
    """The suite's scenarios for a server."""
    return re.findall(r"^ +- (\S+)", _run("list", "--server").stdout, re.M)


def run(url: str, folder: Path, *names: str) -> dict[str, Outcome]:
    """Run scenarios against a server.

    Args:
        url: of the server.
        folder: an empty one, for the suite's own record.
        names: scenarios; all of them where none is named.

    Raises:
        RuntimeError: the suite did not run one of them.
    """
    for name in names:
        _run("server", "--url", url, "--output-dir", str(folder), "--scenario", name)
    if not names:
        _run("server", "--url", url, "--output-dir", str(folder), "--suite", "all")
    records = {path.parent.name: json.loads(path.read_text()) for path in folder.glob("*/checks.json")}
    found = {re.sub(r"^server-(.*)-\d{4}-.*$", r"\1", place): _outcome(checks) for place, checks in records.items()}
    if missing := sorted(set(names or scenarios()) - found.keys()):
        raise RuntimeError(f"the suite has no record of {', '.join(missing)}")
    return {name: found[name] for name in names or scenarios()}


def _outcome(checks: list[dict[str, str]]) -> Outcome:
    said = [check.get("errorMessage") or check["name"] for check in checks if check["status"] in ("FAILURE", "WARNING")]
    return Outcome(sum(check["status"] == "SUCCESS" for check in checks), tuple(said))


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The suite's program; its exit code says only whether everything passed."""
    command = [ROOT / ".venv/bin/node", _PROGRAM, *arguments]
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return subprocess.run(command, env=kept, capture_output=True, text=True, timeout=LAST_RESORT_SECONDS)

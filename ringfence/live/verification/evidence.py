"""The evidence: every point with its verdict, as JSON for machines and as a page for people."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ringfence.live.results import Result, Verdict
from ringfence.live.verification.after import After
from ringfence.live.verification.points import Point

ROOT: Final = Path(__file__).resolve().parents[3]
_NO_COMMIT: Final = "not known: this folder is no clone"
CAVEAT = (
    "What one person saw of one persona at one time, and what the services said about themselves. It does not show "
    "that AWS keeps to it later, and what no command looks at is closed by its owner, by hand."
)


def state_of(point: Point, results: Mapping[str, Sequence[Result]]) -> str:
    """Returns `closed`, `open by hand`, `not as it must be`, or `open`.

    A point is closed when every one of its checks has results, all of them are right, and nothing is left for a hand.
    """
    found = [each for name in point.check for each in results.get(name, ())]
    if any(each.verdict is Verdict.WRONG for each in found):
        return "not as it must be"
    looked = point.check and all(results.get(name) for name in point.check)
    if not looked or any(each.verdict is not Verdict.RIGHT for each in found):
        return "open"
    return "open by hand" if point.by_hand else "closed"


def as_json(after: After, points: Sequence[Point], results: Mapping[str, Sequence[Result]]) -> dict[str, Any]:
    """Returns the evidence. It holds neither the token nor any result of a call.

    `account` is the one that AWS named, not the one that was hoped for; None where it named none, or another's.
    """
    asked = list(results.get("account", ()))
    known = asked and all(each.verdict is Verdict.RIGHT for each in asked)
    return {
        "department": after.department,
        "account": asked[0].evidence["account"] if known else None,
        "account_told": " ".join(each.found for each in asked) or "The account was not asked for.",
        "account_of_the_file": after.needs.account,
        "region": after.needs.department.region,
        "persona": after.persona,
        "commit": commit(),
        "started": datetime.fromtimestamp(after.started, UTC).isoformat(timespec="seconds"),
        "caveat": CAVEAT,
        "points": [
            {
                "id": point.id,
                "claim": point.claim,
                "owner": point.owner,
                "state": state_of(point, results),
                "command": point.command,
                "how": point.how,
                "by_hand": point.by_hand,
                "checks": list(point.check),
            }
            for point in points
        ],
        "checks": {name: [each.as_json() for each in found] for name, found in results.items()},
    }


def commit(folder: Path = ROOT) -> str:
    """Returns the commit that this was made with, and whether something was changed since; or that it is not known."""
    command = ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return _NO_COMMIT
    said = done.stdout.strip()
    if done.returncode or not said:
        return _NO_COMMIT
    return f"{said.removesuffix('-dirty')}, with changes that are not committed" if said.endswith("-dirty") else said


def folder_of(root: Path, after: After) -> Path:
    """Returns where one verification's evidence goes: `<root>/<department>/<date and time in UTC>-<persona>`."""
    moment = datetime.fromtimestamp(after.started, UTC)
    return root / after.department / f"{moment:%Y-%m-%d-%H%M%S}-{after.persona}"


def write(folder: Path, evidence: Mapping[str, Any]) -> tuple[Path, Path]:
    """Writes `evidence.json` and `evidence.md` into a new folder, and returns their paths.

    Raises:
        FileExistsError: the folder is there already; evidence is never written over.
    """
    folder.mkdir(parents=True)
    machine, page = folder / "evidence.json", folder / "evidence.md"
    machine.write_text(json.dumps(evidence, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    page.write_text(_page(evidence), encoding="utf-8")
    return machine, page


def _page(evidence: Mapping[str, Any]) -> str:
    lines = [
        f"# {evidence['department']}: what the account showed",
        "",
        evidence["caveat"],
        "",
        "| | |",
        "|---|---|",
        f"| department | {evidence['department']} |",
        f"| account | {_account(evidence)} |",
        f"| region | {evidence['region']} |",
        f"| persona | {evidence['persona']} |",
        f"| date | {evidence['started']} |",
        f"| commit | {evidence['commit']} |",
        "",
        "| point | state | owner | closed by |",
        "|---|---|---|---|",
        *(f"| {each['id']} | {each['state']} | {each['owner']} | {each['command']} |" for each in evidence["points"]),
    ]
    for point in evidence["points"]:
        lines += ["", f"## {point['id']}: {point['state']}", "", point["claim"], "", f"Judged by: {point['how']}"]
        lines += [f"By hand: {point['by_hand']}", ""] if point["by_hand"] else [""]
        for name in point["checks"]:
            for result in evidence["checks"].get(name, []):
                lines.append(f"- {result['verdict']}: {_cell(result['subject'])}: {_cell(result['found'])}")
                lines += [f"  - → {_cell(result['remedy'])}"] if result["remedy"] else []
    return "\n".join(lines) + "\n"


def _account(evidence: Mapping[str, Any]) -> str:
    """What AWS said about the account, or that nothing here is about it."""
    told = _cell(evidence["account_told"])
    if evidence["account"]:
        return told
    return f"not known, so nothing below is about {evidence['account_of_the_file']}, which the file names. {told}"


def _cell(text: str) -> str:
    """Text of an answer, harmless in Markdown."""
    return text.replace("<", "&lt;").replace("|", "\\|")

"""The matrix of attacks and layers: on a terminal, as JSON, and as the table in the documentation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ringfence.rehearsal.ablation.attack import Attack, Does
from ringfence.rehearsal.ablation.layers import LAYERS
from ringfence.rehearsal.ablation.matrix import Row
from ringfence.rehearsal.ablation.seen import THROUGH
from ringfence.rehearsal.problems import CannotStart

MARKER = "<!-- made by `make ablate DEPARTMENT=example-sandbox ARGS=--write-table` -->"
# How far in a cell is told: nothing changed, another layer stops it, or it goes through.
_WOULD = {Does.CHANGES: "change", Does.CARRIES_OUT: "carry out", Does.READS: "read", Does.MISLEADS: "mislead"}
_SAME, _WENT_THROUGH = "·", "THROUGH"


def told(row: Row) -> str:
    """One line for a terminal: the attack, the layers that stop it, and what then comes."""
    layers = " > ".join(row.layers) or "nothing"
    return f"{row.attack.name:44} {row.attack.does:11} {layers:44} then {row.end.stopped_by}: {row.end.why[:60]}"


def grid(rows: Sequence[Row]) -> str:
    """The matrix for a terminal: for each attack, what stops it with every layer on, and with each one off.

    A dot says that the same layer stops it as with every layer on.
    """
    head = ["attack", "all on", *(f"-{layer}" for layer in LAYERS)]
    lines = [
        head,
        *([row.attack.name, row.all_on.stopped_by, *(_cell(row, layer) for layer in LAYERS)] for row in rows),
    ]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cell(row: Row, layer: str) -> str:
    seen = row.without.get(layer)
    if seen is None:
        return ""
    if seen.stopped_by == THROUGH:
        return _WENT_THROUGH
    return _SAME if seen.stopped_by == row.all_on.stopped_by else seen.stopped_by


def as_json(department: str, rows: Sequence[Row], problems: Sequence[str]) -> str:
    """Everything that was seen, for whoever wants to count for themselves."""
    document = {
        "department": department,
        "layers": dict(LAYERS),
        "problems": list(problems),
        "attacks": [
            {
                "attack": row.attack.name,
                "family": row.attack.family,
                "does": row.attack.does,
                "persona": row.persona,
                "all_on": [row.all_on.stopped_by, row.all_on.why],
                "without": {layer: [seen.stopped_by, seen.why] for layer, seen in row.without.items()},
                "stopped_by": [[seen.stopped_by, seen.why] for seen in row.peeled],
                "then": [row.end.stopped_by, row.end.why],
                "alone": row.attack.alone or None,
            }
            for row in rows
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def as_markdown(rows: Sequence[Row]) -> str:
    """The table of the documentation: for each attack and persona, the layers that stop it, one behind another."""
    personas = list(dict.fromkeys(row.persona for row in rows))
    by_attack: dict[Attack, dict[str, Row]] = {}
    for row in rows:
        by_attack.setdefault(row.attack, {})[row.persona] = row
    lines = []
    for family in dict.fromkeys(attack.family for attack in by_attack):
        lines += [
            f"### {family[0].upper()}{family[1:]}",
            "",
            f"| attack | sends | would | {' | '.join(personas)} |",
            f"|---|---|---|{'---|' * len(personas)}",
        ]
        for attack, found in by_attack.items():
            if attack.family == family:
                cells = [", ".join(found[persona].layers) if persona in found else "" for persona in personas]
                sends = f"`{attack.sends.replace('|', chr(92) + '|').replace('`', '')}`" if attack.sends else ""
                name = f"{attack.name}{'*' if attack.alone else ''}"
                lines.append(f"| {name} | {sends} | {_WOULD[attack.does]} | {' | '.join(cells)} |")
        lines.append("")
    reasons: dict[str, list[str]] = {}
    for attack in by_attack:
        if attack.alone:
            reasons.setdefault(attack.alone, []).append(attack.name)
    lines += ["### Where one layer has to do", ""]
    lines += [f"- {', '.join(names)}: {reason}." for reason, names in reasons.items()]
    lines += ["", "### What stands in the place of a layer that is off", ""]
    lines += [f"- {layer}: {place}." for layer, place in LAYERS.items()]
    return "\n".join(lines) + "\n"


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """Write the table into a page of the documentation, below its marker.

    Raises:
        CannotStart: the page has no marker.
    """
    page = path.read_text(encoding="utf-8") if path.is_file() else ""
    before, marker, _ = page.partition(MARKER)
    if not marker:
        raise CannotStart(f"{path} has no line {MARKER!r}", "Name the page of the documentation that holds the table.")
    path.write_text(f"{before}{marker}\n\n{as_markdown(rows)}", encoding="utf-8")


def write(folder: Path, department: str, rows: Sequence[Row], problems: Sequence[str]) -> Path:
    """Write the matrix as JSON and as Markdown; returns the folder."""
    (folder / "matrix.json").write_text(as_json(department, rows, problems), encoding="utf-8")
    (folder / "matrix.md").write_text(as_markdown(rows), encoding="utf-8")
    return folder

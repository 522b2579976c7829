"""Which rules the rehearsed templates waive, what each asks for, and why it is waived where."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_RULES: Final = Path(__file__).with_name("rules.toml")
_MEANS: Final[dict[str, str]] = tomllib.loads(_RULES.read_text(encoding="utf-8"))["means"]
_UNKNOWN: Final = "What it asks for is not written down in ringfence/rehearsal/reporting/rules.toml."


def waived_of(assembly: Path) -> list[dict[str, Any]]:
    """Every rule that a template acknowledges beside a resource, sorted, as report.json has it.

    Returns:
        `{"rule", "means", "reasons": [{"reason", "places"}]}`; a place is `<stack>/<logical id>`. What a rule found is
        told in brackets behind its id, and not here.
    """
    found: dict[str, dict[str, set[str]]] = {}
    for rule, reason, place in _acknowledged(assembly):
        found.setdefault(rule.partition("[")[0], {}).setdefault(reason, set()).add(place)
    return [
        {
            "rule": rule,
            "means": _MEANS.get(rule, _UNKNOWN),
            "reasons": [{"reason": reason, "places": sorted(places)} for reason, places in sorted(reasons.items())],
        }
        for rule, reasons in sorted(found.items())
    ]


def _acknowledged(assembly: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted(assembly.glob("*.template.json")):
        stack = path.name.removesuffix(".template.json")
        for logical_id, resource in json.loads(path.read_text(encoding="utf-8"))["Resources"].items():
            for each in resource.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", ()):
                yield each["id"], each["reason"], f"{stack}/{logical_id}"

"""Which rules the rehearsed templates waive, what each asks for, and why it is waived where."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ringfence.deployed.assembly import Assembly

_RULES: Final = Path(__file__).with_name("rules.toml")
_MEANS: Final[dict[str, str]] = tomllib.loads(_RULES.read_text(encoding="utf-8"))["means"]
_UNKNOWN: Final = "What it asks for is not written down in ringfence/rehearsal/reporting/rules.toml."


def waived_of(assembly: Assembly) -> list[dict[str, Any]]:
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


def _acknowledged(assembly: Assembly) -> Iterator[tuple[str, str, str]]:
    for resource in assembly.resources():
        for each in resource.metadata.get("cdk_nag", {}).get("rules_to_suppress", ()):
            yield each["id"], each["reason"], f"{resource.stack}/{resource.logical_id}"

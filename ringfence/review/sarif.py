"""Results as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format, errata 01 of 28 August 2023)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from ringfence.reading.visible import visible
from ringfence.review.results import Result

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LITERAL: Final = str.maketrans({"\\": "\\\\", "[": "\\[", "]": "\\]"})


def sarif_of(results: Sequence[Result], *, department: str) -> dict[str, Any]:
    """A SARIF log of one run.

    A waiver is a suppressed result (section 3.35), with its reason as the justification. Each result has a fingerprint
    of what it says and where: all of them point at the first line of a file, and GitHub tells results of one rule apart
    by that fingerprint and the file (its page "SARIF support for code scanning", read 29 November 2026).

    Args:
        department: whose assembly it is; two departments' runs in one repository do not replace each other.
    """
    rules = list(dict.fromkeys(visible(result.rule) for result in results))
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "Ringfence", "rules": [{"id": rule} for rule in rules]}},
                "automationDetails": {"id": f"ringfence/{department}/"},
                "columnKind": "unicodeCodePoints",
                "results": [_result(result, rules.index(visible(result.rule))) for result in results],
            }
        ],
    }


def _result(result: Result, rule_index: int) -> dict[str, Any]:
    said = {
        "ruleId": visible(result.rule),
        "ruleIndex": rule_index,
        "level": result.level,
        "message": {"text": _text(f"{result.place}: {result.message}")},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": result.file}, "region": {"startLine": 1}},
                "logicalLocations": [{"fullyQualifiedName": visible(result.place), "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(result)},
    }
    if result.waiver:
        said["suppressions"] = [{"kind": "inSource", "status": "accepted", "justification": visible(result.waiver)}]
    return said


def _text(text: str) -> str:
    """A message in which brackets are brackets: SARIF makes links of them (section 3.11.6)."""
    return visible(text).translate(_LITERAL)


def _fingerprint(result: Result) -> str:
    said = "\0".join((result.rule, result.place, result.message))
    return f"{hashlib.sha256(said.encode('utf-8', 'backslashreplace')).hexdigest()[:16]}:1"

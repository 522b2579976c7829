"""Findings of synthesis and of the proofs, and waivers of findings, in one shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_LEVELS: Final = {"fatal": "error", "error": "error", "high": "error", "warning": "warning", "medium": "warning"}
_GOLDEN: Final = Path("tests/golden")


@dataclass(frozen=True, order=True)
class Result:
    """One finding, or the waiver of one.

    Attributes:
        rule: the rule's id, as one acknowledges it; of a proof `proof/<name>`.
        place: the construct's path, or what a proof says it is about.
        level: `error`, `warning` or `note`.
        file: the file of the checkout that a reviewer opens, from its root.
        waiver: the reason for which it is accepted; empty for a finding that is open.
    """

    rule: str
    place: str
    message: str
    level: str
    file: str
    waiver: str = ""


def of_synthesis(report: Mapping[str, Any], *, file: str) -> Iterator[Result]:
    """Open findings of `validation-report.json`, which the CDK writes beside the templates: one for each construct.

    Args:
        file: where a reviewer begins: the department's file.
    """
    for plugin in report["pluginReports"]:
        if error := plugin.get("metadata", {}).get("error"):  # a plugin that broke found nothing, and shows nothing
            yield Result(f"plugin/{plugin['pluginName']}", "template", str(error), "error", file)
        for violation in plugin["violations"]:
            level = _LEVELS.get(str(violation.get("severity", "error")).lower(), "note")
            fix = violation.get("suggestedFix", "")
            message = f"{violation['description']} {fix}".strip()
            for construct in violation["violatingConstructs"]:
                yield Result(violation["ruleName"], _place(construct), message, level, file)


def of_constructs(errors: Iterable[tuple[str, str]], *, file: str) -> Iterator[Result]:
    """What constructs call an error (`ringfence.reading.annotations.errors`)."""
    for path, error in errors:
        yield Result("construct/error", path, error, "error", file)


def _place(construct: Mapping[str, Any]) -> str:
    resource = construct.get("cloudFormationResource") or {}
    return str(construct.get("constructPath") or resource.get("logicalId") or "template")


def of_proofs(report: Mapping[str, Any], *, file: str) -> Iterator[Result]:
    """Findings of a report of `ringfence prove`; one about a committed record names that file.

    Args:
        file: the file of every other finding.
    """
    for proof in report["proofs"]:
        rule = f"proof/{proof['name']}"
        for finding in proof["findings"]:
            subject = finding["subject"]
            record = str(_GOLDEN / subject) if proof["name"] == "golden" and subject.endswith(".txt") else file
            yield Result(rule, subject, finding["message"], "error", record)
        for what, number in proof["looked_at"].items():
            if not number:
                yield Result(rule, what, f"The proof looked at no {what}, so it shows nothing.", "error", file)


def waivers(templates: Mapping[str, Mapping[str, Any]], *, file: str) -> Iterator[Result]:
    """Everything that the templates acknowledge beside a resource, with the reason."""
    for stack, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            noted = resource.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", ())
            for each in noted:
                message = f"{each['id']} is accepted on {resource['Type']}."
                yield Result(each["id"], f"{stack}/{logical_id}", message, "note", file, each["reason"])

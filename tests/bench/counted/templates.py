"""How big the templates are, against CloudFormation's limits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.bench import departments
from tests.bench.table import Row

MOST_RESOURCES = 400
"""Our own goal; CloudFormation's limit is 500 in a stack."""
LARGEST_KB = 1000.0
"""CloudFormation's limit of 1 MB for a template, in the smaller reading of the word."""


@dataclass(frozen=True)
class Template:
    """One template as it would be uploaded.

    Attributes:
        stack: its stack's name.
        resources: how many.
        kb: size in thousands of bytes.
    """

    stack: str
    resources: int
    kb: float


def templates(folder: Path) -> list[Template]:
    """Every template of an assembly, by stack."""
    suffix = ".template.json"
    return [
        Template(
            path.name.removesuffix(suffix),
            len(json.loads(path.read_text(encoding="utf-8"))["Resources"]),
            path.stat().st_size / 1000,
        )
        for path in sorted(folder.glob(f"*{suffix}"))
    ]


def rows() -> list[Row]:
    """Number and size of the templates of each department and of the organisation, and the resources of each stack."""
    made = []
    for context in (
        *(f"department={name}" for name in departments.names()),
        f"organisation={departments.ORGANISATION}",
    ):
        made += rows_of(context.replace("=", " "), templates(departments.assembly(context)))
    return made


def rows_of(what: str, found: list[Template]) -> list[Row]:
    """The rows of one assembly: its number of templates, its largest, and each stack's resources."""
    largest = max(found, key=lambda each: each.kb)
    resources = sum(each.resources for each in found)
    return [
        Row(
            f"{what}: templates", len(found), "", note=f"{resources} resources, {sum(each.kb for each in found):.0f} KB"
        ),
        Row("  largest template", largest.kb, "KB", LARGEST_KB, largest.stack),
        *(
            Row(
                f"  resources of {each.stack}",
                each.resources,
                "",
                MOST_RESOURCES,
                f"{each.kb:.0f} KB, {each.kb / LARGEST_KB:.0%} of CloudFormation's 1 MB",
            )
            for each in found
        ),
    ]

"""The one region, and the zones of it that a department may name."""

from __future__ import annotations

import re
from typing import Final

REGION: Final = "eu-west-2"
"""Everything runs here. The only exceptions are the ones `ringfence.department.residency.register` lists, each with a
reason."""

ZONES: Final = ("eu-west-2a", "eu-west-2b", "eu-west-2c", "eu-west-2d")
"""Zone *names*. AWS maps them to zone ids differently in every account; AgentCore supports three ids, euw2-az1 to
euw2-az3, and only a look-up in the account tells which names carry them."""

_REGION_SHAPE = re.compile(
    r"(?<![a-z0-9])(?:us|eu|ap|ca|sa|me|af|il|cn|mx)(?:-gov|-iso[a-z]?|-isob)?-"
    r"(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-\d(?!\d)"
)


def foreign_regions(text: str) -> list[str]:
    """Returns the AWS regions other than eu-west-2 that a text names, in order and without repeats."""
    found = (match.group(0) for match in _REGION_SHAPE.finditer(text.lower()))
    return list(dict.fromkeys(region for region in found if region != REGION))

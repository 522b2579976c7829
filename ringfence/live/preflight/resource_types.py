"""Every CloudFormation type of the templates, as eu-west-2 offers it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.live.before import Before
from ringfence.live.results import Result, right, wrong
from ringfence.reading.region import REGION

_ABSENT: Final = ("TypeNotFoundException",)


def resource_types(before: Before) -> Iterator[Result]:
    """Looks each type up in CloudFormation's registry."""
    kinds = before.needs.types()
    good = 0
    for kind in kinds:
        answer = before.account.ask("cloudformation:DescribeType", absent=_ABSENT, Type="RESOURCE", TypeName=kind)
        if answer is None:
            found = f"CloudFormation does not offer it in {REGION}."
            yield wrong(kind, found, "Ask AWS Support; nothing of the department can be deployed without it.")
        elif answer.get("DeprecatedStatus") == "DEPRECATED":
            yield wrong(
                kind, "CloudFormation has deprecated it.", "Upgrade Ringfence to a release that does without it."
            )
        else:
            good += 1
    if good:
        yield right("resource types", f"{good} of {len(kinds)} are offered.")

"""GOV-REGION: London, and nothing that routes elsewhere but what the residency register declares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ringfence.house_rules.declared import Residency
from ringfence.house_rules.rule import Rule
from ringfence.reading.region import foreign_regions
from ringfence.reading.template import Breach, Resource, Template, Text, listed, texts

# A geography before a vendor's model, whoever the vendor is (`eu.minimax.minimax-m2`), and every kind of profile by its
# ARN. A guardrail's profile of the UK stays in London (Bedrock user guide, supported regions for cross-region guardrail
# inference: uk.guardrail.v1:0 routes from eu-west-2 to eu-west-2, read November 2026).
_PROFILE: Final = re.compile(
    r"inference-?profile|default-prompt-router|data-automation-profile|guardrail-profile/(?!uk\.)"
    r"|(?<![\w./@-])(?:apac|au|ca|eu|global|jp|uk|us|us-gov)\.[a-z][a-z0-9]*\.[a-z][\w-]*-[\w.:-]*",
    re.IGNORECASE,
)


def _regions(template: Template, declared: Residency) -> Iterator[Breach]:
    for resource in template.resources:
        for text in resource.texts:
            for region in foreign_regions(text.value):
                if not _is_declared(resource, text, region, declared):
                    yield resource.breach(".".join(text.path), f"{region} is named, and nothing declares it.")
    for text in texts(template.rest):
        for region in foreign_regions(text.value):
            yield Breach("", ".".join(text.path), f"{region} is named outside the resources.")


def _profiles(template: Template, _: Residency) -> Iterator[Breach]:
    for resource in template.resources:
        for text in resource.texts:
            if _PROFILE.search(text.value) and text.statement.get("Effect") != "Deny":
                message = f'"{text.value[:80]}" names an inference profile, which routes to other regions.'
                yield resource.breach(".".join(text.path), message)


def _is_declared(resource: Resource, text: Text, region: str, declared: Residency) -> bool:
    if resource.type == "AWS::EC2::VPCEndpoint" and text.path[0] in ("ServiceName", "ServiceRegion"):
        service = str(resource.at("ServiceName")).removeprefix("com.amazonaws.").removeprefix(f"{region}.")
        return (service, region) in declared.endpoints
    if "aws:RequestedRegion" not in text.path:
        return False
    actions = listed(text.statement.get("Action"))
    if text.statement.get("Effect") == "Deny":
        return region in declared.regions
    return bool(actions) and all((str(each).partition(":")[0], region) in declared.prefixes for each in actions)


RULES: Final = (
    Rule(
        "GOV-REGION-1",
        "No region but eu-west-2 is named, except where the residency register declares it.",
        "Use ringfence.reading.region.REGION, or declare the exception with its reason in the server's endpoints.",
        _regions,
    ),
    Rule(
        "GOV-REGION-2",
        "No inference profile is named, except to deny it.",
        "Hosting MCP servers needs no model; a model must be named as a foundation model of eu-west-2.",
        _profiles,
    ),
)

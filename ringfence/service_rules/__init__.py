"""The service rules, AWS-*: what a service refuses although CloudFormation's schema allows it.

The house rules say what we want; these say what AWS demands, each with the document or model that says so. They look at
all templates of one account at once, since much that a service refuses is a second one of something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringfence.reading.template import Breach, Template
from ringfence.service_rules import (
    compute,
    gateways,
    identity,
    lifecycle,
    logs,
    names,
    network,
    order,
    sizes,
    storage,
    trust,
    unique,
)
from ringfence.service_rules.assembly import Assembly
from ringfence.service_rules.rule import ServiceRule

__all__ = ["RULES", "Assembly", "ServiceRule", "breaches"]
OFFERS = ("order", "unique")

RULES: tuple[ServiceRule, ...] = (
    *trust.RULES,
    *storage.RULES,
    *unique.RULES,
    *order.RULES,
    *sizes.RULES,
    *names.RULES,
    *logs.RULES,
    *network.RULES,
    *lifecycle.RULES,
    *gateways.RULES,
    *compute.RULES,
    *identity.RULES,
)


def breaches(templates: Iterable[Template]) -> Iterator[tuple[ServiceRule, Breach]]:
    """Yields everything in these templates that a service would refuse, in the rules' order.

    Args:
        templates: all that is deployed into one account, each under a name of its own.
    """
    assembly = Assembly(templates)
    for rule in RULES:
        for breach in rule.find(assembly):
            yield rule, breach

"""The house rules, GOV-*: what no template of ours may hold, whoever wrote it.

Pure functions over a template as data, so that a rule is read, and tested, without CDK. `constructs.template_rules`
runs them at every synthesis.
"""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.house_rules import agents, network, permissions, records, residency
from ringfence.house_rules.declared import Residency
from ringfence.house_rules.rule import Rule
from ringfence.reading.template import Breach, Template

__all__ = ["RULES", "Breach", "Residency", "Rule", "Template", "breaches"]
OFFERS = ("records",)

RULES: tuple[Rule, ...] = (
    *records.RULES,
    *agents.RULES,
    *permissions.RULES,
    *network.RULES,
    *residency.RULES,
)


def breaches(template: Template, declared: Residency) -> Iterator[tuple[Rule, Breach]]:
    """Yields everything in a template that breaks a house rule, in the rules' order.

    Args:
        declared: the exceptions to eu-west-2 that the residency register holds.
    """
    for rule in RULES:
        for breach in rule.find(template, declared):
            yield rule, breach

"""House rules and service rules as a gate at every synthesis."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Final

import aws_cdk as cdk
import jsii

from ringfence import house_rules, service_rules
from ringfence.house_rules import Residency, Rule
from ringfence.reading.template import Breach, Template
from ringfence.service_rules import ServiceRule

NAME: Final = "ringfence"
VERSION: Final = "1.1.0"

Found = tuple[Rule | ServiceRule, Breach]


@jsii.implements(cdk.IPolicyValidationPlugin)
class TemplateRules:
    """Ends the synthesis of an assembly that breaks a rule GOV-* or AWS-*; the report names construct, place and fix.

    A finding is accepted as any other, beside its resource and with a reason: `ringfence::GOV-KEY-2`
    (`constructs.review_notes.acknowledge`).
    """

    def __init__(self, *, declared: Residency) -> None:
        """Makes the plugin.

        Args:
            declared: the exceptions to eu-west-2 that the residency register holds.
        """
        self._declared = declared

    @property
    def name(self) -> str:
        """The plugin's name in reports and acknowledgements."""
        return NAME

    @property
    def version(self) -> str:
        """The version of the rules, for the report."""
        return VERSION

    @property
    def rule_ids(self) -> list[str]:
        """Every rule."""
        return [*(rule.id for rule in house_rules.RULES), *(rule.id for rule in service_rules.RULES)]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Looks at every template of the assembly; all of them are deployed into one account."""
        paths = context.template_paths
        templates = [Template(json.loads(Path(path).read_text(encoding="utf-8")), path) for path in paths]
        found: list[Found] = list(service_rules.breaches(templates))
        for template in templates:
            found += house_rules.breaches(template, self._declared)
        violations = [_violation(list(same)) for _, same in groupby(sorted(found, key=_together), key=_together)]
        return cdk.PolicyValidationPluginReport(success=not violations, violations=violations)


def _violation(same: list[Found]) -> cdk.PolicyViolation:
    rule, first = same[0]
    source = f" Source: {rule.source} (read {rule.read})." if isinstance(rule, ServiceRule) else ""
    return cdk.PolicyViolation(
        rule_name=rule.id,
        description=f"{rule.id}: {first.message} The rule: {rule.promise}{source}",
        severity="error",
        fix=rule.fix,
        violating_resources=[
            cdk.PolicyViolatingResource(
                resource_logical_id=breach.logical_id, template_path=breach.template, locations=[breach.path]
            )
            for _, breach in same
        ],
    )


def _together(found: Found) -> tuple[str, str, str]:
    rule, breach = found
    return rule.id, breach.template, breach.message

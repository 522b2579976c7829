"""The house rules as a gate at every synthesis."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Final

import aws_cdk as cdk
import jsii

from governance.house_rules import RULES, Breach, Residency, Rule, Template, breaches

NAME: Final = "ringfence"
VERSION: Final = "1.0.0"


@jsii.implements(cdk.IPolicyValidationPlugin)
class HouseRules:
    """Ends the synthesis at the first template that breaks a rule GOV-*; the report names construct, place and fix.

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
        return [rule.id for rule in RULES]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Looks at every template of the assembly."""
        found = [violation for path in context.template_paths for violation in self._violations(path)]
        return cdk.PolicyValidationPluginReport(success=not found, violations=found)

    def _violations(self, path: str) -> list[cdk.PolicyViolation]:
        template = Template(json.loads(Path(path).read_text(encoding="utf-8")))
        ordered = sorted(breaches(template, self._declared), key=_rule_and_message)
        violations = []
        for (_, message), group in groupby(ordered, key=_rule_and_message):
            same = list(group)
            rule = same[0][0]
            violations.append(
                cdk.PolicyViolation(
                    rule_name=rule.id,
                    description=f"{rule.id}: {message} The rule: {rule.promise}",
                    severity="error",
                    fix=rule.fix,
                    violating_resources=[
                        cdk.PolicyViolatingResource(
                            resource_logical_id=breach.logical_id, template_path=path, locations=[breach.path]
                        )
                        for _, breach in same
                    ],
                )
            )
        return violations


def _rule_and_message(found: tuple[Rule, Breach]) -> tuple[str, str]:
    return found[0].id, found[1].message

"""The gates that every synthesis passes: the house rules, the service rules and cdk-nag's packs."""

from __future__ import annotations

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from constructs.template_rules import TemplateRules
from ringfence.house_rules import Residency


def add_checks(app: cdk.App, *, declared: Residency) -> None:
    """Makes synthesis fail on any finding that nobody has acknowledged; acknowledgements go into the templates."""
    packs = (AwsSolutionsChecks, NIST80053R5Checks)
    cdk.Validations.of(app).add_plugins(
        TemplateRules(declared=declared),
        *(pack(app, verbose=True, write_suppressions_to_cloud_formation=True) for pack in packs),
    )

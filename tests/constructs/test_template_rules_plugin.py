"""House and service rules end a synthesis, say where and what to do, and take an acknowledgement with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from constructs.review_notes import acknowledge
from constructs.template_rules import TemplateRules
from ringfence import house_rules, service_rules
from ringfence.house_rules import Residency
from ringfence.house_rules.endpoint_services import LONDON, WITHOUT_CONSTANT


@pytest.fixture
def app(tmp_path: Path) -> cdk.App:
    app = cdk.App(outdir=str(tmp_path / "cdk.out"))
    cdk.Validations.of(app).add_plugins(TemplateRules(declared=Residency()))
    return app


def report(app: cdk.App) -> dict[str, Any]:
    whole = json.loads((Path(app.outdir) / "validation-report.json").read_text())
    (ours,) = (each for each in whole["pluginReports"] if each["pluginName"] == "ringfence")
    return ours


def test_a_breach_ends_the_synthesis_with_construct_path_place_and_fix(app: cdk.App) -> None:
    lab = cdk.Stack(app, "lab")
    logs.CfnLogGroup(lab, "Short", retention_in_days=7, kms_key_id="arn:aws:kms:eu-west-2:111122223333:key/1")

    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()

    (violation,) = report(app)["violations"]
    assert violation["ruleName"] == "GOV-LOG-1"
    assert "7 days, not for 731" in violation["description"]
    assert "AuditLogGroup" in violation["suggestedFix"]
    (construct,) = violation["violatingConstructs"]
    assert construct["constructPath"] == "lab/Short"
    assert construct["cloudFormationResource"]["propertyPaths"] == ["Properties.RetentionInDays"]


def test_a_service_rule_sees_all_stacks_at_once_and_names_its_source(app: cdk.App) -> None:
    for stack in ("one", "two"):
        kms.CfnAlias(cdk.Stack(app, stack), "Alias", alias_name="alias/ours", target_key_id="key")

    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()

    (violation,) = report(app)["violations"]
    assert violation["ruleName"] == "AWS-UNIQUE-1"
    assert "Alias has it already" in violation["description"]
    assert "Source: botocore 1.44.5" in violation["description"] and "read 28 November 2026" in violation["description"]
    (construct,) = violation["violatingConstructs"]
    assert construct["constructPath"] == "two/Alias"
    assert construct["cloudFormationResource"]["propertyPaths"] == ["Properties.AliasName"]


def test_an_acknowledged_breach_passes_with_its_reason_in_the_report(app: cdk.App) -> None:
    bucket = s3.CfnBucket(cdk.Stack(app, "lab"), "Open")
    acknowledge(bucket, "An access log, which S3 writes under its own key only.", "ringfence::GOV-KEY-2")

    app.synth()

    (accepted,) = report(app)["suppressedViolations"]
    assert accepted["acknowledgedAt"] == "lab/Open"
    assert accepted["reason"].startswith("An access log")


def test_the_rules_are_all_announced() -> None:
    both = (*house_rules.RULES, *service_rules.RULES)
    assert TemplateRules(declared=Residency()).rule_ids == [rule.id for rule in both]


def test_endpoint_services_are_spelt_as_the_cdk_spells_them() -> None:
    services = ec2.InterfaceVpcEndpointAwsService
    spelt = {getattr(services, name).short_name for name in dir(services) if name.isupper()}

    assert LONDON - spelt == WITHOUT_CONSTANT

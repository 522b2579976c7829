"""Names made from the longest name a department may have: AWS refuses what is too long in mid-deployment only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from governance.catalogue import Catalogue, load_catalogue
from governance.department import Department, load_department
from stacks.audit import AuditStack
from stacks.identity import IdentityStack
from stacks.network import NetworkStack
from stacks.persona import PersonaStack

ROOT = Path(__file__).resolve().parents[2]
LONGEST = "a-department-of-28-letters-x"

# Type, property and the service's limit in characters.
LIMITS = (
    ("AWS::BedrockAgentCore::Gateway", "Name", 48),
    ("AWS::BedrockAgentCore::PolicyEngine", "Name", 48),
    ("AWS::CloudTrail::Trail", "TrailName", 128),
    ("AWS::Cognito::UserPool", "UserPoolName", 128),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName", 128),
    ("AWS::IAM::Role", "RoleName", 64),
    ("AWS::KMS::Alias", "AliasName", 256),
    ("AWS::Lambda::Function", "FunctionName", 64),
    ("AWS::Logs::DeliveryDestination", "Name", 60),
    ("AWS::Logs::DeliverySource", "Name", 60),
    ("AWS::Logs::LogGroup", "LogGroupName", 512),
    ("AWS::Logs::ResourcePolicy", "PolicyName", 255),
    ("AWS::Route53Resolver::FirewallDomainList", "Name", 64),
    ("AWS::Route53Resolver::FirewallRuleGroup", "Name", 64),
    ("AWS::Route53Resolver::FirewallRuleGroupAssociation", "Name", 64),
    ("AWS::Route53Resolver::ResolverQueryLoggingConfig", "Name", 64),
    ("AWS::WAFv2::IPSet", "Name", 128),
    ("AWS::WAFv2::WebACL", "Name", 128),
)


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    catalogue = load_catalogue(ROOT / "catalogue")
    department = load_department("example-production", catalogue=catalogue, root=ROOT / "departments")
    return synthesise(catalogue, department.model_copy(update={"name": LONGEST}), tmp_path_factory.mktemp("longest"))


def synthesise(catalogue: Catalogue, department: Department, folder: Path) -> list[dict[str, Any]]:
    app = cdk.App(outdir=str(folder))
    shared: dict[str, Any] = {"department": department}
    shared["audit"] = AuditStack(app, "audit", **shared)
    shared["catalogue"] = catalogue
    shared["network"] = NetworkStack(app, "network", **shared)
    identity = IdentityStack(app, "identity", **shared)
    PersonaStack(app, "persona", persona="auditor", identity=identity, **shared)
    app.synth()
    templates = [json.loads(path.read_text()) for path in folder.glob("*.template.json")]
    return [resource for template in templates for resource in template["Resources"].values()]


def test_the_name_is_the_longest_a_department_may_have() -> None:
    assert len(LONGEST) == 28


@pytest.mark.parametrize(("kind", "field", "limit"), LIMITS)
def test_the_longest_department_name_still_fits(
    resources: list[dict[str, Any]], kind: str, field: str, limit: int
) -> None:
    found = [each["Properties"][field] for each in resources if each["Type"] == kind and field in each["Properties"]]
    assert found
    # The longest persona of the design is "developer", two letters longer than the auditor of these templates.
    assert [name for name in found if isinstance(name, str) and len(name.replace("auditor", "developer")) > limit] == []

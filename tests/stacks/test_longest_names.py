"""The largest department there can be: AWS refuses what is too long or too large in mid-deployment only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringfence.cedar import schema

# Type, property and the service's limit in characters. A gateway's id is its name and eleven more; it has 50 at most.
LIMITS = (
    ("AWS::BedrockAgentCore::Gateway", "Name", 39),
    ("AWS::BedrockAgentCore::Policy", "Name", 48),
    ("AWS::BedrockAgentCore::PolicyEngine", "Name", 48),
    ("AWS::BedrockAgentCore::Runtime", "AgentRuntimeName", 48),
    ("AWS::CloudTrail::Trail", "TrailName", 128),
    ("AWS::Cognito::UserPool", "UserPoolName", 128),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName", 128),
    ("AWS::IAM::Role", "RoleName", 64),
    ("AWS::KMS::Alias", "AliasName", 256),
    ("AWS::Lambda::Function", "FunctionName", 64),
    ("AWS::Logs::LogGroup", "LogGroupName", 512),
    ("AWS::Logs::ResourcePolicy", "PolicyName", 255),
    ("AWS::Route53Resolver::FirewallDomainList", "Name", 64),
    ("AWS::Route53Resolver::FirewallRuleGroup", "Name", 64),
    ("AWS::Route53Resolver::FirewallRuleGroupAssociation", "Name", 64),
    ("AWS::Route53Resolver::ResolverQueryLoggingConfig", "Name", 64),
    ("AWS::WAFv2::IPSet", "Name", 128),
    ("AWS::WAFv2::WebACL", "Name", 128),
)


def test_it_has_the_longest_name_and_every_server_that_the_catalogue_grants(longest: Any, catalogue: Any) -> None:
    assert len(longest.department.name) == 28
    for persona in longest.department.personas:
        held = {server.name for server in catalogue.servers_of(persona, longest.department)}
        assert held == set(catalogue.personas[persona].servers), persona


@pytest.mark.parametrize(("kind", "field", "limit"), LIMITS)
def test_every_name_fits(longest: Any, kind: str, field: str, limit: int) -> None:
    found = [each.properties[field] for each in longest.resources(kind) if field in each.properties]
    assert found
    assert [name for name in found if isinstance(name, str) and len(name) > limit] == []


def test_every_trust_policy_fits_with_the_longest_names_cloudformation_may_give_roles(longest: Any) -> None:
    roles = list(longest.resources("AWS::IAM::Role"))
    assert len(roles) > 20
    for role in roles:
        document = _with_arns(role.properties["AssumeRolePolicyDocument"])
        assert len(json.dumps(document, separators=(",", ":"))) <= 2048, str(role)


def _with_arns(value: Any) -> Any:
    """A document with the longest ARN of a role for every reference."""
    if isinstance(value, dict) and set(value) & {"Fn::GetAtt", "Ref", "Fn::ImportValue"}:
        return f"arn:aws:iam::111122223333:role/{'x' * 64}"
    if isinstance(value, dict):
        return {key: _with_arns(item) for key, item in value.items()}
    return [_with_arns(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("persona", ["auditor", "developer", "operator"])
def test_policies_and_schema_of_every_gateway_fit(longest: Any, persona: str) -> None:
    """Developer guide, Limitations: 10 KB a policy, 200 KB together for a gateway, a schema under 400 KB."""
    mine = [each for each in longest.resources() if each.stack == persona]
    policies = [
        each.properties["Definition"]["Cedar"]["Statement"]["Fn::Sub"][0]
        for each in mine
        if each.type == "AWS::BedrockAgentCore::Policy"
    ]
    assert policies
    assert all(len(text) + 120 <= 10_000 for text in policies)
    assert sum(len(text) + 120 for text in policies) < 200_000
    inputs = {
        f"{each.properties['Name']}___{tool['name']}": tool["inputSchema"]
        for each in mine
        if each.type == "AWS::BedrockAgentCore::GatewayTarget"
        for tool in json.loads(
            each.properties["TargetConfiguration"]["Mcp"]["McpServer"]["McpToolSchema"]["InlinePayload"]
        )["tools"]
    }
    assert len(inputs) == len(policies)
    assert len(json.dumps(schema.schema_of(inputs))) < 400_000

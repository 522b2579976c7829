"""Fixed names, over several departments in one account: none is taken twice, and none stands in the way of a change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.schemas import schema

# The property that AWS wants to be unique in an account, by type.
UNIQUE = {
    "AWS::BedrockAgentCore::Gateway": "Name",
    "AWS::BedrockAgentCore::Policy": "Name",
    "AWS::BedrockAgentCore::PolicyEngine": "Name",
    "AWS::BedrockAgentCore::Runtime": "AgentRuntimeName",
    "AWS::CloudTrail::Trail": "TrailName",
    "AWS::Cognito::UserPool": "UserPoolName",
    "AWS::Cognito::UserPoolDomain": "Domain",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Logs::ResourcePolicy": "PolicyName",
    "AWS::Route53Resolver::FirewallDomainList": "Name",
    "AWS::Route53Resolver::FirewallRuleGroup": "Name",
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": "Name",
    "AWS::Route53Resolver::ResolverQueryLoggingConfig": "Name",
    "AWS::WAFv2::IPSet": "Name",
    "AWS::WAFv2::WebACL": "Name",
}
# A name within something else: within a gateway, a user pool or a function, or of a service of AWS.
WITHIN = {
    ("AWS::BedrockAgentCore::GatewayTarget", "Name"),
    ("AWS::Cognito::UserPoolClient", "ClientName"),
    ("AWS::Cognito::UserPoolGroup", "GroupName"),
    ("AWS::Cognito::UserPoolIdentityProvider", "ProviderName"),
    ("AWS::Cognito::UserPoolResourceServer", "Name"),
    ("AWS::EC2::VPCEndpoint", "ServiceName"),
}
# What cannot be changed beside a fixed name, and why it does not change while the name stays. CloudFormation makes
# the new thing before it removes the old, whose name is then taken: "cannot update a stack when a custom-named
# resource requires replacing" (CloudFormation user guide, Name type).
FIXED = {
    ("AWS::BedrockAgentCore::Policy", "PolicyEngineId"): "the engine is replaced with its own name only",
    ("AWS::BedrockAgentCore::PolicyEngine", "EncryptionKeyArn"): "the data key is kept",
    ("AWS::Cognito::UserPoolDomain", "UserPoolId"): "the department's one pool is kept",
    ("AWS::Route53Resolver::FirewallRuleGroupAssociation", "FirewallRuleGroupId"): "the department's one group",
    ("AWS::Route53Resolver::FirewallRuleGroupAssociation", "VpcId"): "the department's one VPC",
    ("AWS::Route53Resolver::ResolverQueryLoggingConfig", "DestinationArn"): "the department's one group",
    ("AWS::WAFv2::IPSet", "Scope"): "always REGIONAL",
    ("AWS::WAFv2::WebACL", "Scope"): "always REGIONAL",
}


def departments(assemblies: dict[str, Any], longest: Any) -> list[Any]:
    return [*assemblies.values(), longest]


def named(department: Any) -> Iterator[tuple[str, str]]:
    for resource in department.resources():
        name = resource.properties.get(UNIQUE.get(resource.type, ""))
        if isinstance(name, str):
            yield resource.type, name


def test_departments_of_one_account_and_personas_of_one_department_share_no_name(
    assemblies: dict[str, Any], longest: Any
) -> None:
    taken = Counter(name for department in departments(assemblies, longest) for name in named(department))
    assert {kind for kind, _ in taken} == set(UNIQUE)
    assert sorted(name for name, times in taken.items() if times > 1) == []


def test_every_fixed_name_is_in_one_of_the_tables(assemblies: dict[str, Any], longest: Any) -> None:
    unknown = {
        (each.type, key)
        for department in departments(assemblies, longest)
        for each in department.resources()
        for key, value in each.properties.items()
        if key.endswith("Name") and isinstance(value, str)
    } - WITHIN
    assert {(kind, key) for kind, key in unknown if UNIQUE.get(kind) != key} == set()


def test_nothing_that_cannot_change_stands_beside_a_fixed_name(synthesised: Any) -> None:
    found = set()
    for resource in synthesised.resources():
        own = UNIQUE.get(resource.type)
        if isinstance(resource.properties.get(own or ""), str):
            unchangeable = {path.split("/")[2] for path in schema(resource.type).get("createOnlyProperties", ())}
            found |= {(resource.type, key) for key in (unchangeable & set(resource.properties)) - {own}}
    assert found - set(FIXED) == set()
    assert ("AWS::WAFv2::WebACL", "Scope") in found


def test_one_runtime_comes_first_and_the_others_wait_for_it(synthesised: Any) -> None:
    for persona in synthesised.department.personas:
        runtimes = [each for each in synthesised.resources("AWS::BedrockAgentCore::Runtime") if each.stack == persona]
        ids = {each.logical_id for each in runtimes}
        waits = {each.logical_id: set(each.whole.get("DependsOn", ())) & ids for each in runtimes}
        (first,) = [name for name, before in waits.items() if not before]
        assert all(before == {first} for name, before in waits.items() if name != first)


def test_policies_of_one_engine_are_made_one_after_another(synthesised: Any) -> None:
    for persona in synthesised.department.personas:
        policies = {
            each.logical_id: each.whole
            for each in synthesised.resources("AWS::BedrockAgentCore::Policy")
            if each.stack == persona
        }
        after = {name: set(whole["DependsOn"]) & set(policies) for name, whole in policies.items()}
        (first,) = [name for name, before in after.items() if not before]
        follower = {next(iter(before)): name for name, before in after.items() if before}
        order = [first]
        while order[-1] in follower:
            order.append(follower[order[-1]])
        assert len(order) == len(policies)
        targets = {
            each.logical_id
            for each in synthesised.resources("AWS::BedrockAgentCore::GatewayTarget")
            if each.stack == persona
        }
        assert set(policies[first]["DependsOn"]) == targets

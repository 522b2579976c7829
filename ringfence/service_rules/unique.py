"""AWS-UNIQUE: names and ties of which an account, or a resource, may have one only.

A second one fails in mid-deployment ("already exists"), or replaces the first without a word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ringfence.reading.template import Breach, Path, Resource, listed
from ringfence.service_rules.assembly import Assembly
from ringfence.service_rules.rule import READ, ServiceRule

_AGENTCORE: Final = "AWS::BedrockAgentCore::"

# Type -> the property that is the name, then the properties that bound its realm; no more of them: the account.
IN_ACCOUNT: Final = {
    f"{_AGENTCORE}Gateway": ("Name",),
    f"{_AGENTCORE}Policy": ("Name",),
    f"{_AGENTCORE}PolicyEngine": ("Name",),
    f"{_AGENTCORE}Runtime": ("AgentRuntimeName",),
    "AWS::CloudTrail::Trail": ("TrailName",),
    "AWS::Cognito::UserPoolDomain": ("Domain",),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Logs::DeliveryDestination": ("Name",),
    "AWS::Logs::DeliverySource": ("Name",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::Logs::ResourcePolicy": ("PolicyName",),
    "AWS::Organizations::Policy": ("Name", "Type"),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::WAFv2::IPSet": ("Name", "Scope"),
    "AWS::WAFv2::WebACL": ("Name", "Scope"),
}
IN_PARENT: Final = {
    f"{_AGENTCORE}GatewayRateLimit": ("RateLimitId", "GatewayIdentifier"),
    f"{_AGENTCORE}GatewayTarget": ("Name", "GatewayIdentifier"),
    "AWS::Cognito::UserPoolGroup": ("GroupName", "UserPoolId"),
    "AWS::Cognito::UserPoolIdentityProvider": ("ProviderName", "UserPoolId"),
    "AWS::Cognito::UserPoolResourceServer": ("Identifier", "UserPoolId"),
    "AWS::EC2::SecurityGroup": ("GroupName", "VpcId"),
    "AWS::EC2::VPCEndpoint": ("ServiceName", "VpcId"),
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": ("Priority", "VpcId"),
}
# Type -> the properties that together may occur once.
ONE_EACH: Final = {
    f"{_AGENTCORE}GatewayRateLimit": ("DimensionKeys", "GatewayIdentifier"),
    f"{_AGENTCORE}ResourcePolicy": ("ResourceArn",),
    "AWS::Cognito::LogDeliveryConfiguration": ("UserPoolId",),
    "AWS::Cognito::UserPoolDomain": ("UserPoolId",),
    "AWS::Cognito::UserPoolRiskConfigurationAttachment": ("UserPoolId", "ClientId"),
    "AWS::Logs::Delivery": ("DeliverySourceName", "DeliveryDestinationArn"),
    "AWS::Logs::DeliverySource": ("ResourceArn", "LogType"),
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation": ("ResolverQueryLogConfigId", "ResourceId"),
    "AWS::S3::BucketPolicy": ("Bucket",),
    "AWS::WAFv2::LoggingConfiguration": ("ResourceArn",),
    "AWS::WAFv2::WebACLAssociation": ("ResourceArn",),
}
# Type -> (list, member that no two items share).
IN_LIST: Final = (
    ("AWS::Cognito::UserPool", "Schema", "Name"),
    ("AWS::Route53Resolver::FirewallRuleGroup", "FirewallRules", "Priority"),
    ("AWS::WAFv2::WebACL", "Rules", "Name"),
    ("AWS::WAFv2::WebACL", "Rules", "Priority"),
)
# IAM tells role and policy names, EC2 group names, not apart by letter case.
_ANY_CASE: Final = ("AWS::EC2::SecurityGroup", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role")


def _names(table: Mapping[str, tuple[str, ...]], realm: str) -> Callable[[Assembly], Iterator[Breach]]:
    def find(assembly: Assembly) -> Iterator[Breach]:
        taken: dict[tuple[str, ...], list[Resource]] = defaultdict(list)
        for resource in assembly.of_type(*table):
            name, *bounds = table[resource.type]
            if resource.at(name) is None:
                continue  # the service, or CloudFormation, makes one up
            texts = [assembly.text(resource.template, resource.at(path)) for path in (name, *bounds)]
            written = texts[0].lower() if resource.type in _ANY_CASE else texts[0]
            taken[resource.type, written, *texts[1:]].append(resource)
        for (kind, name, *_), same in taken.items():
            for resource in same[1:]:
                where = table[kind][0]
                others = f"{same[0].logical_id} has it already"
                yield resource.breach(where, f'The name "{name}" is not the only one of its type in {realm}: {others}.')

    return find


def _exports(assembly: Assembly) -> Iterator[Breach]:
    taken: set[str] = set()
    for template in assembly.templates:
        for output, value in (template.rest.get("Outputs") or {}).items():
            name = assembly.text(template.name, (value.get("Export") or {}).get("Name"))
            if name and name in taken:
                message = f'The export "{name}" is not the only one of that name in the account.'
                yield Breach("", f"Outputs.{output}.Export.Name", message, template.name)
            taken.add(name)


def _one_each(assembly: Assembly) -> Iterator[Breach]:
    taken: dict[tuple[str, ...], Resource] = {}
    for resource in assembly.of_type(*ONE_EACH):
        paths = ONE_EACH[resource.type]
        key = (resource.type, *(assembly.text(resource.template, resource.at(path)) for path in paths))
        first = taken.setdefault(key, resource)
        if first is not resource:
            yield resource.breach(paths[0], f"{first.logical_id} has the same {' and '.join(paths)}; there can be one.")


def _in_lists(assembly: Assembly) -> Iterator[Breach]:
    for kind, path, member in IN_LIST:
        for resource in assembly.of_type(kind):
            values = [str(item.get(member)) for item in listed(resource.at(path))]
            for number, value in enumerate(values):
                if value in values[:number]:
                    yield resource.breach(f"{path}.{number}.{member}", f"{member} {value} is there twice.")


def _statement_ids(assembly: Assembly) -> Iterator[Breach]:
    for resource in assembly.resources:
        for path, value in resource.values:
            if path and path[-1] == "Statement" and isinstance(value, list):
                yield from _repeated_ids(resource, path, value)


def _repeated_ids(resource: Resource, path: Path, statements: list[Any]) -> Iterator[Breach]:
    ids = [each.get("Sid") if isinstance(each, Mapping) else None for each in statements]
    for number, sid in enumerate(ids):
        if sid is not None and sid in ids[:number]:
            yield resource.breach(f"{'.'.join(path)}.{number}.Sid", f"The statement id {sid} is there twice.")


RULES: Final = (
    ServiceRule(
        "AWS-UNIQUE-1",
        "No two resources of the account share a name that the service keeps unique in it.",
        "Make the name in ringfence.reading.names from all that tells the two apart: department, persona, server.",
        "botocore 1.44.5: name of CreateGateway, CreatePolicy, CreateRole, CreatePolicy of IAM, PutDeliverySource, "
        "PutDeliveryDestination; AlreadyExists, Conflict and Duplicate errors of the other create operations",
        READ,
        _names(IN_ACCOUNT, "the account"),
    ),
    ServiceRule(
        "AWS-UNIQUE-2",
        "No two parts of a gateway, pool or VPC share a name, priority or endpoint service.",
        "Give the second one a name of its own, or drop it.",
        "botocore 1.44.5: name of CreateGatewayTarget, GroupName of CreateGroup and CreateSecurityGroup, Priority of "
        "AssociateFirewallRuleGroup; PrivateLink guide, private DNS: one endpoint a service",
        READ,
        _names(IN_PARENT, "its parent"),
    ),
    ServiceRule(
        "AWS-UNIQUE-3",
        "A resource has one policy, one association, and one log source of a type.",
        "Merge the two.",
        "botocore 1.44.5: dimensionKeys of CreateGatewayRateLimit, LoggingConfiguration of WAFv2; aws-cloudformation/"
        'cloudformation-coverage-roadmap#2513: "This ResourceId has already been used in another Delivery Source"',
        READ,
        _one_each,
    ),
    ServiceRule(
        "AWS-UNIQUE-4",
        "No two rules of a list share a name or priority.",
        "Number the rules apart.",
        "botocore 1.44.5: Priority of CreateFirewallRule; WAF developer guide, rule priority; Cognito CreateUserPool",
        READ,
        _in_lists,
    ),
    ServiceRule(
        "AWS-UNIQUE-5",
        "No two statements of a policy share a Sid.",
        "Name each statement by what it does.",
        "IAM user guide, JSON policy elements: Sid",
        READ,
        _statement_ids,
    ),
    ServiceRule(
        "AWS-UNIQUE-6",
        "No two stacks export the same name.",
        "Leave the name to the CDK, which puts the stack's name first.",
        "CloudFormation user guide, outputs section syntax",
        READ,
        _exports,
    ),
)

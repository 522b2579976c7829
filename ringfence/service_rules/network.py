"""AWS-NET: rights on network interfaces, endpoints, and names that must resolve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ringfence.compilers.endpoint_hosts import hosts_of
from ringfence.reading.region import REGION
from ringfence.reading.template import Breach, Resource, listed
from ringfence.service_rules.assembly import Assembly, Statement, allows
from ringfence.service_rules.rule import READ, ServiceRule

_WHOLE: Final = re.compile(r"\*|arn:aws:ec2:(\*|[a-z0-9-]+):(\*|\d{12}):(\*|\*/\*)")
"""Every resource of EC2 in an account, in the two forms that Lambda's guide gives."""
_ON_ANYTHING: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
_NEEDED: Final = (*_ON_ANYTHING, "ec2:CreateNetworkInterface")
_WITH_GATEWAY: Final = ("dynamodb", "s3")
_FREE_PRIORITIES: Final = range(101, 9900)


def _interface_rights(assembly: Assembly) -> Iterator[Breach]:
    for function in assembly.of_type("AWS::Lambda::Function"):
        role = assembly.one(function, "Role", "AWS::IAM::Role")
        if role is None or not function.at("VpcConfig.SubnetIds"):
            continue
        granted = [
            statement
            for policy in _policies(assembly, role)
            for statement in assembly.statements(policy, "PolicyDocument")
            if statement.get("Effect") == "Allow"
        ]
        for action in _NEEDED:
            if not any(allows(each, action) and (action not in _ON_ANYTHING or _whole(each)) for each in granted):
                message = (
                    f"Lambda tries {action} before there is an interface, and the role lacks it on every resource."
                )
                yield function.breach("Role", message)


def _policies(assembly: Assembly, role: Resource) -> Iterator[Resource]:
    attached = assembly.referred(role.template, role.at("ManagedPolicyArns"))
    for policy in assembly.of_type("AWS::IAM::ManagedPolicy"):
        if policy in attached or role in assembly.referred(policy.template, policy.at("Roles")):
            yield policy


def _whole(statement: Statement) -> bool:
    return any(_WHOLE.fullmatch(str(resource)) for resource in listed(statement.get("Resource")))


def _names_resolve(assembly: Assembly) -> Iterator[Breach]:
    for association in assembly.of_type("AWS::Route53Resolver::FirewallRuleGroupAssociation"):
        group = assembly.one(association, "FirewallRuleGroupId", "AWS::Route53Resolver::FirewallRuleGroup")
        vpc = assembly.text(association.template, association.at("VpcId"))
        if group is None:
            continue
        allowed = [
            str(domain).rstrip(".").lower()
            for rule in listed(group.at("FirewallRules"))
            if rule.get("Action") == "ALLOW"
            for names in assembly.referred(group.template, rule.get("FirewallDomainListId"))
            for domain in listed(names.at("Domains"))
        ]
        for endpoint in assembly.of_type("AWS::EC2::VPCEndpoint"):
            if assembly.text(endpoint.template, endpoint.at("VpcId")) == vpc:
                yield from _unresolved(assembly, endpoint, allowed)


def _unresolved(assembly: Assembly, endpoint: Resource, allowed: list[str]) -> Iterator[Breach]:
    service = assembly.text(endpoint.template, endpoint.at("ServiceName"))
    region = endpoint.at("ServiceRegion") or REGION
    suffix = service.removeprefix("com.amazonaws.").removeprefix(f"{region}.")
    for host in hosts_of(suffix, region):
        if not any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in allowed):
            yield endpoint.breach("ServiceName", f"SDKs ask for {host}, which the DNS firewall does not let resolve.")


def _priorities(assembly: Assembly) -> Iterator[Breach]:
    for association in assembly.of_type("AWS::Route53Resolver::FirewallRuleGroupAssociation"):
        priority = association.at("Priority")
        if not isinstance(priority, int) or priority not in _FREE_PRIORITIES:
            yield association.breach("Priority", f"Priority {priority} is not between 101 and 9899.")


def _private_names(assembly: Assembly) -> Iterator[Breach]:
    for endpoint in assembly.of_type("AWS::EC2::VPCEndpoint"):
        vpc = assembly.one(endpoint, "VpcId", "AWS::EC2::VPC")
        if vpc is None or not endpoint.at("PrivateDnsEnabled"):
            continue
        for path in ("EnableDnsHostnames", "EnableDnsSupport"):
            if vpc.at(path) is not True:
                yield vpc.breach(path, "An endpoint with a private name needs it on.")


def _kinds(assembly: Assembly) -> Iterator[Breach]:
    for endpoint in assembly.of_type("AWS::EC2::VPCEndpoint"):
        kind = endpoint.at("VpcEndpointType") or "Gateway"
        service = assembly.text(endpoint.template, endpoint.at("ServiceName")).rpartition(".")[2]
        wrong = ("PrivateDnsEnabled", "SecurityGroupIds", "SubnetIds") if kind == "Gateway" else ("RouteTableIds",)
        if kind == "Gateway" and service not in _WITH_GATEWAY:
            yield endpoint.breach("VpcEndpointType", f"{service} has no gateway endpoint.")
        for path in wrong:
            if endpoint.at(path):
                yield endpoint.breach(path, f"An endpoint of type {kind} has no {path}.")


RULES: Final = (
    ServiceRule(
        "AWS-NET-1",
        "The role of a function in the VPC may tend network interfaces on every resource of EC2.",
        "Allow the action on arn:aws:ec2:<region>:<account>:*/*, and deny it to the function's own code.",
        "Lambda developer guide, configuration-vpc: DeleteNetworkInterface needs all resource ids; "
        'hashicorp/terraform-provider-aws#20698: "does not have permissions to call DeleteNetworkInterface on EC2"',
        READ,
        _interface_rights,
    ),
    ServiceRule(
        "AWS-NET-2",
        "The DNS firewall lets the names resolve under which SDKs reach the endpoints of the VPC.",
        "Add the name to the list, from the SDK's endpoint rules.",
        "botocore 1.44.5, endpoint rules; PrivateLink guide, private DNS names",
        READ,
        _names_resolve,
    ),
    ServiceRule(
        "AWS-NET-3",
        "A DNS firewall's association stands between the priorities that AWS Firewall Manager keeps for itself.",
        "Choose a priority from 101 to 9899.",
        "CloudFormation template reference, AWS::Route53Resolver::FirewallRuleGroupAssociation, Priority",
        READ,
        _priorities,
    ),
    ServiceRule(
        "AWS-NET-4",
        "A VPC with endpoints that have private names resolves names and gives them.",
        "Set EnableDnsHostnames and EnableDnsSupport.",
        "PrivateLink guide, interface endpoints, private DNS",
        READ,
        _private_names,
    ),
    ServiceRule(
        "AWS-NET-5",
        "An endpoint has the parts of its type only.",
        "Give subnets and groups to interface endpoints, route tables to gateway endpoints.",
        "botocore 1.44.5, ec2 CreateVpcEndpoint; PrivateLink guide, gateway endpoints",
        READ,
        _kinds,
    ),
)

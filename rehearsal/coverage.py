"""What the rehearsal makes of every resource type of a template; a type it has no word for stops it."""

from __future__ import annotations

from collections.abc import Iterable

from assurance.assembly import Assembly
from rehearsal.problems import CannotStart

# Types whose behaviour is emulated: read, decided or run.
EMULATED = frozenset(
    {
        "AWS::BedrockAgentCore::Gateway",
        "AWS::BedrockAgentCore::GatewayTarget",
        "AWS::BedrockAgentCore::Policy",
        "AWS::BedrockAgentCore::PolicyEngine",
        "AWS::BedrockAgentCore::ResourcePolicy",
        "AWS::BedrockAgentCore::Runtime",
        "AWS::Cognito::UserPool",
        "AWS::Cognito::UserPoolClient",
        "AWS::Cognito::UserPoolGroup",
        "AWS::Cognito::UserPoolIdentityProvider",
        "AWS::Cognito::UserPoolResourceServer",
        "AWS::EC2::VPCEndpoint",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::IAM::RolePolicy",
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "Custom::RuntimeLogGroup",
    }
)

# Types that exist in the template and have no part in a call on loopback.
WITHOUT_PART = frozenset(
    {
        "AWS::CDK::Metadata",
        "AWS::CloudTrail::Trail",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::EC2::FlowLog",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCDHCPOptionsAssociation",
        "AWS::EC2::DHCPOptions",
        "AWS::EC2::VPCBlockPublicAccessOptions",
        "AWS::Lambda::Permission",
        "AWS::Logs::Delivery",
        "AWS::Logs::DeliveryDestination",
        "AWS::Logs::DeliverySource",
        "AWS::Logs::MetricFilter",
        "AWS::Logs::QueryDefinition",
        "AWS::Logs::ResourcePolicy",
        "AWS::Logs::SubscriptionFilter",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SSM::Parameter",
        "AWS::XRay::ResourcePolicy",
        "AWS::XRay::TransactionSearchConfig",
    }
)

_SIGN_IN = "sign-in pages, MFA and threat protection of Cognito, and the department's own identity provider"

# What would act on a call in an account and does not act here, by the start of the type.
NOT_EMULATED = {
    "AWS::WAFv2::": "WAF",
    "AWS::BedrockAgentCore::GatewayRateLimit": "rate limits",
    "AWS::Route53Resolver::": "DNS firewall",
    "AWS::Cognito::UserPoolDomain": _SIGN_IN,
    "AWS::Cognito::UserPoolRiskConfigurationAttachment": _SIGN_IN,
    "AWS::Cognito::UserPoolUICustomizationAttachment": _SIGN_IN,
    "AWS::Cognito::ManagedLoginBranding": _SIGN_IN,
    "AWS::Cognito::LogDeliveryConfiguration": "delivery of Cognito's sign-in events",
}

# True of every department.
ALWAYS_NOT_EMULATED = (
    "WAF",
    "resource policies of gateways: every caller is on loopback",
    "rate limits",
    "DNS firewall",
    "service quotas",
    "security groups, routes and name resolution of the VPC",
    "service control policies of an organisation",
    "data protection policies and retention of log groups",
    "the trail and its bucket: CloudTrail events are the local AWS's own record of calls",
    "one microVM per user session: one process per runtime serves every session",
    "ARM64: functions and servers run from the same locks on this machine's processor and Python",
    _SIGN_IN,
)


def check_types(assembly: Assembly) -> tuple[str, ...]:
    """What of this assembly is not emulated, in words.

    Raises:
        CannotStart: a resource has a type that no table above holds.
    """
    unknown = [
        f"{resource.type} {resource.logical_id} in {resource.stack}"
        for resource in assembly.resources()
        if resource.type not in EMULATED and resource.type not in WITHOUT_PART and _not_emulated(resource.type) is None
    ]
    if unknown:
        raise CannotStart(
            f"the rehearsal does not know what to make of {'; '.join(unknown)}",
            "Say in rehearsal/coverage.py what it does to a call, and emulate it or list it as not emulated.",
        )
    return tuple(dict.fromkeys((*ALWAYS_NOT_EMULATED, *_found(resource.type for resource in assembly.resources()))))


def _found(types: Iterable[str]) -> list[str]:
    return [words for words in map(_not_emulated, sorted(set(types))) if words is not None]


def _not_emulated(kind: str) -> str | None:
    return next((words for start, words in NOT_EMULATED.items() if kind.startswith(start)), None)

"""What the rehearsal makes of every resource type of a template; a type it has no word for stops it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from ringfence.deployed.assembly import Assembly
from ringfence.rehearsal.problems import CannotStart

# Types whose behaviour is emulated: read, decided or run. `check_read` holds this to what is really read.
EMULATED = frozenset(
    {
        "AWS::BedrockAgentCore::Gateway",
        "AWS::BedrockAgentCore::GatewayTarget",
        "AWS::BedrockAgentCore::Policy",
        "AWS::BedrockAgentCore::ResourcePolicy",
        "AWS::BedrockAgentCore::Runtime",
        "AWS::Cognito::UserPool",
        "AWS::Cognito::UserPoolClient",
        "AWS::Cognito::UserPoolIdentityProvider",
        "AWS::Cognito::UserPoolResourceServer",
        "AWS::EC2::VPCEndpoint",
        "AWS::CloudTrail::Trail",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::IAM::RolePolicy",
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::Logs::QueryDefinition",
        "Custom::RuntimeLogGroup",
    }
)

# Types that have no part in a call on loopback, or only the names that other resources take from them.
WITHOUT_PART = frozenset(
    {
        "AWS::BedrockAgentCore::PolicyEngine",
        "AWS::CDK::Metadata",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Cognito::UserPoolGroup",
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

# What would act on a call in an account and does not act here, with the types that do it: none where it is no type's,
# or a part of a type that is emulated otherwise.
NOT_EMULATED: Final = {
    "WAF": ("AWS::WAFv2::*",),
    "resource policies of gateways: every caller is on loopback": (),
    "rate limits": ("AWS::BedrockAgentCore::GatewayRateLimit",),
    "DNS firewall": ("AWS::Route53Resolver::*",),
    "service quotas": (),
    "security groups, routes and name resolution of the VPC": (
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup*",
        "AWS::EC2::Subnet*",
        "AWS::EC2::VPC",
    ),
    "service control policies of an organisation": ("AWS::Organizations::Policy",),
    "data protection policies and retention of log groups": (),
    "buckets and their policies: CloudTrail events are the local AWS's own record of calls": (
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
    ),
    "one microVM per user session: one process per runtime serves every session": (),
    "ARM64: functions and servers run from the same locks on this machine's processor and Python": (),
    "passwords, MFA and threat protection of Cognito, its own pages, and the department's own identity provider": (
        "AWS::Cognito::UserPoolDomain",
        "AWS::Cognito::UserPoolRiskConfigurationAttachment",
        "AWS::Cognito::UserPoolUICustomizationAttachment",
        "AWS::Cognito::ManagedLoginBranding",
    ),
    "delivery of Cognito's sign-in events": ("AWS::Cognito::LogDeliveryConfiguration",),
}


def check_types(assembly: Assembly) -> None:
    """Make sure that there is a word for every resource.

    Raises:
        CannotStart: a resource has a type that no table above holds.
    """
    unknown = [
        f"{resource.type} {resource.logical_id} in {resource.stack}"
        for resource in assembly.resources()
        if resource.type not in EMULATED | WITHOUT_PART and not _is_not_emulated(resource.type)
    ]
    if unknown:
        raise CannotStart(
            f"the rehearsal does not know what to make of {'; '.join(unknown)}",
            "Say in ringfence/rehearsal/template/coverage.py what it does to a call, and emulate it or list it as not "
            "emulated.",
        )


def check_read(assembly: Assembly) -> tuple[str, ...]:
    """The types of an assembly whose resources were read, once everything has started.

    Raises:
        CannotStart: the tables say otherwise: a report made from them would tell something else than what was done.
    """
    present = {resource.type for resource in assembly.resources()}
    read = present & assembly.asked
    wrong = sorted(f"{kind} is read" for kind in read if kind not in EMULATED or _is_not_emulated(kind))
    wrong += sorted(f"{kind} is not read" for kind in present & EMULATED - read)
    if wrong:
        raise CannotStart(
            f"what is emulated is not what is said: {'; '.join(wrong)}",
            "Correct ringfence/rehearsal/template/coverage.py.",
        )
    return tuple(sorted(read))


def _is_not_emulated(kind: str) -> bool:
    return any(fnmatchcase(kind, pattern) for patterns in NOT_EMULATED.values() for pattern in patterns)

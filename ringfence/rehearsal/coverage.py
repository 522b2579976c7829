"""What of a template the rehearsal does not emulate, in words, and the values that it cannot honour."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.known import reason_unread
from ringfence.rehearsal.problems import CannotStart

# What would act on a call in an account and does not act here, with the types that do it: none where it is no type's,
# or a part of a type that is emulated otherwise.
NOT_EMULATED: Final[Mapping[str, tuple[str, ...]]] = {
    "WAF": ("AWS::WAFv2::*",),
    "resource policies of gateways and functions: every caller is on loopback": ("AWS::Lambda::Permission",),
    "rate limits": ("AWS::BedrockAgentCore::GatewayRateLimit",),
    "DNS firewall": ("AWS::Route53Resolver::*",),
    "service quotas": (),
    "security groups, routes and name resolution of the VPC": tuple(
        f"AWS::EC2::{kind}" for kind in ("FlowLog", "RouteTable", "SecurityGroup*", "Subnet*", "VPC")
    ),
    "service control policies of an organisation": ("AWS::Organizations::Policy",),
    "data protection policies and retention of log groups": (),
    "policies by which AWS's own services write logs": ("AWS::Logs::ResourcePolicy",),
    "buckets and their policies: CloudTrail events are the local AWS's own record of calls": (
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
    ),
    "one microVM per user session: one process per runtime serves every session": (),
    "ARM64: functions and servers run from the same locks on this machine's processor and Python": (),
    "passwords, MFA and threat protection of Cognito, its own pages, and the department's own identity provider": (
        "AWS::Cognito::UserPoolDomain",
        "AWS::Cognito::UserPoolRiskConfigurationAttachment",
    ),
    "delivery of Cognito's sign-in events": ("AWS::Cognito::LogDeliveryConfiguration",),
}

_SERVER = "TargetConfiguration.Mcp.McpServer"
_CREDENTIAL = "CredentialProviderConfigurations"
# The values that the emulation honours, as patterns, of properties that have others; "" where one may be missing.
HONOURED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "AWS::BedrockAgentCore::Gateway": {
        "AuthorizerType": ("CUSTOM_JWT",),
        "ProtocolType": ("MCP",),
        "ProtocolConfiguration.Mcp.SearchType": ("",),
        "ProtocolConfiguration.Mcp.StreamingConfiguration.EnableResponseStreaming": ("", "false"),
    },
    "AWS::BedrockAgentCore::GatewayTarget": {
        f"{_SERVER}.ListingMode": ("", "DEFAULT"),
        f"{_CREDENTIAL}.CredentialProviderType": ("GATEWAY_IAM_ROLE",),
        f"{_CREDENTIAL}.CredentialProvider.IamCredentialProvider.Service": ("", "bedrock-agentcore"),
        f"{_CREDENTIAL}.CredentialProvider.IamCredentialProvider.Region": ("", "eu-west-2"),
    },
    "AWS::BedrockAgentCore::Runtime": {
        "NetworkConfiguration.NetworkMode": ("VPC",),
        "ProtocolConfiguration": ("MCP",),
        "AgentRuntimeArtifact.CodeConfiguration.Runtime": ("PYTHON_3_*",),
    },
    "AWS::Cognito::UserPool": {"LambdaConfig.PreTokenGenerationConfig.LambdaVersion": ("V2_0",)},
    "AWS::Lambda::Function": {"PackageType": ("", "Zip"), "Runtime": ("python3.*",)},
    "AWS::BedrockAgentCore::Policy": {"ValidationMode": ("", "FAIL_ON_ANY_FINDINGS")},
}


def emulated(assembly: Assembly) -> tuple[str, ...]:
    """The types of an assembly whose resources were read, once everything has started.

    Raises:
        CannotStart: the tables say otherwise: a report made from them would tell something else than what was done.
    """
    present = {resource.type for resource in assembly.resources()}
    read = present & assembly.asked
    wrong = [f"{kind} is said not to be emulated, and is read" for kind in sorted(read) if _is_not_emulated(kind)]
    wrong += [
        f"nobody reads {kind}, or says why not"
        for kind in sorted(present - read)
        if not _is_not_emulated(kind) and reason_unread(kind) is None
    ]
    if wrong:
        raise CannotStart(
            f"what is emulated is not what is said: {'; '.join(wrong)}", "Correct ringfence/rehearsal/coverage.py."
        )
    return tuple(sorted(read))


def _is_not_emulated(kind: str) -> bool:
    return any(fnmatchcase(kind, pattern) for patterns in NOT_EMULATED.values() for pattern in patterns)

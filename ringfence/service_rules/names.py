"""AWS-NAME: names and descriptions in the letters and lengths that the service takes, every reference at its longest.

CloudFormation's schemas leave most of them out, so a wrong one fails in the middle of a deployment. Patterns and
lengths are those of AWS's own API models (botocore); a test compares each with the model's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from ringfence.reading.template import Breach
from ringfence.service_rules.assembly import Assembly
from ringfence.service_rules.rule import READ, ServiceRule


@dataclass(frozen=True)
class Form:
    """How a text must be written.

    Attributes:
        pattern: regular expression for the whole text.
        longest: characters; none where the pattern says.
        model: service, operation and member in botocore that say so; empty where only a document does.
    """

    pattern: str
    longest: int | None = None
    model: tuple[str, str, str] | tuple[()] = ()


_PREFIX: Final = "AWS::BedrockAgentCore::"
_CONTROL: Final = "bedrock-agentcore-control"
_WORD: Final = r"[\w-]*"
_IAM_NAME: Final = r"[\w+=,.@-]+"
_POOL_NAME: Final = r"[\w\s+=,.@-]+"
_UNICODE: Final = r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+"
_WAF_NAME: Final = r"^[\w\-]+$"
_WAF_TEXT: Final = r"^[\w+=:#@/\-,\.][\w+=:#@/\-,\.\s]+[\w+=:#@/\-,\.]$"
_RESOLVER_NAME: Final = r"(?!^[0-9]+$)([a-zA-Z0-9\-_' ']+)"
_CEDAR_NAME: Final = r"[A-Za-z][A-Za-z0-9_]*"
_EC2_TEXT: Final = r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*"

NAMES: Final = {
    (f"{_PREFIX}Gateway", "Name"): Form(r"([0-9a-zA-Z][-]?){1,48}", None, (_CONTROL, "CreateGateway", "name")),
    (f"{_PREFIX}GatewayRateLimit", "RateLimitId"): Form(
        r"[a-zA-Z0-9][a-zA-Z0-9\-_\.]{0,62}[a-zA-Z0-9]", 64, (_CONTROL, "CreateGatewayRateLimit", "rateLimitId")
    ),
    (f"{_PREFIX}GatewayTarget", "Name"): Form(
        r"([0-9a-zA-Z][-]?){1,100}", None, (_CONTROL, "CreateGatewayTarget", "name")
    ),
    (f"{_PREFIX}Policy", "Name"): Form(_CEDAR_NAME, 48, (_CONTROL, "CreatePolicy", "name")),
    (f"{_PREFIX}PolicyEngine", "Name"): Form(_CEDAR_NAME, 48, (_CONTROL, "CreatePolicyEngine", "name")),
    (f"{_PREFIX}Runtime", "AgentRuntimeName"): Form(
        r"[a-zA-Z][a-zA-Z0-9_]{0,47}", None, (_CONTROL, "CreateAgentRuntime", "agentRuntimeName")
    ),
    (f"{_PREFIX}RuntimeEndpoint", "Name"): Form(
        r"[a-zA-Z][a-zA-Z0-9_]{0,47}", None, (_CONTROL, "CreateAgentRuntimeEndpoint", "name")
    ),
    ("AWS::CloudTrail::Trail", "TrailName"): Form(
        r"(?!.*[._-]{2})(?!\d+\.\d+\.\d+\.\d+\Z)[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]"
    ),
    ("AWS::Cognito::UserPool", "UserPoolName"): Form(_POOL_NAME, 128, ("cognito-idp", "CreateUserPool", "PoolName")),
    ("AWS::Cognito::UserPoolClient", "ClientName"): Form(
        _POOL_NAME, 128, ("cognito-idp", "CreateUserPoolClient", "ClientName")
    ),
    ("AWS::Cognito::UserPoolDomain", "Domain"): Form(
        r"^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?$", 63, ("cognito-idp", "CreateUserPoolDomain", "Domain")
    ),
    ("AWS::Cognito::UserPoolGroup", "GroupName"): Form(_UNICODE, 128, ("cognito-idp", "CreateGroup", "GroupName")),
    ("AWS::Cognito::UserPoolIdentityProvider", "ProviderName"): Form(
        r"[^_\p{Z}][\p{L}\p{M}\p{S}\p{N}\p{P}][^_\p{Z}]+", 32, ("cognito-idp", "CreateIdentityProvider", "ProviderName")
    ),
    ("AWS::Cognito::UserPoolResourceServer", "Identifier"): Form(
        r"[\x21\x23-\x5B\x5D-\x7E]+", 256, ("cognito-idp", "CreateResourceServer", "Identifier")
    ),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"): Form(_IAM_NAME, 128, ("iam", "CreatePolicy", "PolicyName")),
    ("AWS::IAM::Role", "RoleName"): Form(_IAM_NAME, 64, ("iam", "CreateRole", "RoleName")),
    ("AWS::KMS::Alias", "AliasName"): Form(r"^[a-zA-Z0-9:/_-]+$", 256, ("kms", "CreateAlias", "AliasName")),
    ("AWS::Lambda::Function", "FunctionName"): Form(r"[a-zA-Z0-9-_]+", 64),
    ("AWS::Logs::DeliveryDestination", "Name"): Form(_WORD, 60, ("logs", "PutDeliveryDestination", "name")),
    ("AWS::Logs::DeliverySource", "Name"): Form(_WORD, 60, ("logs", "PutDeliverySource", "name")),
    ("AWS::Logs::LogGroup", "LogGroupName"): Form(
        r"[\.\-_/#A-Za-z0-9]+", 512, ("logs", "CreateLogGroup", "logGroupName")
    ),
    ("AWS::Organizations::Policy", "Name"): Form(r"[\s\S]*", 128, ("organizations", "CreatePolicy", "Name")),
    ("AWS::Route53Resolver::FirewallDomainList", "Name"): Form(
        _RESOLVER_NAME, 64, ("route53resolver", "CreateFirewallDomainList", "Name")
    ),
    ("AWS::Route53Resolver::FirewallRuleGroup", "Name"): Form(
        _RESOLVER_NAME, 64, ("route53resolver", "CreateFirewallRuleGroup", "Name")
    ),
    ("AWS::Route53Resolver::FirewallRuleGroupAssociation", "Name"): Form(
        _RESOLVER_NAME, 64, ("route53resolver", "AssociateFirewallRuleGroup", "Name")
    ),
    ("AWS::Route53Resolver::ResolverQueryLoggingConfig", "Name"): Form(
        _RESOLVER_NAME, 64, ("route53resolver", "CreateResolverQueryLogConfig", "Name")
    ),
    ("AWS::WAFv2::IPSet", "Name"): Form(_WAF_NAME, 128, ("wafv2", "CreateIPSet", "Name")),
    ("AWS::WAFv2::WebACL", "Name"): Form(_WAF_NAME, 128, ("wafv2", "CreateWebACL", "Name")),
}
DESCRIPTIONS: Final = {
    (f"{_PREFIX}Gateway", "Description"): Form(r".*", 200, (_CONTROL, "CreateGateway", "description")),
    (f"{_PREFIX}GatewayRateLimit", "Description"): Form(
        r".*", 512, (_CONTROL, "CreateGatewayRateLimit", "description")
    ),
    (f"{_PREFIX}GatewayTarget", "Description"): Form(r".*", 200, (_CONTROL, "CreateGatewayTarget", "description")),
    (f"{_PREFIX}Policy", "Description"): Form(r".*", 4096, (_CONTROL, "CreatePolicy", "description")),
    (f"{_PREFIX}PolicyEngine", "Description"): Form(r".*", 4096, (_CONTROL, "CreatePolicyEngine", "description")),
    (f"{_PREFIX}Runtime", "Description"): Form(r".*", 4096, (_CONTROL, "CreateAgentRuntime", "description")),
    ("AWS::Cognito::UserPoolGroup", "Description"): Form(r".*", 2048, ("cognito-idp", "CreateGroup", "Description")),
    ("AWS::EC2::SecurityGroup", "GroupDescription"): Form(_EC2_TEXT, 255),
    ("AWS::EC2::SecurityGroupEgress", "Description"): Form(_EC2_TEXT, 255),
    ("AWS::EC2::SecurityGroupIngress", "Description"): Form(_EC2_TEXT, 255),
    ("AWS::IAM::ManagedPolicy", "Description"): Form(r".*", 1000, ("iam", "CreatePolicy", "Description")),
    ("AWS::IAM::Role", "Description"): Form(
        r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*", 1000, ("iam", "CreateRole", "Description")
    ),
    ("AWS::KMS::Key", "Description"): Form(r".*", 8192, ("kms", "CreateKey", "Description")),
    ("AWS::Lambda::Function", "Description"): Form(r".*", 256, ("lambda", "CreateFunction", "Description")),
    ("AWS::Organizations::Policy", "Description"): Form(
        r"[\s\S]*", 512, ("organizations", "CreatePolicy", "Description")
    ),
    ("AWS::WAFv2::IPSet", "Description"): Form(_WAF_TEXT, 256, ("wafv2", "CreateIPSet", "Description")),
    ("AWS::WAFv2::WebACL", "Description"): Form(_WAF_TEXT, 256, ("wafv2", "CreateWebACL", "Description")),
}

# Java's classes of Unicode, in the patterns of Cognito, as Python has them: `\p{Z}` is white space, the rest is not.
_CLASSES: Final = ((r"[^_\p{Z}]", r"[^_\s]"), (r"[\p{L}\p{M}\p{S}\p{N}\p{P}]", r"[^\s]"))


def _texts(table: Mapping[tuple[str, str], Form]) -> Callable[[Assembly], Iterator[Breach]]:
    def find(assembly: Assembly) -> Iterator[Breach]:
        for (kind, path), form in table.items():
            for resource in assembly.of_type(kind):
                if resource.at(path) is None:
                    continue
                text = assembly.text(resource.template, resource.at(path))
                if form.longest is not None and len(text) > form.longest:
                    yield resource.breach(path, f'"{text}" may have {len(text)} characters, not {form.longest}.')
                elif not _compiled(form.pattern).fullmatch(text):
                    yield resource.breach(path, f'The service refuses "{text}": its pattern is {form.pattern}.')

    return find


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in _CLASSES:
        pattern = pattern.replace(java, python)
    return re.compile(pattern, re.ASCII | re.DOTALL)


RULES: Final = (
    ServiceRule(
        "AWS-NAME-1",
        "Every name is one that its service accepts.",
        "Take the name from ringfence.reading.names, which keeps to the patterns.",
        "botocore 1.44.5, the create operation of each type; CloudTrail API reference, CreateTrail; Lambda API "
        "reference, CreateFunction",
        READ,
        _texts(NAMES),
    ),
    ServiceRule(
        "AWS-NAME-2",
        "Every description is one that its service accepts.",
        "Shorten it, or leave out the letter.",
        "botocore 1.44.5, the create operation of each type; EC2 API reference, CreateSecurityGroup",
        READ,
        _texts(DESCRIPTIONS),
    ),
)

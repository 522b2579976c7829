"""The longest value that a reference may come to have; it decides whether a text fits before any account is asked.

Forms of ids and ARNs are those of AWS's service authorisation reference, and lengths those of the service models.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from ringfence.reading.region import REGION
from ringfence.reading.template import Resource

ACCOUNT: Final = "111122223333"
_PART = re.compile(r"\{(\w*):(\d+)\}")
_AGENTCORE: Final = f"arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}:"
_LOGS: Final = f"arn:aws:logs:{REGION}:{ACCOUNT}:"
_WAF: Final = f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/"
_UNKNOWN: Final = "{:128}"

# `{Name:48}` is the property Name where it is written out, and 48 letters where the service makes the name up.
_FORMS: Final = {
    ("AWS::BedrockAgentCore::Gateway", "GatewayArn"): _AGENTCORE + "gateway/{Name:48}-{:10}",
    ("AWS::BedrockAgentCore::Gateway", "GatewayIdentifier"): "{Name:48}-{:10}",
    ("AWS::BedrockAgentCore::PolicyEngine", "PolicyEngineArn"): _AGENTCORE + "policy-engine/{Name:48}-{:10}",
    ("AWS::BedrockAgentCore::PolicyEngine", "PolicyEngineId"): "{Name:48}-{:10}",
    ("AWS::BedrockAgentCore::Runtime", "AgentRuntimeArn"): _AGENTCORE + "runtime/{AgentRuntimeName:48}-{:10}",
    ("AWS::BedrockAgentCore::Runtime", "AgentRuntimeId"): "{AgentRuntimeName:48}-{:10}",
    ("AWS::Cognito::UserPool", "Arn"): f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_{{:9}}",
    ("AWS::Cognito::UserPool", "Ref"): f"{REGION}_{{:9}}",
    ("AWS::Cognito::UserPoolClient", "Ref"): "{:26}",
    ("AWS::Cognito::UserPoolIdentityProvider", "Ref"): "{ProviderName:32}",
    ("AWS::EC2::RouteTable", "Ref"): "rtb-{:17}",
    ("AWS::EC2::SecurityGroup", "GroupId"): "sg-{:17}",
    ("AWS::EC2::Subnet", "Ref"): "subnet-{:17}",
    ("AWS::EC2::VPC", "Ref"): "vpc-{:17}",
    ("AWS::IAM::ManagedPolicy", "Ref"): f"arn:aws:iam::{ACCOUNT}:policy/{{ManagedPolicyName:128}}",
    ("AWS::IAM::Role", "Arn"): f"arn:aws:iam::{ACCOUNT}:role/{{RoleName:64}}",
    ("AWS::IAM::Role", "Ref"): "{RoleName:64}",
    ("AWS::KMS::Key", "Arn"): f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{{:36}}",
    ("AWS::KMS::Key", "Ref"): "{:36}",
    ("AWS::Lambda::Function", "Arn"): f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{FunctionName:64}}",
    ("AWS::Lambda::Function", "Ref"): "{FunctionName:64}",
    ("AWS::Logs::DeliveryDestination", "Arn"): _LOGS + "delivery-destination:{Name:60}",
    ("AWS::Logs::LogGroup", "Arn"): _LOGS + "log-group:{LogGroupName:128}:*",
    ("AWS::Logs::LogGroup", "Ref"): "{LogGroupName:128}",
    ("AWS::Route53Resolver::FirewallDomainList", "Id"): "rslvr-fdl-{:17}",
    ("AWS::Route53Resolver::FirewallRuleGroup", "Id"): "rslvr-frg-{:17}",
    ("AWS::Route53Resolver::ResolverQueryLoggingConfig", "Id"): "rqlc-{:17}",
    ("AWS::S3::Bucket", "Arn"): "arn:aws:s3:::{BucketName:63}",
    ("AWS::S3::Bucket", "Ref"): "{BucketName:63}",
    ("AWS::WAFv2::IPSet", "Arn"): _WAF + "ipset/{Name:128}/{:36}",
    ("AWS::WAFv2::WebACL", "Arn"): _WAF + "webacl/{Name:128}/{:36}",
}

PSEUDO: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{'x' * 128}/{'x' * 36}",
    "AWS::StackName": "x" * 128,
    "AWS::URLSuffix": "amazonaws.com",
}


def longest(resource: Resource, attribute: str, text: Callable[[Any], str]) -> str:
    """Returns the longest value that `Ref` or an attribute of a resource can have.

    Args:
        text: gives the longest text of one of its properties.
    """

    def part(match: re.Match[str]) -> str:
        name, length = match.group(1), int(match.group(2))
        written = resource.properties.get(name) if name else None
        # What only a deployment knows begins with the logical id, so that two of them are told apart.
        return f"{resource.logical_id}-{'x' * length}"[:length] if written is None else text(written)

    return _PART.sub(part, _FORMS.get((resource.type, attribute), _UNKNOWN))

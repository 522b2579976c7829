"""Each house rule passes a template that keeps it and fails one that breaks it, naming the resource and the place."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from ringfence.house_rules import RULES, Residency, Template, breaches

DECLARED = Residency(endpoints=frozenset({("iam", "us-east-1")}), prefixes=frozenset({("iam", "us-east-1")}))
KEY = {"Fn::GetAtt": ["LogKey", "Arn"]}

GATEWAY = {
    "Name": "ringfence-example-auditor",
    "AuthorizerType": "CUSTOM_JWT",
    "AuthorizerConfiguration": {
        "CustomJWTAuthorizer": {
            "DiscoveryUrl": "https://cognito-idp.eu-west-2.amazonaws.com/x/.well-known/openid-configuration",
            "AllowedClients": ["client"],
            "AllowedScopes": ["ringfence/auditor"],
            "CustomClaims": [
                {
                    "InboundTokenClaimName": "cognito:groups",
                    "InboundTokenClaimValueType": "STRING_ARRAY",
                    "AuthorizingClaimMatchValue": {
                        "ClaimMatchOperator": "CONTAINS",
                        "ClaimMatchValue": {"MatchValueString": "auditor"},
                    },
                }
            ],
        }
    },
    "PolicyEngineConfiguration": {"Arn": {"Fn::GetAtt": ["Engine", "Arn"]}, "Mode": "ENFORCE"},
    "ProtocolConfiguration": {"Mcp": {"StreamingConfiguration": {"EnableResponseStreaming": False}}},
}
RUNTIME = {
    "AgentRuntimeName": "ringfence_auditor_iam",
    "NetworkConfiguration": {
        "NetworkMode": "VPC",
        "NetworkModeConfig": {"Subnets": ["subnet-1"], "SecurityGroups": ["sg-1"]},
    },
}
ENDPOINT = {
    "ServiceName": "com.amazonaws.eu-west-2.logs",
    "PolicyDocument": {
        "Statement": [
            {
                "Sid": "Ours",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": "logs:PutLogEvents",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalAccount": "111122223333"}},
            }
        ]
    },
}
ROLE = {
    "PermissionsBoundary": {"Ref": "Boundary"},
    "AssumeRolePolicyDocument": {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    },
}
IAM_ENDPOINT = {**ENDPOINT, "ServiceName": "com.amazonaws.iam", "ServiceRegion": "us-east-1"}

# What CloudFormation's presigned addresses need; everything about it but the stack's last words is fixed.
ANSWER = "arn:aws:s3:::cloudformation-custom-resource-response-euwest2/arn:aws:cloudformation:eu-west-2:{}"
ANSWERS = {
    "Sid": "Answers",
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": ["s3:PutObject"],
    "Resource": [ANSWER.format("111122223333:stack/ringfence-example-*")],
}

# Everything that keeps every rule; each breach below changes one thing.
SOUND: dict[str, tuple[str, dict[str, Any]]] = {
    "Log": ("AWS::Logs::LogGroup", {"RetentionInDays": 731, "KmsKeyId": KEY}),
    "Usage": ("AWS::Logs::DeliverySource", {"LogType": "USAGE_LOGS"}),
    "RuntimeLog": ("Custom::RuntimeLogGroup", {"RetentionInDays": 731, "KmsKeyId": KEY}),
    "Bucket": (
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}
                ]
            }
        },
    ),
    "Table": (
        "AWS::DynamoDB::Table",
        {"SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}},
    ),
    "Runtime": ("AWS::BedrockAgentCore::Runtime", RUNTIME),
    "Gateway": ("AWS::BedrockAgentCore::Gateway", GATEWAY),
    "Target": (
        "AWS::BedrockAgentCore::GatewayTarget",
        {"Name": "iam", "Payload": json.dumps({"tools": [{"description": "Works in us-west-2 as well."}]})},
    ),
    "Engine": ("AWS::BedrockAgentCore::PolicyEngine", {"Name": "ringfence_example_auditor"}),
    "Role": ("AWS::IAM::Role", ROLE),
    "Policy": (
        "AWS::IAM::ManagedPolicy",
        {
            "PolicyDocument": {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "iam:ListPolicies",
                        # Reading AWS's own policies attaches none of them.
                        "Resource": "arn:aws:iam::aws:policy/*",
                        "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
                    },
                    {
                        "Effect": "Deny",
                        "Action": "bedrock:*",
                        "Resource": "arn:aws:bedrock:*:*:inference-profile/*",
                    },
                ]
            }
        },
    ),
    "Endpoint": ("AWS::EC2::VPCEndpoint", ENDPOINT),
    "IamEndpoint": ("AWS::EC2::VPCEndpoint", IAM_ENDPOINT),
    "S3Endpoint": (
        "AWS::EC2::VPCEndpoint",
        {"ServiceName": "com.amazonaws.eu-west-2.s3", "PolicyDocument": {"Statement": [ANSWERS]}},
    ),
    "Subnet": ("AWS::EC2::Subnet", {"MapPublicIpOnLaunch": False}),
    "Permission": ("AWS::Lambda::Permission", {"Principal": "cognito-idp.amazonaws.com"}),
}

ANYONE = {"Sid": "Anyone", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
OVER_TLS = {**ANYONE, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}
UNLESS = {**ANYONE, "Condition": {"StringNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/x"}}}
ANY_ORG = {**ANYONE, "Condition": {"StringLike": {"aws:PrincipalOrgID": "*"}}}
ALL_BUT = {"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": "*", "Resource": "*"}

TOO_WIDE_ANSWERS = (
    {**ANSWERS, "Action": ["s3:PutObject", "s3:GetObject"]},
    {**ANSWERS, "Action": ["s3:*"]},
    {**ANSWERS, "Resource": [ANSWER.format("*:stack/ringfence-example-*")]},
    {**ANSWERS, "Resource": [ANSWER.format("111122223333:stack/*")]},
    {**ANSWERS, "Resource": [*ANSWERS["Resource"], "arn:aws:s3:::elsewhere/*"]},
    {**ANSWERS, "Resource": [ANSWERS["Resource"][0].partition("/")[0] + "/*"]},
    {**ANSWERS, "Resource": []},
)

# (rule, resource type, properties, path of the breach)
BROKEN: list[tuple[str, str, dict[str, Any], str]] = [
    ("GOV-LOG-1", "AWS::Logs::LogGroup", {"RetentionInDays": 7, "KmsKeyId": KEY}, "RetentionInDays"),
    ("GOV-LOG-1", "AWS::Logs::LogGroup", {"KmsKeyId": KEY}, "RetentionInDays"),
    ("GOV-LOG-2", "AWS::Logs::DeliverySource", {"LogType": "APPLICATION_LOGS"}, "LogType"),
    ("GOV-KEY-1", "AWS::Logs::LogGroup", {"RetentionInDays": 731}, "KmsKeyId"),
    ("GOV-LOG-1", "Custom::RuntimeLogGroup", {"RetentionInDays": 30, "KmsKeyId": KEY}, "RetentionInDays"),
    ("GOV-KEY-1", "Custom::RuntimeLogGroup", {"RetentionInDays": 731, "KmsKeyId": "alias/aws/logs"}, "KmsKeyId"),
    ("GOV-KEY-2", "AWS::S3::Bucket", {}, "BucketEncryption"),
    (
        "GOV-KEY-2",
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/aws/s3"}}
                ]
            }
        },
        "BucketEncryption",
    ),
    ("GOV-KEY-3", "AWS::DynamoDB::Table", {"SSESpecification": {"SSEEnabled": True}}, "SSESpecification"),
    ("GOV-KEY-3", "AWS::DynamoDB::GlobalTable", {}, "Replicas"),
    (
        "GOV-RUN-1",
        "AWS::BedrockAgentCore::Runtime",
        {"AgentRuntimeName": "r", "NetworkConfiguration": {"NetworkMode": "PUBLIC"}},
        "NetworkConfiguration.NetworkMode",
    ),
    (
        "GOV-RUN-1",
        "AWS::BedrockAgentCore::Runtime",
        {"AgentRuntimeName": "r", "NetworkConfiguration": {"NetworkMode": "VPC"}},
        "NetworkConfiguration.NetworkModeConfig.Subnets",
    ),
    ("GOV-RUN-2", "AWS::BedrockAgentCore::CodeInterpreterCustom", {}, ""),
    ("GOV-NET-1", "AWS::EC2::InternetGateway", {}, ""),
    ("GOV-NET-1", "AWS::EC2::Route", {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}, ""),
    ("GOV-NET-1", "AWS::EC2::Subnet", {"MapPublicIpOnLaunch": True}, "MapPublicIpOnLaunch"),
    ("GOV-NET-2", "AWS::EC2::VPCEndpoint", {**ENDPOINT, "ServiceName": "com.amazonaws.eu-west-2.log"}, "ServiceName"),
    ("GOV-NET-2", "AWS::EC2::VPCEndpoint", {**ENDPOINT, "ServiceName": "com.amazonaws.iam"}, "ServiceName"),
    ("GOV-NET-2", "AWS::EC2::VPCEndpoint", {**ENDPOINT, "ServiceName": {"Ref": "Name"}}, "ServiceName"),
    ("GOV-NET-3", "AWS::EC2::VPCEndpoint", {"ServiceName": "com.amazonaws.eu-west-2.logs"}, "PolicyDocument"),
    (
        "GOV-IAM-1",
        "AWS::IAM::Role",
        {"AssumeRolePolicyDocument": ROLE["AssumeRolePolicyDocument"]},
        "PermissionsBoundary",
    ),
    ("GOV-IAM-1", "AWS::IAM::User", {}, ""),
    *(
        ("GOV-IAM-2", kind, {**rest, key: wrap({"Statement": [statement]})}, f"{key}.Statement.0")
        for kind, key, rest, wrap in (
            ("AWS::IAM::Role", "AssumeRolePolicyDocument", {"PermissionsBoundary": KEY}, dict),
            ("AWS::S3::BucketPolicy", "PolicyDocument", {}, dict),
            ("AWS::KMS::Key", "KeyPolicy", {}, dict),
            ("AWS::EC2::VPCEndpoint", "PolicyDocument", {"ServiceName": "com.amazonaws.eu-west-2.logs"}, dict),
            ("AWS::BedrockAgentCore::ResourcePolicy", "Policy", {}, json.dumps),
        )
        for statement in (
            *(ANYONE, {**ANYONE, "Principal": {"AWS": ["*"]}}, OVER_TLS, UNLESS, ANY_ORG, ALL_BUT),
            *TOO_WIDE_ANSWERS,
        )
    ),
    ("GOV-IAM-2", "AWS::Lambda::Permission", {"Principal": "*"}, "Principal"),
    (
        "GOV-IAM-3",
        "AWS::IAM::Role",
        {**ROLE, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
        "ManagedPolicyArns.0",
    ),
    (
        "GOV-IAM-3",
        "AWS::IAM::Role",
        {**ROLE, "ManagedPolicyArns": [{"Fn::Join": ["", ["arn:", {"Ref": "P"}, ":iam::aws:policy/x"]]}]},
        "ManagedPolicyArns.0.Fn::Join.1.2",
    ),
    ("GOV-REGION-1", "AWS::Lambda::Function", {"Environment": {"R": "eu-west-1"}}, "Environment.R"),
    ("GOV-REGION-1", "AWS::Lambda::Function", {"Settings": '{"region": "us-east-1"}'}, "Settings.region"),
    (
        "GOV-REGION-1",
        "AWS::IAM::ManagedPolicy",
        {
            "PolicyDocument": {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "ec2:RunInstances",
                        "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
                    }
                ]
            }
        },
        "PolicyDocument.Statement.0.Condition.StringEquals.aws:RequestedRegion",
    ),
    *(
        ("GOV-REGION-2", "AWS::Lambda::Function", {"Environment": {"MODEL": model}}, "Environment.MODEL")
        for model in (
            "eu.anthropic.some-model",
            "eu.minimax.minimax-m2-5",
            "us.google.gemma-4",
            "eu.zai.glm-5",
            "global.xai.grok-5",
            "arn:aws:bedrock:eu-west-2:111122223333:guardrail-profile/eu.guardrail.v1:0",
            "arn:aws:bedrock:eu-west-2:111122223333:default-prompt-router/anthropic.claude:1",
            "arn:aws:bedrock:eu-west-2:111122223333:data-automation-profile/eu.data-automation-v1",
        )
    ),
    *(
        (
            "GOV-IAM-4",
            "AWS::IAM::ManagedPolicy",
            {"PolicyDocument": {"Statement": [{"Effect": "Allow", "Resource": "*", **actions}]}},
            "PolicyDocument.Statement.0",
        )
        for actions in (
            {"Action": "bedrock-mantle:CreateInference"},
            {"Action": ["s3:GetObject", "eks-mcp:*"]},
            {"Action": "iam:*"},
            {"Action": "*"},
            {"NotAction": "s3:*"},
        )
    ),
    (
        "GOV-REGION-2",
        "AWS::IAM::ManagedPolicy",
        {
            "PolicyDocument": {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "bedrock:InvokeModel",
                        "Resource": "arn:aws:bedrock:eu-west-2:111122223333:inference-profile/x",
                    }
                ]
            }
        },
        "PolicyDocument.Statement.0.Resource",
    ),
]


def gateway_with(path: str, value: Any) -> dict[str, Any]:
    gateway = copy.deepcopy(GATEWAY)
    place: Any = gateway
    *parents, last = path.split(".")
    for step in parents:
        place = place[step]
    place[last] = value
    return gateway


JWT = "AuthorizerConfiguration.CustomJWTAuthorizer"
STREAMING = "ProtocolConfiguration.Mcp.StreamingConfiguration"
for rule, path, value, told in (
    ("GOV-GATE-1", "PolicyEngineConfiguration.Mode", "LOG_ONLY", "PolicyEngineConfiguration"),
    ("GOV-GATE-1", "PolicyEngineConfiguration", {}, "PolicyEngineConfiguration"),
    ("GOV-GATE-2", "AuthorizerType", "NONE", "AuthorizerType"),
    ("GOV-GATE-2", f"{JWT}.CustomClaims", [], f"{JWT}.CustomClaims"),
    ("GOV-GATE-2", f"{JWT}.AllowedClients", [], f"{JWT}.AllowedClients"),
    ("GOV-GATE-3", STREAMING, {}, f"{STREAMING}.EnableResponseStreaming"),
    ("GOV-GATE-3", f"{STREAMING}.EnableResponseStreaming", True, f"{STREAMING}.EnableResponseStreaming"),
    ("GOV-GATE-4", "ProtocolConfiguration.Mcp.SearchType", "SEMANTIC", "ProtocolConfiguration.Mcp.SearchType"),
):
    BROKEN.append((rule, "AWS::BedrockAgentCore::Gateway", gateway_with(path, value), told))


def template_of(*resources: tuple[str, str, dict[str, Any]]) -> Template:
    return Template({"Resources": {name: {"Type": kind, "Properties": held} for name, kind, held in resources}})


def test_a_template_that_keeps_every_rule_passes() -> None:
    template = template_of(*((name, kind, held) for name, (kind, held) in SOUND.items()))

    assert list(breaches(template, DECLARED)) == []


@pytest.mark.parametrize(("rule", "kind", "properties", "path"), BROKEN, ids=[f"{b[0]} {b[1]} {b[3]}" for b in BROKEN])
def test_a_breach_is_found_where_it_is(rule: str, kind: str, properties: dict[str, Any], path: str) -> None:
    found = list(breaches(template_of(("Wrong", kind, properties)), DECLARED))

    places = [(each.id, breach.logical_id, breach.path) for each, breach in found]
    assert (rule, "Wrong", f"Properties.{path}" if path else "Properties") in places
    assert {each.id for each, _ in found} == {rule}, "and nothing else is wrong with it"


def test_every_rule_has_a_template_that_breaks_it_and_one_that_keeps_it() -> None:
    assert {rule.id for rule in RULES} == {broken[0] for broken in BROKEN}
    # A rule that looks at a type must have seen that type in order.
    absent = {"AWS::EC2::Route", "AWS::EC2::InternetGateway", "AWS::BedrockAgentCore::CodeInterpreterCustom"}
    special = {"AWS::IAM::User", "AWS::DynamoDB::GlobalTable", "AWS::Lambda::Function"}
    policies = {"AWS::S3::BucketPolicy", "AWS::KMS::Key", "AWS::BedrockAgentCore::ResourcePolicy"}
    assert {broken[1] for broken in BROKEN} - absent - special - policies <= {kind for kind, _ in SOUND.values()}


def test_without_a_register_no_other_region_is_accepted() -> None:
    template = template_of(*((name, kind, held) for name, (kind, held) in SOUND.items()))

    found = {(rule.id, breach.logical_id) for rule, breach in breaches(template, Residency())}
    assert found == {("GOV-REGION-1", "Policy"), ("GOV-REGION-1", "IamEndpoint"), ("GOV-NET-2", "IamEndpoint")}


def test_a_region_in_an_output_is_found() -> None:
    found = list(
        breaches(Template({"Resources": {}, "Outputs": {"Url": {"Value": "https://x.eu-west-1.y"}}}), DECLARED)
    )

    assert [(rule.id, breach.path) for rule, breach in found] == [("GOV-REGION-1", "Outputs.Url.Value")]


def test_every_rule_says_what_to_do_and_no_number_is_used_twice() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.fix.endswith(".") and rule.promise.endswith(".") for rule in RULES)

"""Physical ids of platform resources: IAM, KMS, logs, storage, functions, identity, alarms."""

from __future__ import annotations

import re

from ringfence.deployed.physical.shapes import Maker, Naming, Shape
from ringfence.deployed.problems import UnresolvedTemplate

_RUNTIME_LOG_GROUP = re.compile(r"/aws/bedrock-agentcore/runtimes/ringfence_\w+-\w{10}-DEFAULT")


def _role_arn(r: Naming) -> str:
    return r.arn("iam", f"role{r.text('Path', '/')}{r.name('RoleName')}", region=False)


def _managed_policy_arn(r: Naming) -> str:
    return r.arn("iam", f"policy{r.text('Path', '/')}{r.name('ManagedPolicyName')}", region=False)


def _log_group(r: Naming) -> str:
    return r.name("LogGroupName", limit=512)


def _runtime_log_group(r: Naming) -> str:
    """The name that the custom resource's function answers with; it keeps groups of this kind and no other."""
    name = r.text("LogGroupName")
    if not _RUNTIME_LOG_GROUP.fullmatch(name):
        raise UnresolvedTemplate(r.stack, r.logical_id, f"{name or 'no name'} is not the log group of a runtime")
    return name


def _bucket(r: Naming) -> str:
    return r.name("BucketName", lower=True)


def _pool(r: Naming) -> str:
    return f"{r.region}_{(r.letters(4, 'a') + r.capitals(5, 'b'))[:9]}"


def _generated(r: Naming) -> str:
    return f"{r.stack}-{r.logical_id}-{r.capitals(12)}"


def _function_arn(r: Naming) -> str:
    return r.arn("lambda", f"function:{r.name('FunctionName')}")


def _named_arn(service: str, pattern: str, name: str) -> Maker:
    return lambda r: r.arn(service, pattern.format(name=r.name(name)))


PLATFORM: dict[str, Shape] = {
    "AWS::CDK::Metadata": Shape(_generated),
    "AWS::CloudFormation::WaitConditionHandle": Shape(_generated),
    "AWS::IAM::Role": Shape(
        lambda r: r.name("RoleName"), {"Arn": _role_arn, "RoleId": lambda r: f"AROA{r.capitals(17)}"}
    ),
    "AWS::IAM::Policy": Shape(lambda r: r.name("PolicyName"), {"Id": _generated}),
    "AWS::IAM::RolePolicy": Shape(lambda r: f"{r.text('PolicyName')}|{r.text('RoleName')}"),
    "AWS::IAM::ManagedPolicy": Shape(_managed_policy_arn, {"PolicyArn": _managed_policy_arn}),
    "AWS::KMS::Key": Shape(
        lambda r: r.uuid(), {"Arn": lambda r: r.arn("kms", f"key/{r.uuid()}"), "KeyId": lambda r: r.uuid()}
    ),
    "AWS::KMS::Alias": Shape(lambda r: r.text("AliasName")),
    "AWS::S3::Bucket": Shape(
        _bucket,
        {
            "Arn": lambda r: r.arn("s3", _bucket(r), region=False, account=False),
        },
    ),
    "AWS::S3::BucketPolicy": Shape(lambda r: r.text("Bucket")),
    "AWS::CloudTrail::Trail": Shape(
        lambda r: r.name("TrailName"), {"Arn": _named_arn("cloudtrail", "trail/{name}", "TrailName")}
    ),
    "AWS::Logs::LogGroup": Shape(
        _log_group,
        {"Arn": lambda r: r.arn("logs", f"log-group:{_log_group(r)}:*")},
    ),
    "Custom::RuntimeLogGroup": Shape(_runtime_log_group),
    "AWS::Logs::ResourcePolicy": Shape(lambda r: r.text("PolicyName")),
    "AWS::Logs::QueryDefinition": Shape(lambda r: r.uuid()),
    "AWS::Lambda::Function": Shape(lambda r: r.name("FunctionName"), {"Arn": _function_arn}),
    "AWS::Organizations::Policy": Shape(lambda r: f"p-{r.hex(10)}", {"Id": lambda r: f"p-{r.hex(10)}"}),
    "AWS::Lambda::Permission": Shape(_generated, {"Id": _generated}),
    "AWS::Cognito::UserPool": Shape(
        _pool,
        {
            "Arn": lambda r: r.arn("cognito-idp", f"userpool/{_pool(r)}"),
        },
    ),
    "AWS::Cognito::UserPoolClient": Shape(
        lambda r: r.alphanumeric(26), {"ClientId": lambda r: r.alphanumeric(26), "Name": lambda r: r.name("ClientName")}
    ),
    "AWS::Cognito::UserPoolDomain": Shape(lambda r: r.text("Domain")),
    "AWS::Cognito::UserPoolResourceServer": Shape(lambda r: r.text("Identifier")),
    "AWS::Cognito::UserPoolGroup": Shape(lambda r: r.name("GroupName")),
    "AWS::Cognito::UserPoolIdentityProvider": Shape(lambda r: r.text("ProviderName")),
    "AWS::Cognito::UserPoolRiskConfigurationAttachment": Shape(_generated),
    "AWS::Cognito::LogDeliveryConfiguration": Shape(_generated, {"Id": _generated}),
}

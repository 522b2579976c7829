"""AWS-KEY and AWS-BUCKET: keys that services must be able to use, and buckets that can take what is written to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ringfence.reading.region import REGION
from ringfence.reading.template import Breach, Resource, listed
from ringfence.service_rules.assembly import Assembly, Statement, allows, matches, principals
from ringfence.service_rules.longest import ACCOUNT
from ringfence.service_rules.rule import READ, ServiceRule

_KEY: Final = "AWS::KMS::Key"
_BUCKET: Final = "AWS::S3::Bucket"
_FOR_TRAILS: Final = ("kms:DescribeKey", "kms:GenerateDataKey")
_FOR_LOGS: Final = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
_LOGS_CONTEXT: Final = "kms:encryptioncontext:aws:logs:arn"


def _trail_keys(assembly: Assembly) -> Iterator[Breach]:
    for trail in assembly.of_type("AWS::CloudTrail::Trail"):
        key, bucket = assembly.one(trail, "KMSKeyId", _KEY), assembly.one(trail, "S3BucketName", _BUCKET)
        if key is None:
            continue
        needed = (*_FOR_TRAILS, "kms:Decrypt") if bucket and _has_bucket_key(bucket) else _FOR_TRAILS
        granted = _allowed_to(assembly, key, "cloudtrail.amazonaws.com")
        for action in needed:
            if not any(allows(statement, action) for statement in granted):
                yield key.breach("KeyPolicy", f"CloudTrail, which encrypts a trail with this key, lacks {action}.")


def _has_bucket_key(bucket: Resource) -> bool:
    rules = listed(bucket.at("BucketEncryption.ServerSideEncryptionConfiguration"))
    return any(rule.get("BucketKeyEnabled") is True for rule in rules)


def _allowed_to(assembly: Assembly, key: Resource, service: str) -> list[Statement]:
    statements = assembly.statements(key, "KeyPolicy")
    return [each for each in statements if each.get("Effect") == "Allow" and service in principals(each, "Service")]


def _log_group_keys(assembly: Assembly) -> Iterator[Breach]:
    for group in assembly.of_type("AWS::Logs::LogGroup"):
        key = assembly.one(group, "KmsKeyId", _KEY)
        if key is None:
            continue
        name = assembly.text(group.template, {"Ref": group.logical_id})
        arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"
        granted = [
            statement
            for statement in _allowed_to(assembly, key, f"logs.{REGION}.amazonaws.com")
            if _context_admits(statement, arn)
        ]
        for action in _FOR_LOGS:
            if not any(allows(statement, action) for statement in granted):
                yield group.breach("KmsKeyId", f"The key {key.logical_id} does not let CloudWatch Logs call {action}.")


def _context_admits(statement: Statement, arn: str) -> bool:
    patterns = [
        re.sub(r"\d{12}", ACCOUNT, str(pattern))
        for keys in (statement.get("Condition") or {}).values()
        for key, value in keys.items()
        if key.lower() == _LOGS_CONTEXT
        for pattern in listed(value)
    ]
    return not patterns or any(matches(pattern, arn) for pattern in patterns)


def _lockout(assembly: Assembly) -> Iterator[Breach]:
    for key in assembly.of_type(_KEY):
        keepers = [
            statement
            for statement in assembly.statements(key, "KeyPolicy")
            if statement.get("Effect") == "Allow"
            and allows(statement, "kms:PutKeyPolicy")
            and principals(statement, "AWS")
            and not statement.get("Condition")
        ]
        if not keepers:
            yield key.breach("KeyPolicy", "Nobody may change this key policy again, so KMS refuses it.")


def _new_principals(assembly: Assembly) -> Iterator[Breach]:
    for key in assembly.of_type(_KEY):
        for statement in listed((key.at("KeyPolicy") or {}).get("Statement")):
            for role in assembly.referred(key.template, statement.get("Principal")):
                if role.template == key.template:
                    yield key.breach("KeyPolicy", f"It names {role.logical_id}, made moments before, as principal.")


def _rotation(assembly: Assembly) -> Iterator[Breach]:
    for key in assembly.of_type(_KEY):
        spec = key.at("KeySpec") or "SYMMETRIC_DEFAULT"
        if key.at("EnableKeyRotation") and spec != "SYMMETRIC_DEFAULT":
            yield key.breach("EnableKeyRotation", f"A key of spec {spec} cannot be rotated.")


def _access_logs(assembly: Assembly) -> Iterator[Breach]:
    for source in assembly.of_type(_BUCKET):
        bucket = assembly.one(source, "LoggingConfiguration.DestinationBucketName", _BUCKET)
        if bucket is None:
            continue
        if bucket.at("ObjectLockConfiguration.Rule.DefaultRetention"):
            yield bucket.breach("ObjectLockConfiguration", "S3 delivers no access log under a default retention.")
        for rule in listed(bucket.at("BucketEncryption.ServerSideEncryptionConfiguration")):
            algorithm = (rule.get("ServerSideEncryptionByDefault") or {}).get("SSEAlgorithm")
            if algorithm != "AES256":
                yield bucket.breach("BucketEncryption", f"S3 delivers no access log into a bucket under {algorithm}.")


def _object_lock(assembly: Assembly) -> Iterator[Breach]:
    for bucket in assembly.of_type(_BUCKET):
        if not bucket.at("ObjectLockConfiguration"):
            continue
        if bucket.at("ObjectLockEnabled") is not True:
            yield bucket.breach("ObjectLockEnabled", "A bucket made without Object Lock takes no rule of it.")
        if (bucket.at("VersioningConfiguration.Status") or "Enabled") != "Enabled":
            yield bucket.breach("VersioningConfiguration", "Object Lock needs versions; S3 refuses to suspend them.")


RULES: Final = (
    ServiceRule(
        "AWS-KEY-1",
        "The key of a trail lets CloudTrail encrypt, and decrypt too where the bucket has an S3 Bucket Key.",
        "Add the action to CloudTrail's statement in constructs.audit.encryption_keys.",
        "CloudTrail user guide, configure AWS KMS key policies for CloudTrail",
        READ,
        _trail_keys,
    ),
    ServiceRule(
        "AWS-KEY-2",
        "The key of a log group lets CloudWatch Logs use it for that group.",
        "Add the action, or widen the pattern of kms:EncryptionContext:aws:logs:arn, in "
        "constructs.audit.encryption_keys.",
        "CloudWatch Logs user guide, encrypt log data using AWS KMS, step 2",
        READ,
        _log_group_keys,
    ),
    ServiceRule(
        "AWS-KEY-3",
        "Every key policy lets the account change it again.",
        "Keep a statement that allows kms:* to the account, without a condition.",
        "botocore 1.44.5, kms CreateKey, Policy",
        READ,
        _lockout,
    ),
    ServiceRule(
        "AWS-KEY-4",
        "Only symmetric encryption keys are rotated.",
        "Leave EnableKeyRotation out.",
        "CloudFormation template reference, AWS::KMS::Key, EnableKeyRotation",
        READ,
        _rotation,
    ),
    ServiceRule(
        "AWS-KEY-5",
        "No key policy names a role of its own stack as principal.",
        "Name the account, under ArnEquals on aws:PrincipalArn, and let the role's own policy allow the use as well.",
        "botocore 1.44.5, kms CreateKey, Policy: the principals must exist and be visible to KMS",
        READ,
        _new_principals,
    ),
    ServiceRule(
        "AWS-BUCKET-1",
        "A bucket that takes server access logs has no default retention, and encrypts with S3's own key.",
        "Use SSE-S3 there, expire by lifecycle, and acknowledge GOV-KEY-2 with this reason.",
        "S3 user guide, enabling Amazon S3 server access logging",
        READ,
        _access_logs,
    ),
    ServiceRule(
        "AWS-BUCKET-2",
        "A bucket with a rule of Object Lock is made with Object Lock and versions.",
        "Set ObjectLockEnabled, and versioning to Enabled.",
        "CloudFormation template reference, AWS::S3::Bucket, ObjectLockConfiguration",
        READ,
        _object_lock,
    ),
)

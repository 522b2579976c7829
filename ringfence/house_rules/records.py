"""GOV-LOG and GOV-KEY: records are kept for two years, and everything at rest is under the department's own key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ringfence.house_rules.declared import Residency
from ringfence.house_rules.rule import Rule
from ringfence.reading.template import Breach, Template, is_reference, listed

RETENTION_DAYS: Final = 731
LOG_GROUPS: Final = ("AWS::Logs::LogGroup", "Custom::RuntimeLogGroup")
"""What makes a log group; the second, which also adopts one, names its properties as the first does."""


def _retention(template: Template, _: Residency) -> Iterator[Breach]:
    for group in template.of_type(*LOG_GROUPS):
        days = group.at("RetentionInDays")
        if days != RETENTION_DAYS:
            kept = "keeps its events for ever" if days is None else f"keeps its events for {days} days"
            yield group.breach("RetentionInDays", f"The log group {kept}, not for {RETENTION_DAYS} days.")


def _bodies(template: Template, _: Residency) -> Iterator[Breach]:
    for source in template.of_type("AWS::Logs::DeliverySource"):
        if source.at("LogType") == "APPLICATION_LOGS":
            yield source.breach("LogType", "The log holds what callers ask and what they are answered.")


def _log_keys(template: Template, _: Residency) -> Iterator[Breach]:
    for group in template.of_type(*LOG_GROUPS):
        if not _is_own_key(group.at("KmsKeyId")):
            yield group.breach("KmsKeyId", "The log group is not encrypted with a customer-managed key.")


def _bucket_keys(template: Template, _: Residency) -> Iterator[Breach]:
    for bucket in template.of_type("AWS::S3::Bucket"):
        rules = listed(bucket.at("BucketEncryption.ServerSideEncryptionConfiguration"))
        defaults = [rule.get("ServerSideEncryptionByDefault") or {} for rule in rules]
        own = [each for each in defaults if str(each.get("SSEAlgorithm", "")).startswith("aws:kms")]
        if not own or not all(_is_own_key(each.get("KMSMasterKeyID")) for each in own):
            yield bucket.breach("BucketEncryption", "The bucket is not encrypted with a customer-managed key.")


def _table_keys(template: Template, _: Residency) -> Iterator[Breach]:
    for table in template.of_type("AWS::DynamoDB::Table"):
        if table.at("SSESpecification.SSEEnabled") is not True or not _is_own_key(
            table.at("SSESpecification.KMSMasterKeyId")
        ):
            yield table.breach("SSESpecification", "The table is not encrypted with a customer-managed key.")
    for table in template.of_type("AWS::DynamoDB::GlobalTable"):
        yield table.breach("Replicas", "A global table copies its items to other regions.")


def _is_own_key(value: Any) -> bool:
    """Whether a value names a key, and not one of AWS's own, whose alias begins `alias/aws/`."""
    return is_reference(value) or (isinstance(value, str) and bool(value) and "alias/aws/" not in value)


RULES: Final = (
    Rule(
        "GOV-LOG-1",
        f"Every log group keeps its events for {RETENTION_DAYS} days.",
        "Make it with constructs.audit.audit_log_group.AuditLogGroup or "
        "constructs.runtime.runtime_log_group.RuntimeLogGroup.",
        _retention,
    ),
    Rule(
        "GOV-LOG-2",
        "No service delivers a log that holds requests and answers.",
        "Remove it; the call record says what happened without a value in it (docs/decisions/0031).",
        _bodies,
    ),
    Rule(
        "GOV-KEY-1",
        "Every log group is encrypted with the department's own key.",
        "Make it with constructs.audit.audit_log_group.AuditLogGroup, or "
        "constructs.runtime.runtime_log_group.RuntimeLogGroup, and the audit stack's log key.",
        _log_keys,
    ),
    Rule(
        "GOV-KEY-2",
        "Every bucket is encrypted with the department's own key.",
        "Set SSE-KMS with the audit stack's data key as the bucket's default encryption.",
        _bucket_keys,
    ),
    Rule(
        "GOV-KEY-3",
        "Every table is encrypted with the department's own key, in one region.",
        "Set SSESpecification with the audit stack's data key on an AWS::DynamoDB::Table.",
        _table_keys,
    ),
)

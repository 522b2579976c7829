"""Every log group of a department is an `AuditLogGroup`."""

from __future__ import annotations

from typing import Any

from constructs.audit.audit_log_group import AuditLogGroup


def test_it_keeps_731_days_under_the_departments_key_and_outlives_its_stack(bench: Any) -> None:
    AuditLogGroup(bench.stack, "Calls", name="/ringfence/example-production/calls", key=bench.log_key)

    group = bench.resource("Calls")

    assert group["Properties"]["RetentionInDays"] == 731
    assert group["Properties"]["KmsKeyId"] == bench.log_key.key_arn
    assert group["Properties"]["DeletionProtectionEnabled"] is True
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_it_masks_secrets_and_uk_personal_data(bench: Any) -> None:
    AuditLogGroup(bench.stack, "Calls", name="calls", key=bench.log_key)

    find, mask = bench.properties("Calls")["DataProtectionPolicy"]["Statement"]

    # CloudWatch Logs refuses a policy whose two statements differ.
    assert find["DataIdentifier"] == mask["DataIdentifier"]
    assert mask["Operation"] == {"Deidentify": {"MaskConfig": {}}}
    kinds = {identifier.rsplit("/", 1)[1] for identifier in mask["DataIdentifier"]}
    assert {"NhsNumber-GB", "NationalInsuranceNumber-GB", "AwsSecretKey", "PkcsPrivateKey"} <= kinds
    assert "EmailAddress" not in kinds, "a staff identifier may look like one, and the record must name the human"


def test_masking_can_be_left_out_but_retention_cannot(bench: Any) -> None:
    AuditLogGroup(bench.stack, "Calls", name="calls", key=bench.log_key, data_protection=False)

    properties = bench.properties("Calls")

    assert "DataProtectionPolicy" not in properties
    assert properties["RetentionInDays"] == 731

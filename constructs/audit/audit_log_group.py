"""The one kind of log group a department has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from constructs import Construct
from constructs.review_notes import serves
from ringfence.house_rules.records import RETENTION_DAYS
from ringfence.reading.region import REGION

# CloudWatch's own detectors for secrets and UK personal data. E-mail addresses are left out on purpose: a staff
# identifier may look like one, and a record that cannot name the human is no audit record.
MASKED: Final = (
    "AwsSecretKey",
    "BankAccountNumber-GB",
    "CreditCardNumber",
    "DriversLicense-GB",
    "NationalInsuranceNumber-GB",
    "NhsNumber-GB",
    "OpenSshPrivateKey",
    "PassportNumber-GB",
    "PgpPrivateKey",
    "PhoneNumber-GB",
    "PkcsPrivateKey",
    "PuttyPrivateKey",
    "TaxId-GB",
)


class AuditLogGroup(Construct):
    """A log group that meets the retention duty: 731 days, customer-managed key, personal data masked.

    It outlives its stack and cannot be deleted in a hurry: deleting a log group destroys evidence.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        key: kms.IKey | None,
        data_protection: bool = True,
        indexed: Sequence[str] = (),
    ) -> None:
        """Makes the log group.

        Args:
            name: log group name; services that write by name dictate a prefix.
            key: the department's log key, whose policy admits CloudWatch Logs for this account's groups. None only
                where the service that writes refuses such groups; the caller acknowledges it.
            data_protection: False only where the group's class does not offer masking.
            indexed: fields of its events by which it is asked, at most 20.
        """
        super().__init__(scope, construct_id)
        self.log_group = logs.CfnLogGroup(
            self,
            "Resource",
            log_group_name=name,
            retention_in_days=RETENTION_DAYS,
            kms_key_id=key.key_arn if key else None,
            data_protection_policy=masking_policy() if data_protection else None,
            deletion_protection_enabled=True,
            field_index_policies=[{"Fields": list(indexed)}] if indexed else None,
        )
        self.log_group.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        serves(self.log_group, "Retention: two years, under the department's own key, deletion protected.")

    @property
    def name(self) -> str:
        """The log group's name, as a reference."""
        return self.log_group.ref

    @property
    def arn(self) -> str:
        """The log group's ARN, as a reference; it ends in `:*`, the form that IAM wants for its streams."""
        return self.log_group.attr_arn

    @property
    def arn_without_streams(self) -> str:
        """The log group's ARN without the closing `:*`, the form that log delivery and the WAF want."""
        stack = cdk.Stack.of(self)
        return f"arn:aws:logs:{REGION}:{stack.account}:log-group:{self.name}"


def masking_policy() -> dict[str, Any]:
    """Returns the data-protection policy of every log group of a department."""
    # CloudWatch Logs takes exactly these two statements, over the same identifiers.
    identifiers = [f"arn:aws:dataprotection::aws:data-identifier/{identifier}" for identifier in MASKED]
    return {
        "Name": "ringfence-masking",
        "Description": "Masks secrets and UK personal data for everyone without logs:Unmask.",
        "Version": "2021-06-01",
        "Statement": [
            {"Sid": "Find", "DataIdentifier": identifiers, "Operation": {"Audit": {"FindingsDestination": {}}}},
            {"Sid": "Mask", "DataIdentifier": identifiers, "Operation": {"Deidentify": {"MaskConfig": {}}}},
        ],
    }

"""What moto does not keep about a log group: its key once it exists, its masking, and its protection from deletion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.rehearsal.aws.protocol.wire import AwsError, Operation
from ringfence.rehearsal.aws.services.moto import Moto


@dataclass
class _Kept:
    key_arn: str | None = None
    masking_policy: str | None = None
    protected: bool = False


class LogGroups:
    """The operations on log groups that moto lacks, over moto's own groups."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._kept: dict[str, _Kept] = {}
        self.answers = {
            "AssociateKmsKey": self._associate_key,
            "PutDataProtectionPolicy": self._mask,
            "PutLogGroupDeletionProtection": self._protect,
        }

    def answer(self, operation: Operation) -> Mapping[str, Any]:
        """The answer to one operation, which is empty.

        Raises:
            AwsError: there is no such group.
        """
        self.answers[operation.name](operation.parameters)
        return {}

    def as_json(self, name: str) -> dict[str, Any] | None:
        """A group as a report tells it, or None when there is none."""
        found = self._describe(name)
        if found is None:
            return None
        kept = self._kept.get(name, _Kept())
        return {
            "name": name,
            "retention_days": found.get("retentionInDays"),
            "key": kept.key_arn or found.get("kmsKeyId"),
            "masked": kept.masking_policy is not None,
            "deletion_protected": kept.protected,
        }

    def _associate_key(self, asked: Mapping[str, Any]) -> None:
        self._of(asked["logGroupName"]).key_arn = str(asked["kmsKeyId"])

    def _mask(self, asked: Mapping[str, Any]) -> None:
        self._of(asked["logGroupIdentifier"]).masking_policy = str(asked["policyDocument"])

    def _protect(self, asked: Mapping[str, Any]) -> None:
        self._of(asked["logGroupIdentifier"]).protected = bool(asked["deletionProtectionEnabled"])

    def _of(self, name: str) -> _Kept:
        if self._describe(name) is None:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return self._kept.setdefault(name, _Kept())

    def _describe(self, name: str) -> Mapping[str, Any] | None:
        groups = self._moto.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return next((group for group in groups if group["logGroupName"] == name), None)

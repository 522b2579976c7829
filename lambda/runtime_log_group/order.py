"""What CloudFormation asks for, held to what this function may be asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# CloudFormation's own, and the digest with which a template says that the masking policy is another one now.
_WITHOUT_MEANING = frozenset({"ServiceToken", "ServiceTimeout", "MaskingPolicyDigest"})
_REST_OF_NAME = re.compile(r"[A-Za-z0-9_]+-[A-Za-z0-9]{10}-[A-Za-z0-9_]+")


class OrderRefused(Exception):
    """The properties name something else than this function keeps. The text says every fault, each with its remedy."""


@dataclass(frozen=True)
class Duty:
    """What every log group kept by this function must have.

    Attributes:
        prefix: what the groups' names begin with, to the end of the department's name, as
            `/aws/bedrock-agentcore/runtimes/ringfence_example_production__`.
        retention_days: 731.
        key_arn: the department's log key.
        masking_policy: data-protection policy, as JSON.
    """

    prefix: str
    retention_days: int
    key_arn: str
    masking_policy: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Duty:
        """Read the duty from the function's settings.

        Raises:
            KeyError: a setting is missing.
            ValueError: the number of days is none.
        """
        return cls(
            prefix=environment["LOG_GROUP_PREFIX"],
            retention_days=int(environment["RETENTION_DAYS"]),
            key_arn=environment["LOG_KEY_ARN"],
            masking_policy=environment["MASKING_POLICY"],
        )


def ordered_group(properties: Mapping[str, Any], duty: Duty) -> str:
    """Return the name of the log group to keep.

    CloudFormation hands numbers and truth values over as text.

    Raises:
        OrderRefused: a property names another group, key or retention, or is not known here.
    """
    name = str(properties.get("LogGroupName"))
    wanted = {
        "RetentionInDays": str(duty.retention_days),
        "KmsKeyId": duty.key_arn,
        "DeletionProtectionEnabled": "true",
    }
    faults = []
    if not (name.startswith(duty.prefix) and _REST_OF_NAME.fullmatch(name.removeprefix(duty.prefix))):
        faults.append(f"LogGroupName is {name[:200]!r}: name a runtime's group below {duty.prefix}.")
    for key, value in wanted.items():
        if str(properties.get(key)) != value:
            faults.append(f"{key} is {str(properties.get(key))[:200]!r}: set {value}.")
    for key in sorted(set(properties) - set(wanted) - {"LogGroupName"} - _WITHOUT_MEANING):
        faults.append(f"{str(key)[:100]!r} is not known here: remove it.")
    if faults:
        raise OrderRefused(" ".join(faults))
    return name

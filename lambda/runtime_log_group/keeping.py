"""Makes a log group what it must be, whoever made it first."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from runtime_log_group.order import Duty

# Two tries of connecting and reading, as `logs_client` sets them, and the pause between: a step takes no longer.
STEP_MS = 16_000
_AGAIN_SECONDS = 1.0
# AgentCore may be making the group at this moment: Logs answers then that two requests are in conflict, or does not yet
# show what it has said is there.
_PASSING = ("OperationAbortedException", "ResourceNotFoundException", "ServiceUnavailableException")


class KeepingFailed(Exception):
    """A step did not go through. The text names the step and AWS's code, and no more of what AWS said."""


def logs_client(region: str) -> Any:
    """Return a client that gives up in seconds: CloudFormation waits for the answer."""
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
    return get_session().create_client("logs", region_name=region, config=config)


def keep(name: str, duty: Duty, *, logs: Any, remaining_ms: Callable[[], int]) -> bool:
    """Make the group, or adopt the one that is there, and give it key, retention, masking and deletion protection.

    Every step sets a state and may be repeated. What the group took in before it had the key stays under AWS's own, and
    unmasked: CloudWatch Logs encrypts and masks on ingestion.

    Args:
        name: the log group.
        duty: what it must have.
        logs: CloudWatch Logs.
        remaining_ms: how long the steps may still take, in milliseconds.

    Returns:
        Whether the group was there already.

    Raises:
        KeepingFailed: a step was refused, or the time is up.
    """
    made = _step(
        "CreateLogGroup",
        lambda: logs.create_log_group(logGroupName=name, kmsKeyId=duty.key_arn),
        remaining_ms,
        settled="ResourceAlreadyExistsException",
    )
    steps: dict[str, Callable[[], Any]] = {
        "AssociateKmsKey": lambda: logs.associate_kms_key(logGroupName=name, kmsKeyId=duty.key_arn),
        "PutRetentionPolicy": lambda: logs.put_retention_policy(logGroupName=name, retentionInDays=duty.retention_days),
        "PutDataProtectionPolicy": lambda: logs.put_data_protection_policy(
            logGroupIdentifier=name, policyDocument=duty.masking_policy
        ),
        "PutLogGroupDeletionProtection": lambda: logs.put_log_group_deletion_protection(
            logGroupIdentifier=name, deletionProtectionEnabled=True
        ),
    }
    for called, step in steps.items():
        _step(called, step, remaining_ms)
    return not made


def _step(called: str, step: Callable[[], Any], remaining_ms: Callable[[], int], *, settled: str = "") -> bool:
    """Do one step, again while AWS's answer is one that passes. False: AWS says that it is done already."""
    code = "not tried"
    while remaining_ms() > STEP_MS:
        try:
            step()
            return True
        except Exception as fault:
            response = getattr(fault, "response", None) or {}
            code = str(response.get("Error", {}).get("Code") or type(fault).__name__)
        if code == settled:
            return False
        if code not in _PASSING:
            raise KeepingFailed(f"logs:{called} was answered with {code}")
        time.sleep(_AGAIN_SECONDS)
    raise KeepingFailed(f"no time was left for logs:{called} (last answer: {code})")

"""The answer that CloudFormation waits for, put to the address it gave, which is its own bucket's or none."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

# Three tries of five seconds and two pauses; what comes before must leave this much time.
ANSWER_MS = 18_000
_TRIES = 3
_SECONDS = 5
_LONGEST_REASON = 1000  # the whole answer may have 4,096 bytes
# CloudFormation's bucket for London (CloudFormation user guide, "VPC endpoints") under S3's name for the region, in
# both forms that S3 takes (S3 user guide, "Virtual hosting of general purpose buckets"; both read 28 November 2026).
# London's events have the first (a public one of July 2022). No other name would resolve in the department's network.
_BUCKET = "cloudformation-custom-resource-response-euwest2"
_S3 = "s3.eu-west-2.amazonaws.com"
_PATHS = {f"{_BUCKET}.{_S3}": "/", _S3: f"/{_BUCKET}/"}


class NotAnswered(Exception):
    """CloudFormation could not be answered: Lambda runs the event again, and the stack gives up after its own limit."""


@dataclass(frozen=True)
class Answer:
    """What became of a request.

    Attributes:
        status: `SUCCESS` or `FAILED`.
        physical_id: the log group's name; while it stays the same CloudFormation sees the same resource.
        reason: one plain sentence, shown among the stack's events.
    """

    status: str
    physical_id: str
    reason: str

    def body(self, event: Mapping[str, Any]) -> bytes:
        """Return the answer as CloudFormation reads it."""
        echoed = {key: event.get(key) for key in ("StackId", "RequestId", "LogicalResourceId")}
        named = {"Status": self.status, "PhysicalResourceId": self.physical_id, "Reason": self.reason[:_LONGEST_REASON]}
        return json.dumps({**named, **echoed}).encode()


def answer_address(event: Mapping[str, Any]) -> SplitResult:
    """Return the event's `ResponseURL`, a presigned address in CloudFormation's bucket.

    Raises:
        NotAnswered: it is no such address, so the event is not CloudFormation's.
    """
    try:
        address = urlsplit(str(event.get("ResponseURL", "")))
    except ValueError:
        address = SplitResult("", "", "", "", "")
    begins = _PATHS.get(address.netloc)  # with the port and the user, which a presigned address lacks
    if address.scheme != "https" or begins is None or not address.path.startswith(begins):
        raise NotAnswered(
            "the address to answer to is not in CloudFormation's bucket: the event is not CloudFormation's"
        )
    return address


def send(answer: Answer, event: Mapping[str, Any], address: SplitResult) -> None:
    """Put the answer to the address.

    Raises:
        NotAnswered: three tries failed.
    """
    failure = ""
    for attempt in range(_TRIES):
        time.sleep(min(attempt, 1))
        connection = http.client.HTTPSConnection(address.netloc, timeout=_SECONDS)
        try:
            # The signature of the address covers an empty content type.
            connection.request("PUT", f"{address.path}?{address.query}", answer.body(event), {"Content-Type": ""})
            status = connection.getresponse().status
            if status < http.client.MULTIPLE_CHOICES:
                return
            failure = f"status {status}"
        except (OSError, http.client.HTTPException) as fault:
            failure = type(fault).__name__
        finally:
            connection.close()
    raise NotAnswered(f"CloudFormation could not be answered ({failure}); see the S3 endpoint's policy")

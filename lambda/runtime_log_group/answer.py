"""The answer that CloudFormation waits for, put to the address it gave."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# Three tries of five seconds and two pauses; what comes before must leave this much time.
ANSWER_MS = 18_000
_TRIES = 3
_SECONDS = 5
_LONGEST_REASON = 1000  # the whole answer may have 4,096 bytes


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


def send(answer: Answer, event: Mapping[str, Any]) -> None:
    """Put the answer to the event's `ResponseURL`, a presigned address in CloudFormation's bucket.

    Raises:
        NotAnswered: three tries failed, or the event names no address.
    """
    address = urlsplit(str(event.get("ResponseURL", "")))
    kinds = {"https": http.client.HTTPSConnection, "http": http.client.HTTPConnection}
    if address.scheme not in kinds or not address.hostname:
        raise NotAnswered("the event names no address to answer to: it does not come from CloudFormation")
    failure = ""
    for attempt in range(_TRIES):
        time.sleep(min(attempt, 1))
        connection = kinds[address.scheme](address.hostname, address.port, timeout=_SECONDS)
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

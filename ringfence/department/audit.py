"""What a department's trail records beside every management event and every call of AgentCore."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from ringfence.reading.documents import Strict, fault
from ringfence.reading.problems import ABSENT, Problem, shown
from ringfence.reading.values import Reason

WRITES, ALL, NONE = "writes", "all", "none"
_WORDS: Final = (WRITES, ALL, NONE)
_MOST_BUCKETS: Final = 100
"""A trail takes 500 values in all (CloudTrail API reference, PutEventSelectors, read 29 November 2026)."""
_BUCKET: Final = re.compile(r"(?!xn--|sthree-)(?=.{3,63}\Z)[a-z0-9](?:[a-z0-9-]|\.(?!\.))*[a-z0-9]")


def _data_events(value: object) -> str | tuple[str, ...]:
    """Returns one of the three words, or the buckets' names.

    Raises:
        PydanticCustomError: it is neither, or a name is none that S3 gives.
    """
    if value in _WORDS:
        return str(value)
    if not isinstance(value, list | tuple) or not 0 < len(value) <= _MOST_BUCKETS:
        raise fault(
            f"This says neither {', '.join(_WORDS)} nor which buckets, at most {_MOST_BUCKETS}.",
            'Write "writes", "all", "none" with a `reason`, or a list of bucket names: ["fisheries-catch"].',
        )
    for name in value:
        if not isinstance(name, str) or not _BUCKET.fullmatch(name):
            raise fault(f"{shown(name)} is no name of a bucket.", "Write its name alone, without `s3://` or an ARN.")
    if len({*value}) < len(value):
        raise fault("A bucket is named twice.", "Keep one of them.")
    return tuple(value)


class Audit(Strict):
    """The choices about a department's trail.

    Attributes:
        s3_data_events: Which events of S3 objects it records: `writes`, `all`, `none`, or every event of the named
            buckets and none of others. The buckets that hold the record itself are always left out.
        reason: Why none are recorded.
    """

    s3_data_events: Annotated[str | tuple[str, ...], BeforeValidator(_data_events)] = WRITES
    reason: Reason | None = None


def problems(data: dict[str, Any]) -> Iterator[Problem]:
    """Yields what is wrong between the fields of `[audit]`."""
    audit = data.get("audit")
    if not isinstance(audit, dict):
        return
    none = audit.get("s3_data_events") == NONE
    if none and "reason" not in audit:
        message = "Without these events nobody can tell who wrote, read or deleted an object."
        yield Problem("audit.reason", ABSENT, message, "Say why the department does without them, in a sentence.")
    if not none and "reason" in audit:
        message = "A reason is for a trail that records no events of S3 objects, and this one does."
        yield Problem("audit.reason", shown(audit["reason"]), message, "Remove it.")

"""CloudTrail's event history: `LookupEvents` over the events this local AWS has recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ringfence.rehearsal.aws.protocol.wire import AwsError

Event = Mapping[str, Any]

_LARGEST_PAGE = 50
_ATTRIBUTES: dict[str, Callable[[Event], list[str]]] = {
    "EventId": lambda event: [str(event["eventID"])],
    "EventName": lambda event: [str(event["eventName"])],
    "ReadOnly": lambda event: [str(event["readOnly"]).lower()],
    "Username": lambda event: [_user_name(event)],
    "EventSource": lambda event: [str(event["eventSource"])],
    "AccessKeyId": lambda event: [str(event["userIdentity"]["accessKeyId"])],
    "ResourceType": lambda event: [resource["ResourceType"] for resource in _resources(event)],
    "ResourceName": lambda event: [resource["ResourceName"] for resource in _resources(event)],
}


def lookup_events(events: Sequence[Event], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer `LookupEvents`, newest first.

    Args:
        events: events of the region asked, in the order they happened.

    Raises:
        AwsError: a parameter is out of its range.
    """
    matches = _attribute_filter(parameters.get("LookupAttributes") or [])
    start, end = _moment(parameters.get("StartTime")), _moment(parameters.get("EndTime"))
    if start and end and start > end:
        raise AwsError("InvalidTimeRangeException", "The start time is after the end time.")
    if parameters.get("EventCategory"):
        # Only insight events have a category of their own here, and none are emulated.
        return {"Events": []}
    found = [event for event in reversed(events) if matches(event) and _within(event, start, end)]
    return _page(found, parameters)


def _page(found: Sequence[Event], parameters: Mapping[str, Any]) -> dict[str, Any]:
    size = int(parameters.get("MaxResults", _LARGEST_PAGE))
    if not 1 <= size <= _LARGEST_PAGE:
        raise AwsError("InvalidMaxResultsException", f"MaxResults must be 1 to {_LARGEST_PAGE}.")
    begin = 0
    if token := parameters.get("NextToken"):
        # The token is the id of the last event shown: newer events that arrive meanwhile do not shift the pages.
        ids = [event["eventID"] for event in found]
        if token not in ids:
            raise AwsError("InvalidNextTokenException", "The NextToken is invalid.")
        begin = ids.index(token) + 1
    page = found[begin : begin + size]
    answer: dict[str, Any] = {"Events": [_shown(event) for event in page]}
    if begin + size < len(found):
        answer["NextToken"] = page[-1]["eventID"]
    return answer


def _shown(event: Event) -> dict[str, Any]:
    return {
        "EventId": event["eventID"],
        "EventName": event["eventName"],
        "ReadOnly": str(event["readOnly"]).lower(),
        "AccessKeyId": event["userIdentity"]["accessKeyId"],
        "EventTime": _event_time(event).replace(tzinfo=None),
        "EventSource": event["eventSource"],
        "Username": _user_name(event),
        "Resources": _resources(event),
        "CloudTrailEvent": json.dumps(event),
    }


def _attribute_filter(attributes: Sequence[Mapping[str, str]]) -> Callable[[Event], bool]:
    if not attributes:
        return lambda _: True
    if len(attributes) > 1:
        raise AwsError("InvalidLookupAttributesException", "Only one lookup attribute may be given.")
    key, value = attributes[0].get("AttributeKey", ""), attributes[0].get("AttributeValue", "")
    if key not in _ATTRIBUTES:
        raise AwsError("InvalidLookupAttributesException", f"{key!r} is no lookup attribute.")
    return lambda event: value in _ATTRIBUTES[key](event)


def _user_name(event: Event) -> str:
    # For a role session CloudTrail shows the session name.
    return str(event["userIdentity"]["arn"]).rsplit("/", 1)[-1]


def _resources(event: Event) -> list[dict[str, str]]:
    found = []
    parameters = event.get("requestParameters") or {}
    for name, kind in (("roleArn", "AWS::IAM::Role"), ("userName", "AWS::IAM::User"), ("keyId", "AWS::KMS::Key")):
        if name in parameters:
            found.append({"ResourceType": kind, "ResourceName": str(parameters[name])})
    return found


def _event_time(event: Event) -> datetime:
    return datetime.fromisoformat(str(event["eventTime"]).replace("Z", "+00:00"))


def _moment(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _within(event: Event, start: datetime | None, end: datetime | None) -> bool:
    moment = _event_time(event)
    # Events carry whole seconds, so the start is compared at that precision.
    return (start is None or moment >= start.replace(microsecond=0)) and (end is None or moment <= end)

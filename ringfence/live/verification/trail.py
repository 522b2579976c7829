"""What CloudTrail wrote: whose call it was, what STS packed, and whether the trail arrives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ringfence.live.results import Result, right, unknown, wrong
from ringfence.live.verification.after import After
from ringfence.live.verification.deployment import missing

_GROUP = "AWS::Logs::LogGroup"
_TRAIL = "AWS::CloudTrail::Trail"


def trail(after: After) -> Iterator[Result]:
    """Looks for the AssumeRole event of every answered call, and for the gateway's own events of the token."""
    waiting = set(after.answered())
    if not waiting:
        yield unknown("CloudTrail", "No call was answered.", "Sign in, or give a token in RINGFENCE_TOKEN.")
        return
    after.tell(f"wait up to {after.patience.trail / 60:.0f} minutes for CloudTrail")
    events: dict[str, dict[str, Any]] = {}
    for _ in after.patience.looks(after.patience.trail):
        events |= {name: event for name, event in _assumed(after) if name in waiting}
        if waiting <= events.keys():
            break
    for call_id in sorted(waiting):
        event = events.get(call_id)
        if event is None:
            found = "Its AssumeRole event has not come yet."
            yield unknown(
                f"AssumeRole of {call_id}", found, "CloudTrail is late: run this again in a quarter of an hour."
            )
        else:
            yield _judged(after, call_id, event)
    yield _gateway_events(after)


def _judged(after: After, call_id: str, event: dict[str, Any]) -> Result:
    asked, answer = event.get("requestParameters") or {}, event.get("responseElements") or {}
    packed = answer.get("packedPolicySize")
    evidence = {
        "eventID": event.get("eventID"),
        "roleArn": asked.get("roleArn"),
        "roleSessionName": call_id,
        "sourceIdentity": asked.get("sourceIdentity"),
        "packedPolicySize": packed,
        "vpcEndpointId": event.get("vpcEndpointId"),
    }
    if asked.get("sourceIdentity") != after.staff_id:
        found = f"Its sourceIdentity is {asked.get('sourceIdentity')}, not {after.staff_id}."
        return wrong(
            f"AssumeRole of {call_id}", found, "Do not go live: the trail must name the person.", evidence=evidence
        )
    packed_told = f"{packed} % packed" if packed is not None else "no packed size told"
    return right(f"AssumeRole of {call_id}", f"It names {after.staff_id}; {packed_told}.", evidence=evidence)


def _assumed(after: After) -> Iterator[tuple[str, dict[str, Any]]]:
    """AssumeRole events since the visit, by session name."""
    events = after.account.pages(
        "cloudtrail:LookupEvents",
        "Events",
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}],
        StartTime=datetime.fromtimestamp(after.started - 60, UTC),
    )
    for listed in events:
        event = json.loads(listed["CloudTrailEvent"])
        yield str((event.get("requestParameters") or {}).get("roleSessionName")), event


def _gateway_events(after: After) -> Result:
    """The trail's log group holds the data events of the gateway, with the claims of the token."""
    subject, token_id = "AgentCore data events", str(after.claims.get("jti", ""))
    groups = [name for _, name in after.needs.fixed(_GROUP, "LogGroupName") if name.endswith("/cloudtrail")]
    if not groups or not token_id:
        return unknown(
            subject, "The trail's log group or the token's id is not known.", "Look into the trail yourself."
        )
    events: list[dict[str, Any]] = []
    for _ in after.patience.looks(after.patience.trail):
        found = after.account.pages(
            "logs:FilterLogEvents",
            "events",
            logGroupName=groups[0],
            startTime=int((after.started - 60) * 1000),
            filterPattern=f'"{token_id}"',
        )
        events = [json.loads(event["message"]) for event in found]
        if events:
            break
    if not events:
        return unknown(subject, "None names this token yet.", "Run this again in a quarter of an hour.")
    names = sorted({str(event.get("eventName")) for event in events})
    return right(subject, f"{len(events)} events name this token: {', '.join(names)}.", evidence=names)


def trail_delivery(after: After) -> Iterator[Result]:
    """Looks at what the trail says about its own deliveries."""
    yield from missing(after, _TRAIL, "trails")
    for resource in after.deployed.owned(_TRAIL):
        status = after.account.ask("cloudtrail:GetTrailStatus", Name=resource.physical_id) or {}
        errors = {name: status[name] for name in status if name.endswith("Error") and status[name]}
        if not status.get("IsLogging"):
            yield wrong("trail", "It does not log.", "aws cloudtrail start-logging, and find out who stopped it.")
        elif errors:
            told = "; ".join(f"{name}: {value}" for name, value in sorted(errors.items()))
            yield wrong("trail", f"{told}.", "Compare the policies of its bucket, its key and its role.")
        elif "LatestDeliveryTime" not in status:
            yield unknown("trail", "It has delivered nothing yet.", "Run this again in a quarter of an hour.")
        else:
            yield right("trail", f"It logs, and delivered last at {status['LatestDeliveryTime']}.")


def log_group_makers(after: After) -> Iterator[Result]:
    """Says which principal made each log group of a runtime."""
    events = after.account.pages(
        "cloudtrail:LookupEvents",
        "Events",
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateLogGroup"}],
    )
    makers: dict[str, str] = {}
    for listed in events:
        event = json.loads(listed["CloudTrailEvent"])
        name = str((event.get("requestParameters") or {}).get("logGroupName", ""))
        if "bedrock-agentcore" in name and not event.get("errorCode"):
            identity = event.get("userIdentity") or {}
            makers[name] = str(identity.get("arn") or identity.get("invokedBy") or identity.get("type"))
    if makers:
        told = "; ".join(f"{name} by {maker}" for name, maker in sorted(makers.items()))
        yield right("makers of AgentCore's log groups", f"{told}.", evidence=makers)
    else:
        found = "The last 90 days of CloudTrail's history tell of none."
        yield unknown("makers of AgentCore's log groups", found, "Run this within 90 days of the first deployment.")

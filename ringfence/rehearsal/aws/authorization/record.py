"""The record of AWS calls: what was asked, by whom, what was decided, and the event CloudTrail would write."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ringfence.iam.evaluator import Decision
from ringfence.rehearsal.aws.authorization.sessions import Session
from ringfence.rehearsal.aws.protocol.wire import AwsError, Operation

_READ_VERBS = ("Get", "List", "Describe", "Lookup", "Head", "Search", "Query", "Filter", "Test", "Simulate", "Verify")
_READ_ACTIONS = {"sts:AssumeRole", "kms:Sign", "kms:Decrypt", "logs:StartQuery", "logs:StopQuery"}
# Calls that CloudTrail's event history never shows: data events, and log writing, which is not recorded.
_NO_EVENT = {"logs:PutLogEvents", "s3:GetObject", "s3:PutObject", "s3:HeadObject", "lambda:Invoke"}
# Values CloudTrail leaves out of requestParameters.
_WITHHELD = {"Message", "Plaintext", "CiphertextBlob", "Policy", "SecretString", "SecretBinary", "queryString"}


@dataclass(frozen=True)
class AwsCall:
    """One request to the local AWS.

    Attributes:
        time: when it was decided (UTC).
        call: `service:Action`.
        region: region the call went to.
        decision: `allowed` or `refused`.
        policy_type: what refused it (`network`, or a policy type of `ringfence.iam.evaluator`), or None.
        sid: the statement that decided, or None.
        role: ARN of the caller's role.
        session_name: the caller's session name; for a persona role, the call id.
        source_identity: the human, or None.
        session_policy_actions: actions of the caller's session policy, or None without one.
        tags: the caller's session tags.
        event: the event CloudTrail would write.
    """

    time: datetime
    call: str
    region: str
    decision: str
    policy_type: str | None
    sid: str | None
    reason: str
    resources: tuple[str, ...]
    role: str
    session_name: str
    source_identity: str | None
    session_policy_actions: tuple[str, ...] | None
    user_agent: str
    access_key_id: str
    tags: Mapping[str, str]
    error_code: str | None
    request_id: str
    event: Mapping[str, Any] = field(repr=False)

    @property
    def in_event_history(self) -> bool:
        """Whether CloudTrail's event history shows such a call."""
        return self.call not in _NO_EVENT


def aws_call(
    operation: Operation,
    session: Session,
    *,
    time: datetime,
    decision: Decision,
    resources: Sequence[str],
    user_agent: str,
    endpoint_id: str | None,
    error: AwsError | None,
    response_elements: Mapping[str, Any] | None,
) -> AwsCall:
    """Build the record entry of one decided call."""
    call = f"{operation.prefix}:{operation.name}"
    actions = session.policy_actions()
    event = _event(operation, session, time, user_agent, endpoint_id, error, response_elements)
    return AwsCall(
        time=time,
        call=call,
        region=operation.region,
        decision="allowed" if decision.allowed else "refused",
        policy_type=decision.policy_type,
        sid=decision.sid,
        reason=decision.reason,
        resources=tuple(resources),
        role=session.role.arn,
        session_name=session.name,
        source_identity=session.source_identity,
        session_policy_actions=None if actions is None else tuple(actions),
        user_agent=user_agent,
        access_key_id=session.access_key_id,
        tags=dict(session.tags),
        error_code=error.code if error else None,
        request_id=operation.request_id,
        event=event,
    )


def _event(
    operation: Operation,
    session: Session,
    time: datetime,
    user_agent: str,
    endpoint_id: str | None,
    error: AwsError | None,
    response_elements: Mapping[str, Any] | None,
) -> dict[str, Any]:
    account = session.role.arn.split(":")[4]
    call = f"{operation.prefix}:{operation.name}"
    event: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _user_identity(session, account),
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": operation.event_source,
        "eventName": operation.name,
        "awsRegion": operation.region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": user_agent,
    }
    if error is not None:
        event |= {"errorCode": error.code, "errorMessage": error.message}
    event |= {
        "requestParameters": _request_parameters(operation),
        "responseElements": dict(response_elements) if response_elements else None,
        "requestID": operation.request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": operation.name.startswith(_READ_VERBS) or call in _READ_ACTIONS,
        "eventType": "AwsApiCall",
        "managementEvent": call not in _NO_EVENT,
        "recipientAccountId": account,
        "eventCategory": "Management" if call not in _NO_EVENT else "Data",
    }
    if endpoint_id is not None:
        event |= {"vpcEndpointId": endpoint_id, "vpcEndpointAccountId": account}
    return event


def _user_identity(session: Session, account: str) -> dict[str, Any]:
    context: dict[str, Any] = {
        "sessionIssuer": {
            "type": "Role",
            "principalId": session.role.role_id,
            "arn": session.role.arn,
            "accountId": account,
            "userName": session.role.name,
        },
        "attributes": {
            "creationDate": session.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "mfaAuthenticated": "false",
        },
    }
    if session.source_identity is not None:
        context["sourceIdentity"] = session.source_identity
    return {
        "type": "AssumedRole",
        "principalId": session.user_id,
        "arn": session.arn,
        "accountId": account,
        "accessKeyId": session.access_key_id,
        "sessionContext": context,
    }


def _request_parameters(operation: Operation) -> dict[str, Any] | None:
    shown: dict[str, Any] = {}
    for name, value in operation.parameters.items():
        if isinstance(value, bytes) or name in _WITHHELD:
            continue
        key = name[:1].lower() + name[1:]
        if operation.name == "AssumeRole" and name == "Tags":
            # CloudTrail writes session tags as one object under this name.
            shown["principalTags"] = {tag["Key"]: tag["Value"] for tag in value}
        else:
            shown[key] = _plain(value)
    return shown or None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)

"""`sts:AssumeRole` once it is allowed: checks what STS checks and opens the session."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ringfence.deployed.roles import Role
from ringfence.iam.evaluator import Policy, UndecidablePolicy
from ringfence.rehearsal.aws.authorization.sessions import Session, Sessions
from ringfence.rehearsal.aws.protocol.wire import AwsError

# Limits of the STS API reference (AssumeRole).
_NAME = re.compile(r"[\w+=,.@-]{2,64}")
_LONGEST_POLICY = 2048
_MOST_TAGS = 50
_LONGEST_TAG = (128, 256)


def requested_tags(parameters: Mapping[str, Any], session: Session) -> dict[str, str]:
    """Tags of the new session: those inherited and those asked for."""
    inherited = {key: value for key, value in session.tags.items() if key in session.transitive}
    return {**inherited, **{str(tag["Key"]): str(tag["Value"]) for tag in parameters.get("Tags") or []}}


def requested_source_identity(parameters: Mapping[str, Any], session: Session) -> str | None:
    """Source identity of the new session: the caller's own, unless the request names one."""
    given = parameters.get("SourceIdentity")
    return session.source_identity if given is None else str(given)


def open_session(sessions: Sessions, caller: Session, role: Role, parameters: Mapping[str, Any]) -> Session:
    """Open the session an AssumeRole asks for.

    Raises:
        AwsError: a parameter is outside what STS accepts.
    """
    source = requested_source_identity(parameters, caller)
    if caller.source_identity is not None and source != caller.source_identity:
        raise AwsError("AccessDenied", "A source identity cannot be changed once it is set.", 403)
    seconds = int(parameters.get("DurationSeconds", 3600))
    if not 900 <= seconds <= 3600:
        # Every caller here is itself a role session, and STS caps role chaining at one hour.
        raise _invalid("DurationSeconds must be 900 to 3600 for roles assumed by role chaining")
    name = str(parameters["RoleSessionName"])
    for field, value in (("RoleSessionName", name), ("SourceIdentity", source)):
        if value is not None and not _NAME.fullmatch(value):
            raise _invalid(f"{field} must be 2 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -")
    _check_tags(parameters, caller)
    tags = requested_tags(parameters, caller)
    inherited = [key for key in caller.transitive if key in tags]
    return sessions.open(
        role,
        name,
        seconds=seconds,
        inside_vpc=caller.inside_vpc,
        source_identity=source,
        tags=tags,
        transitive=tuple(dict.fromkeys([*inherited, *(parameters.get("TransitiveTagKeys") or [])])),
        policy=_session_policy(parameters),
        chained=True,
    )


def assume_result(opened: Session) -> dict[str, Any]:
    """The answer to AssumeRole."""
    result: dict[str, Any] = {
        "Credentials": {**opened.credentials(), "Expiration": opened.expires_at.replace(tzinfo=None)},
        "AssumedRoleUser": {"AssumedRoleId": opened.user_id, "Arn": opened.arn},
    }
    return result if opened.source_identity is None else {**result, "SourceIdentity": opened.source_identity}


def response_elements(opened: Session) -> dict[str, Any]:
    """What CloudTrail writes about the issued credentials."""
    elements: dict[str, Any] = {
        "credentials": {
            "accessKeyId": opened.access_key_id,
            "expiration": opened.expires_at.strftime("%b %-d, %Y, %-I:%M:%S %p"),
        },
        "assumedRoleUser": {"assumedRoleId": opened.user_id, "arn": opened.arn},
    }
    return elements if opened.source_identity is None else {**elements, "sourceIdentity": opened.source_identity}


def _check_tags(parameters: Mapping[str, Any], caller: Session) -> None:
    tags = parameters.get("Tags") or []
    keys = [str(tag["Key"]).lower() for tag in tags]
    if len(tags) > _MOST_TAGS or len(set(keys)) != len(keys):
        raise _invalid(f"at most {_MOST_TAGS} session tags, each key once")
    for tag in tags:
        if not 1 <= len(str(tag["Key"])) <= _LONGEST_TAG[0] or len(str(tag["Value"])) > _LONGEST_TAG[1]:
            raise _invalid("a session tag is longer than 128 (key) or 256 (value) characters")
        if str(tag["Key"]) in caller.transitive and caller.tags.get(str(tag["Key"])) != str(tag["Value"]):
            raise _invalid(f"the transitive tag {tag['Key']} cannot be changed")


def _session_policy(parameters: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if parameters.get("PolicyArns"):
        raise _invalid("the local AWS knows no managed session policies (PolicyArns)")
    text = parameters.get("Policy")
    if text is None:
        return None
    if len(text) > _LONGEST_POLICY:
        raise _invalid(f"the session policy has {len(text)} characters; STS accepts {_LONGEST_POLICY}")
    try:
        document: Mapping[str, Any] = json.loads(text)
        Policy.parse(document)
    except (ValueError, AttributeError, TypeError, UndecidablePolicy) as fault:
        raise AwsError("MalformedPolicyDocument", f"The session policy cannot be read: {fault}") from None
    return document


def _invalid(text: str) -> AwsError:
    return AwsError("ValidationError", text[:1].upper() + text[1:] + ".")

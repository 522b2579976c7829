"""Who is calling: the claims of the access token, checked once more.

The gateway has verified the token's signature, issuer, client and scope before this function runs. Checking the claims
again costs microseconds and means that a mistake in the gateway's authorizer lets nobody in.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from callpath.call_record import plain
from callpath.refusal import Refusal
from callpath.request.checks import Caller
from callpath.request.message import GatewayRequest

# What STS takes as SourceIdentity, so that CloudTrail can name the person.
_STAFF_ID = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


_LONGEST_LIFE = 86_400  # seconds; Cognito lets an access token live at most a day (developer guide, read November 2026)
_CLOCK_SKEW = 60
_END_OF_TIME = 2**53  # what JSON carries exactly; NaN is not below it


@dataclass(frozen=True, kw_only=True)
class TrustedIssuer:
    """Whose access tokens count: the user pool's issuer URL and the department's MCP host clients."""

    issuer: str
    client_ids: frozenset[str]


def read_caller(request: GatewayRequest, *, trusted: TrustedIssuer, persona: str, now: float) -> Caller:
    """Return who is calling.

    Raises:
        Refusal: a claim is missing or wrong; the message says which and what to do.
    """
    claims = _claims(request)
    if claims.get("iss") != trusted.issuer:
        raise _refused("wrong-issuer", "The access token comes from another issuer: sign in again")
    if claims.get("token_use") != "access":
        raise _refused("wrong-token-use", "An access token is needed; an ID token is not one")
    client_id = claims.get("client_id")
    if not isinstance(client_id, str) or client_id not in trusted.client_ids:
        raise _refused("wrong-client", "The access token belongs to a client that is not one of the department's hosts")
    _check_times(claims, now=now)
    scope = claims.get("scope")
    if not isinstance(scope, str) or f"ringfence/{persona}" not in scope.split():
        raise _refused("wrong-scope", f"The access token lacks the scope ringfence/{persona}: sign in for this persona")
    groups = claims.get("cognito:groups")
    if not isinstance(groups, list) or persona not in groups:
        raise _refused("wrong-persona", f"You do not hold the persona {persona}: ask your department's administrators")
    staff_id, token_id = claims.get("staff_id"), plain(claims.get("jti"))
    if not isinstance(staff_id, str) or not _STAFF_ID.fullmatch(staff_id):
        raise _refused("staff-id", "The access token carries no usable staff id: ask your identity team to map it")
    if token_id is None:
        raise _refused("token-malformed", "The access token carries no id (jti): sign in again")
    sessions = request.header_values("Mcp-Session-Id")
    return Caller(
        staff_id=staff_id,
        client_id=client_id,
        token_id=token_id,
        session=plain(sessions[0]) if len(sessions) == 1 else None,
    )


def _check_times(claims: dict[str, Any], *, now: float) -> None:
    """Refuse a token that has expired, is not yet valid, or would live longer than Cognito lets one live."""
    times = {name: claims[name] for name in ("exp", "nbf", "iat", "auth_time") if name in claims}
    if not all(type(time) in (int, float) and abs(time) < _END_OF_TIME for time in times.values()):
        raise _refused("token-malformed", "The access token's times cannot be read: sign in again")
    expires_at = times.pop("exp", 0)
    if expires_at <= now:
        raise _refused("token-expired", "The access token has expired: sign in again")
    if any(time > now + _CLOCK_SKEW for time in times.values()):
        raise _refused("token-not-yet-valid", "The access token is not valid yet: sign in again")
    if expires_at > times.get("iat", now) + _LONGEST_LIFE + _CLOCK_SKEW:
        raise _refused("token-too-long", "The access token lives longer than a day: sign in again")


def _claims(request: GatewayRequest) -> dict[str, Any]:
    values = request.header_values("Authorization")
    if len(values) != 1:
        raise _refused("token-missing", "The request must carry one access token: sign in")
    scheme, _, token = values[0].partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        raise _refused("token-missing", "The request must carry a bearer access token: sign in")
    try:
        claims = json.loads(base64.b64decode(parts[1] + "=" * (-len(parts[1]) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise _refused("token-malformed", "The access token cannot be read: sign in again")
    return claims


def _refused(rule: str, message: str) -> Refusal:
    return Refusal("request", rule, message)

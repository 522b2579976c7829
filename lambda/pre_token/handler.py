"""The pre token generation trigger: every access token of the user pool is made here.

Raising refuses the sign-in, and that is what every fault does: no token is better than one that says too much.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from pre_token.mapping import PersonaMapping, SignInRefused, token_claims

LOGGER = Logger(service="pre-token", level="INFO")  # no variable of Powertools silences who signed in


@cache
def mapping() -> PersonaMapping:
    """The department's mapping, from the function's environment."""
    return PersonaMapping.from_environment(
        groups=os.environ["GROUPS"],
        scope_prefix=os.environ["SCOPE_PREFIX"],
        group_names=os.environ.get("GROUP_NAMES", ""),
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return Cognito's event with the claims and scopes of this person's tokens.

    Raises:
        SignInRefused: with a sentence for the person.
    """
    known = {"user": _text(event, "userName"), "trigger": _text(event, "triggerSource")}
    try:
        claims = token_claims(event, mapping=mapping())
    except SignInRefused as refusal:
        LOGGER.warning("sign-in refused", extra={**known, "reason": str(refusal)})
        raise
    except Exception as exception:
        LOGGER.error("sign-in refused", extra={**known, "error": type(exception).__name__})
        raise SignInRefused("Ringfence could not make your access token. Tell your platform team.") from None
    personas = claims["groupOverrideDetails"]["groupsToOverride"]
    LOGGER.info("token issued", extra={**known, "personas": personas})
    event["response"] = {"claimsAndScopeOverrideDetails": claims}
    return event


def _text(event: Any, name: str) -> str | None:
    found = event.get(name) if isinstance(event, dict) else None
    return found if isinstance(found, str) else None

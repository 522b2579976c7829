"""The gateway's CUSTOM_JWT authorizer: real verification of real tokens against the pool's published keys."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ringfence.deployed.gateways import ClaimRule, JwtAuthorizer
from ringfence.rehearsal.problems import CannotStart

_LONGEST_TOKEN = 16_384


class NotAuthorized(Exception):
    """The token is refused.

    Attributes:
        status: 401 for a token that proves nothing, 403 for one that does not reach this gateway.
        rule: what was wrong, in kebab-case.
    """

    def __init__(self, status: HTTPStatus, rule: str, message: str) -> None:
        self.status = status
        self.rule = rule
        super().__init__(message)


class Authorizer:
    """Decides whether a bearer token opens a gateway."""

    def __init__(
        self,
        spec: JwtAuthorizer,
        *,
        fetch: Callable[[str], Mapping[str, Any]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Fetch the issuer's discovery document and keys, once.

        Args:
            fetch: gives the JSON document at an address of the issuer.
            clock: seconds since 1970.

        Raises:
            CannotStart: the discovery document is not the issuer's.
        """
        self._spec = spec
        self._clock = clock
        suffix = "/.well-known/openid-configuration"
        document = fetch(spec.discovery_url)
        self._issuer = str(document.get("issuer"))
        if spec.discovery_url != self._issuer + suffix:
            raise CannotStart(
                f"the discovery address {spec.discovery_url} belongs to another issuer than {self._issuer}",
                "Correct DiscoveryUrl of the gateway's authorizer.",
            )
        self._keys = KeySet.import_key_set(dict(fetch(str(document["jwks_uri"]))))  # type: ignore[arg-type]

    @property
    def issuer(self) -> str:
        """The issuer whose tokens are accepted."""
        return self._issuer

    @property
    def scopes(self) -> list[str]:
        """The scopes of which a token must carry one."""
        return sorted(self._spec.scopes)

    def claims_of(self, authorization: str | None) -> dict[str, Any]:
        """The verified claims of an `Authorization` header.

        Raises:
            NotAuthorized: no token, a token that does not verify, or one that lacks what this gateway asks for.
        """
        claims = self._verified(authorization)
        if self._spec.clients and str(claims.get("client_id", "")) not in self._spec.clients:
            raise NotAuthorized(HTTPStatus.UNAUTHORIZED, "token-client", "the token was issued to another client")
        if self._spec.audiences and not self._spec.audiences & _texts(claims.get("aud")):
            raise NotAuthorized(HTTPStatus.UNAUTHORIZED, "token-audience", "the token is for another audience")
        if self._spec.scopes and not self._spec.scopes & set(str(claims.get("scope", "")).split()):
            lacks = "the token lacks this gateway's scope; sign in for this persona, as a member of one of its groups"
            raise NotAuthorized(HTTPStatus.FORBIDDEN, "insufficient-scope", lacks)
        for rule in self._spec.claims:
            if not _matches(rule, claims.get(rule.name)):
                raise NotAuthorized(HTTPStatus.FORBIDDEN, "claim-missing", f"the claim {rule.name} does not match")
        return claims

    def _verified(self, authorization: str | None) -> dict[str, Any]:
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotAuthorized(HTTPStatus.UNAUTHORIZED, "token-missing", "a bearer token is needed; sign in first")
        if len(token) > _LONGEST_TOKEN:
            raise NotAuthorized(HTTPStatus.UNAUTHORIZED, "token-malformed", "the bearer token is too long")
        try:
            claims = dict(jwt.decode(token.strip(), self._keys, algorithms=["RS256"]).claims)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            raise NotAuthorized(
                HTTPStatus.UNAUTHORIZED, "token-signature", "the token is not signed by the issuer"
            ) from None
        if claims.get("iss") != self._issuer:
            raise NotAuthorized(HTTPStatus.UNAUTHORIZED, "token-issuer", "the token comes from another issuer")
        expires, now = claims.get("exp"), self._clock()
        if not isinstance(expires, int | float) or expires <= now:
            raise NotAuthorized(HTTPStatus.UNAUTHORIZED, "token-expired", _expired(expires, now))
        if "sub" not in claims:
            raise NotAuthorized(HTTPStatus.UNAUTHORIZED, "token-malformed", "the token names nobody")
        return claims


def _expired(expires: object, now: float) -> str:
    if not isinstance(expires, int | float):
        return "the token does not say when it expires; sign in again"
    minutes = round((now - expires) / 60)
    return f"the token expired {minutes} minutes ago; sign in again, and if that does not help, set the clock right"


def unverified_claims(authorization: str | None) -> dict[str, Any]:
    """What a bearer token says of itself, believed as it stands: for showing what holds without the authorizer."""
    parts = (authorization or "").partition(" ")[2].strip().split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError):
        claims = None
    return {"sub": "nobody", **(claims if isinstance(claims, dict) else {})}


def _matches(rule: ClaimRule, value: object) -> bool:
    if rule.operator == "EQUALS":
        return isinstance(value, str) and value in rule.values
    if rule.kind == "STRING_ARRAY" and not isinstance(value, list):
        return False
    return bool(_texts(value) & set(rule.values))


def _texts(value: object) -> set[str]:
    if isinstance(value, str):
        return {value}
    return {item for item in value if isinstance(item, str)} if isinstance(value, list) else set()

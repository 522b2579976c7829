"""Tokens of the synthesised user pool, for people who do not exist: signed here, shaped by the real pre-token function.

Passwords, MFA and the department's own identity provider are not emulated: a user simply arrives with the attributes
that the provider would have sent through the template's attribute mapping. How hosts come by tokens is in `sign_in/`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from ringfence.deployed.user_pool import AppClient, DeployedUserPool
from ringfence.rehearsal.compute.functions import Function
from ringfence.rehearsal.problems import CannotStart

# Cognito keeps these for itself whatever the pre-token function answers.
_RESERVED_CLAIMS = frozenset(
    "acr amr at_hash auth_time azp client_id exp iat iss jti nbf nonce origin_jti scope sub token_use username version"
    .split()
)  # fmt: skip


@dataclass(frozen=True)
class User:
    """An invented person.

    Attributes:
        staff_id: what the department's provider calls the person.
        groups: the person's groups at the department's provider (or in Cognito, where there is no provider).
    """

    staff_id: str
    groups: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The pool's own id of the person."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"rehearsal:{self.staff_id}"))


class UserPool:
    """The template's user pool, as far as tokens go.

    Attributes:
        issuer: whom the access tokens name.
        resource_servers: the identifiers of the resource servers; a gateway's is its address.
        clock: seconds since 1970; a test may set it wrong.
    """

    def __init__(
        self, pool: DeployedUserPool, *, functions: Mapping[str, Function], clock: Callable[[], float] = time.time
    ) -> None:
        """Nothing is asked of the pool yet.

        Args:
            functions: functions by ARN; the pre-token function is one of them.
            clock: seconds since 1970.

        Raises:
            CannotStart: the pool has no app client, or a pre-token function that is not there.
        """
        self.pool_id, self.clients, self.resource_servers = pool.id, pool.clients, pool.resource_servers
        self.region = self.pool_id.partition("_")[0]
        self.issuer = f"https://cognito-idp.{self.region}.amazonaws.com/{self.pool_id}"
        self.clock = clock
        self._provider = pool.provider
        if pool.pre_token_arn not in functions:
            told = f"the user pool asks the function {pool.pre_token_arn}, which the assembly does not hold"
            raise CannotStart(told, "Own ones only.")
        self._pre_token = functions[pool.pre_token_arn]
        if not self.clients:
            raise CannotStart("the user pool has no app client", "Name at least one MCP host in the department file.")
        self._key = _new_key()
        self._foreign_key = RSAKey.generate_key(2048, {"kid": str(self._key.kid), "use": "sig", "alg": "RS256"})

    @property
    def federated(self) -> bool:
        """Whether people come from the department's own identity provider."""
        return self._provider is not None

    def sign_in(
        self,
        user: User,
        client: AppClient,
        *,
        scopes: Sequence[str] | None = None,
        audience: str | None = None,
        trigger: str = "TokenGeneration_HostedAuth",
        age: int = 0,
        foreign: bool = False,
        without_trigger: bool = False,
    ) -> str:
        """An access token, as the token endpoint would give it after a sign-in.

        Args:
            client: with which MCP host.
            scopes: what the host asks for; None for all that it may.
            audience: the resource that the token is bound to, if any.
            trigger: what Cognito tells the pre-token function of the occasion.
            age: how many seconds ago the sign-in was.
            foreign: sign with a key that is not the pool's.
            without_trigger: as if somebody had taken the pre-token function off the pool.

        Raises:
            FunctionError: the pre-token function failed; Cognito would refuse the sign-in.
        """
        now = int(self.clock()) - age
        asked = client.scopes if scopes is None else tuple(scopes)
        answer = {} if without_trigger else self._pre_token.invoke(self._trigger(user, client, asked, trigger))
        details = (answer.get("response") or {}).get("claimsAndScopeOverrideDetails") or {}
        access = details.get("accessTokenGeneration") or {}
        granted = [scope for scope in asked if scope not in set(access.get("scopesToSuppress") or ())]
        granted += [scope for scope in access.get("scopesToAdd") or () if scope not in granted]
        claims = {
            name: value
            for name, value in (access.get("claimsToAddOrOverride") or {}).items()
            if name not in _RESERVED_CLAIMS
        }
        claims |= {
            "sub": user.subject,
            "iss": self.issuer,
            "version": 2,
            "client_id": client.client_id,
            "origin_jti": str(uuid.uuid4()),
            "token_use": "access",
            "scope": " ".join(granted),
            "auth_time": now,
            "iat": now,
            "exp": now + client.lifetime,
            "jti": str(uuid.uuid4()),
            "username": self._user_name(user),
        }
        if audience is not None:
            claims["aud"] = audience
        groups = self._groups_in_token(user, details)
        if groups and "cognito:groups" not in claims:
            claims["cognito:groups"] = groups
        for name in access.get("claimsToSuppress") or ():
            if name not in _RESERVED_CLAIMS:
                claims.pop(name, None)
        key = self._foreign_key if foreign else self._key
        return jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, key)

    def _groups_in_token(self, user: User, details: Mapping[str, Any]) -> list[str]:
        groups = (details.get("groupOverrideDetails") or {}).get("groupsToOverride")
        return list(self._groups(user)) if groups is None else list(groups)

    def signed(self, claims: Mapping[str, Any]) -> str:
        """A token with any claims, signed with the pool's key: for attacks that the signature alone must not stop."""
        return jwt.encode({"alg": "RS256", "kid": self._key.kid}, dict(claims), self._key)

    @property
    def keys(self) -> dict[str, Any]:
        """The public keys, as a JSON Web Key Set."""
        return dict(KeySet([self._key]).as_dict(private=False))

    def _trigger(self, user: User, client: AppClient, scopes: Sequence[str], occasion: str) -> dict[str, Any]:
        return {
            "version": "2",
            "triggerSource": occasion,
            "region": self.region,
            "userPoolId": self.pool_id,
            "userName": self._user_name(user),
            "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client.client_id},
            "request": {
                "userAttributes": self._attributes(user),
                "groupConfiguration": {
                    "groupsToOverride": list(self._groups(user)),
                    "iamRolesToOverride": [],
                    "preferredRole": None,
                },
                "scopes": list(scopes),
            },
            "response": {"claimsAndScopeOverrideDetails": None},
        }

    def _user_name(self, user: User) -> str:
        return user.staff_id if self._provider is None else f"{self._provider.name}_{user.staff_id}"

    def _groups(self, user: User) -> tuple[str, ...]:
        # Cognito puts every federated user into a group named after the pool and the provider.
        return user.groups if self._provider is None else (f"{self.pool_id}_{self._provider.name}",)

    def _attributes(self, user: User) -> dict[str, str]:
        attributes = {"sub": user.subject, "cognito:user_status": "CONFIRMED"}
        if self._provider is None:
            return attributes | {"custom:staff_id": user.staff_id}
        attributes["cognito:user_status"] = "EXTERNAL_PROVIDER"
        for name in self._provider.attributes:
            if name.endswith("groups"):
                # Cognito flattens a list claim of the provider to this text.
                attributes[name] = f"[{', '.join(user.groups)}]"
            elif name == "email":
                attributes[name] = f"{user.staff_id}@example.gov.uk"
            else:
                attributes[name] = user.staff_id
        return attributes


def _new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": uuid.uuid4().hex, "use": "sig", "alg": "RS256"})

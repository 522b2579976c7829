"""The user pool of an assembly: the function that shapes its tokens, the hosts, and the provider that it believes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ringfence.deployed.assembly import Assembly, UnresolvedTemplate
from ringfence.deployed.properties import Properties

_KIND: Final = "AWS::Cognito::UserPool"
_UNIT_SECONDS: Final = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


@dataclass(frozen=True)
class AppClient:
    """An app client of the pool: one MCP host.

    Attributes:
        scopes: scopes the client may ask for.
        lifetime: seconds an access token lives.
        callbacks: addresses to which a code may be sent.
        sign_out_addresses: addresses to which a browser may be sent after sign-out.
        refresh_lifetime: seconds a refresh token lives.
        grace: seconds for which a refresh token that has been exchanged still works; None where none is exchanged.
    """

    client_id: str
    name: str
    scopes: tuple[str, ...]
    lifetime: int
    callbacks: tuple[str, ...] = ()
    sign_out_addresses: tuple[str, ...] = ()
    refresh_lifetime: int = 30 * 86400
    grace: int | None = None


@dataclass(frozen=True)
class Provider:
    """The department's own identity provider, and the attributes that the pool takes from it."""

    name: str
    attributes: tuple[str, ...]


@dataclass(frozen=True)
class DeployedUserPool:
    """The pool.

    Attributes:
        resource_servers: their identifiers; a gateway's is its address.
        provider: whom the pool believes, or None where it knows its people itself.
    """

    id: str
    pre_token_arn: str
    resource_servers: frozenset[str]
    clients: tuple[AppClient, ...]
    provider: Provider | None


def user_pool(assembly: Assembly) -> DeployedUserPool:
    """The one user pool.

    Raises:
        UnresolvedTemplate: there is none, or several, or something belongs to a pool that no template makes.
    """
    pools = assembly.of_type(_KIND)
    if len(pools) != 1:
        raise UnresolvedTemplate(str(assembly.path), _KIND, f"{len(pools)} of them stand in the templates, not one")
    (pool,) = pools
    providers = [_provider(each) for each in _parts(assembly, pool.ref, "IdentityProvider")]
    if len(providers) > 1:
        raise pool.problem(f"believes {len(providers)} identity providers; one is known here")
    return DeployedUserPool(
        id=str(pool.ref),
        pre_token_arn=Properties(pool).text("LambdaConfig.PreTokenGenerationConfig.LambdaArn"),
        resource_servers=frozenset(each.text("Identifier") for each in _parts(assembly, pool.ref, "ResourceServer")),
        clients=tuple(_client(each) for each in _parts(assembly, pool.ref, "Client")),
        provider=providers[0] if providers else None,
    )


def _parts(assembly: Assembly, pool: str, kind: str) -> Iterator[Properties]:
    for part in map(Properties, assembly.of_type(f"{_KIND}{kind}")):
        if part.text("UserPoolId") != pool:
            raise part.problem("UserPoolId", f"is {part.text('UserPoolId')!r}, and not the department's pool")
        yield part


def _provider(part: Properties) -> Provider:
    return Provider(part.text("ProviderName"), tuple(part.at("AttributeMapping", {})))


def _client(part: Properties) -> AppClient:
    rotates = part.text("RefreshTokenRotation.Feature", "DISABLED") == "ENABLED"
    return AppClient(
        client_id=str(part.resource.ref),
        name=part.text("ClientName", part.resource.logical_id),
        scopes=part.texts("AllowedOAuthScopes", ()),
        lifetime=_seconds(part, "AccessToken", default=1, unit="hours"),
        callbacks=part.texts("CallbackURLs", ()),
        sign_out_addresses=part.texts("LogoutURLs", ()),
        refresh_lifetime=_seconds(part, "RefreshToken", default=30, unit="days"),
        grace=part.number("RefreshTokenRotation.RetryGracePeriodSeconds", 0) if rotates else None,
    )


def _seconds(part: Properties, token: str, *, default: int, unit: str) -> int:
    named = part.one_of(f"TokenValidityUnits.{token}", tuple(_UNIT_SECONDS), unit)
    return part.number(f"{token}Validity", default) * _UNIT_SECONDS[named]

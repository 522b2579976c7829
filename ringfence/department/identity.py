"""How a department's people sign in: its own identity provider, federated through Cognito."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from ringfence.reading.documents import Strict
from ringfence.reading.problems import ABSENT, Problem, shown
from ringfence.reading.values import (
    Claim,
    ClientId,
    DomainPrefix,
    GroupName,
    HttpsUrl,
    Issuer,
    Reason,
    SecretName,
    SecretVersion,
)

Groups = dict[str, Annotated[tuple[GroupName, ...], Field(strict=False, min_length=1)]]


class _Identity(Strict):
    """What every provider needs.

    Attributes:
        domain_prefix: Prefix of the Cognito domain that shows the sign-in page.
        groups: The department's own group names for each persona.
    """

    domain_prefix: DomainPrefix


class AnyIdentity(_Identity):
    """What can be checked while the provider is not known."""

    model_config = ConfigDict(extra="ignore")

    groups: Groups = Field(default_factory=dict)


class _Federated(_Identity):
    """What the department's own provider says.

    Attributes:
        plain_names: Why no group of the provider holds a comma, a bracket or a quotation mark in its name. Without it
            groups count by their ids alone: a list of them arrives as one text, which a name may look like.
    """

    plain_names: Reason | None = None


class OidcIdentity(_Federated):
    """A provider that speaks OpenID Connect, such as Entra ID or Okta.

    CloudFormation reads a secret again only when its reference changes, so the version is part of it: a rotation that
    nobody writes down here would leave sign-in with the old secret, and a deployment would say "no changes".
    """

    provider: Literal["oidc"]
    issuer: Issuer
    client_id: ClientId
    client_secret_name: SecretName
    client_secret_version: SecretVersion
    groups_claim: Claim = "groups"
    staff_id_claim: Claim
    groups: Groups = Field(default_factory=dict)


class SamlIdentity(_Federated):
    """A provider that speaks SAML 2.0."""

    provider: Literal["saml"]
    metadata_url: HttpsUrl
    groups_attribute: Claim
    staff_id_attribute: Claim
    groups: Groups = Field(default_factory=dict)


class LocalIdentity(_Identity):
    """No provider: people are made in Cognito by hand. For evaluation in a sandbox only."""

    provider: Literal["none"]
    groups: Groups = Field(default_factory=dict)


# A directory's id of a group: a UUID, or a security identifier of Windows. Nobody chooses one.
GROUP_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|S-1(?:-[0-9]{1,20}){2,15}", re.ASCII)


def _provider_of(value: Any) -> str | None:
    provider = value.get("provider") if isinstance(value, dict) else getattr(value, "provider", None)
    return provider if isinstance(provider, str) and provider in PROVIDERS else None


Identity = Annotated[
    Annotated[OidcIdentity, Tag("oidc")] | Annotated[SamlIdentity, Tag("saml")] | Annotated[LocalIdentity, Tag("none")],
    Discriminator(
        _provider_of,
        custom_error_type="ringfence",
        custom_error_message="{message}",
        custom_error_context={
            "message": "The identity provider is missing or not known.",
            "remedy": 'Set `provider` to "oidc" or "saml"; "none" is for a sandbox only.',
        },
    ),
]
PROVIDERS: dict[str, type[OidcIdentity | SamlIdentity | LocalIdentity]] = {
    "oidc": OidcIdentity,
    "saml": SamlIdentity,
    "none": LocalIdentity,
}
_EXAMPLES: Final = {"oidc": "production", "saml": "saml", "none": "sandbox"}
"""The committed example of each."""


def of_another_provider(identity: dict[str, Any], found: list[Problem]) -> list[Problem]:
    """Returns a part's problems, those of keys that belong to another provider told as the one mistake they are.

    Args:
        identity: The parsed `[identity]`.
        found: What its own provider's model says of it.
    """
    chosen = str(identity.get("provider"))
    known = set(PROVIDERS[chosen].model_fields) if chosen in PROVIDERS else set(identity)
    for other, model in PROVIDERS.items():
        foreign = [key for key in identity if key not in known and key in model.model_fields]
        if foreign:
            lacking = [each.field for each in found if each.value == ABSENT]
            rest = [each for each in found if each.value != ABSENT and _key(each) not in foreign]
            message = f'{", ".join(foreign)}: these keys belong to "{other}".'
            return [Problem("identity.provider", shown(chosen), message, _instead(chosen, lacking)), *rest]
    return found


def _instead(chosen: str, lacking: list[str]) -> str:
    if not lacking:
        return "Remove them, or correct the provider."
    needs = ", ".join(field.rpartition(".")[2] for field in lacking)
    return f'Remove them; "{chosen}" needs {needs} (departments/example-{_EXAMPLES[chosen]}.toml shows how).'


def _key(problem: Problem) -> str:
    """The key of `[identity]` that a problem is about."""
    return problem.field.removeprefix("identity.").partition("[")[0].partition(".")[0]

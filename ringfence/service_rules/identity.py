"""AWS-SIGNIN: what a Cognito user pool refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from ringfence.reading.template import Breach, Resource, listed
from ringfence.service_rules.assembly import Assembly
from ringfence.service_rules.rule import READ, ServiceRule

_POOL: Final = "AWS::Cognito::UserPool"
_LOCAL: Final = ("127.0.0.1", "::1", "localhost")
_RESERVED_WORDS: Final = re.compile("amazon|aws|cognito")


def _plans(assembly: Assembly) -> Iterator[Breach]:
    for pool in assembly.of_type(_POOL):
        plan = pool.at("UserPoolTier") or "ESSENTIALS"
        version = pool.at("LambdaConfig.PreTokenGenerationConfig.LambdaVersion") or "V1_0"
        if plan != "PLUS" and (pool.at("UserPoolAddOns.AdvancedSecurityMode") or "OFF") != "OFF":
            yield pool.breach("UserPoolAddOns.AdvancedSecurityMode", f"The plan {plan} has no threat protection.")
        if plan == "LITE" and version != "V1_0":
            path = "LambdaConfig.PreTokenGenerationConfig.LambdaVersion"
            yield pool.breach(path, "The plan LITE has no access-token customisation.")
    for delivery in assembly.of_type("AWS::Cognito::LogDeliveryConfiguration"):
        owner = assembly.one(delivery, "UserPoolId", _POOL)
        plan = (owner.at("UserPoolTier") if owner else "PLUS") or "ESSENTIALS"
        for number, configuration in enumerate(listed(delivery.at("LogConfigurations"))):
            if configuration.get("EventSource") == "userAuthEvents" and plan != "PLUS":
                yield delivery.breach(
                    f"LogConfigurations.{number}.EventSource", f"The plan {plan} exports no sign-ins."
                )


def _rotation(assembly: Assembly) -> Iterator[Breach]:
    for client in assembly.of_type("AWS::Cognito::UserPoolClient"):
        rotates = client.at("RefreshTokenRotation.Feature") == "ENABLED"
        if rotates and "ALLOW_REFRESH_TOKEN_AUTH" in listed(client.at("ExplicitAuthFlows")):
            yield client.breach(
                "ExplicitAuthFlows", "With rotation, tokens are refreshed by GetTokensFromRefreshToken only."
            )


def _addresses(assembly: Assembly) -> Iterator[Breach]:
    for client in assembly.of_type("AWS::Cognito::UserPoolClient"):
        for path in ("CallbackURLs", "LogoutURLs"):
            for number, address in enumerate(listed(client.at(path))):
                if isinstance(address, str) and not _accepted(address):
                    message = f"{address} is neither https, http to this computer, nor an app's own scheme, or has a #."
                    yield client.breach(f"{path}.{number}", message)


def _accepted(address: str) -> bool:
    parts = urlsplit(address)
    local = parts.scheme == "http" and parts.hostname in _LOCAL
    return bool(parts.scheme) and "#" not in address and (parts.scheme != "http" or local)


def _domains(assembly: Assembly) -> Iterator[Breach]:
    for domain in assembly.of_type("AWS::Cognito::UserPoolDomain"):
        name = assembly.text(domain.template, domain.at("Domain"))
        if domain.at("CustomDomainConfig") is None and (found := _RESERVED_WORDS.search(name)):
            yield domain.breach("Domain", f'A prefix may not hold "{found.group()}", and "{name}" does.')


def _attributes(assembly: Assembly) -> Iterator[Breach]:
    for client in assembly.of_type("AWS::Cognito::UserPoolClient"):
        pool = assembly.one(client, "UserPoolId", _POOL)
        if pool is not None:
            yield from _unknown_attributes(client, {f"custom:{each.get('Name')}" for each in listed(pool.at("Schema"))})


def _unknown_attributes(client: Resource, known: set[str]) -> Iterator[Breach]:
    for path in ("ReadAttributes", "WriteAttributes"):
        for number, name in enumerate(listed(client.at(path))):
            if isinstance(name, str) and name.startswith("custom:") and name not in known:
                yield client.breach(f"{path}.{number}", f"The pool has no attribute {name}.")


RULES: Final = (
    ServiceRule(
        "AWS-SIGNIN-1",
        "The user pool's plan has what the pool uses.",
        "Set UserPoolTier to PLUS.",
        "Cognito developer guide, user pool feature plans; botocore 1.44.5: FeatureUnavailableInTierException",
        READ,
        _plans,
    ),
    ServiceRule(
        "AWS-SIGNIN-2",
        "A client that rotates refresh tokens does not allow the flow without rotation.",
        "Drop ALLOW_REFRESH_TOKEN_AUTH.",
        "Cognito developer guide, refresh token rotation",
        READ,
        _rotation,
    ),
    ServiceRule(
        "AWS-SIGNIN-3",
        "A client's addresses are https, http to the user's own computer, or an app's own scheme.",
        "Correct the address in the department's file.",
        "Cognito API reference, CreateUserPoolClient, CallbackURLs",
        READ,
        _addresses,
    ),
    ServiceRule(
        "AWS-SIGNIN-4",
        "A domain prefix holds none of Cognito's reserved words.",
        "Choose another domain_prefix in the department's file.",
        "Cognito developer guide, configuring a user pool domain: prefixes may not contain aws, amazon or cognito",
        READ,
        _domains,
    ),
    ServiceRule(
        "AWS-SIGNIN-5",
        "A client reads and writes attributes that its pool has.",
        "Add the attribute to the pool's schema.",
        "Cognito developer guide, attribute permissions and scopes",
        READ,
        _attributes,
    ),
)

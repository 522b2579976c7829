"""Ingress: what a bearer token must be, and what it must carry."""

from __future__ import annotations

import time

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from ringfence.deployed.gateways import ClaimRule, JwtAuthorizer
from ringfence.rehearsal.identity.authorizer import Authorizer, NotAuthorized
from ringfence.rehearsal.problems import CannotStart

ISSUER = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_example"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
GROUP = ClaimRule("cognito:groups", "STRING_ARRAY", "CONTAINS", ("auditor",))
SPEC = JwtAuthorizer(DISCOVERY, frozenset({"client"}), frozenset(), frozenset({"ringfence/auditor"}), (GROUP,))


def fetch(url: str) -> dict:
    if url == DISCOVERY:
        return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/.well-known/jwks.json"}
    return KeySet([KEY]).as_dict(private=False)


def claims(**changes: object) -> dict:
    made = {
        "sub": "u1",
        "iss": ISSUER,
        "client_id": "client",
        "scope": "openid ringfence/auditor",
        "cognito:groups": ["auditor"],
        # An hour: the cases below make their tokens when pytest collects them, long before it runs them.
        "exp": time.time() + 3600,
    }
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


def bearer(key: RSAKey = KEY, **changes: object) -> str:
    return "Bearer " + jwt.encode({"alg": "RS256", "kid": "k1"}, claims(**changes), key)


def test_a_good_token_opens():
    assert Authorizer(SPEC, fetch=fetch).claims_of(bearer())["sub"] == "u1"


@pytest.mark.parametrize(
    ("authorization", "status", "rule"),
    [
        (None, 401, "token-missing"),
        ("Bearer", 401, "token-missing"),
        ("Bearer rubbish", 401, "token-signature"),
        (bearer(RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})), 401, "token-signature"),
        (bearer(iss="https://elsewhere"), 401, "token-issuer"),
        (bearer(exp=time.time() - 1), 401, "token-expired"),
        (bearer(exp=None), 401, "token-expired"),
        (bearer(exp="never"), 401, "token-expired"),
        (bearer(client_id="another"), 401, "token-client"),
        (bearer(client_id=None), 401, "token-client"),
        (bearer(scope="openid ringfence/auditors"), 403, "insufficient-scope"),
        (bearer(**{"cognito:groups": ["nonauditor"]}), 403, "claim-missing"),
        (bearer(**{"cognito:groups": "auditor"}), 403, "claim-missing"),
        (bearer(**{"cognito:groups": None}), 403, "claim-missing"),
    ],
)
def test_any_other_does_not(authorization, status, rule):
    with pytest.raises(NotAuthorized) as refused:
        Authorizer(SPEC, fetch=fetch).claims_of(authorization)
    assert (refused.value.status, refused.value.rule) == (status, rule)


@pytest.mark.parametrize(
    ("rule", "value", "opens"),
    [
        (ClaimRule("c", "STRING", "EQUALS", ("a",)), "a", True),
        (ClaimRule("c", "STRING", "EQUALS", ("a",)), ["a"], False),
        (ClaimRule("c", "STRING_ARRAY", "CONTAINS_ANY", ("a", "b")), ["b", "c"], True),
        (ClaimRule("c", "STRING_ARRAY", "CONTAINS_ANY", ("a", "b")), ["c"], False),
    ],
)
def test_claim_rules(rule, value, opens):
    spec = JwtAuthorizer(DISCOVERY, frozenset(), frozenset(), frozenset(), (rule,))
    authorizer = Authorizer(spec, fetch=fetch)
    if opens:
        authorizer.claims_of(bearer(c=value))
    else:
        with pytest.raises(NotAuthorized):
            authorizer.claims_of(bearer(c=value))


def test_a_discovery_document_of_another_issuer_stops_the_start():
    with pytest.raises(CannotStart, match="another issuer"):
        Authorizer(SPEC, fetch=lambda url: {**fetch(url), "issuer": "https://elsewhere"})

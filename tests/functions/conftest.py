"""The functions' tests run on the rules that the example department really compiles to."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from governance.catalogue import load_catalogue
from governance.department import load_department
from governance.rules import interceptor_rules, to_json

ISSUER = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example"
CLIENT_ID = "4example5client6id"
KEY_ID = "arn:aws:kms:eu-west-2:111122223333:key/00000000-0000-4000-8000-000000000000"
NOW = 1_795_000_000


@pytest.fixture(scope="session")
def rules_json() -> dict[str, Any]:
    catalogue = load_catalogue()
    department = load_department("example-production", catalogue=catalogue)
    return interceptor_rules(catalogue, department, "auditor")


@pytest.fixture(scope="session")
def rules_path(rules_json: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zip") / "rules.json"
    path.write_bytes(to_json(rules_json))
    return path


@pytest.fixture(scope="session")
def private_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="session")
def public_key_der(private_key: ec.EllipticCurvePrivateKey) -> bytes:
    return private_key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.fixture(scope="session")
def sign(private_key: ec.EllipticCurvePrivateKey) -> Callable[[bytes], bytes]:
    return lambda digest: private_key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))


@pytest.fixture
def claims() -> dict[str, Any]:
    """The claims of a good access token of an auditor."""
    return {
        "iss": ISSUER,
        "client_id": CLIENT_ID,
        "token_use": "access",
        "exp": NOW + 900,
        "scope": "openid ringfence/auditor",
        "cognito:groups": ["auditor"],
        "staff_id": "HO-204518",
        "jti": "0b6f1c1e-6a4b-4f0e-9a55-2f3f3a6f7a11",
        "sub": "5d0c3c0a-93b2-4b0c-8f0b-0d8ed2c0c5f1",
    }


def access_token(claims: dict[str, Any]) -> str:
    """A token as the gateway lets it through: it has verified the signature, so this one needs none that is real."""
    parts = [json.dumps({"alg": "RS256", "kid": "k"}), json.dumps(claims), "signature"]
    return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts)


def request_event(
    claims: dict[str, Any] | None,
    method: str = "tools/call",
    params: Any = None,
    *,
    headers: dict[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """An event of the REQUEST phase, as the gateway sends it."""
    sent = {"User-Agent": "test", "mcp-session-id": "session-1"} | (headers or {})
    if claims is not None:
        sent["authorization"] = f"Bearer {access_token(claims)}"
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": 7, "method": method}
    if method.startswith("notifications/"):
        del body["id"]
    if params is not None:
        body["params"] = params
    body |= fields
    return {
        "interceptorInputVersion": "1.0",
        "mcp": {
            "rawGatewayRequest": {"body": json.dumps(body)},
            "gatewayRequest": {"path": "/mcp", "httpMethod": "POST", "headers": sent, "body": body},
        },
    }


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}

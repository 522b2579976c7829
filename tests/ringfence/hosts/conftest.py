"""A deployment and a rehearsal to connect to, as their outputs and `connect.json` tell it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.department.department import load_department
from ringfence.hosts.connection import Connection, of_deployment

ROOT = Path(__file__).resolve().parents[3]
DEPARTMENT = "example-sandbox"
HOSTS = ("claude-code", "vscode", "cursor", "kiro", "gemini-cli", "inspector")
URL = "https://ringfence-example-sandbox-{}-a1b2c3d4e5.gateway.bedrock-agentcore.eu-west-2.amazonaws.com/mcp"
ISSUER = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_AbCdEfGhI"
SIGN_IN = "https://ringfence-example-sandbox.auth.eu-west-2.amazoncognito.com"


def client_id(host: str) -> str:
    return f"client0of0{host.replace('-', '')}"


@pytest.fixture
def outputs() -> dict[str, dict[str, str]]:
    """What the stacks of the deployed sandbox tell, by stack."""
    clients = {f"{host.title().replace('-', '')}ClientId": client_id(host) for host in HOSTS}
    sign_in = {
        "SignInIssuer": ISSUER,
        "AuthorizationEndpoint": f"{SIGN_IN}/oauth2/authorize",
        "TokenEndpoint": f"{SIGN_IN}/oauth2/token",
        "SignInMetadataUrl": f"{ISSUER}/.well-known/openid-configuration",
    }
    personas = {
        f"ringfence-{DEPARTMENT}-{each}": {
            "GatewayUrl": URL.format(each),
            "Scope": f"openid ringfence/{each}",
            "ServerName": f"rf-{each[:3]}",
        }
        for each in ("auditor", "operator", "developer")
    }
    return {f"ringfence-{DEPARTMENT}-identity": clients | sign_in, **personas}


@pytest.fixture
def deployment(outputs: dict[str, dict[str, str]]) -> Connection:
    department = load_department(DEPARTMENT, catalogue=load_catalogue(ROOT / "catalogue"), root=ROOT / "departments")
    return of_deployment(department, outputs)


@pytest.fixture
def serving(tmp_path: Path) -> Path:
    """The file that a rehearsal writes while it serves."""
    found: dict[str, Any] = {
        "department": DEPARTMENT,
        "issuer": "http://127.0.0.1:8710/eu-west-2_AbCdEfGhI",
        "authorization_endpoint": "http://127.0.0.1:8710/oauth2/authorize",
        "token_endpoint": "http://127.0.0.1:8710/oauth2/token",
        "gateways": {
            "auditor": {
                "url": "http://127.0.0.1:8711/mcp",
                "scope": "openid ringfence/auditor",
                "name": "rf-aud",
            }
        },
        "clients": {
            "claude-code": {
                "kind": "claude-code",
                "client_id": client_id("claude-code"),
                "callback_urls": ["http://localhost:33410/callback"],
            },
            "our-own": {"kind": "custom", "client_id": "x1", "callback_urls": ["https://assistant.example.org/cb"]},
        },
    }
    path = tmp_path / "connect.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    return path

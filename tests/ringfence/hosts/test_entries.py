"""What a person puts into each host: the form that its maker documents, with every value from the deployment."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.department.department import load_department
from ringfence.hosts.connection import Connection, of_deployment
from ringfence.hosts.entries import entry
from ringfence.hosts.programs import programs
from tests.ringfence.hosts.conftest import DEPARTMENT, HOSTS, ISSUER, ROOT, SIGN_IN, URL, client_id

GATEWAY = URL.format("auditor")
SCOPES = ["openid", "ringfence/auditor"]

# The form of each, as read on 29 November 2026 on the pages that catalogue/hosts.toml names.
EXPECTED: dict[str, tuple[str, dict[str, Any]]] = {
    "claude-code": (
        "mcpServers",
        {
            "type": "http",
            "url": GATEWAY,
            "oauth": {
                "clientId": "client0of0claudecode",
                "callbackPort": 33410,
                "scopes": "openid ringfence/auditor",
                "authServerMetadataUrl": f"{ISSUER}/.well-known/openid-configuration",
            },
        },
    ),
    "vscode": ("servers", {"type": "http", "url": GATEWAY, "oauth": {"clientId": "client0of0vscode"}}),
    "cursor": ("mcpServers", {"url": GATEWAY, "auth": {"CLIENT_ID": "client0of0cursor", "scopes": SCOPES}}),
    "kiro": (
        "mcpServers",
        {
            "url": GATEWAY,
            "oauth": {
                "clientId": "client0of0kiro",
                "redirectUri": "http://localhost:33411/oauth/callback",
                "oauthScopes": SCOPES,
            },
            "autoApprove": [],
        },
    ),
    "gemini-cli": (
        "mcpServers",
        {
            "httpUrl": GATEWAY,
            "trust": False,
            "oauth": {
                "enabled": True,
                "clientId": "client0of0geminicli",
                "authorizationUrl": f"{SIGN_IN}/oauth2/authorize",
                "tokenUrl": f"{SIGN_IN}/oauth2/token",
                "scopes": SCOPES,
                "redirectUri": "http://localhost:33412/oauth/callback",
            },
        },
    ),
    "inspector": ("mcpServers", {"type": "streamable-http", "url": GATEWAY}),
}


@pytest.mark.parametrize("host", HOSTS)
def test_each_host_gets_its_own_form(deployment: Connection, host: str) -> None:
    key, server = EXPECTED[host]
    assert entry(deployment, host, "auditor").settings == {key: {"rf-aud": server}}


def test_claude_codes_command_says_the_same_as_its_file(deployment: Connection) -> None:
    found = entry(deployment, "claude-code", "operator")
    assert found.command
    words = shlex.split(found.command)
    assert words[:4] == ["claude", "mcp", "add-json", "rf-ope"]
    assert json.loads(words[4]) == found.settings["mcpServers"]["rf-ope"]


def test_the_inspectors_command_line_has_what_no_file_takes(deployment: Connection) -> None:
    command = entry(deployment, "inspector", "auditor").command
    assert command
    words = shlex.split(command)
    assert words[words.index("--client-id") + 1] == client_id("inspector")
    assert words[words.index("--callback-url") + 1] == "http://127.0.0.1:6276/oauth/callback"


@pytest.mark.parametrize("host", HOSTS)
def test_no_entry_holds_a_secret_or_a_token(deployment: Connection, host: str) -> None:
    text = json.dumps(entry(deployment, host, "auditor").settings).lower()
    assert "secret" not in text
    assert "bearer" not in text


def test_names_of_personas_are_short_and_apart(deployment: Connection) -> None:
    """Hosts put them before each tool's name (public case P10)."""
    assert deployment.names == {"auditor": "rf-aud", "operator": "rf-ope", "developer": "rf-dev"}


def test_each_program_of_the_page_can_be_a_departments_and_is_told_what_its_text_lacks(
    tmp_path: Path, outputs: dict[str, dict[str, str]]
) -> None:
    text = (ROOT / "departments" / f"{DEPARTMENT}.toml").read_text(encoding="utf-8")
    entries = "\n".join(program.entry for program in programs())
    (tmp_path / f"{DEPARTMENT}.toml").write_text(f"{text}\n{entries}", encoding="utf-8")
    outputs[f"ringfence-{DEPARTMENT}-identity"] |= {"FastmcpClientId": "f1", "McpRemoteClientId": "m1"}
    department = load_department(DEPARTMENT, catalogue=load_catalogue(ROOT / "catalogue"), root=tmp_path)
    connection = of_deployment(department, outputs)
    for program, told in zip(programs(), ("f1", "m1"), strict=True):
        settings = entry(connection, program.name, "auditor").settings
        assert (settings["client_id"], settings["callback_urls"]) == (told, [program.callback_url])
        assert set(re.findall(r"<(\w+)>", program.text)) == {"client_id", "url", "scope"} <= set(settings)

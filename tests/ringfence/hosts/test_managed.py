"""The centrally managed files: the department's servers alone, and a person asked, where a host can be held to it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.hosts.connection import Connection
from ringfence.hosts.entries import entry
from ringfence.hosts.managed import managed_files
from tests.ringfence.hosts.conftest import HOSTS, ROOT, URL

PUBLISHED = tomllib.loads((Path(__file__).parent / "published.toml").read_text(encoding="utf-8"))
TYPES = {"boolean": bool, "string": str, "object": dict, "object in text": dict}
KINDS = load_catalogue(ROOT / "catalogue").hosts
OURS = {URL.format(persona) for persona in ("auditor", "operator", "developer")}

# Which setting has each host ask a person, in which file; None where the host has no such file.
ASKS: dict[str, tuple[str, dict[str, Any]] | None] = {
    "claude-code": (
        "managed-settings.json",
        {
            "permissions.disableBypassPermissionsMode": "disable",
            "permissions.disableAutoMode": "disable",
            "permissions.ask": ["mcp__rf-aud", "mcp__rf-ope", "mcp__rf-dev"],
            "allowManagedPermissionRulesOnly": True,
        },
    ),
    "vscode": ("policy.json", {"ChatToolsAutoApprove": False, "ChatToolsTerminalEnableAutoApprove": False}),
    "cursor": ("permissions.json", {"mcpAllowlist": []}),
    "kiro": (
        "managed-settings.json",
        {
            "rules": [
                {"capability": "mcp", "match": ["rf-aud/*", "rf-ope/*", "rf-dev/*"], "effect": "ask"},
                {"capability": "mcp", "exclude": ["rf-aud/*", "rf-ope/*", "rf-dev/*"], "effect": "deny"},
            ]
        },
    ),
    "gemini-cli": (
        "settings.json",
        {
            "security.disableYoloMode": True,
            "security.disableAlwaysAllow": True,
            "mcpServers.rf-aud.trust": False,
            "mcpServers.rf-ope.trust": False,
            "mcpServers.rf-dev.trust": False,
        },
    ),
    "inspector": None,
}
# What each host does by itself unless a file says otherwise: run a project's hooks and servers, its maker's connectors
# and anybody's marketplaces, or keep a person's word for all later calls.
CLOSED: dict[tuple[str, str], dict[str, Any]] = {
    ("claude-code", "managed-settings.json"): {
        "allowManagedHooksOnly": True,
        "disableClaudeAiConnectors": True,
        "enableAllProjectMcpServers": False,
        "strictKnownMarketplaces": [],
    },
    ("vscode", "managed-settings.json"): {"strictKnownMarketplaces": []},
    ("kiro", "mcp.json"): {f"mcpServers.rf-{each}.autoApprove": [] for each in ("aud", "ope", "dev")},
    ("gemini-cli", "settings.json"): {"security.enablePermanentToolApproval": False},
}
# What each cannot be held to; the words stand in catalogue/hosts.toml and docs/hosts.md.
CANNOT = {
    "claude-code": "name is no control",
    "vscode": "personal servers stay",
    "cursor": "no control",
    "kiro": "knows a server by its name",
    "gemini-cli": "GEMINI_CLI_SYSTEM_SETTINGS_PATH",
    "inspector": "developer's tool",
}


def at(settings: Any, path: str) -> Any:
    for key in path.split("."):
        settings = settings[key]
    return settings


@pytest.mark.parametrize("host", HOSTS)
def test_a_setting_of_each_host_has_a_person_asked(deployment: Connection, host: str) -> None:
    wanted = ASKS[host]
    files = managed_files(deployment, host)
    if wanted is None:
        assert files == {}
        return
    name, settings = wanted
    assert {path: at(files[name], path) for path in settings} == settings
    assert all(path.split(".")[-1] in KINDS[host].asks for path in settings), "its paragraph names each setting"


@pytest.mark.parametrize(("host", "file"), CLOSED)
def test_what_a_host_would_open_by_itself_is_closed(deployment: Connection, host: str, file: str) -> None:
    settings = managed_files(deployment, host)[file]
    wanted = CLOSED[host, file]
    assert {path: at(settings, path) for path in wanted} == wanted


def test_visual_studio_code_asks_for_its_riskiest_tools_each_time(deployment: Connection) -> None:
    told = managed_files(deployment, "vscode")["policy.json"]["ChatToolsEligibleForAutoApproval"]
    assert json.loads(told) == {"vscode_fetchWebPage_internal": False, "runInTerminal": False, "runTask": False}


@pytest.mark.parametrize("host", HOSTS)
def test_what_each_host_cannot_be_held_to_is_said(host: str) -> None:
    assert any(CANNOT[host] in each for each in KINDS[host].cannot)


def test_of_kiro_is_said_where_its_policy_does_not_hold() -> None:
    told = " ".join(KINDS["kiro"].cannot)
    assert all(each in told for each in ("enterprise plans", "V3 engine", "--trust-all-tools", "byte order mark"))


def test_in_visual_studio_code_no_model_approves_and_nothing_is_approved_unasked(deployment: Connection) -> None:
    """Either key alone leaves the other mode open, whatever ChatToolsAutoApprove says (microsoft/vscode)."""
    permissions = managed_files(deployment, "vscode")["managed-settings.json"]["permissions"]
    assert permissions == {"disableAssistedPermissionsMode": True, "disableBypassPermissionsMode": "disable"}
    assert "`permissions.disableAssistedPermissionsMode`" in KINDS["vscode"].asks
    assert any("does not know its key" in each for each in KINDS["vscode"].cannot)


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_given_no_scopes_is_said_to_ask_without_openid(deployment: Connection, host: str) -> None:
    """What the gateway advertises is the persona's scope alone (constructs/gateway, AllowedScopes)."""
    found = entry(deployment, host, "auditor")
    named = "openid" in f"{json.dumps(found.settings)} {found.command}"
    assert ("--without-openid" in KINDS[host].lacks) is not named


def test_of_cursor_is_said_that_a_repository_and_a_run_mode_can_let_our_tools_run_unasked() -> None:
    """cursor.com/docs/reference/permissions, read 29 November 2026: the lists of user and repository are joined."""
    told = " ".join(KINDS["cursor"].cannot)
    assert all(each in told for each in ("repository's own .cursor/permissions.json", "Auto-review", "Run Everything"))
    assert "https://cursor.com/docs/reference/permissions" in {str(source.url) for source in KINDS["cursor"].sources}


@pytest.mark.parametrize("host", HOSTS)
def test_every_file_has_its_place_and_every_place_a_file(deployment: Connection, host: str) -> None:
    assert set(managed_files(deployment, host)) == set(KINDS[host].managed)


def servers_in(settings: Any) -> Iterator[str]:
    for key, value in settings.items() if isinstance(settings, dict) else ():
        if key in {"url", "httpUrl", "serverUrl"}:
            yield value
        for inner in value if isinstance(value, list) else [value]:
            yield from servers_in(inner)


@pytest.mark.parametrize("host", [each for each in HOSTS if ASKS[each]])
def test_a_host_is_given_the_departments_servers_and_no_other(deployment: Connection, host: str) -> None:
    found = [set(servers_in(settings)) for settings in managed_files(deployment, host).values()]
    assert OURS in found
    assert set().union(*found) == OURS


def test_claude_code_copilot_and_gemini_cli_start_no_personal_server(deployment: Connection) -> None:
    claude = managed_files(deployment, "claude-code")
    # The file is exclusive: with it no other server loads (code.claude.com, managed MCP, read 29 November 2026).
    assert list(claude["managed-mcp.json"]) == ["mcpServers"]
    assert claude["managed-settings.json"]["allowManagedMcpServersOnly"] is True
    assert {each["serverUrl"] for each in claude["managed-settings.json"]["allowedMcpServers"]} == OURS
    # Only servers that match run (GitHub's reference of Copilot's managed settings, read 29 November 2026).
    copilot = managed_files(deployment, "vscode")["managed-settings.json"]
    assert {each["serverUrl"] for each in copilot["allowedMcpServers"]} == OURS
    assert all(list(each) == ["serverUrl"] for each in copilot["allowedMcpServers"]), "one matcher an entry"
    assert copilot["permissions"]["disableBypassPermissionsMode"] == "disable"
    gemini = managed_files(deployment, "gemini-cli")["settings.json"]
    assert gemini["mcp"]["allowed"] == list(gemini["mcpServers"]) == ["rf-aud", "rf-ope", "rf-dev"]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path, value


def general(path: str) -> str:
    """The path with a star for names that the department chooses."""
    for name in ("rf-aud", "rf-ope", "rf-dev"):
        path = path.replace(f".{name}.", ".*.")
    return "env.*" if path.startswith("env.") else path


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_file_holds_nothing_that_its_maker_does_not_publish(deployment: Connection, name: str) -> None:
    host, _, file = name.partition("/")
    files = managed_files(deployment, host, {"AWS_REGION": "eu-west-2", "ANTHROPIC_MODEL": "anthropic.claude-x"})
    found = [(general(path), value) for path, value in leaves(files[file])]
    keys = PUBLISHED[name]["keys"]
    assert {path for path, _ in found} <= set(keys)
    for path, value in found:
        wanted = keys[path]
        told = json.loads(value) if wanted == "object in text" else value
        assert told in wanted if isinstance(wanted, list) else isinstance(told, TYPES[wanted]), path


def test_of_which_files_nothing_is_published_is_said() -> None:
    page = (ROOT / "docs" / "hosts.md").read_text(encoding="utf-8")
    (line,) = [each for each in page.split("\n\n") if "no schema was found" in each]
    files = {f"{kind}/{file}" for kind, host in KINDS.items() for file in host.managed}
    for name in files - set(PUBLISHED):
        host, _, file = name.partition("/")
        assert KINDS[host].title in line and f"`{file}`" in line, name

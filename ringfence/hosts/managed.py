"""The files that hold a host to the department's servers and to asking a person, for whoever manages computers.

What each host can be held to, and what it cannot, stands beside its kind in `catalogue/hosts.toml`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ringfence.hosts.connection import Client, Connection
from ringfence.hosts.entries import Setting, server

Files = dict[str, Setting]
_VSCODE_ASKS_FOR: Final = '{"vscode_fetchWebPage_internal":false,"runInTerminal":false,"runTask":false}'


def managed_files(connection: Connection, host: str, environment: Mapping[str, str] | None = None) -> Files:
    """Returns the centrally managed files of one host: none, where it has no place for them.

    Args:
        environment: What the host is told of its model, if the department has one (`hosts.models`).

    Raises:
        KeyError: there is no such host.
    """
    client = connection.clients[host]
    make = _FILES.get(client.kind)
    return make(connection, client, dict(environment or {})) if make else {}


def _servers(connection: Connection, client: Client) -> Setting:
    return {connection.names[persona]: server(connection, client, persona) for persona in connection.gateways}


def _by_address(connection: Connection) -> list[Setting]:
    return [{"serverUrl": gateway.url} for gateway in connection.gateways.values()]


def _claude_code(connection: Connection, client: Client, environment: dict[str, str]) -> Files:
    settings: dict[str, Any] = {
        "allowedMcpServers": _by_address(connection),
        "allowManagedMcpServersOnly": True,
        "allowManagedHooksOnly": True,
        "allowManagedPermissionRulesOnly": True,
        "disableClaudeAiConnectors": True,
        "enableAllProjectMcpServers": False,
        "strictKnownMarketplaces": [],
        "permissions": {
            "ask": [f"mcp__{name}" for name in connection.names.values()],
            "disableAutoMode": "disable",
            "disableBypassPermissionsMode": "disable",
        },
    }
    if environment:
        settings["env"] = environment
        settings["availableModels"] = sorted({environment[name] for name in environment if name.endswith("MODEL")})
        # Without these the Default entry, and versions beside the one that is named, stay open
        # (code.claude.com, settings reference, read 29 November 2026).
        settings["enforceAvailableModels"] = True
        settings["availableModelsMatch"] = "exact"
    return {"managed-mcp.json": {"mcpServers": _servers(connection, client)}, "managed-settings.json": settings}


def _vscode(connection: Connection, client: Client, environment: dict[str, str]) -> Files:
    policy = {
        "ChatToolsAutoApprove": False,
        "ChatToolsTerminalEnableAutoApprove": False,
        "ChatToolsEligibleForAutoApproval": _VSCODE_ASKS_FOR,
    }
    # Copilot's own settings hold servers to their addresses, which VS Code's policies cannot.
    settings = {
        "allowedMcpServers": _by_address(connection),
        # Either key sets VS Code's own ChatToolsAutoApprove aside, so each mode needs its own.
        "permissions": {"disableAssistedPermissionsMode": True, "disableBypassPermissionsMode": "disable"},
        "strictKnownMarketplaces": [],
    }
    servers = {"servers": _servers(connection, client)}
    return {"managed-settings.json": settings, "policy.json": policy, "mcp.json": servers}


def _cursor(connection: Connection, client: Client, environment: dict[str, str]) -> Files:
    return {"mcp.json": {"mcpServers": _servers(connection, client)}, "permissions.json": {"mcpAllowlist": []}}


def _kiro(connection: Connection, client: Client, environment: dict[str, str]) -> Files:
    # In force are the strictest of all rules, so a person's own can neither allow unasked nor admit another server.
    ours = [f"{name}/*" for name in connection.names.values()]
    asked = {"capability": "mcp", "match": ours, "effect": "ask"}
    denied = {"capability": "mcp", "exclude": ours, "effect": "deny"}
    policy = {"rules": [asked, denied]}
    return {"managed-settings.json": policy, "mcp.json": {"mcpServers": _servers(connection, client)}}


def _gemini_cli(connection: Connection, client: Client, environment: dict[str, str]) -> Files:
    settings = {
        "mcp": {"allowed": list(connection.names.values())},
        "mcpServers": _servers(connection, client),
        "security": {"disableYoloMode": True, "disableAlwaysAllow": True, "enablePermanentToolApproval": False},
    }
    return {"settings.json": settings}


_FILES: Final[Mapping[str, Callable[[Connection, Client, dict[str, str]], Files]]] = {
    "claude-code": _claude_code,
    "vscode": _vscode,
    "cursor": _cursor,
    "kiro": _kiro,
    "gemini-cli": _gemini_cli,
}

"""What a person puts into a host's own settings to work as one persona."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from ringfence.catalogue.hosts import CUSTOM
from ringfence.hosts.connection import Client, Connection

Setting = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One host's settings for one persona.

    Attributes:
        file: Where they belong, as the host's documentation names the place.
        settings: What belongs there, as JSON.
        command: What does the same on a command line, or starts the host; None where the file is all.
    """

    file: str
    settings: Mapping[str, Any]
    command: str | None = None


def entry(connection: Connection, host: str, persona: str) -> Entry:
    """Returns the settings of one host of a department for one persona.

    Raises:
        KeyError: there is no such host, persona or kind.
    """
    client = connection.clients[host]
    return _KINDS[client.kind](connection, client, persona)


def server(connection: Connection, client: Client, persona: str) -> Setting:
    """Returns how a host of one kind writes one server, as `entry` and the managed files have it."""
    return _SERVERS[client.kind](connection, client, persona)


def loopback_callback(client: Client) -> str:
    """Returns the address on this computer at which a host receives its code; the last, where it has several."""
    return next(
        url for url in reversed(client.callback_urls) if urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
    )


def _scopes(connection: Connection, persona: str) -> list[str]:
    return connection.gateways[persona].scope.split()


def _claude_code(connection: Connection, client: Client, persona: str) -> Setting:
    gateway = connection.gateways[persona]
    oauth = {
        "clientId": client.client_id,
        "callbackPort": urlsplit(loopback_callback(client)).port,
        "scopes": gateway.scope,
    }
    if connection.metadata_url:
        # The gateway names the sign-in only in its protected-resource metadata, which older versions do not follow.
        oauth["authServerMetadataUrl"] = connection.metadata_url
    return {"type": "http", "url": gateway.url, "oauth": oauth}


def _vscode(connection: Connection, client: Client, persona: str) -> Setting:
    return {"type": "http", "url": connection.gateways[persona].url, "oauth": {"clientId": client.client_id}}


def _cursor(connection: Connection, client: Client, persona: str) -> Setting:
    auth = {"CLIENT_ID": client.client_id, "scopes": _scopes(connection, persona)}
    return {"url": connection.gateways[persona].url, "auth": auth}


def _kiro(connection: Connection, client: Client, persona: str) -> Setting:
    oauth = {
        "clientId": client.client_id,
        "redirectUri": loopback_callback(client),
        "oauthScopes": _scopes(connection, persona),
    }
    return {"url": connection.gateways[persona].url, "oauth": oauth, "autoApprove": []}


def _gemini_cli(connection: Connection, client: Client, persona: str) -> Setting:
    oauth = {
        "enabled": True,
        "clientId": client.client_id,
        "authorizationUrl": connection.authorization_endpoint,
        "tokenUrl": connection.token_endpoint,
        "scopes": _scopes(connection, persona),
        "redirectUri": loopback_callback(client),
    }
    # `url` alone would be taken for an address of the older transport.
    return {"httpUrl": connection.gateways[persona].url, "trust": False, "oauth": oauth}


def _inspector(connection: Connection, client: Client, persona: str) -> Setting:
    return {"type": "streamable-http", "url": connection.gateways[persona].url}


def _custom(connection: Connection, client: Client, persona: str) -> Setting:
    gateway = connection.gateways[persona]
    return {
        "url": gateway.url,
        "client_id": client.client_id,
        "callback_urls": list(client.callback_urls),
        "scope": gateway.scope,
        "issuer": connection.issuer,
        "authorization_endpoint": connection.authorization_endpoint,
        "token_endpoint": connection.token_endpoint,
    }


_SERVERS: Final[Mapping[str, Callable[[Connection, Client, str], Setting]]] = {
    "claude-code": _claude_code,
    "vscode": _vscode,
    "cursor": _cursor,
    "kiro": _kiro,
    "gemini-cli": _gemini_cli,
    "inspector": _inspector,
    CUSTOM: _custom,
}


def _listed(file: str, key: str = "mcpServers") -> Callable[[Connection, Client, str], Entry]:
    """Returns how an entry is made for a host that keeps its servers under one key of one file."""

    def made(connection: Connection, client: Client, persona: str) -> Entry:
        return Entry(file, {key: {connection.names[persona]: server(connection, client, persona)}})

    return made


def _for_claude_code(connection: Connection, client: Client, persona: str) -> Entry:
    name, settings = connection.names[persona], server(connection, client, persona)
    command = f"claude mcp add-json {name} {shlex.quote(_compact(settings))}"
    return Entry(".mcp.json", {"mcpServers": {name: settings}}, command)


def _for_inspector(connection: Connection, client: Client, persona: str) -> Entry:
    url = connection.gateways[persona].url
    command = ["mcp-inspector", "--cli", url, "--transport", "http", "--client-id", client.client_id]
    command += ["--callback-url", loopback_callback(client), "--method", "tools/list"]
    settings = {"mcpServers": {connection.names[persona]: server(connection, client, persona)}}
    return Entry("mcp.json, given with --config", settings, shlex.join(command))


def _for_custom(connection: Connection, client: Client, persona: str) -> Entry:
    return Entry("your host's settings", server(connection, client, persona))


def _compact(settings: Setting) -> str:
    return json.dumps(settings, separators=(",", ":"))


_KINDS: Final[Mapping[str, Callable[[Connection, Client, str], Entry]]] = {
    "claude-code": _for_claude_code,
    "vscode": _listed(".vscode/mcp.json", "servers"),
    "cursor": _listed("~/.cursor/mcp.json"),
    "kiro": _listed("~/.kiro/settings/mcp.json"),
    "gemini-cli": _listed("~/.gemini/settings.json"),
    "inspector": _for_inspector,
    CUSTOM: _for_custom,
}

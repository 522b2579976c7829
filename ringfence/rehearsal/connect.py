"""What somebody's own MCP host needs while a rehearsal serves: `connect.json`, and an entry to paste."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ringfence.deployed.user_pool import AppClient
from ringfence.rehearsal.department import RunningDepartment

CONNECT: Final = Path("build/rehearsal/connect.json")
"""Where `make connect` looks for it."""

_HOSTS: Final = Path(__file__).parents[2] / "catalogue" / "hosts.toml"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def connections(department: RunningDepartment) -> dict[str, Any]:
    """Everything that a host is asked for, as `make connect` reads it.

    Returns:
        `department`; `issuer`, `authorization_endpoint` and `token_endpoint`; `gateways`, by persona, with `url` and
        `scope` and `name`; `clients`, by the host's name, with `kind`, `client_id` and `callback_urls`.
    """
    authorization = department.sign_in.authorization
    return {
        "department": department.name,
        "issuer": authorization.issuer,
        "authorization_endpoint": f"{authorization.base}/oauth2/authorize",
        "token_endpoint": f"{authorization.base}/oauth2/token",
        "gateways": {
            persona: {
                "url": server.url,
                "scope": f"openid {server.gateway.spec.scope}",
                "name": _server_name(department, persona),
            }
            for persona, server in department.gateways.items()
        },
        "clients": {
            client.name: {
                "kind": _kind(client),
                "client_id": client.client_id,
                "callback_urls": list(client.callbacks),
            }
            for client in department.pool.clients
        },
    }


@contextmanager
def written(path: Path, found: Mapping[str, Any]) -> Iterator[None]:
    """Keep `connect.json` beside the report for as long as the department serves.

    Args:
        path: the file. Another rehearsal that began to serve later has it for itself.
        found: from `connections`.
    """
    text = json.dumps(found, indent=2) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    try:
        yield
    finally:
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            path.unlink()


def entries(department: RunningDepartment, tokens: Mapping[str, str] | None = None) -> str:
    """A host's entry for every persona, as JSON with the key `mcpServers`.

    Args:
        tokens: an access token for each persona, for scripts; without them the host signs in by itself.
    """
    client = _with_callback_port(department.pool.clients)
    servers = {}
    for persona, server in department.gateways.items():
        servers[_server_name(department, persona)] = {"type": "http", "url": server.url} | (
            {"oauth": {**client, "scopes": f"openid {server.gateway.spec.scope}"}}
            if tokens is None
            else {"headers": {"Authorization": f"Bearer {tokens[persona]}"}}
        )
    return json.dumps({"mcpServers": servers}, indent=2)


def _server_name(department: RunningDepartment, persona: str) -> str:
    """What hosts call a persona's server, as its stack says."""
    stack = department.assembly.stacks[department.gateways[persona].gateway.spec.resource.stack]
    return str(stack.outputs["ServerName"])


def _kind(client: AppClient) -> str:
    """What kind of host a client is for: templates do not say it, but each kind has its own callbacks."""
    kinds = tomllib.loads(_HOSTS.read_text(encoding="utf-8"))["kinds"]
    same = (name for name, kind in kinds.items() if tuple(kind["callback_urls"]) == client.callbacks)
    return next(same, "custom")


def _with_callback_port(clients: Sequence[AppClient]) -> dict[str, Any]:
    """The first client that takes its code on this computer, and its port; or else the first."""
    for client in clients:
        for callback in map(urlsplit, client.callbacks):
            if callback.hostname in _LOOPBACK and callback.port:
                return {"clientId": client.client_id, "callbackPort": callback.port}
    return {"clientId": clients[0].client_id}

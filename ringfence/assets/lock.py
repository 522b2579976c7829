"""Pins every server's tools in `tools.lock.json`, or checks that they are as pinned."""

from __future__ import annotations

import difflib
import importlib.metadata
import json
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from callpath.definition import as_locked, definition_digest
from ringfence import CannotGoOn
from ringfence.assets.bundles import ROOT
from ringfence.assets.listing import list_tools
from ringfence.assets.local import packages

SERVERS: Final = ROOT / "catalogue" / "servers"
OWN: Final = ROOT / "servers"
_AGAIN = "Run `make lock`."
_FIRST_KEYS: Final = ("name", "description", "inputSchema", "outputSchema", "annotations")


class LockFailed(CannotGoOn):
    """A lock cannot be made or read; the message names the server, the fault and the remedy."""

    remedy = "Correct it, and run `make lock`."


@dataclass(frozen=True)
class StartedServer:
    """What `server.toml` says about starting a server. The rest of the file is the catalogue room's business."""

    name: str
    package: str
    version: str
    module: str
    flags: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


def read_server(folder: Path) -> StartedServer:
    """Return how to start the server described in a catalogue folder.

    Raises:
        LockFailed: `server.toml` is missing, broken or incomplete.
    """
    path = folder / "server.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return StartedServer(
            **{key: content[key] for key in ("name", "package", "version", "module")},
            flags=tuple(content.get("flags", ())),
            environment=dict(content.get("environment", {})),
        )
    except FileNotFoundError:
        raise LockFailed(f"{folder.name}: {path} does not exist", "Describe the server there first.") from None
    except (ValueError, TypeError) as error:
        raise LockFailed(f"{folder.name}: {path} is not valid: {error}") from None
    except KeyError as error:
        raise LockFailed(f"{folder.name}: {path} lacks the key {error}") from None


def live_lock(server: StartedServer, *, installed: Path, timeout_seconds: float) -> dict[str, Any]:
    """Return the lock of the server's tools as they are now, by starting it.

    Args:
        installed: folder with the packages of the server's `requirements.lock`.
        timeout_seconds: for start and list.

    Raises:
        LockFailed: the installed package is another version than `server.toml` names, or two tools share a name.
        ServerFailed: the server did not start or list.
    """
    _require_version(server, installed)
    listed = list_tools(
        module=server.module,
        packages=installed,
        flags=server.flags,
        environment=server.environment,
        timeout_seconds=timeout_seconds,
    )
    tools = sorted((locked_tool(tool) for tool in listed), key=lambda tool: str(tool["name"]))
    names = [tool["name"] for tool in tools]
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise LockFailed(f"{server.name}: listed more than once: {', '.join(twice)}", "A tool's name must be its own.")
    return {"server": server.name, "package": server.package, "version": server.version, "tools": tools}


def locked_tool(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a listed tool as the lock holds it: description in one form, keys in one order, digest last."""
    tool = as_locked(definition)
    ordered = {key: tool[key] for key in (*_FIRST_KEYS, *sorted(set(tool) - set(_FIRST_KEYS))) if key in tool}
    return {**ordered, "sha256": definition_digest(definition)}


def lock_text(lock: dict[str, Any]) -> str:
    """Return a lock as file content. Beyond ASCII everything is escaped: no hidden character survives a review."""
    return json.dumps(lock, indent=2, ensure_ascii=True) + "\n"


def differences(locked: dict[str, Any], live: dict[str, Any]) -> Iterator[str]:
    """Yield the ways a server's tools differ from its lock, one readable paragraph each.

    A definition in the lock that does not match its own digest is a difference too: somebody edited the lock.
    """
    for key in ("server", "package", "version"):
        if locked.get(key) != live[key]:
            yield f"{key}: locked {locked.get(key)!r}, now {live[key]!r}"
    before, after = _by_name(locked.get("tools", [])), _by_name(live["tools"])
    for name in sorted(before.keys() - after.keys()):
        yield f"removed: {name}"
    for name in sorted(after.keys() - before.keys()):
        yield f"added: {name}"
    for name in sorted(before.keys() & after.keys()):
        yield from _tool_differences(name, before[name], after[name])


def _tool_differences(name: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for key in sorted((before.keys() | after.keys()) - {"sha256"}):
        if before.get(key) != after.get(key):
            lines = difflib.unified_diff(_lines(before, key), _lines(after, key), "locked", "now", lineterm="", n=2)
            yield f"changed: {name}, {key}\n" + "\n".join(f"    {line}" for line in lines)
    if before.get("sha256") != definition_digest({key: value for key, value in before.items() if key != "sha256"}):
        yield f"edited by hand: {name}; its sha256 is not that of the definition beside it"


def _lines(tool: dict[str, Any], key: str) -> list[str]:
    if key not in tool:
        return []
    value = tool[key]
    return (value if isinstance(value, str) else json.dumps(value, indent=2)).splitlines()


def _by_name(tools: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(tool.get("name")): tool for tool in tools}


def _require_version(server: StartedServer, installed: Path) -> None:
    if (OWN / server.module).is_dir():
        return  # a server of ours: its code stands beside the lock, and not in a package with a version
    found = importlib.metadata.distributions(name=server.package, path=[str(installed)])
    versions = [distribution.version for distribution in found]
    if versions != [server.version]:
        raise LockFailed(
            f"{server.name}: server.toml says {server.package} {server.version}, requirements.lock installs "
            f"{', '.join(versions) or 'no such package'}",
            "Make them agree.",
        )


def read_lock(path: Path) -> dict[str, Any]:
    """Return a lock file's content.

    Raises:
        LockFailed: the file is missing or is not a lock.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LockFailed(f"{path.parent.name}: {path} does not exist", _AGAIN) from None
    except ValueError as error:
        raise LockFailed(f"{path.parent.name}: {path} is not valid JSON: {error}", _AGAIN) from None
    tools = content.get("tools") if isinstance(content, dict) else None
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise LockFailed(f"{path.parent.name}: {path} holds no list of tools", _AGAIN)
    return dict(content)


def _run(name: str, *, check: bool, timeout_seconds: float) -> bool:
    """Make or check one lock, print what was found, and return whether the file now agrees with the server."""
    folder = SERVERS / name
    path = folder / "tools.lock.json"
    server = read_server(folder)
    live = live_lock(server, installed=packages(name), timeout_seconds=timeout_seconds)
    if check or path.exists():
        found = list(differences(read_lock(path), live))
    else:
        found = ["new lock"]
    agrees = path.exists() and path.read_text(encoding="utf-8") == lock_text(live)
    if agrees:
        print(f"{name}: {len(live['tools'])} tools, as locked")
        return True
    for paragraph in found or ["only the file's form differs"]:
        print(f"{name}: {paragraph}")
    if check:
        return False
    path.write_text(lock_text(live), encoding="utf-8")
    print(f"{name}: {len(live['tools'])} tools, lock written")
    return True


def known_servers() -> list[str]:
    """Returns whose tools can be pinned: a refused server stands in the catalogue for its reason only."""
    return sorted(path.parent.name for path in SERVERS.glob("*/requirements.lock"))


def pin(servers: Sequence[str], *, check: bool, timeout_seconds: float) -> int:
    """Starts each MCP server, without credentials, and pins the tools that it lists.

    Args:
        servers: Whose tools; every server's where none is named.

    Returns:
        0 done, or as locked; 1 the tools drifted (with `check`).

    Raises:
        CannotGoOn: something failed.
    """
    agree = [_run(name, check=check, timeout_seconds=timeout_seconds) for name in servers or known_servers()]
    if not all(agree):
        print("Review the changes, classify what is new in server.toml, and run `make lock`.", file=sys.stderr)
        return 1
    return 0

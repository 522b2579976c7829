"""`tools/list`, held to the lock: what the model is told about a tool is what a reviewer approved, or nothing."""

from __future__ import annotations

from typing import Any

from callpath.digest import digest
from callpath.refusal import Refusal
from response_interceptor.rules import Rules
from response_interceptor.story import Story

_DEFINITION = ("name", "description", "inputSchema")


def locked_list(result: dict[str, Any], *, rules: Rules, story: Story) -> dict[str, Any]:
    """Return the list with every tool that is not exactly as locked left out, and the rest reduced to its definition.

    A changed description is how a server talks to the model behind everyone's back, so it costs the tool its place.

    Raises:
        Refusal: the result is no tool list.
    """
    tools = result.get("tools")
    if not isinstance(tools, list):
        raise Refusal("response", "unexpected-result", "The gateway's answer is not a list of tools")
    kept: dict[str, dict[str, Any]] = {}
    for offered in tools:
        name = offered.get("name") if isinstance(offered, dict) else None
        locked = rules.tools.get(name) if isinstance(name, str) else None
        if locked is None or name in kept or not _is_locked(offered, locked.sha256):
            story.dropped += 1
        else:
            kept[locked.definition["name"]] = {part: locked.definition[part] for part in _DEFINITION}
    listed: dict[str, Any] = {"tools": list(kept.values())}
    if isinstance(result.get("nextCursor"), str):
        listed["nextCursor"] = result["nextCursor"]
    return listed


def _is_locked(offered: dict[str, Any], sha256: str) -> bool:
    try:
        return digest({part: offered.get(part) for part in _DEFINITION}) == sha256
    except ValueError:
        return False

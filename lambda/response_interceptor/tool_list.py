"""`tools/list`, held to the lock: what the model is told about a tool is what a reviewer approved, or nothing."""

from __future__ import annotations

import re
from typing import Any

from callpath.digest import digest
from callpath.refusal import Refusal
from response_interceptor.answer_context import AnswerContext
from response_interceptor.redaction import Redaction
from response_interceptor.rules import Rules, Tool

_CURSOR = re.compile(r"[A-Za-z0-9_+/=.:~-]{1,2048}")
_DEFINITION = ("name", "description", "inputSchema")


def locked_list(
    result: dict[str, Any], *, rules: Rules, context: AnswerContext, redaction: Redaction
) -> dict[str, Any]:
    """Return the list, in the words compiled for this persona, without each tool whose name or description has changed.

    A changed description is how a server talks to the model behind everyone's back, so it costs the tool its place. A
    schema that came back otherwise does not: the gateway keeps "normalized" definitions, and which keywords it gives
    back is not documented (AgentCore developer guide, MCP servers targets, read 28 November 2026). Nothing of it is
    shown, and calls are held to the lock's schema by interceptor and runtime; the record counts it as `differs`.

    Where the next page begins is the gateway's one word that passes. What is no word, or holds what is redacted, does
    not: in part it would lead nowhere, and whole it could say anything.

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
        if (
            locked is None
            or name is None
            or name in kept
            or offered.get("description") != locked.definition["description"]
        ):
            context.dropped += 1
            continue
        context.differs += not _as_published(offered, locked)
        kept[name] = locked.shown
    listed: dict[str, Any] = {"tools": list(kept.values())}
    cursor = result.get("nextCursor")
    if isinstance(cursor, str) and _CURSOR.fullmatch(cursor) and redaction.text(cursor) == cursor:
        listed["nextCursor"] = cursor
    return listed


def _as_published(offered: dict[str, Any], locked: Tool) -> bool:
    try:
        return digest({part: offered.get(part) for part in _DEFINITION}) == locked.sha256
    except ValueError:  # a schema with a number that JSON cannot carry
        return False

"""The rules this persona's requests are held to, read from the `rules.json` in the function's zip."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from callpath.arguments import ToolRule


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One granted tool, under its published name `<server>___<tool>`."""

    server: str
    name: str
    level: str
    audience: str
    rule: ToolRule


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What one persona of one department may ask for. Sizes in bytes, depth in nested containers."""

    department: str
    persona: str
    policy_version: str
    issuer: str
    methods: frozenset[str]
    request_bytes: int
    depth: int
    tools: dict[str, Tool]


def read_rules(path: Path) -> Rules:
    """Return the rules of a file that `governance.rules.interceptor_rules` made.

    Raises:
        OSError, ValueError, KeyError: the file is missing or is not such a file. The caller refuses every request.
    """
    found = json.loads(path.read_bytes())
    tools = {
        name: Tool(
            server=tool["server"],
            name=tool["tool"],
            level=tool["level"],
            audience=tool["audience"],
            rule=ToolRule(name, tool["definition"]["inputSchema"], tool["forced"]),
        )
        for name, tool in found["tools"].items()
    }
    return Rules(
        department=found["department"],
        persona=found["persona"],
        policy_version=found["policy_version"],
        issuer=found["issuer"],
        methods=frozenset(found["methods"]),
        request_bytes=found["limits"]["request_bytes"],
        depth=found["limits"]["depth"],
        tools=tools,
    )

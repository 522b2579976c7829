"""The rules this persona's responses are held to, read from the `rules.json` in the function's zip."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callpath.request import rules as request_rules
from response_interceptor.caveats import Caveat
from response_interceptor.redaction import Redactor


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One granted tool: what the lock says it is, and whether its output carries other people's words.

    Attributes:
        definition: as the gateway was given it, and must give it back.
        shown: as a model reads it.
        caveats: when an answer says beside itself what it cannot contain.
    """

    server: str
    name: str
    level: str
    untrusted: bool
    definition: dict[str, Any]
    sha256: str
    shown: dict[str, Any]
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What one persona of one department may be shown. Sizes in bytes of JSON.

    Attributes:
        contact: whom a caller may ask.
        next_steps: what a caller may do next, by the rule that refused.
        asked: what may be asked for, by which a refusal that the gateway lost is found again.
    """

    department: str
    persona: str
    account: str
    policy_version: str
    methods: frozenset[str]
    empty_lists: dict[str, str]
    response_bytes: int
    tools: dict[str, Tool]
    redactor: Redactor
    contact: str
    next_steps: dict[str, str]
    asked: request_rules.Rules

    def called(self, name: object) -> Tool | None:
        """Return the tool of a name: the gateway's or, as the client sent it, the one that models are shown."""
        if not isinstance(name, str):
            return None
        return self.tools.get(name) or next((tool for tool in self.tools.values() if tool.shown["name"] == name), None)


def read_rules(path: Path) -> Rules:
    """Return the rules of a file that `ringfence.compilers.rules.interceptor_rules` made.

    Raises:
        OSError, ValueError, KeyError, re2.error: the file is missing or is not such a file, or has no redaction rules.
            The caller refuses every response.
    """
    found = json.loads(path.read_bytes())
    if not found["redaction"]:
        raise ValueError("rules.json holds no redaction rules")
    tools = {
        name: Tool(
            server=tool["server"],
            name=tool["tool"],
            level=tool["level"],
            untrusted=tool["untrusted"],
            definition=tool["definition"],
            sha256=tool["sha256"],
            shown=tool["shown"],
            caveats=tuple(Caveat.read(each) for each in tool.get("caveats", ())),
        )
        for name, tool in found["tools"].items()
    }
    return Rules(
        department=found["department"],
        persona=found["persona"],
        account=found["account"],
        policy_version=found["policy_version"],
        methods=frozenset(found["methods"]),
        empty_lists=found["empty_lists"],
        response_bytes=found["limits"]["response_bytes"],
        tools=tools,
        redactor=Redactor(found["redaction"]),
        contact=found["contact"],
        next_steps=found["next_steps"],
        asked=request_rules.read_rules(path),
    )

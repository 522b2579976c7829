"""The rules this persona's requests are held to, read from the `rules.json` in the function's zip."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callpath.arguments import ToolRule
from callpath.looking import Looking
from callpath.operations import Operations, needs_approval
from callpath.refusal import Refusal


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One granted tool, under its published name `<server>___<tool>`.

    Attributes:
        level: of a tool with operations the highest of theirs.
        operations: what the tool may be asked to do, if one of its arguments decides that.
        held_back: the operations that need an approval; None in it stands for a tool without operations.
    """

    server: str
    name: str
    level: str
    audience: str
    rule: ToolRule
    operations: Operations | None = None
    held_back: frozenset[str | None] = frozenset()

    def operation_in(self, arguments: dict[str, object]) -> str | None:
        """Return the operation that checked arguments ask for, or None for a tool that does one thing.

        Raises:
            Refusal: the operation is not permitted, or it needs an approval.
        """
        found = self.operations.chosen(arguments, tool=self.rule.name, layer="request") if self.operations else None
        if found in self.held_back:
            subject = f"{self.rule.name} ({found})" if found else self.rule.name
            raise Refusal("request", "approval-required", f"{subject} needs an approval, none is configured")
        return found

    def level_of(self, operation: str | None) -> str:
        """Return the level of a call."""
        return self.operations.levels[operation] if self.operations and operation else self.level


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What one persona of one department may ask for. Sizes in bytes, depth in nested containers.

    Attributes:
        contact: whom a caller may ask.
        not_held: why the persona does not hold a tool of the catalogue, by published name.
        shown: the published name of each tool by the one that models are shown.
        methods: those that pass.
        empty_lists: those that are answered here with an empty list, by the field that holds it.
    """

    department: str
    persona: str
    policy_version: str
    issuer: str
    methods: frozenset[str]
    empty_lists: dict[str, str]
    request_bytes: int
    depth: int
    tools: dict[str, Tool]
    contact: str
    not_held: dict[str, str]
    shown: dict[str, str]

    def published(self, name: object) -> object:
        """Return the gateway's name for a tool that is called by the one that models are shown; any other as it is."""
        return self.shown.get(name, name) if isinstance(name, str) else name

    def arguments_of(self, name: object) -> frozenset[str]:
        """Return the names of the arguments of a tool; none where the persona does not hold it."""
        published = self.published(name)
        tool = self.tools.get(published) if isinstance(published, str) else None
        return tool.rule.declared if tool else frozenset()

    def unknown(self, name: object) -> str:
        """Return what is said of a tool that the persona does not hold. Repeats a name only if the catalogue has it."""
        ask = f" Ask {self.contact}." if self.contact else ""
        asked = str(name)[:128].casefold()
        why = {tool.casefold(): f"{tool}. {reason}" for tool, reason in self.not_held.items()}
        if asked in why:
            return f"The {self.persona} may not call {why[asked]}{ask}"
        told = {published: shown for shown, published in self.shown.items()}
        aliases = ((name, alias) for name in self.tools for alias in (name, name.partition("___")[2], told[name]))
        known = {alias.casefold(): told[name] for name, alias in aliases}
        near = difflib.get_close_matches(asked, known, n=1, cutoff=0.75)
        if near:
            return f"There is no tool of that name. Did you mean {known[near[0]]}?"
        return f"The {self.persona} has no such tool: list the tools to see those that it has.{ask}"


def read_rules(path: Path) -> Rules:
    """Return the rules of a file that `ringfence.compilers.rules.interceptor_rules` made.

    Raises:
        OSError, ValueError, KeyError: the file is missing or is not such a file. The caller refuses every request.
    """
    found = json.loads(path.read_bytes())
    tools = {name: _tool(tool) for name, tool in found["tools"].items()}
    return Rules(
        department=found["department"],
        persona=found["persona"],
        policy_version=found["policy_version"],
        issuer=found["issuer"],
        methods=frozenset(found["methods"]),
        empty_lists=found["empty_lists"],
        request_bytes=found["limits"]["request_bytes"],
        depth=found["limits"]["depth"],
        tools=tools,
        contact=found["contact"],
        not_held=found["not_held"],
        shown={tool["shown"]["name"]: name for name, tool in found["tools"].items()},
    )


def _tool(tool: dict[str, Any]) -> Tool:
    operations = Operations.read(tool)
    each: list[str | None] = [*operations.levels] if operations else [None]
    return Tool(
        server=tool["server"],
        name=tool["tool"],
        level=tool["level"],
        audience=tool["audience"],
        rule=ToolRule(
            tool["shown"]["name"],
            tool["definition"]["inputSchema"],
            tool["forced"],
            Looking.read(tool),
            examples=tool["examples"],
            not_held=tool["not_held"],
        ),
        operations=operations,
        held_back=frozenset(operation for operation in each if needs_approval(tool, operation)),
    )

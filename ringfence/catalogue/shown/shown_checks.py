"""What a model reads must fit: names and descriptions that no host cuts, and a list that leaves room to work."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ringfence.catalogue.servers import Server
from ringfence.catalogue.shown.shown import shown_name
from ringfence.reading.problems import Problem, ProblemsFound, shown

LONGEST_NAME: Final = 40
"""Characters of `<server>___<tool>`. Hosts put their own name for the gateway before it and refuse more than 60 or 64
together (awslabs/mcp issues 1283 and 2214, microsoft/vscode issue 243602)."""
LONGEST_DESCRIPTION: Final = 2048
"""Characters beyond which Claude Code cuts a description without a word (anthropics/claude-code issue 41593)."""


def name_problems(servers: Mapping[str, Server]) -> Iterator[Problem]:
    """Yields the tools whose names are too long for hosts, or that have the name of another tool."""
    taken: dict[str, str] = {}
    everything = [(server, tool) for server in servers.values() for tool in server.tools.values()]
    published = {f"{server.name}___{tool.name}" for server, tool in everything}
    for server, tool in everything:
        name, own = shown_name(server, tool), f"{server.name}___{tool.name}"
        field = f"servers/{server.name}/server.toml: tools.{tool.name}.alias"
        if len(name) > LONGEST_NAME and not tool.refused:
            message = f"A model would call it {name}: {len(name)} characters, and hosts have room for {LONGEST_NAME}."
            yield Problem(field, shown(tool.alias or None), message, "Give the tool, or its server, a shorter alias.")
        if name in taken or (name != own and name in published):
            message = f"Another tool is called {name}, too."
            yield Problem(field, shown(tool.alias or None), message, "Choose another alias.")
        taken[name] = own


def check_shown(tools: Sequence[Mapping[str, Any]], *, persona: str, most: int | None) -> None:
    """Checks what a persona's model reads.

    Args:
        most: bytes that the list may take; None for a persona without a budget.

    Raises:
        ProblemsFound: a description is longer than hosts show, or the list is larger than its budget.
    """
    problems = [
        Problem(
            f"tool {tool['name']}",
            f"{len(tool['description'])} characters",
            f"Hosts cut a description beyond {LONGEST_DESCRIPTION} characters, and the model does not learn the rest.",
            "Write `told` for the tool in its server.toml, or a rule in published.toml.",
        )
        for tool in tools
        if len(tool["description"]) > LONGEST_DESCRIPTION
    ]
    size = size_of(tools)
    if most is not None and size > most:
        message = f"The {persona}'s list of tools takes {size} bytes of every conversation."
        remedy = "Shorten what is told (`told`, published.toml), or raise the budget and say why."
        problems.append(Problem(f"published.toml: budgets.{persona}", str(most), message, remedy))
    if problems:
        raise ProblemsFound("catalogue", problems)


def size_of(tools: Sequence[Mapping[str, Any]]) -> int:
    """Returns the bytes of an answer to `tools/list`, as JSON without spaces."""
    return len(json.dumps({"tools": list(tools)}, ensure_ascii=False, separators=(",", ":")).encode())

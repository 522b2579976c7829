"""Pages made from the catalogue, for whoever reviews words: `make pages` writes them, a test holds them current."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.catalogue.shown.shown_checks import size_of
from ringfence.compilers.rules import shown_definitions
from ringfence.department.department import Department, load_department

DEPARTMENT: Final = "example-sandbox"
"""The department whose tools are shown: it has every persona, with every tool that an example enables."""

_INGRESS: Final = """\
## At ingress

Before any rule ingress refuses: AgentCore's authorizer, and the firewall. Their words are the service's, not
Ringfence's, and bear no call id; the rehearsal has words of its own in their place. What to do next is by the status:

| status | what it means | what to do next |
|---|---|---|
| 401 | There is no token, or it has expired, or another issuer or client has it. | Sign in again in the host. |
| 403, `insufficient_scope` | The token is for another persona or none. | Sign in as a member of one of its groups. |
| 403 | It comes from outside the department's networks, or too often. | Call from one that the file names. |
"""


def pages(root: Path) -> dict[str, str]:
    """Returns every page, by its path below the repository's folder.

    Raises:
        ProblemsFound: catalogue or department file are not in order.
    """
    catalogue = load_catalogue(root / "catalogue")
    department = load_department(DEPARTMENT, catalogue=catalogue, root=root / "departments")
    found = {"docs/refusals.md": refusals_page(catalogue)}
    return found | {
        f"docs/tools/{persona}.md": tools_page(catalogue, department, persona) for persona in department.personas
    }


def refusals_page(catalogue: Catalogue) -> str:
    """Returns every rule by which a call is refused, in Markdown."""
    lines = [
        "# Refusals",
        "",
        "A refused call says in its own text what was refused and why, by which rule and layer, and its call id; the",
        "model reads the same. This page lists every rule, and is made by `make pages` from `catalogue/refusals.toml`.",
        "",
        "| rule | layer | what it means | what to do next |",
        "|---|---|---|---|",
    ]
    for name, rule in sorted(catalogue.refusals.items()):
        lines.append(f"| `{name}` | {', '.join(rule.layers)} | {_escaped(rule.means)} | {_escaped(rule.next)} |")
    return "\n".join(lines) + f"\n{_INGRESS}"


def tools_page(catalogue: Catalogue, department: Department, persona: str) -> str:
    """Returns what a persona's model reads, in Markdown."""
    tools = shown_definitions(catalogue, department, persona)
    size = size_of(tools)
    lines = [
        f"# What the {persona}'s model reads",
        "",
        f"{len(tools)} tools, {size:,} bytes, in the department {department.name}. Made by `make pages` from each "
        "server's locked words, `catalogue/published.toml` and the catalogue's own sentences; change those, not this "
        "page.",
        *(line for tool in tools for line in _tool(tool)),
    ]
    return "\n".join(lines) + "\n"


def _tool(tool: Mapping[str, Any]) -> Iterator[str]:
    annotations = tool["annotations"]
    yield from ("", f"## {tool['name']}", "")
    yield "Reads only." if annotations["readOnlyHint"] else "May change something: a host asks first."
    yield from ("", *(f"> {line}".rstrip() for line in tool["description"].splitlines()))
    schema = tool["inputSchema"]
    if schema["properties"]:
        yield from ("", "| argument | | takes | |", "|---|---|---|---|")
    for name, part in schema["properties"].items():
        required = "required" if name in schema.get("required", []) else ""
        takes = {key: value for key, value in part.items() if key != "description"}
        yield f"| `{name}` | {required} | {_cell(takes)} | {_escaped(part.get('description', ''))} |"


def _cell(takes: Mapping[str, Any]) -> str:
    kind = str(takes.get("type", "any"))
    rest = {key: value for key, value in takes.items() if key != "type"}
    told = "; ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in rest.items())
    # As code, or a pattern's brackets would read as a link.
    return f"`{_escaped(f'{kind}; {told}' if told else kind)}`"


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def write_pages(root: Path) -> None:
    """Writes every page below the project's folder."""
    for path, text in pages(root).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
        print(path)

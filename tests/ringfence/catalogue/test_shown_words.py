"""Whatever a department switches on: what a model reads fits, and speaks of nothing that its callers do not have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.catalogue.servers import Server, Tool
from ringfence.compilers.rules import shown_definitions
from ringfence.department.department import Department, Enable, Sensitive, load_department

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ("example-production", "example-saml", "example-sandbox")
EVERYTHING = "everything"
REGION_CHOSEN = re.compile(
    r"us-east-1|AWS_REGION|cross-region|across regions|all regions|region_name|region code|[\"'`]regions?[\"'`]"
    r"|\bregions? (?:argument|parameter|option)"
    r"|\b(?:in|for|from|of) (?:the |a )?(?:specified|given|chosen|selected|provided|target|desired|default) regions?\b",
    re.I,
)


@dataclass(frozen=True)
class Read:
    """One tool as one persona's model reads it, and whole as the catalogue has it."""

    where: str
    server: Server
    held: Tool
    shown: dict[str, Any]
    held_names: frozenset[str]

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(_descriptions(self.shown))

    @property
    def words(self) -> set[str]:
        return set(re.findall(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*", " ".join(self.texts)))

    @property
    def gone(self) -> set[str]:
        """The operations that the catalogue knows of the tool and this persona does not have."""
        whole = self.server.tools[self.held.name]
        return set() if whole.match == "command" else set(whole.operations) - set(self.held.operations)


def _descriptions(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _descriptions(each)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "description" and isinstance(value, str):
                yield value
            else:
                yield from _descriptions(value)


def with_everything(sandbox: Department, catalogue: Catalogue) -> Department:
    """The sandbox with every optional server, and every tool and operation that must be named, for every persona."""
    reason = "Whatever there is, so that nothing stays unread."
    places = [
        (server.name, ".".join(filter(None, (server.name, tool.name, operation))))
        for server in catalogue.servers.values()
        for tool in server.tools.values()
        for operation in ("", *tool.operations)
    ]
    return sandbox.model_copy(
        update={
            "enable": tuple(
                Enable(persona=persona, server=server, reason=reason)
                for persona in sandbox.personas
                for server in catalogue.servers
            ),
            "sensitive": tuple(
                Sensitive(persona=persona, tool=place, reason=reason)
                for persona in sandbox.personas
                for _, place in places
            ),
        }
    )


@pytest.fixture(scope="module")
def everything_read() -> list[Read]:
    catalogue = load_catalogue(ROOT / "catalogue")
    departments = {name: load_department(name, catalogue=catalogue, root=ROOT / "departments") for name in EXAMPLES}
    departments[EVERYTHING] = with_everything(departments["example-sandbox"], catalogue)
    found = []
    for name, department in departments.items():
        for persona in department.personas:
            granted = catalogue.granted(persona, department)
            names = frozenset(tool.name for _, tool in granted)
            found += [
                Read(f"{name} {persona} {shown['name']}", catalogue.servers[server.name], tool, shown, names)
                for (server, tool), shown in zip(
                    granted, shown_definitions(catalogue, department, persona), strict=True
                )
            ]
    return found


@pytest.mark.parametrize(("persona", "most"), [("auditor", 27_659), ("operator", 14_448), ("developer", 95_815)])
def test_no_list_takes_more_than_half_of_what_the_servers_own_took(
    everything_read: list[Read], persona: str, most: int
) -> None:
    """In bytes of JSON without spaces; the servers' own took 52,318, 28,897 and 191,630 (November 2026).

    The auditor has 1,500 more for a tool of our own server.
    """
    lists: dict[str, list[dict[str, Any]]] = {}
    for each in everything_read:
        department, whose, _ = each.where.split()
        if whose == persona:
            lists.setdefault(department, []).append(each.shown)
    sizes = {
        department: len(json.dumps({"tools": tools}, ensure_ascii=False, separators=(",", ":")).encode())
        for department, tools in lists.items()
    }
    assert EVERYTHING in sizes and min(sizes.values()) > 5_000
    assert {department: size for department, size in sizes.items() if size > most} == {}


def test_no_name_or_description_is_longer_than_hosts_take(everything_read: list[Read]) -> None:
    assert {each.where for each in everything_read if len(each.shown["name"]) > 40} == set()
    assert {each.where for each in everything_read if not 15 < len(each.shown["description"]) <= 2_048} == set()


def test_everything_there_is_is_read(everything_read: list[Read]) -> None:
    assert len({each.where.split()[0] for each in everything_read}) == 4
    assert len(everything_read) > 200
    assert sum(len(each.texts) for each in everything_read) > 1_000


def test_no_region_is_offered_as_a_choice(everything_read: list[Read]) -> None:
    told = [(each.where, text) for each in everything_read for text in each.texts if REGION_CHOSEN.search(text)]
    assert told == []


def test_no_argument_is_named_that_callers_do_not_have(everything_read: list[Read]) -> None:
    told = []
    for each in everything_read:
        locked = each.held.definition["inputSchema"].get("properties", {})
        missing = (set(locked) | set(each.held.arguments)) - set(each.shown["inputSchema"]["properties"])
        told += [(each.where, name) for name in missing & each.words if "_" in name]
        told += [
            (each.where, name)
            for name in missing
            if "_" not in name
            and any(re.search(rf"[\"'`]{name}[\"'`]|\b{name} (?:argument|option|parameter)", t) for t in each.texts)
        ]
    assert told == []


def test_no_argument_is_written_out_as_words_that_callers_do_not_have(everything_read: list[Read]) -> None:
    """As `package type` of `package_type`, but for the words of an operation or an argument that they do have."""
    told, looked_at = [], 0
    for each in everything_read:
        properties = each.shown["inputSchema"]["properties"]
        have = " ".join([*properties, *each.held.operations]).replace("-", "_")
        locked = each.held.definition["inputSchema"].get("properties", {})
        for name in (set(locked) | set(each.held.arguments)) - set(properties):
            if "_" in name and name not in have:
                looked_at += 1
                phrase = re.compile(rf"\b{name.replace('_', '[ -]')}s?\b", re.I)
                told += [(each.where, name, text) for text in each.texts if phrase.search(text)]
    assert looked_at > 20
    assert told == []


def test_no_operation_or_choice_is_named_that_is_refused(everything_read: list[Read]) -> None:
    told = []
    for each in everything_read:
        compound = {name for name in each.gone if re.search("[-_]", name)}
        told += [(each.where, name) for name in compound & each.words]
        for name, part in each.held.definition["inputSchema"].get("properties", {}).items():
            rule = each.held.arguments.get(name)
            refused = set(part.get("enum", ())) - set(rule.values) if rule and rule.mode == "allowed" else set()
            told += [(each.where, value) for value in refused if "_" in value and value in each.words]
    assert told == []


# What a summary says of an operation, by the first word of its name.
SAID = {
    "add": ("add", "adding"),
    "create": ("create", "creates", "creating"),
    "delete": ("delete", "deletes", "deleting"),
    "deploy": ("deploy", "deploys", "deploying"),
    "generate": ("generate", "generates", "generating"),
    "get": ("getting", "retrieving"),
    "modify": ("modify", "modifying"),
    "reset": ("reset", "resetting"),
    "run": ("run", "running", "executing"),
    "start": ("start", "starting"),
    "update": ("update", "updating"),
}


def test_no_summary_promises_what_only_refused_operations_do(everything_read: list[Read]) -> None:
    told, looked_at = [], 0
    for each in everything_read:
        first = {name: re.split("[-_]", name.removeprefix("batch-"))[0] for name in {*each.gone, *each.held.operations}}
        gone = {first[name] for name in each.gone} - {first[name] for name in each.held.operations}
        description = each.shown["description"].removesuffix(" ".join(each.held.limits))
        for verb in gone & set(SAID):
            looked_at += 1
            told += [(each.where, verb) for form in SAID[verb] if re.search(rf"\b{form}\b", description, re.I)]
    assert looked_at > 10
    assert told == []


def test_no_tool_is_named_that_the_persona_does_not_hold(everything_read: list[Read]) -> None:
    told = []
    for each in everything_read:
        missing = {name for name in each.server.lock if "_" in name} - each.held_names
        told += [(each.where, name) for name in missing if {name, f"{name}_tool"} & each.words]
    assert told == []


def test_what_only_reads_is_not_said_to_write(everything_read: list[Read]) -> None:
    writes = re.compile(r"write operations|lifecycle|requires? (?:--)?(?:allow-)?write", re.I)
    told = [
        each.where
        for each in everything_read
        if each.shown["annotations"]["readOnlyHint"] and any(map(writes.search, each.texts))
    ]
    assert told == []


def test_no_text_is_left_in_pieces(everything_read: list[Read]) -> None:
    """What is left of a sentence without a refused operation still reads as one."""
    pieces = re.compile(
        r"\b(?:and|or|with|the) ?[,.;)](?!\.)|, ?[.)]|\( ?[),]|\b(?:for|of) (?:and|or)\b|\w  +\w"
        r"|\b(?:optional|required) for ?[,)]|\d for \d"
    )
    told = [(each.where, text) for each in everything_read for text in each.texts if pieces.search(text)]
    assert told == []

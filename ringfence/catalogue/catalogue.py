"""The catalogue: which servers and tools exist, what they need, and which persona holds which of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from ringfence.catalogue import grant_checks, grants
from ringfence.catalogue.checks import arguments, classification
from ringfence.catalogue.files.catalogue_files import (
    ExecutionFile,
    PersonaFile,
    PersonasFile,
    RedactionFile,
    RefusedServerFile,
    ServerFile,
)
from ringfence.catalogue.files.published_files import PublishedFile, RefusalFile, RefusalsFile
from ringfence.catalogue.files.tool_files import Grant, LockFile, ToolFile
from ringfence.catalogue.files.words import PASSING, Conditions
from ringfence.catalogue.hosts import HostKind, HostsFile, RefusedHost
from ringfence.catalogue.servers import Choices, Operation, Persona, Server, Tool
from ringfence.catalogue.shown import shown_checks
from ringfence.reading import names
from ringfence.reading.documents import Strict, as_model, read_checked, read_toml, repeated
from ringfence.reading.problems import Problem, ProblemsFound

_File = TypeVar("_File", bound=Strict)


@dataclass(frozen=True)
class Catalogue:
    """Everything that exists, checked as a whole.

    Attributes:
        published: What is left of the servers' own words where a model reads them.
        refusals: What each rule by which a call is refused means, by its id.
        refused: The reason of every server that stands here only to be refused, by name.
        hosts: Kinds of MCP host that a department may name.
        refused_hosts: Every kind of host that stands here only to be refused, by name.
    """

    servers: Mapping[str, Server]
    personas: Mapping[str, Persona]
    redaction: tuple[Mapping[str, Any], ...] = field(default=())
    published: PublishedFile = field(default_factory=PublishedFile)
    refusals: Mapping[str, RefusalFile] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, HostKind] = field(default_factory=dict)
    refused_hosts: Mapping[str, RefusedHost] = field(default_factory=dict)
    _granted: dict[tuple[object, ...], list[tuple[Server, Tool]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What `granted` has found, by all that it asks: a synthesis asks the same hundreds of times."""

    def granted(self, persona: str, department: Choices) -> list[tuple[Server, Tool]]:
        """Returns the tools that a persona effectively holds in a department, with their servers, sorted by both.

        Levels follow the department's environment; an optional server counts where the department enables it, a
        sensitive tool where the department names it. Of a tool with operations only the permitted ones are left, and
        its deciding argument admits nothing else.

        Raises:
            KeyError: the catalogue has no such persona.
        """
        asked = (
            *(persona, department.environment, department.account, department.queried(persona)),
            *(frozenset(department.enabled(persona)), frozenset(department.named(persona))),
        )
        if asked not in self._granted:
            self._granted[asked] = grants.granted(self.servers, self.personas[persona], department)
        return list(self._granted[asked])

    def changing(self, persona: str, department: Choices) -> list[str]:
        """Returns the published names of a persona's tools in a department that may do more than read.

        Raises:
            KeyError: the catalogue has no such persona.
        """
        held = self.granted(persona, department)
        return [names.published_tool(server.name, tool.name) for server, tool in held if tool.level != "read"]

    def servers_of(self, persona: str, department: Choices) -> list[Server]:
        """Returns the servers of which a persona holds a tool in a department, sorted by name."""
        found = {server.name: server for server, _ in self.granted(persona, department)}
        return [found[name] for name in sorted(found)]


def load_catalogue(root: Path = Path("catalogue")) -> Catalogue:
    """Returns the catalogue in a folder.

    Args:
        root: Folder with `personas.toml`, `redaction.toml`, `hosts.toml` and `servers/<name>/`.

    Raises:
        ProblemsFound: everything that is wrong with any of the files, at once.
    """
    problems: list[Problem] = []
    servers: dict[str, Server] = {}
    refused: dict[str, str] = {}
    folders = sorted(path for path in (root / "servers").glob("*") if path.is_dir())
    for folder in folders:
        data = _parsed(folder, problems)
        if data is not None and "refused" in data:
            refused |= _refused_server(folder, data, problems)
        elif server := _server(folder, data, problems):
            servers[server.name] = server
    personas = _read(root / "personas.toml", PersonasFile, "personas.toml", problems)
    redaction = _read(root / "redaction.toml", RedactionFile, "redaction.toml", problems)
    compiled = {name: _persona(name, file) for name, file in personas.personas.items()} if personas else {}
    known = {folder.name for folder in folders}
    problems += grant_checks.persona_problems(compiled, servers, known=known, refused=refused)
    problems += grant_checks.session_problems(compiled, servers)
    problems += classification.shared_endpoint_problems(servers)
    problems += shown_checks.name_problems(servers)
    problems += _repeated("redaction.toml", redaction, "rules", ("id",))
    hosts = _read(root / "hosts.toml", HostsFile, "hosts.toml", problems)
    published = _optional(root / "published.toml", PublishedFile, problems)
    refusals = _optional(root / "refusals.toml", RefusalsFile, problems)
    problems += _repeated("published.toml", published, "instead", ("pattern",))
    # Read by a test alone; a catalogue of a test's own need not have it.
    if (root / "execution.toml").exists():
        execution = _read(root / "execution.toml", ExecutionFile, "execution.toml", problems)
        problems += _repeated("execution.toml", execution, "parameter", ("action",))
    if problems:
        raise ProblemsFound(str(root), problems)
    rules = tuple(rule.model_dump(mode="json", exclude_unset=True) for rule in redaction.rules) if redaction else ()
    return Catalogue(
        servers=servers,
        personas=compiled,
        redaction=rules,
        published=published or PublishedFile(),
        refusals=refusals.rules if refusals else {},
        refused=refused,
        hosts=hosts.kinds if hosts else {},
        refused_hosts=hosts.refused if hosts else {},
    )


def _optional(path: Path, model: type[_File], problems: list[Problem]) -> _File | None:
    """Returns a checked file that a catalogue of a test's own need not have."""
    return _read(path, model, path.name, problems) if path.exists() else None


def _parsed(folder: Path, problems: list[Problem]) -> dict[str, Any] | None:
    """Returns what a server's file says, whichever kind it is of, or None after adding its problem."""
    try:
        return read_toml(folder / "server.toml")
    except ProblemsFound as error:
        problems += _at(_place(folder), error.problems)
    return None


def _place(folder: Path) -> str:
    return f"servers/{folder.name}/server.toml"


def _at(place: str, problems: Iterable[Problem]) -> list[Problem]:
    return [replace(problem, field=f"{place}: {problem.field}") for problem in problems]


def _refused_server(folder: Path, data: Mapping[str, Any], problems: list[Problem]) -> dict[str, str]:
    file, found = as_model(data, RefusedServerFile)
    problems += _at(_place(folder), found)
    if file is None:
        return {}
    problems += classification.refused_server_problems(folder.name, file)
    return {folder.name: file.refused.strip()}


def _repeated(place: str, file: Strict | None, name: str, fields: tuple[str, ...]) -> list[Problem]:
    return _at(place, repeated(file, name, fields)) if file else []


def _persona(name: str, file: PersonaFile) -> Persona:
    return Persona(name=name, **_of_the_same_name(file, Persona))


def _of_the_same_name(file: Strict, kind: type[Persona | Server | Tool]) -> dict[str, Any]:
    """Returns what a file says in the fields that it shares with what is made of it."""
    return {each.name: getattr(file, each.name) for each in fields(kind) if each.name in type(file).model_fields}


def _server(folder: Path, data: Mapping[str, Any] | None, problems: list[Problem]) -> Server | None:
    file, found = (None, []) if data is None else as_model(data, ServerFile)
    problems += _at(_place(folder), found)
    lock = _read(folder / "tools.lock.json", LockFile, f"servers/{folder.name}/tools.lock.json", problems)
    if file is None or lock is None:
        return None
    problems += classification.server_problems(folder.name, file, lock)
    locked = {tool.name: tool.model_dump(exclude_unset=True) for tool in lock.tools}
    if set(file.tools) - set(locked):
        return None
    made = {
        "tools": {name: _tool(name, file, locked[name]) for name in locked if name in file.tools},
        "lock": {name: str(definition["sha256"]) for name, definition in locked.items()},
        "alias": file.alias or "",
    }
    return Server(**_of_the_same_name(file, Server) | made)


def _tool(name: str, file: ServerFile, locked: dict[str, Any]) -> Tool:
    written = file.tools[name]
    definition = {key: value for key, value in locked.items() if key != "sha256"}
    operations = {key: _operation(key, written) for key in sorted(written.operations)}
    made = {
        # A tool without a level has been told already; the lowest one adds no second complaint about it.
        "level": written.level or "read",
        "grants": (*written.grants, *_passing(written, file)),
        "arguments": arguments.argument_rules(file, written, definition),
        "refused": written.refused.strip(),
        "operations": {},
        "without": dict(sorted(written.without.items())),
        "no_window": written.no_window.strip(),
        "told": written.told.strip(),
        "examples": {key: value for example in reversed(written.examples) for key, value in example.items()},
        "alias": written.alias or "",
    }
    same = _of_the_same_name(written, Tool) | made
    tool = Tool(name=name, definition=definition, sha256=str(locked["sha256"]), **same)
    return grants.with_operations(tool, operations) if operations else tool


def _passing(tool: ToolFile, file: ServerFile) -> tuple[Grant, ...]:
    """Returns the right to hand the tool's role to the one service it is for; an unknown role has been told already."""
    if tool.passes not in file.roles:
        return ()
    role = f"arn:aws:iam::{{account}}:role/{names.passed_role('{department}', tool.passes)}"
    only_to: Conditions = {"StringEquals": {"iam:PassedToService": file.roles[tool.passes].service}}
    return (Grant(actions=(PASSING,), resources=(role,), conditions=only_to),)


def _operation(name: str, tool: ToolFile) -> Operation:
    written = tool.operations[name]
    return Operation(
        name=name,
        level=written.level,
        grants=written.grants,
        # What holds for the tool holds for each of its operations.
        sensitive=written.sensitive or tool.sensitive,
        personal=written.personal or tool.personal,
        approval=written.approval or tool.approval,
        refused=written.refused.strip() or tool.refused.strip(),
        note=written.note,
        options=dict(sorted(written.options.items())),
    )


def _read(path: Path, model: type[_File], place: str, problems: list[Problem]) -> _File | None:
    """Returns a checked file, or None after adding its problems under the file's place."""
    try:
        return read_checked(path, model)
    except ProblemsFound as error:
        problems += _at(place, error.problems)
    return None

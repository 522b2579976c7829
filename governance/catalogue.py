"""The catalogue: which servers and tools exist, what they need, and which persona holds which of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from governance import argument_checks, catalogue_checks, effective, grant_checks, names
from governance.catalogue_files import (
    PASSING,
    Argument,
    Conditions,
    Endpoint,
    Explanation,
    Grant,
    Level,
    LockFile,
    Match,
    OptionFile,
    PassedRoleFile,
    PersonaFile,
    PersonasFile,
    RedactionFile,
    RefusedServerFile,
    ServerFile,
    ToolFile,
)
from governance.documents import Strict, problems_of, read_json, read_toml
from governance.problems import Problem, ProblemsFound
from governance.region import REGION

if TYPE_CHECKING:
    from governance.department import Department

_File = TypeVar("_File", bound=Strict)


@dataclass(frozen=True)
class Operation:
    """One thing a tool does, chosen by the value of its deciding argument. Most fields are those of a tool.

    Attributes:
        options: Of a command, every option that it may be given.
    """

    name: str
    level: Level
    grants: tuple[Grant, ...]
    sensitive: bool = False
    personal: bool = False
    approval: bool = False
    refused: str = ""
    note: str = ""
    options: Mapping[str, OptionFile] = field(default_factory=dict)


@dataclass(frozen=True)
class Tool:
    """One tool of a server: as it is classified, or, from `Catalogue.granted`, as a persona effectively holds it.

    Attributes:
        level: Of a tool with operations the highest of theirs.
        grants: Of a tool with operations all of theirs together.
        sensitive: Whether a department must name it; of a tool with operations, whether one of them is.
        personal: Whether its output may hold personal data by nature.
        approval: Whether every call needs an approval; operations have their own.
        refused: Why nobody may have it; empty for all others.
        operation: The argument whose value decides what the tool does; empty for a tool that does one thing.
        match: Whether that argument holds the operation, or a text that begins with it.
        operations: By name, in the order of the names.
        arguments: What callers may do with single arguments; the server's rules with the tool's own laid over them.
        definition: The tool as the server declares it (name, description, inputSchema, ...), from the lock.
        sha256: Digest of that definition.
        passes: The role of its server that it hands to a service of AWS; empty for nearly all. The right to do so is
            among `grants`.
    """

    name: str
    level: Level
    grants: tuple[Grant, ...]
    untrusted: bool
    sensitive: bool
    arguments: Mapping[str, Argument]
    definition: Mapping[str, Any]
    sha256: str
    timeout_seconds: int = 60
    note: str = ""
    personal: bool = False
    approval: bool = False
    refused: str = ""
    operation: str = ""
    match: Match = "exact"
    operations: Mapping[str, Operation] = field(default_factory=dict)
    passes: str = ""

    @property
    def forced(self) -> dict[str, Any]:
        """Arguments that have exactly one accepted value, filled in when absent."""
        return {name: rule.value for name, rule in sorted(self.arguments.items()) if rule.mode == "forced"}

    @property
    def filled(self) -> dict[str, Any]:
        """Hidden arguments that the host sends on the caller's behalf."""
        hidden = ((name, rule) for name, rule in sorted(self.arguments.items()) if rule.mode == "hidden")
        return {name: rule.value for name, rule in hidden if rule.has_value}


@dataclass(frozen=True)
class Server:
    """One MCP server.

    Attributes:
        module: Started as `python -m <module>` with `flags`.
        tools: Every tool the server has, by name, in the lock's order.
        lock: Digest of every tool's definition, by name.
        arguments: Rules that hold for every tool with such an argument.
        optional: Whether a department must enable it for a persona.
        write_flags: Added to `flags` where a persona holds a tool above the level read.
        sensitive_flags: Added to `flags` where a persona holds a sensitive tool.
        commands: Commands on the server's path: name -> module it runs, or nothing.
        explanations: What some of its failures mean here.
        roles: Roles that its tools hand to services of AWS, by the end of their names.
    """

    name: str
    title: str
    description: str
    package: str
    version: str
    module: str
    flags: tuple[str, ...]
    environment: Mapping[str, str]
    endpoints: tuple[Endpoint, ...]
    arguments: Mapping[str, Argument]
    tools: Mapping[str, Tool]
    lock: Mapping[str, str]
    optional: bool = False
    write_flags: tuple[str, ...] = ()
    sensitive_flags: tuple[str, ...] = ()
    commands: Mapping[str, str] = field(default_factory=dict)
    explanations: tuple[Explanation, ...] = ()
    roles: Mapping[str, PassedRoleFile] = field(default_factory=dict)

    def endpoint_of(self, action: str) -> Endpoint:
        """Returns the endpoint that carries an IAM action.

        Raises:
            KeyError: none does; `load_catalogue` refuses a catalogue in which a granted tool has such an action.
        """
        prefix = action.partition(":")[0]
        for endpoint in self.endpoints:
            if prefix in endpoint.prefixes:
                return endpoint
        raise KeyError(f"no endpoint of server {self.name} carries {action}")

    def region_of(self, action: str) -> str:
        """Returns the region in which AWS answers an IAM action (`aws:RequestedRegion`)."""
        # Whether a role may be handed on is decided where the receiving service is asked, and those are in London.
        return REGION if action == PASSING else self.endpoint_of(action).region


@dataclass(frozen=True)
class Persona:
    """A hat that people wear, with the tools it comes with.

    Attributes:
        levels: Levels this persona may hold in production.
        sandbox_levels: Levels it may hold in a sandbox.
        servers: Granted tools (`tool` or `tool.operation`) by server, in the order of the file.
    """

    name: str
    title: str
    description: str
    levels: tuple[Level, ...]
    servers: Mapping[str, tuple[str, ...]]
    sandbox_levels: tuple[Level, ...] = ()

    def levels_in(self, environment: str) -> tuple[Level, ...]:
        """Returns the levels that this persona holds in an environment."""
        return self.sandbox_levels or self.levels if environment == "sandbox" else self.levels


@dataclass(frozen=True)
class Catalogue:
    """Everything that exists, checked as a whole.

    Attributes:
        refused: The reason of every server that stands here only to be refused, by name.
    """

    servers: Mapping[str, Server]
    personas: Mapping[str, Persona]
    redaction: tuple[Mapping[str, Any], ...] = field(default=())
    refused: Mapping[str, str] = field(default_factory=dict)

    def granted(self, persona: str, department: Department) -> list[tuple[Server, Tool]]:
        """Returns the tools that a persona effectively holds in a department, with their servers, sorted by both.

        Levels follow the department's environment; an optional server counts where the department enables it, a
        sensitive tool where the department names it. Of a tool with operations only the permitted ones are left, and
        its deciding argument admits nothing else.

        Raises:
            KeyError: the catalogue has no such persona.
        """
        return effective.granted(self.servers, self.personas[persona], department)

    def servers_of(self, persona: str, department: Department) -> list[Server]:
        """Returns the servers of which a persona holds a tool in a department, sorted by name."""
        found = {server.name: server for server, _ in self.granted(persona, department)}
        return [found[name] for name in sorted(found)]


def load_catalogue(root: Path = Path("catalogue")) -> Catalogue:
    """Returns the catalogue in a folder.

    Args:
        root: Folder with `personas.toml`, `redaction.toml` and `servers/<name>/`.

    Raises:
        ProblemsFound: everything that is wrong with any of the files, at once.
    """
    problems: list[Problem] = []
    servers: dict[str, Server] = {}
    refused: dict[str, str] = {}
    folders = sorted(path for path in (root / "servers").glob("*") if path.is_dir())
    for folder in folders:
        if _is_refused(folder):
            refused |= _refused_server(folder, problems)
            continue
        server = _server(folder, problems)
        if server is not None:
            servers[server.name] = server
    personas = _read(root / "personas.toml", PersonasFile, "personas.toml", problems)
    redaction = _read(root / "redaction.toml", RedactionFile, "redaction.toml", problems)
    compiled = {name: _persona(name, file) for name, file in personas.personas.items()} if personas else {}
    known = {folder.name for folder in folders}
    problems += grant_checks.persona_problems(compiled, servers, known=known, refused=refused)
    problems += grant_checks.session_problems(compiled, servers)
    problems += catalogue_checks.shared_endpoint_problems(servers)
    problems += _repeated_rules(redaction)
    if problems:
        raise ProblemsFound(str(root), problems)
    rules = tuple(rule.model_dump() for rule in redaction.rules) if redaction else ()
    return Catalogue(servers=servers, personas=compiled, redaction=rules, refused=refused)


def _is_refused(folder: Path) -> bool:
    """Returns whether a folder's server says that it is refused; a file that cannot be read is told later."""
    try:
        return "refused" in read_toml(folder / "server.toml")
    except ProblemsFound:
        return False


def _refused_server(folder: Path, problems: list[Problem]) -> dict[str, str]:
    place = f"servers/{folder.name}/server.toml"
    file = _read(folder / "server.toml", RefusedServerFile, place, problems)
    if file is None:
        return {}
    problems += catalogue_checks.refused_server_problems(folder.name, file)
    return {folder.name: file.refused.strip()}


def _repeated_rules(file: RedactionFile | None) -> list[Problem]:
    ids = [rule.id for rule in file.rules] if file else []
    return [
        Problem("redaction.toml: rules", f'"{name}"', "Two rules have this id.", "Rename one of them.")
        for name in sorted({name for name in ids if ids.count(name) > 1})
    ]


def _persona(name: str, file: PersonaFile) -> Persona:
    return Persona(
        name=name,
        title=file.title,
        description=file.description,
        levels=file.levels,
        servers=file.servers,
        sandbox_levels=file.sandbox_levels,
    )


def _server(folder: Path, problems: list[Problem]) -> Server | None:
    place = f"servers/{folder.name}"
    file = _read(folder / "server.toml", ServerFile, f"{place}/server.toml", problems)
    lock = _read(folder / "tools.lock.json", LockFile, f"{place}/tools.lock.json", problems)
    if file is None or lock is None:
        return None
    problems += catalogue_checks.server_problems(folder.name, file, lock)
    locked = {tool.name: tool.model_dump(exclude_unset=True) for tool in lock.tools}
    if set(file.tools) - set(locked):
        return None
    return Server(
        name=file.name,
        title=file.title,
        description=file.description,
        package=file.package,
        version=file.version,
        module=file.module,
        flags=file.flags,
        environment=file.environment,
        endpoints=file.endpoints,
        arguments=file.arguments,
        tools={name: _tool(name, file, locked[name]) for name in locked if name in file.tools},
        lock={name: str(definition["sha256"]) for name, definition in locked.items()},
        optional=file.optional,
        write_flags=file.write_flags,
        sensitive_flags=file.sensitive_flags,
        commands=file.commands,
        explanations=file.explanations,
        roles=file.roles,
    )


def _tool(name: str, file: ServerFile, locked: dict[str, Any]) -> Tool:
    written = file.tools[name]
    definition = {key: value for key, value in locked.items() if key != "sha256"}
    operations = {key: _operation(key, written) for key in sorted(written.operations)}
    tool = Tool(
        name=name,
        # A tool without a level has been told already; the lowest one adds no second complaint about it.
        level=written.level or "read",
        grants=(*written.grants, *_passing(written, file)),
        untrusted=written.untrusted,
        sensitive=written.sensitive,
        arguments=argument_checks.argument_rules(file, written, definition),
        definition=definition,
        sha256=str(locked["sha256"]),
        timeout_seconds=written.timeout_seconds,
        note=written.note,
        personal=written.personal,
        approval=written.approval,
        refused=written.refused.strip(),
        operation=written.operation,
        match=written.match,
        passes=written.passes,
    )
    return effective.with_operations(tool, operations) if operations else tool


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
        return model.model_validate(read_json(path) if path.suffix == ".json" else read_toml(path))
    except ProblemsFound as error:
        problems += [
            Problem(f"{place}: {found.field}", found.value, found.message, found.remedy) for found in error.problems
        ]
    except ValidationError as error:
        for found in problems_of(error, model=model):
            problems.append(Problem(f"{place}: {found.field}", found.value, found.message, found.remedy))
    return None

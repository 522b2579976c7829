"""Servers with their tools and operations, and the personas that hold them, as the catalogue describes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ringfence.catalogue.files.catalogue_files import Endpoint, Explanation, PassedRoleFile
from ringfence.catalogue.files.published_files import CaveatFile
from ringfence.catalogue.files.tool_files import Argument, Grant, Level, Match, OptionFile, WindowFile
from ringfence.catalogue.files.words import PASSING
from ringfence.reading.region import REGION


class Choices(Protocol):
    """What a department chooses of the catalogue; `Department` is one."""

    @property
    def environment(self) -> str:
        """`production` or `sandbox`."""

    def enabled(self, persona: str) -> Collection[str]:
        """Returns the optional servers it enables for a persona."""

    def named(self, persona: str) -> Collection[str]:
        """Returns the sensitive tools it names for a persona, as `server.tool` or `server.tool.operation`."""

    def queried(self, persona: str) -> tuple[str, ...]:
        """Returns the patterns of log groups that it lets a persona query; `*` stands for any characters."""

    @property
    def account(self) -> str:
        """Its AWS account."""


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

    Most fields are those of `ToolFile`.

    Attributes:
        level: Of a tool with operations the highest of theirs.
        grants: Of a tool with operations all of theirs together.
        sensitive: Whether a department must name it; of a tool with operations, whether one of them is.
        operations: By name, in the order of the names.
        arguments: What callers may do with single arguments; the server's rules with the tool's own laid over them.
        definition: The tool as the server declares it (name, description, inputSchema, ...), from the lock.
        sha256: Digest of that definition.
        passes: The role of its server that it hands to a service of AWS; empty for nearly all. The right to do so is
            among `grants`.
        examples: A value of each argument for which the catalogue shows one.
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
    without: Mapping[str, str] = field(default_factory=dict)
    window: WindowFile | None = None
    no_window: str = ""
    told: str = ""
    limits: tuple[str, ...] = ()
    caveats: tuple[CaveatFile, ...] = ()
    together: tuple[str, ...] = ()
    examples: Mapping[str, Any] = field(default_factory=dict)
    alias: str = ""

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
    """One MCP server; most fields are those of `ServerFile`.

    Attributes:
        module: Started as `python -m <module>` with `flags`.
        tools: Every tool the server has, by name, in the lock's order.
        lock: Digest of every tool's definition, by name.
        arguments: Rules that hold for every tool with such an argument.
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
    alias: str = ""

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
        # Whether a role may be passed on is decided where the receiving service is asked, and those are in London.
        return REGION if action == PASSING else self.endpoint_of(action).region


@dataclass(frozen=True)
class Persona:
    """What people work as, with the tools it comes with.

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

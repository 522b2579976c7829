"""What the catalogue promises each persona of a department: a second reading of the TOML, to judge the compilers by.

Written against decision 0013 and what the files say about themselves, with nothing of the compilers: a fault of the
compilers, or of what they all start from, is not repeated here. The files' form has been checked before, at synthesis.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ringfence.deployed.gateways import published

LEVELS: Final = ("read", "write", "permissions", "execute", "credential")
"""From the least to the most."""
LONDON: Final = "eu-west-2"
_IN_A_NAME: Final = "[A-Za-z0-9_./#-]*"
"""What `*` stands for in the name of a log group."""

PASSING: Final = "iam:PassRole"
"""Handing a role to a service: no request of its own, decided with the one that hands it over."""

Place = tuple[str, str, str | None]
"""Something that can be granted: server, tool and, where one argument decides what the tool does, the operation."""


@dataclass(frozen=True)
class Need:
    """One action that a call may make.

    Attributes:
        action: `service:Action`.
        resources: ARN patterns, account and region filled in.
        region: where AWS answers it.
        condition: the IAM condition block beyond the region.
    """

    action: str
    resources: tuple[str, ...]
    region: str
    condition: Mapping[str, Any]


@dataclass(frozen=True)
class ExpectedPassedRole:
    """A role that a tool hands to a service of AWS.

    Attributes:
        service: the one service principal that may have it.
    """

    service: str
    needs: tuple[Need, ...]
    made: tuple[Need, ...]


@dataclass(frozen=True)
class Call:
    """One thing a persona may ask for: a tool, or one operation of a tool.

    Attributes:
        tool: bare name.
        operation: the value of the deciding argument, or None for a tool without operations.
        argument: the deciding argument's name, or None.
        level: read, write, permissions, execute or credential.
        marks: what else holds for it: `sensitive`, `personal`, `approval`.
        options: of a command, what each of its options may hold.
    """

    server: str
    tool: str
    operation: str | None
    argument: str | None
    level: str
    needs: tuple[Need, ...]
    marks: frozenset[str]
    options: Mapping[str, Mapping[str, Any]]

    @property
    def name(self) -> str:
        """`server.tool` or `server.tool.operation`."""
        return ".".join(part for part in (self.server, self.tool, self.operation) if part)

    @property
    def published(self) -> str:
        """The name at the gateway."""
        return published(self.server, self.tool)


@dataclass(frozen=True)
class HeldTool:
    """A tool as a persona holds it.

    Attributes:
        name: bare name.
        calls: what of it the persona may ask for; one for a tool without operations.
        operation: the deciding argument, or empty.
        match: `exact`, or `command` where a text's beginning decides.
        rules: the catalogue's rules for its arguments, the deciding one's among them.
        known: every operation that the catalogue knows, granted or not.
        locked: its definition as the server declares it.
        untrusted: whether its output carries text of others.
        without: what no text of a call may hold, by the word for it.
        alias: what a model calls it.
        window: the two arguments that hold times, `begin` and `end`, the `hours` between them, and perhaps what is
            `told` of the earlier one; or None.
        together: arguments of which a call has all or none.
    """

    server: str
    name: str
    calls: tuple[Call, ...]
    operation: str
    match: str
    rules: Mapping[str, Mapping[str, Any]]
    known: tuple[str, ...]
    locked: Mapping[str, Any]
    untrusted: bool
    timeout: int
    without: Mapping[str, str]
    window: Mapping[str, Any] | None
    alias: str
    together: tuple[str, ...] = ()

    @property
    def published(self) -> str:
        """The name at the gateway."""
        return published(self.server, self.name)

    @property
    def level(self) -> str:
        """The highest level of its calls."""
        return max((call.level for call in self.calls), key=LEVELS.index)

    def marked(self, mark: str) -> bool:
        """Whether one of its calls has a mark."""
        return any(mark in call.marks for call in self.calls)

    def sent(self, mode: str) -> dict[str, Any]:
        """The values of the arguments that Ringfence sends itself, `forced` or `hidden`."""
        return {name: rule["value"] for name, rule in self.rules.items() if rule["mode"] == mode and "value" in rule}


@dataclass(frozen=True)
class ExpectedPermissions:
    """The catalogue's TOML beside one department's, as they are parsed.

    Attributes:
        held_by: of `personas.toml`, the table of personas.
        servers: `server.toml` of every server that is not refused, by name.
        locks: `tools.lock.json` of the same, by server and tool.
        host_kinds: of `hosts.toml`, the table of kinds.
    """

    department: Mapping[str, Any]
    held_by: Mapping[str, Any]
    servers: Mapping[str, Mapping[str, Any]]
    locks: Mapping[str, Mapping[str, Mapping[str, Any]]]
    redaction: tuple[Mapping[str, Any], ...]
    host_kinds: Mapping[str, Any]

    @classmethod
    def read(cls, name: str, *, catalogue: Path, departments: Path) -> ExpectedPermissions:
        """Read a department's file and the folder of the catalogue.

        Raises:
            OSError: a file is not there.
        """
        read = {path.parent.name: _toml(path) for path in sorted(catalogue.glob("servers/*/server.toml"))}
        servers = {name: server for name, server in read.items() if "refused" not in server}
        locks = {
            name: json.loads((catalogue / "servers" / name / "tools.lock.json").read_text(encoding="utf-8"))["tools"]
            for name in servers
        }
        return cls(
            department=_toml(departments / f"{name}.toml"),
            held_by=_toml(catalogue / "personas.toml")["personas"],
            servers=servers,
            locks={name: {tool["name"]: tool for tool in tools} for name, tools in locks.items()},
            redaction=tuple(_toml(catalogue / "redaction.toml")["rules"]),
            host_kinds=_toml(catalogue / "hosts.toml")["kinds"],
        )

    @property
    def name(self) -> str:
        """The department's name."""
        return str(self.department["name"])

    @property
    def account(self) -> str:
        """The department's account."""
        return str(self.department["account"])

    @property
    def personas(self) -> tuple[str, ...]:
        """The department's personas, in the order of its file."""
        return tuple(self.department["personas"])

    @property
    def callbacks(self) -> dict[str, list[str]]:
        """Where each host of the department receives its code, by its name: its own word, or that of its kind."""
        hosts: list[Mapping[str, Any]] = self.department["hosts"]
        kinds = {"custom": {}, **self.host_kinds}
        return {host.get("name", host["kind"]): {**kinds[host["kind"]], **host}["callback_urls"] for host in hosts}

    def held(self, persona: str) -> frozenset[Place]:
        """What a persona holds: what it lists and its levels admit, less what is refused, off, or not named."""
        listed = {place for place in self.places if _lists(self.held_by[persona]["servers"], place)}
        fits = {place for place in self.places if self._fact(place, "level") in self._levels(persona)}
        refused = {place for place in self.places if self._fact(place, "refused") or self._of_tool(place, "refused")}
        enabled = {choice["server"] for choice in self.department.get("enable", []) if choice["persona"] == persona}
        off = {place for place in self.places if self.servers[place[0]].get("optional") and place[0] not in enabled}
        named = {choice["tool"] for choice in self.department.get("sensitive", []) if choice["persona"] == persona}
        unnamed = {place for place in self.places if "sensitive" in self._marks(place) and _spelt(place) not in named}
        return frozenset((listed & fits) - refused - off - unnamed)

    @cached_property
    def places(self) -> frozenset[Place]:
        """Everything that the catalogue classifies."""
        return frozenset(
            (server, tool, operation)
            for server, file in self.servers.items()
            for tool, entry in file["tools"].items()
            for operation in (entry["operations"] if "operation" in entry else (None,))
        )

    def tools(self, persona: str) -> tuple[HeldTool, ...]:
        """The tools of a persona as it holds them, sorted by published name; none for a persona that is not there."""
        if persona not in self.personas:
            return ()
        found: dict[tuple[str, str], list[Place]] = {}
        for place in sorted(self.held(persona), key=_spelt):
            found.setdefault(place[:2], []).append(place)
        return tuple(self._tool(server, tool, places, persona) for (server, tool), places in sorted(found.items()))

    def calls(self, persona: str) -> tuple[Call, ...]:
        """What a persona may ask for, sorted by name."""
        calls = (call for tool in self.tools(persona) for call in tool.calls)
        return tuple(sorted(calls, key=lambda call: call.name))

    @cached_property
    def passed_roles(self) -> dict[str, ExpectedPassedRole]:
        """The roles that tools of the department's personas hand on, by ARN."""
        found = {}
        for persona in self.personas:
            for tool in self.tools(persona):
                key = self.servers[tool.server]["tools"][tool.name].get("passes")
                if key:
                    role = self.servers[tool.server]["roles"][key]
                    elsewhere = {prefix: entry["region"] for prefix, entry in role.get("elsewhere", {}).items()}
                    made = self._needs(role.get("makes", {}).get("grants", []), {}, persona)
                    needs = self._needs(role["grants"], elsewhere, persona)
                    found[self._role(key)] = ExpectedPassedRole(role["service"], needs, made)
        return found

    def regions(self, server: str) -> dict[str, str]:
        """Where AWS answers each action prefix of a server."""
        endpoints = self.servers[server].get("endpoints", [])
        return {prefix: each.get("region", LONDON) for each in endpoints for prefix in each["prefixes"]}

    def flags(self, server: str, tools: Iterable[HeldTool]) -> list[str]:
        """How a persona's server is started: gates for writing and sensitive data open only if a tool needs them."""
        file, held = self.servers[server], list(tools)
        writes = (
            file.get("write_flags", []) if any(call.level != "read" for tool in held for call in tool.calls) else []
        )
        sensitive = file.get("sensitive_flags", []) if any(tool.marked("sensitive") for tool in held) else []
        return [*file.get("flags", []), *writes, *sensitive]

    def filled(self, text: str) -> str:
        """A text of the catalogue with the department's account and name, and the region, in it."""
        for placeholder, fact in (("account", self.account), ("department", self.name), ("region", LONDON)):
            text = text.replace(f"{{{placeholder}}}", fact)
        return text

    def _levels(self, persona: str) -> list[str]:
        file = self.held_by[persona]
        levels: list[str] = file["levels"]
        return file.get("sandbox_levels", levels) if self.department["environment"] == "sandbox" else levels

    def _of_tool(self, place: Place, key: str) -> Any:
        return self.servers[place[0]]["tools"][place[1]].get(key)

    def _fact(self, place: Place, key: str) -> Any:
        """What the catalogue says of exactly this: of the operation where there is one, else of the tool."""
        return self._of_tool(place, key) if place[2] is None else self._of_tool(place, "operations")[place[2]].get(key)

    def _marks(self, place: Place) -> frozenset[str]:
        # What holds for a tool holds for each of its operations.
        marks = ("sensitive", "personal", "approval")
        return frozenset(mark for mark in marks if self._fact(place, mark) or self._of_tool(place, mark))

    def queried(self, persona: str) -> list[str]:
        """The patterns of log groups that the department lets a persona query."""
        groups: list[str] = self.department.get("log_groups", {}).get(persona, ["*"])
        return groups

    def _tool(self, server: str, name: str, places: list[Place], persona: str) -> HeldTool:
        entry, locked = self.servers[server]["tools"][name], self.locks[server][name]
        takes = locked["inputSchema"].get("properties", {})
        of_server = {key: rule for key, rule in self.servers[server].get("arguments", {}).items() if key in takes}
        rules = {**of_server, **entry.get("arguments", {})}
        groups = "|".join(each.replace(".", "[.]").replace("*", _IN_A_NAME) for each in self.queried(persona))
        rules = {
            key: {**rule, "pattern": self.filled(rule["pattern"]).replace("{log_groups}", f"(?:{groups})")}
            if rule["mode"] == "matching"
            else rule
            for key, rule in rules.items()
        }
        deciding, match = str(entry.get("operation", "")), str(entry.get("match", "exact"))
        if deciding:
            mode = "commands" if match == "command" else "allowed"
            rules[deciding] = {"mode": mode, "values": [place[2] for place in places]}
        return HeldTool(
            server=server,
            name=name,
            calls=tuple(self._call(place, deciding, persona) for place in places),
            operation=deciding,
            match=match,
            rules=rules,
            known=tuple(entry.get("operations", {})) if deciding else (),
            locked=locked,
            untrusted=bool(entry.get("untrusted")),
            timeout=int(entry.get("timeout_seconds", 60)),
            without=entry.get("without", {}),
            window=entry.get("window"),
            alias=published(self.servers[server].get("alias", server), entry.get("alias", name)),
            together=tuple(entry.get("together", ())),
        )

    def _call(self, place: Place, deciding: str, persona: str) -> Call:
        server, tool, operation = place
        needs = self._needs(self._fact(place, "grants") or [], self.regions(server), persona)
        passes = self._of_tool(place, "passes")
        if passes:
            only_to = {"StringEquals": {"iam:PassedToService": self.servers[server]["roles"][passes]["service"]}}
            needs += (Need(PASSING, (self._role(passes),), LONDON, only_to),)
        return Call(
            server=server,
            tool=tool,
            operation=operation,
            argument=deciding or None,
            level=self._fact(place, "level"),
            needs=needs,
            marks=self._marks(place),
            options=(self._fact(place, "options") or {}) if operation else {},
        )

    def _role(self, key: str) -> str:
        return f"arn:aws:iam::{self.account}:role/ringfence-{self.name}-{key}"

    def _needs(
        self, grants: Iterable[Mapping[str, Any]], elsewhere: Mapping[str, str], persona: str
    ) -> tuple[Need, ...]:
        return tuple(self._each_need(grants, elsewhere, persona))

    def _each_need(
        self, grants: Iterable[Mapping[str, Any]], elsewhere: Mapping[str, str], persona: str
    ) -> Iterator[Need]:
        for grant in grants:
            named = (self._groups_named(resource, persona) for resource in grant.get("resources", ["*"]))
            resources = tuple(self.filled(resource) for each in named for resource in each)
            if not resources:
                continue  # the department lets nobody query a group of those
            condition: dict[str, Any] = {
                operator: {key: self._each(values) for key, values in keys.items()}
                for operator, keys in grant.get("conditions", {}).items()
            }
            if any(_names_no_account(resource) for resource in resources):
                # A name alone does not say whose it is.
                ours = {"aws:ResourceAccount": self.account}
                condition["StringEquals"] = condition.get("StringEquals", {}) | ours
            for action in grant["actions"]:
                # Whether a role may be passed on is decided where its receiver is asked: in London.
                region = LONDON if action == PASSING else elsewhere.get(action.partition(":")[0], LONDON)
                yield Need(action, resources, region, condition)

    def _groups_named(self, resource: str, persona: str) -> Iterator[str]:
        """What a resource stands for where it leaves log groups to the department's word."""
        before, found, rest = resource.partition("{log_groups")
        if not found:
            yield resource
            return
        begin, _, after = rest.removeprefix(":").partition("}")
        for groups in self.queried(persona):
            stem = groups.rstrip("*")
            if begin == "*":
                # What IAM knows by no group's name is held by those alone who may query every group.
                yield from [f"{before}*{after}"] if groups == "*" else []
            elif stem.startswith(begin):
                yield before + (groups if groups.endswith("*") else f"{groups}:*") + after
            elif groups.endswith("*") and begin.startswith(stem):
                yield f"{before}{begin}*{after}"

    def _each(self, values: str | list[str]) -> str | list[str]:
        return self.filled(values) if isinstance(values, str) else [self.filled(value) for value in values]


def _toml(path: Path) -> dict[str, Any]:
    # Editors on Windows begin a file with a byte order mark.
    return tomllib.loads(path.read_text(encoding="utf-8-sig"))


def _lists(servers: Mapping[str, list[str]], place: Place) -> bool:
    """Whether a persona's list names the tool, or the operation of it."""
    server, tool, operation = place
    listed = servers.get(server, [])
    return tool in listed or (operation is not None and f"{tool}.{operation}" in listed)


def _spelt(place: Place) -> str:
    return ".".join(part for part in place if part)


def _names_no_account(resource: str) -> bool:
    return resource.startswith("arn:") and not resource.split(":")[4]

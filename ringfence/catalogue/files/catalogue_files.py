"""The shape of the catalogue's files: `personas.toml`, `redaction.toml`, `execution.toml` and those of each server."""

from __future__ import annotations

from typing import Annotated, Literal

import re2
from pydantic import Field, model_validator

from ringfence.catalogue.files.tool_files import Argument, Grant, Level, ToolFile
from ringfence.catalogue.files.words import (
    PASSING,
    Action,
    Command,
    Keyword,
    Label,
    Module,
    PersonaName,
    Principal,
    Region,
    RoleName,
    RuleId,
    Searchable,
    ServerName,
    Service,
    Setting,
)
from ringfence.reading.documents import Strict, fault
from ringfence.reading.region import REGION

Validator = Literal[
    "address", "assigned", "bare_postcode", "basic_auth", "bearer", "card", "chi", "credentials", "date", "email",
    "foreign_phone", "iban", "licence", "mixed_base64", "mrz", "mrz_line", "nhs", "nino", "opaque", "person", "phone",
    "phone_named", "postcode", "telling", "ten_digits", "told", "vat", "vehicle",
]  # fmt: skip
"""What the response interceptor can ask of a candidate beyond its pattern: the names of its `validators.VALIDATORS`."""

_QUIET = re2.Options()
_QUIET.log_errors = False  # the error is raised, too


class Elsewhere(Strict):
    """Where AWS answers actions of one prefix that it does not answer in eu-west-2, and why that must be."""

    region: Region
    reason: Annotated[str, Field(min_length=40)]


class MadeFile(Strict):
    """What roles that a passed role makes may do at most: a boundary that each of them must carry.

    Attributes:
        name: Of the boundary, behind `ringfence-<department>-`.
        purpose: One sentence for its description.
    """

    name: RoleName
    purpose: str
    grants: Annotated[tuple[Grant, ...], Field(strict=False, min_length=1)]


class PassedRoleFile(Strict):
    """A role that a tool hands to a service of AWS, which then works as it and not with the call's credentials.

    Attributes:
        service: The one service principal that may be given the role.
        purpose: One sentence for the role's description.
        grants: What the service may do as this role.
        elsewhere: By action prefix, where that is not in eu-west-2.
        makes: What roles that it makes may do at most; without it, it makes none.
    """

    service: Principal
    purpose: str
    grants: Annotated[tuple[Grant, ...], Field(strict=False, min_length=1)]
    elsewhere: dict[str, Elsewhere] = Field(default_factory=dict)
    makes: MadeFile | None = None

    def region_of(self, action: str) -> str:
        """Returns the region in which AWS answers an IAM action of the role (`aws:RequestedRegion`)."""
        found = self.elsewhere.get(action.partition(":")[0])
        # Whether a role may be passed on is decided where the receiving service is asked.
        return REGION if found is None or action == PASSING else found.region


class Endpoint(Strict):
    """A VPC endpoint that a server needs.

    Attributes:
        service: Endpoint service suffix, such as `logs` or `monitoring`.
        region: Where the service runs; another region than eu-west-2 needs a reason and enters the residency register.
        prefixes: IAM action prefixes that this endpoint carries.
        reason: Why it is needed.
    """

    service: Service
    region: Region = REGION
    prefixes: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    reason: str = ""


class Explanation(Strict):
    """What a failure means here, where a server's own words would mislead.

    Attributes:
        pattern: Found in what the server says about the failure (Python's regular expressions).
        message: One sentence for the caller: why it cannot work here, and what to do instead.
    """

    pattern: Searchable
    message: Annotated[str, Field(min_length=20, max_length=400)]


class RefusedServerFile(Strict):
    """`server.toml` of a server that nobody may have; it stands in the catalogue for its reason."""

    name: ServerName
    title: str
    description: str = ""
    package: str = ""
    version: str = ""
    refused: str


class ServerFile(Strict):
    """`server.toml`.

    Attributes:
        optional: Off for everybody, until a department file enables it for a persona, with a reason.
        write_flags: Added to `flags` where a persona holds a tool above the level read.
        sensitive_flags: Added to `flags` where a department names a sensitive tool of this server.
        commands: Commands the server looks for on its path, by name: the module of its packages that each one runs. An
            empty module makes a command that fails at once, where a missing one would be an error of its own.
        explanations: What some failures mean in a runtime without a way to the internet; the first that fits counts.
        environment: The process's further environment; placeholders are filled in.
        roles: Roles that tools of this server hand to services of AWS, by the end of their names.
        alias: What a model calls the server in the names of its tools.
    """

    name: ServerName
    alias: ServerName | None = None
    title: str
    description: str
    package: str
    version: str
    module: str
    optional: bool = False
    flags: Annotated[tuple[str, ...], Field(strict=False)] = ()
    write_flags: Annotated[tuple[str, ...], Field(strict=False)] = ()
    sensitive_flags: Annotated[tuple[str, ...], Field(strict=False)] = ()
    commands: dict[Command, Module] = Field(default_factory=dict)
    explanations: Annotated[tuple[Explanation, ...], Field(strict=False)] = ()
    environment: dict[str, Setting] = Field(default_factory=dict)
    roles: dict[RoleName, PassedRoleFile] = Field(default_factory=dict)
    endpoints: Annotated[tuple[Endpoint, ...], Field(strict=False)] = ()
    arguments: dict[str, Argument] = Field(default_factory=dict)
    tools: dict[str, ToolFile]


class PersonaFile(Strict):
    """One persona in `personas.toml`.

    Attributes:
        levels: Levels the persona may hold in production, and in a sandbox unless `sandbox_levels` says more.
        servers: By server the tools it comes with: `tool`, or `tool.operation` to hold one operation of a tool only.
    """

    title: str
    description: str
    levels: Annotated[tuple[Level, ...], Field(strict=False, min_length=1)]
    sandbox_levels: Annotated[tuple[Level, ...], Field(strict=False)] = ()
    servers: dict[str, Annotated[tuple[str, ...], Field(strict=False, min_length=1)]]


class PersonasFile(Strict):
    """`personas.toml`."""

    personas: dict[PersonaName, PersonaFile]


class RedactionRule(Strict):
    """One rule of `redaction.toml`.

    Attributes:
        regex: Of a candidate, in the syntax of RE2; its last group is the value.
        gate: A short superset of it, which is looked for in all text; None for itself, or for the keywords.
        together: Names the gates, without a word in them, with which this one is looked for; None for those with words.
        rare: Whether the gate says no more than that it occurs, and the rule then looks at the whole text.
        cell: Of a value alone in a table's column whose head is a keyword; None for the regex.
        beside: Characters that must not stand directly before or after it; None for letters and digits.
        validator: What must accept it (`lambda/response_interceptor/redaction/validators.py`).
        near: Characters before it within which one of `keywords` must stand; 0 for directly before it.
        across: Whether digits may stand between keyword and value.
        assigned: Whether a sign of assignment stands between a keyword and it.
        grouped: Whether what follows it in further groups may belong to something else.
        guarded: Whether what says that a number is a machine's saves it.
        in_text: Whether it is something else in a table's cell, where the column's head would tell it.
        lone: Whether among numbers that are no such values its check digit counts as right by chance.
        long: Whether it has no greatest length.
    """

    id: RuleId
    description: Annotated[str, Field(min_length=1)]
    label: Label
    regex: Annotated[str, Field(min_length=1)]
    gate: Annotated[str, Field(min_length=1)] | None = None
    together: Annotated[str, Field(pattern="^[a-z]+$")] | None = None
    rare: bool = False
    cell: Annotated[str, Field(min_length=1)] | None = None
    beside: str | None = None
    validator: Validator | None = None
    near: Annotated[int, Field(ge=0, le=1000)] | None = None
    across: bool = False
    assigned: bool = False
    grouped: bool = False
    guarded: bool = False
    in_text: bool = False
    lone: bool = False
    long: bool = False
    keywords: Annotated[tuple[Keyword, ...], Field(strict=False, min_length=1)] | None = None

    @model_validator(mode="after")
    def _works(self) -> RedactionRule:
        if (self.near is None) != (self.keywords is None):
            missing = "keywords" if self.keywords is None else "near"
            raise fault(f"`near` and `keywords` mean nothing alone, and {missing} is missing.", f"Add `{missing}`.")
        beside = f"[^{self.beside}]" if self.beside else ""
        for part, pattern in (("regex", self.regex), ("gate", self.gate), ("cell", self.cell), ("beside", beside)):
            try:
                re2.compile(pattern or "", _QUIET)
            except re2.error:
                raise fault(f"RE2 refuses its {part}.", "Correct it; RE2 knows no look-around and no \\1.") from None
        return self


class RedactionFile(Strict):
    """`redaction.toml`."""

    rules: Annotated[tuple[RedactionRule, ...], Field(strict=False, min_length=1)]


class ExecutionParameter(Strict):
    """Arguments by which a call of an action is the running of code."""

    action: Action
    arguments: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    because: Annotated[str, Field(min_length=20)]


class ExecutionFile(Strict):
    """`execution.toml`."""

    parameter: Annotated[tuple[ExecutionParameter, ...], Field(strict=False, min_length=1)]

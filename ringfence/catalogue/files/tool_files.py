"""The shape of what the catalogue says about a tool, its grants and arguments among it, and of its lock."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from ringfence.catalogue.files.published_files import CaveatFile, Sentence
from ringfence.catalogue.files.words import (
    LARGEST,
    PASSING,
    Action,
    Conditions,
    Number,
    Quick,
    Resource,
    Searchable,
    Shape,
    ToolName,
)
from ringfence.reading.documents import Strict

LEVELS = ("read", "write", "permissions", "execute", "credential")
Level = Literal["read", "write", "permissions", "execute", "credential"]
Mode = Literal["forced", "hidden", "allowed", "bounded", "commands", "matching", "statement", "shaped"]
Match = Literal["exact", "command"]


class Grant(Strict):
    """IAM actions that a tool calls, on what, and when.

    Attributes:
        conditions: An IAM condition block; the region lock is merged with it.
    """

    actions: Annotated[tuple[Action, ...], Field(strict=False, min_length=1)]
    resources: Annotated[tuple[Resource, ...], Field(strict=False, min_length=1)] = ("*",)
    conditions: Conditions = Field(default_factory=dict)

    @property
    def called(self) -> tuple[str, ...]:
        """The actions that are requests of their own, so that an endpoint must carry them."""
        return tuple(action for action in self.actions if action != PASSING)


class Argument(Strict):
    """What a caller may do with one argument of a tool.

    Attributes:
        mode: `forced` to `value`; `hidden` from the caller, who cannot send it (the host sends `value`, if there is
            one); `allowed` to be one of `values`; `commands` to be one of `values` or to begin with one and a space;
            `bounded` to be a number from `least` to `most`, a list of at most `most` items, or an object; `matching` to
            be text, or a list of at most `most` texts, that `pattern` matches from beginning to end, placeholders
            filled in; `statement` to be one SQL statement of a kind in `values` (those of `callpath.statement_kinds`),
            each address in which `pattern` matches if it writes;
            `shaped` to be an object that fits `shape`.
        shape: JSON schema laid over the argument's own; of a `shaped` argument only.
        numbers: Of a `bounded` list or object, the least and the most of each number in it, by the number's name.
        required: Whether a call must have the argument although the server's own schema lets it be left out.
    """

    mode: Mode
    value: Any = None
    values: Annotated[tuple[Any, ...], Field(strict=False)] = ()
    pattern: Quick = ""
    shape: Shape = Field(default_factory=dict)
    least: Number = 1
    most: Annotated[int | None, Field(ge=1, le=LARGEST)] = None
    numbers: dict[str, Annotated[tuple[Number, Number], Field(strict=False)]] = Field(default_factory=dict)
    required: bool = False
    note: str = ""

    @property
    def has_value(self) -> bool:
        """Whether a value is written down; TOML has no null, so absence is the only other case."""
        return "value" in self.model_fields_set


class OptionFile(Strict):
    """One option of a command.

    Attributes:
        values: Regular expression that a value matches as a whole; empty for an option without a value.
        required: Whether the command is refused without it.
        many: Whether it takes several values.
    """

    values: Quick = ""
    required: bool = False
    many: bool = False


class OperationFile(Strict):
    """One value of the argument that decides what a tool does; most fields are those of a tool.

    Attributes:
        options: Of a command, every option that it may be given, such as `--instance-ids`.
    """

    level: Level
    grants: Annotated[tuple[Grant, ...], Field(strict=False)] = ()
    sensitive: bool = False
    personal: bool = False
    approval: bool = False
    refused: str = ""
    note: str = ""
    options: dict[str, OptionFile] = Field(default_factory=dict)


class WindowFile(Strict):
    """Two arguments that hold the times between which a tool looks, and how far apart they may be.

    Attributes:
        begin: The argument of the earlier time; without both the tool looks at recent hours of its own choosing.
        end: The argument of the later one, which no call has alone; without it the tool looks until now.
        told: What callers must know besides, published with the earlier time.
    """

    begin: str
    end: str
    hours: Annotated[int, Field(ge=1, le=24 * 366)]
    told: str = ""


class ToolFile(Strict):
    """One tool as `server.toml` classifies it.

    Attributes:
        level: What the tool does at most; a tool with operations has none of its own.
        untrusted: Its output carries text that others wrote.
        sensitive: Off for everybody, until a department file names the tool, the persona and the reason.
        personal: Its output may hold personal data by nature, which is redacted and does not bar the tool.
        operation: The argument whose value decides what the tool does.
        match: `exact` when the argument's value is the operation; `command` when its text is a command of the AWS CLI,
            `aws <service> <operation>` with options.
        operations: The operations, classified one by one; one that is not here is never permitted.
        passes: The role of the server's `roles` that the tool hands to that role's service.
        examples: Calls for the rehearsal, where the schema says too little; the first that a persona may make is made.
        no_example: Why no call can be written down.
        no_window: Why the times among its arguments need no bound between them.
        without: What no text of a call may hold, wherever it stands: by its name, a regular expression.
        window: Between which times the tool may look.
        told: What callers are told in place of the server's own description.
        limits: What callers are told behind it: sentences of ours about bounds and about what cannot be seen or done.
        caveats: When an answer says beside itself what it cannot contain.
        together: Arguments of which a call has all or none, where the server would ignore one alone.
        alias: What a model calls the tool, where its own name leaves too little room.
    """

    level: Level | None = None
    grants: Annotated[tuple[Grant, ...], Field(strict=False)] = ()
    untrusted: bool = False
    sensitive: bool = False
    personal: bool = False
    approval: bool = False
    refused: str = ""
    note: str = ""
    timeout_seconds: Annotated[int, Field(ge=1, le=300)] = 60
    arguments: dict[str, Argument] = Field(default_factory=dict)
    operation: str = ""
    match: Match = "exact"
    operations: dict[str, OperationFile] = Field(default_factory=dict)
    passes: str = ""
    examples: Annotated[tuple[dict[str, Any], ...], Field(strict=False)] = ()
    no_example: str = ""
    no_window: str = ""
    without: dict[str, Searchable] = Field(default_factory=dict)
    window: WindowFile | None = None
    told: str = ""
    limits: Annotated[tuple[Sentence, ...], Field(strict=False)] = ()
    caveats: Annotated[tuple[CaveatFile, ...], Field(strict=False)] = ()
    together: Annotated[tuple[str, ...], Field(strict=False)] = ()
    alias: ToolName | None = None


class LockedTool(Strict):
    """One tool in `tools.lock.json`; further fields of the definition are kept, because the digest covers them."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    name: ToolName
    description: str = ""
    inputSchema: dict[str, Any]
    sha256: str


class LockFile(Strict):
    """`tools.lock.json`, made by `make lock` from the really started server."""

    server: str
    package: str
    version: str
    tools: Annotated[tuple[LockedTool, ...], Field(strict=False)]

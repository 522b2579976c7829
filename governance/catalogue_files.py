"""The shape of the catalogue's files: `personas.toml`, `redaction.toml`, `execution.toml` and those of each server."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Any, Final, Literal

import re2
from pydantic import AfterValidator, ConfigDict, Field, model_validator

from governance.documents import Strict, fault
from governance.patterns import is_costly
from governance.published_files import CaveatFile, Sentence
from governance.region import REGION

PASSING: Final = "iam:PassRole"
"""Handing a role to a service: no request of its own, but a right that another request needs."""

LOG_GROUPS: Final = "{log_groups}"
"""What a resource of a tool's grant and the pattern of an argument may hold besides: each of the patterns of log groups
that a department lets the persona query. Nothing fills it in anywhere else."""
LOG_GROUPS_OF: Final = re.compile(r"\{log_groups(?::(\*|[A-Za-z0-9_./#-]+))?\}")
"""The same in a resource, where `{log_groups:/aws/eks/}` stands for those of them that begin so, perhaps for none.

`{log_groups:*}` is for what IAM knows by another name than the group's: it stands for `*` where every group may be
queried, and for nothing where the department names fewer.
"""
PLACEHOLDERS: Final = ("{account}", "{department}", "{region}")
"""What a resource pattern, a condition or a setting may hold; filled in for each department."""

LEVELS = ("read", "write", "permissions", "execute", "credential")
Level = Literal["read", "write", "permissions", "execute", "credential"]
Mode = Literal["forced", "hidden", "allowed", "bounded", "commands", "matching", "statement", "shaped"]
Match = Literal["exact", "command"]
Validator = Literal[
    "address", "assigned", "bare_postcode", "basic_auth", "bearer", "card", "date", "email", "foreign_phone", "iban",
    "licence", "mixed_base64", "mrz", "nhs", "nino", "opaque", "person", "phone", "phone_named", "postcode", "telling",
    "told", "utr", "vat", "vehicle",
]  # fmt: skip
"""What the response interceptor can ask of a candidate beyond its pattern: the names of its `validators.VALIDATORS`."""

_ACTION = re.compile(r"[a-z][a-z0-9-]*:[A-Z][A-Za-z0-9]*")
_RESOURCE = re.compile(r"\*|arn:aws:[a-z0-9-]+:(?:\{region\})?:(?:\{account\}|aws)?:\S+")
_CONDITION_OPERATOR = re.compile(
    r"(?:ForAnyValue:|ForAllValues:)?(?:String|Arn|Numeric|Date|Bool|Null|Binary|IpAddress|NotIpAddress)[A-Za-z]*"
)
_CONDITION_KEY = re.compile(r"[a-z0-9-]+:[A-Za-z0-9/:._+=@-]+")
_PLACEHOLDER = re.compile(r"\{[^}]*\}?")
_SERVICE = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_PRINCIPAL = re.compile(r"[a-z0-9-]+\.amazonaws\.com")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_TOOL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WORD = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_COMMAND = re.compile(r"[a-z][a-z0-9.-]*")
_LABEL = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.A)
_QUIET = re2.Options()
_QUIET.log_errors = False  # the error is raised, too
_STACKS = ("approvals", "audit", "detection", "identity", "network")
_LARGEST: Final = 2**31 - 1
"""The most that a bound may be, what a signed integer of 32 bits holds. A larger one bounds nothing."""
_LONGEST_PERSONA = 9
_LONGEST_SERVER = 28
_LONGEST_ROLE = 24


def _action(text: str) -> str:
    if "*" in text:
        raise fault("A wildcard would grant actions nobody reviewed.", "Name each action the tool calls.")
    if _ACTION.fullmatch(text) is None:
        raise fault("This is not an IAM action.", "Write it as `iam:ListUsers`.")
    return text


def _resource(text: str) -> str:
    _known_placeholders(LOG_GROUPS_OF.sub("", text), (*PLACEHOLDERS, LOG_GROUPS))
    if _RESOURCE.fullmatch(LOG_GROUPS_OF.sub("*", text)) is None:
        raise fault("This is not a resource of this account.", "Write `*` or an ARN with {account} and {region}.")
    return text


def _known_placeholders(text: str, known: tuple[str, ...] = PLACEHOLDERS) -> None:
    unknown = [part for part in _PLACEHOLDER.findall(text) if part not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        remedy = f"Did you mean {near[0]}?" if near else f"Use {', '.join(known)} only."
        raise fault(f"The placeholder {unknown[0]} is not known here.", remedy)


def _setting(text: str) -> str:
    _known_placeholders(text)
    return text


def _conditions(block: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for operator, keys in block.items():
        if _CONDITION_OPERATOR.fullmatch(operator) is None:
            raise fault(f"{operator} is not an IAM condition operator.", "Write one such as `StringEquals`.")
        for key, values in keys.items():
            if _CONDITION_KEY.fullmatch(key) is None:
                raise fault(f"{key} is not an IAM condition key.", "Write one such as `aws:ResourceTag/<name>`.")
            if key.lower() == "aws:requestedregion":
                raise fault("The region lock is added to every grant and is not a choice.", "Remove this key.")
            for value in [values] if isinstance(values, str) else values:
                _known_placeholders(value)
    return block


def _principal(text: str) -> str:
    if _PRINCIPAL.fullmatch(text) is None:
        raise fault("This is not a service principal.", "Write it as `cloudformation.amazonaws.com`.")
    return text


def _word(text: str, *, longest: int, why: str) -> str:
    if _WORD.fullmatch(text) is None:
        raise fault("A name here has lower-case letters, digits and single hyphens.", "Rename it.")
    if len(text) > longest:
        raise fault(f"The name is longer than {longest} characters, the most {why} has room for.", "Shorten it.")
    return text


def _persona_name(text: str) -> str:
    # The name is the last part of the names of gateway, role and stack, where `a-b` would read as `b`; and a runtime's
    # name has `_` for every hyphen, so that persona `a-b` with server `c` and persona `a` with server `b-c` were one.
    if "-" in text:
        raise fault(
            "A persona's name is one word, for the names made of it.", f"Write it as `{text.replace('-', '')}`."
        )
    if text in _STACKS:
        raise fault("This is the name of another stack of every department.", "Rename the persona.")
    return _word(text, longest=_LONGEST_PERSONA, why="a gateway's name")


def _server_name(text: str) -> str:
    return _word(text, longest=_LONGEST_SERVER, why="a runtime's name")


def _role_name(text: str) -> str:
    return _word(text, longest=_LONGEST_ROLE, why="a role's name")


def _tool_name(text: str) -> str:
    if _TOOL_NAME.fullmatch(text) is None:
        raise fault(
            "A tool's name has letters, digits and `_` only.", "This server cannot be published; report it there."
        )
    return text


def _service(text: str) -> str:
    if _SERVICE.fullmatch(text) is None:
        raise fault("This is not an endpoint service's suffix.", "Write it as `logs` or `ecr.api`.")
    return text


def _region(text: str) -> str:
    if _REGION.fullmatch(text) is None:
        raise fault("This is not an AWS region.", f"Leave it out for {REGION}.")
    return text


def _searchable(text: str) -> str:
    try:
        re.compile(text)
    except re.error:
        raise fault("This is not a regular expression.", "Correct it.") from None
    if not text:
        raise fault("An empty pattern is found in every text.", "Write what it must find.")
    return _quick(text)


def _quick(text: str) -> str:
    if is_costly(text):
        message = "A repeat without an end stands in another, so a hostile text would keep the search busy for ever."
        raise fault(message, "Bound one of them, such as `{1,64}`, or write it as one repeat.")
    return text


def _quick_shape(shape: dict[str, Any]) -> dict[str, Any]:
    for key, part in shape.items():
        for each in part if isinstance(part, list) else [part]:
            if isinstance(each, dict):
                _quick_shape(each)
        if key == "pattern" and isinstance(part, str):
            _quick(part)
    return shape


def _command(text: str) -> str:
    if _COMMAND.fullmatch(text) is None:
        raise fault("A command's name has lower-case letters, digits, `-` and `.`.", "Rename it.")
    return text


def _module(text: str) -> str:
    if text and _MODULE.fullmatch(text) is None:
        raise fault("This is not a Python module.", "Write it as `samcli`, or leave it empty.")
    return text


def _label(text: str) -> str:
    if _LABEL.fullmatch(text) is None:
        raise fault("A label has capitals, digits and single underscores.", "Write it as `AWS_SECRET_KEY`.")
    return text


def _rule_id(text: str) -> str:
    if _WORD.fullmatch(text) is None:
        raise fault("A name here has lower-case letters, digits and single hyphens.", "Rename it.")
    return text


def _keyword(text: str) -> str:
    if not text or text != text.lower():
        raise fault("A keyword is looked for in lower case, and an empty one is everywhere.", "Write it in lower case.")
    return text


Action = Annotated[str, AfterValidator(_action)]
Command = Annotated[str, AfterValidator(_command)]
Module = Annotated[str, AfterValidator(_module)]
Resource = Annotated[str, AfterValidator(_resource)]
Setting = Annotated[str, AfterValidator(_setting)]
RoleName = Annotated[str, AfterValidator(_role_name)]
Keyword = Annotated[str, AfterValidator(_keyword)]
Quick = Annotated[str, AfterValidator(_quick)]
PersonaName = Annotated[str, AfterValidator(_persona_name)]
ServerName = Annotated[str, AfterValidator(_server_name)]


Number = Annotated[int, Field(ge=0, le=_LARGEST)]
ConditionValue = str | Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
Conditions = Annotated[dict[str, dict[str, ConditionValue]], AfterValidator(_conditions)]


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
    shape: Annotated[dict[str, Any], AfterValidator(_quick_shape)] = Field(default_factory=dict)
    least: Number = 1
    most: Annotated[int | None, Field(ge=1, le=_LARGEST)] = None
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


Alias = Annotated[str, AfterValidator(_tool_name)]


class ToolFile(Strict):
    """One tool as `server.toml` classifies it.

    Attributes:
        level: What the tool does at most; a tool with operations has none of its own.
        untrusted: Its output carries text that others wrote.
        sensitive: Off for everybody, until a department file names the tool, the persona and the reason.
        personal: Its output may hold personal data by nature, which is redacted and does not bar the tool.
        approval: A call needs an approval.
        refused: Why nobody may be granted the tool.
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
    without: dict[str, Annotated[str, AfterValidator(_searchable)]] = Field(default_factory=dict)
    window: WindowFile | None = None
    told: str = ""
    limits: Annotated[tuple[Sentence, ...], Field(strict=False)] = ()
    caveats: Annotated[tuple[CaveatFile, ...], Field(strict=False)] = ()
    together: Annotated[tuple[str, ...], Field(strict=False)] = ()
    alias: Alias | None = None


class Elsewhere(Strict):
    """Where AWS answers actions of one prefix that it does not answer in eu-west-2, and why that must be."""

    region: Annotated[str, AfterValidator(_region)]
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

    service: Annotated[str, AfterValidator(_principal)]
    purpose: str
    grants: Annotated[tuple[Grant, ...], Field(strict=False, min_length=1)]
    elsewhere: dict[str, Elsewhere] = Field(default_factory=dict)
    makes: MadeFile | None = None

    def region_of(self, action: str) -> str:
        """Returns the region in which AWS answers an IAM action of the role (`aws:RequestedRegion`)."""
        found = self.elsewhere.get(action.partition(":")[0])
        # Whether a role may be handed on is decided where the receiving service is asked.
        return REGION if found is None or action == PASSING else found.region


class Endpoint(Strict):
    """A VPC endpoint that a server needs.

    Attributes:
        service: Endpoint service suffix, such as `logs` or `monitoring`.
        region: Where the service runs; another region than eu-west-2 needs a reason and enters the residency register.
        prefixes: IAM action prefixes that this endpoint carries.
        reason: Why it is needed.
    """

    service: Annotated[str, AfterValidator(_service)]
    region: Annotated[str, AfterValidator(_region)] = REGION
    prefixes: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    reason: str = ""


class Explanation(Strict):
    """What a failure means here, where a server's own words would mislead.

    Attributes:
        pattern: Found in what the server says about the failure (Python's regular expressions).
        message: One sentence for the caller: why it cannot work here, and what to do instead.
    """

    pattern: Annotated[str, AfterValidator(_searchable)]
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


class LockedTool(Strict):
    """One tool in `tools.lock.json`; further fields of the definition are kept, because the digest covers them."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    name: Annotated[str, AfterValidator(_tool_name)]
    description: str = ""
    inputSchema: dict[str, Any]
    sha256: str


class LockFile(Strict):
    """`tools.lock.json`, made by `make lock` from the really started server."""

    server: str
    package: str
    version: str
    tools: Annotated[tuple[LockedTool, ...], Field(strict=False)]


class RedactionRule(Strict):
    """One rule of `redaction.toml`.

    Attributes:
        regex: Of a candidate, in the syntax of RE2; its last group is the value.
        gate: A short superset of it, which is looked for in all text; None for itself, or for the keywords.
        cell: Of a value alone in a table's column whose head is a keyword; None for the regex.
        beside: Characters that must not stand directly before or after it; None for letters and digits.
        validator: What must accept it (`lambda/response_interceptor/redaction/validators.py`).
        near: Characters before it within which one of `keywords` must stand; 0 for directly before it.
        across: Whether digits may stand between keyword and value.
        guarded: Whether what says that a number is a machine's saves it.
        long: Whether it has no greatest length.
    """

    id: Annotated[str, AfterValidator(_rule_id)]
    description: Annotated[str, Field(min_length=1)]
    label: Annotated[str, AfterValidator(_label)]
    regex: Annotated[str, Field(min_length=1)]
    gate: Annotated[str, Field(min_length=1)] | None = None
    cell: Annotated[str, Field(min_length=1)] | None = None
    beside: str | None = None
    validator: Validator | None = None
    near: Annotated[int, Field(ge=0, le=1000)] | None = None
    across: bool = False
    guarded: bool = False
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

"""How the catalogue's actions, resources, names and patterns are written; what is wrong is told with what is right."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from ringfence.reading.documents import fault
from ringfence.reading.patterns import is_costly
from ringfence.reading.region import REGION

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
_STACKS = ("approvals", "audit", "detection", "identity", "network")
LARGEST: Final = 2**31 - 1
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
ToolName = Annotated[str, AfterValidator(_tool_name)]
Principal = Annotated[str, AfterValidator(_principal)]
Service = Annotated[str, AfterValidator(_service)]
Region = Annotated[str, AfterValidator(_region)]
Searchable = Annotated[str, AfterValidator(_searchable)]
Shape = Annotated[dict[str, Any], AfterValidator(_quick_shape)]
Label = Annotated[str, AfterValidator(_label)]
RuleId = Annotated[str, AfterValidator(_rule_id)]
Number = Annotated[int, Field(ge=0, le=LARGEST)]
ConditionValue = str | Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
Conditions = Annotated[dict[str, dict[str, ConditionValue]], AfterValidator(_conditions)]

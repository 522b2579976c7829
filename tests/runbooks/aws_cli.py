"""What the AWS CLI would say to a command, from the service models that it is made from (botocore's).

The CLI's own commands (`aws s3`, `aws configure`, `aws logs tail`) are in no model, so the runbooks do without them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

from tests.runbooks.aws_query import query_faults
from tests.runbooks.pages import PLACEHOLDER

REGIONS = ("eu-west-2", "us-east-1")
_GLOBAL = {"--region", "--query", "--output", "--profile"}
_OUTPUTS = {"json", "text", "table", "yaml"}
_RENAMED = {"s3api": "s3"}  # the CLI's word for a service where it is not the model's
_OTHER_COMMANDS = {"s3", "configure", "sso", "login"}
_SCALARS = {"string", "integer", "long", "boolean", "timestamp", "double", "float", "blob"}


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(_RENAMED.get(service, service))


@cache
def _waiters(service: str) -> dict[str, Any]:
    loader = botocore.session.get_session().get_component("data_loader")
    found = loader.load_service_model(_RENAMED.get(service, service), "waiters-2")["waiters"]
    return {xform_name(name, "-"): waiter for name, waiter in found.items()}


def faults(words: Sequence[str]) -> list[str]:
    """Returns what is wrong with a command, `aws` first; nothing when the CLI would send it."""
    return list(_faults(words))


def _faults(words: Sequence[str]) -> Iterator[str]:
    if len(words) < 3 or words[0] != "aws" or words[1].startswith("-") or words[2].startswith("-"):
        yield "write it as: aws <service> <operation> --<option> ..."
        return
    service, operation, rest = words[1], words[2], list(words[3:])
    if service in _OTHER_COMMANDS:
        yield f"aws {service} is a command of the CLI alone, which no service model knows"
        return
    try:
        model = _model(service)
    except UnknownServiceError:
        yield f"there is no service {service}"
        return
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if operation == "wait":
        waiter = rest.pop(0) if rest else ""
        if waiter not in _waiters(service):
            yield f"{service} has no waiter {waiter}"
            return
        operation = xform_name(_waiters(service)[waiter]["operation"], "-")
    if operation not in names:
        yield f"{service} has no operation {operation}"
        return
    yield from _option_faults(model.operation_model(names[operation]), rest)


def _option_faults(operation: Any, rest: Sequence[str]) -> Iterator[str]:
    members = operation.input_shape.members if operation.input_shape else {}
    options = {f"--{xform_name(name, '-')}": (name, shape) for name, shape in members.items()}
    given: dict[str, list[str]] = {}
    for word in rest:
        if word.startswith("--"):
            if word in given:
                yield f"{word} is given twice"
            given[word] = []
        elif not given:
            yield f"{word} belongs to no option"
        else:
            given[list(given)[-1]].append(word)
    for option, values in given.items():
        if option in _GLOBAL:
            yield from _global_faults(option, values, operation)
        elif option.replace("--no-", "--") in options and _is_switch(option, options):
            if values:
                yield f"{option} takes no value"
        elif option in options:
            yield from (f"{option}: {fault}" for fault in _value_faults(options[option][1], values))
        else:
            yield f"{operation.name} has no option {option}"
    required = operation.input_shape.required_members if operation.input_shape else []
    missing = {option for option, (name, _) in options.items() if name in required}
    missing -= set(given) | {option.replace("--no-", "--", 1) for option in given}
    yield from (f"{operation.name} needs {option}" for option in sorted(missing))


def _is_switch(option: str, options: Mapping[str, tuple[str, Any]]) -> bool:
    _, shape = options[option.replace("--no-", "--") if option not in options else option]
    return bool(shape.type_name == "boolean")


def _global_faults(option: str, values: Sequence[str], operation: Any) -> Iterator[str]:
    if len(values) != 1:
        yield f"{option} takes one value"
    elif option == "--region" and values[0] not in REGIONS:
        yield f"the region {values[0]} is not one of {', '.join(REGIONS)}"
    elif option == "--output" and values[0] not in _OUTPUTS:
        yield f"there is no output {values[0]}"
    elif option == "--query":
        yield from (f"--query: {fault}" for fault in query_faults(values[0], operation.output_shape))


def _value_faults(shape: Any, values: Sequence[str]) -> Iterator[str]:
    if not values:
        yield "has no value"
    elif shape.type_name == "list" and not values[0].startswith("["):
        for value in values:
            yield from _value_faults(shape.member, [value])
    elif len(values) > 1:
        yield f"takes one value, not {len(values)}"
    elif values[0].startswith(("file://", "fileb://")):
        return
    elif shape.type_name in _SCALARS:
        yield from _scalar_faults(shape, values[0])
    elif values[0][:1] in "[{":
        yield from _json_faults(shape, values[0])
    else:
        yield from _shorthand_faults(shape, values[0])


def _scalar_faults(shape: Any, value: str) -> Iterator[str]:
    if PLACEHOLDER.search(value):
        return
    allowed = getattr(shape, "enum", None)
    if allowed and value not in allowed:
        yield f"{value} is not one of {', '.join(allowed)}"
    if shape.type_name in ("integer", "long") and not re.fullmatch(r"-?\d+", value):
        yield f"{value} is no whole number"


def _json_faults(shape: Any, value: str) -> Iterator[str]:
    try:
        yield from _document_faults(shape, json.loads(value))
    except ValueError as error:
        yield f"{value} is no JSON: {error}"


def _document_faults(shape: Any, value: Any) -> Iterator[str]:
    if shape.type_name == "structure" and isinstance(value, dict):
        yield from (f"there is no member {name}" for name in value.keys() - shape.members.keys())
        for name in value.keys() & shape.members.keys():
            yield from _document_faults(shape.members[name], value[name])
    elif shape.type_name == "list" and isinstance(value, list):
        for item in value:
            yield from _document_faults(shape.member, item)
    elif shape.type_name in _SCALARS and not isinstance(value, dict | list):
        yield from _scalar_faults(shape, str(value))
    elif shape.type_name != "map":
        yield f"a {shape.type_name} is wanted"


def _shorthand_faults(shape: Any, value: str) -> Iterator[str]:
    """The CLI's short form, `Name=a,Values=b,c`: a word with `=` begins a member."""
    if shape.type_name not in ("structure", "map"):
        yield f"a {shape.type_name} is wanted"
        return
    members: dict[str, list[str]] = {}
    for part in value.split(","):
        name, equals, text = part.partition("=")
        if equals:
            members[name] = [text]
        elif members:
            members[list(members)[-1]].append(part)
        else:
            yield f"{part} names no member"
    if shape.type_name == "structure":
        yield from (f"there is no member {name}" for name in members.keys() - shape.members.keys())
        for name in members.keys() & shape.members.keys():
            yield from (f"{name}: {fault}" for fault in _value_faults(shape.members[name], members[name]))

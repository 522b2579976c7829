"""Commands of the AWS CLI as operations: their options for the rule files, what callers are told, what must hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ringfence.catalogue.files.tool_files import OperationFile, OptionFile, ToolFile
from ringfence.catalogue.servers import Tool
from ringfence.reading.problems import Problem, shown
from ringfence.reading.region import REGION

_COMMAND: Final = re.compile(r"aws [a-z][a-z0-9-]* [a-z][a-z0-9-]*")
_OPTION: Final = re.compile(r"--[a-z][a-z0-9-]*")
_REGION_OPTION: Final = "--region"
_OF_THE_CLI: Final = (
    "--ca-bundle",
    "--cli-connect-timeout",
    "--cli-input-json",
    "--cli-read-timeout",
    "--color",
    "--debug",
    "--endpoint-url",
    "--generate-cli-skeleton",
    "--no-paginate",
    "--no-sign-request",
    "--no-verify-ssl",
    "--output",
    "--profile",
    "--query",
    "--version",
    _REGION_OPTION,
)
"""Options of the AWS CLI itself (version 1), which also takes their beginnings for them."""

_NEVER_A_VALUE: Final = (
    "",
    " ",
    "-x",
    "--debug",
    "*",
    "~/x",
    "a b",
    "$(id)",
    "file:///etc/passwd",
    "fileb://x",
    "http://203.0.113.7/",
    "s3://bucket/key",
    "arn:aws:lambda:us-east-1:111122223333:function:x",
)
"""What no form of a value may admit: options, files, addresses, lists, and ARNs, whose region the server takes."""


def command_options(tool: Tool) -> dict[str, dict[str, dict[str, Any]]]:
    """Returns the options of each command a tool may run, for the rule files. Each may name the one region there is."""
    region = OptionFile(values=re.escape(REGION).replace(r"\-", "-"))
    return {
        name: {
            key: option.model_dump() for key, option in sorted({**operation.options, _REGION_OPTION: region}.items())
        }
        for name, operation in tool.operations.items()
    }


def commands_told(tool: Tool) -> str:
    """Returns the description of the argument that holds the command: all that is accepted, one command a line."""
    lines = [
        f"- {' '.join([name, *(_usage(key, option) for key, option in operation.options.items())])}"
        + (" (needs an approval)" if operation.approval else "")
        for name, operation in tool.operations.items()
    ]
    return (
        f"One command on one line, in {REGION}. Only these commands and options are accepted, whatever the tool's "
        "description says; a batch, another region, --query and --output are not:\n" + "\n".join(lines)
    )


def _usage(name: str, option: OptionFile) -> str:
    usage = name + (" <value>" if option.values else "") + (" ..." if option.many else "")
    return usage if option.required else f"[{usage}]"


def command_problems(field: str, tool: ToolFile) -> Iterator[Problem]:
    """Yields what is wrong with the commands of one tool, and with options where there are no commands."""
    for name, operation in tool.operations.items():
        where = f"{field}.operations.{name}"
        if tool.match != "command":
            if operation.options:
                message = "Only a command has options."
                yield Problem(f"{where}.options", shown(list(operation.options)), message, 'Add `match = "command"`.')
        elif not _COMMAND.fullmatch(name):
            message = "This is not a command of the AWS CLI."
            yield Problem(where, shown(name), message, "Write it as `aws ec2 reboot-instances`.")
        else:
            yield from _options(where, operation)


def _options(where: str, operation: OperationFile) -> Iterator[Problem]:
    for name, option in operation.options.items():
        field = f"{where}.options.{name}"
        if not _OPTION.fullmatch(name):
            yield Problem(field, shown(name), "This is not an option.", "Write it as `--instance-ids`.")
        elif any(other.startswith(name) for other in _OF_THE_CLI):
            message = "The AWS CLI takes this for an option of its own, such as one for another region or profile."
            yield Problem(field, shown(name), message, "Remove it; --region is accepted everywhere with its one value.")
        try:
            form = re.compile(option.values)
        except re.error as error:
            message = f"This is not a regular expression: {error}."
            yield Problem(f"{field}.values", shown(option.values), message, "Correct it.")
            continue
        admitted = [text for text in _NEVER_A_VALUE if form.fullmatch(text)] if option.values else []
        if admitted:
            message = f"It admits {shown(admitted[0])}, which is more than a name."
            yield Problem(f"{field}.values", shown(option.values), message, "Write the form of the name, narrowly.")
        if option.many and not option.values:
            yield Problem(f"{field}.many", "true", "An option without a value cannot have several.", "Remove it.")

"""Tools of which one argument decides what they do: which operation a call asks for, and which need an approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from callpath.command_line import Commands, check_command, read_commands
from callpath.refusal import Refusal


@dataclass(frozen=True)
class Operations:
    """The permitted operations of one tool.

    Attributes:
        argument: the argument that decides.
        match: `exact` when its value is the operation, `command` when its text is a command of the AWS CLI.
        levels: read, write, permissions, execute or credential, by operation.
        commands: of a `command`, the options of each operation.
    """

    argument: str
    match: str
    levels: Mapping[str, str]
    commands: Commands = field(default_factory=dict)

    @classmethod
    def read(cls, tool: Mapping[str, Any]) -> Operations | None:
        """Return the operations of a tool in a rule file, or None for a tool that does one thing.

        Raises:
            KeyError, TypeError, ValueError: the rule file is not one of ours.
        """
        found = tool.get("operations")
        if found is None:
            return None
        if found["match"] not in ("exact", "command") or not found["levels"]:
            raise ValueError("the operations are incomplete")
        commands = read_commands(found["options"]) if found["match"] == "command" else {}
        if commands.keys() != (found["levels"].keys() if commands else set()):
            raise ValueError("not every command has a level, or not every level a command")
        return cls(str(found["argument"]), str(found["match"]), dict(found["levels"]), commands)

    def chosen(self, arguments: Mapping[str, object], *, tool: str, layer: str) -> str:
        """Return the operation that checked arguments ask for.

        Raises:
            Refusal: none of the permitted ones, which the schema has refused first; or a command with more than its
                listed options, which only this sees.
        """
        value = arguments.get(self.argument)
        if self.match == "command":
            return check_command(value, self.commands, tool=tool, layer=layer)
        if isinstance(value, str) and value in self.levels:
            return value
        permitted = ", ".join(sorted(self.levels))
        raise Refusal(layer, "unknown-operation", f'"{self.argument}" of {tool} must name one of: {permitted}')


def needs_approval(tool: Mapping[str, Any], operation: str | None) -> bool:
    """Return whether a call needs an approval, by the tool's entry in a rule file.

    Raises:
        KeyError, TypeError: the rule file is not one of ours.
    """
    rule = tool.get("approval", False)
    return rule if isinstance(rule, bool) else operation in rule["operations"]

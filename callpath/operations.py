"""Tools of which one argument decides what they do: which operation a call asks for, and which need an approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callpath.refusal import Refusal


@dataclass(frozen=True)
class Operations:
    """The permitted operations of one tool.

    Attributes:
        argument: the argument that decides.
        match: `exact` when its value is the operation, `command` when its text is the operation or begins with it.
        levels: read, write, permissions, execute or credential, by operation.
    """

    argument: str
    match: str
    levels: Mapping[str, str]

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
        return cls(str(found["argument"]), str(found["match"]), dict(found["levels"]))

    def chosen(self, arguments: Mapping[str, object], *, tool: str, layer: str) -> str:
        """Return the operation that checked arguments ask for: of two commands that fit, the longer.

        Raises:
            Refusal: none of the permitted ones. The schema refuses that first; this is the second look.
        """
        value = arguments.get(self.argument)
        if isinstance(value, str):
            fitting = [
                name
                for name in self.levels
                if value == name or (self.match == "command" and value.startswith(f"{name} "))
            ]
            if fitting:
                return max(fitting, key=len)
        permitted = ", ".join(sorted(self.levels))
        raise Refusal(layer, "unknown-operation", f'"{self.argument}" of {tool} must name one of: {permitted}')


def needs_approval(tool: Mapping[str, Any], operation: str | None) -> bool:
    """Return whether a call needs an approval, by the tool's entry in a rule file.

    Raises:
        KeyError, TypeError: the rule file is not one of ours.
    """
    rule = tool.get("approval", False)
    return rule if isinstance(rule, bool) else operation in rule["operations"]

"""How a rule reads a template: resources of a type with properties, and places that break something.

House rules (`GOV-*`) and service rules (`AWS-*`) share it. A template is data, so a rule is read, and tested, without
CDK.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

Path = tuple[str, ...]

# Text for people and models; it sets nothing. A server's author may name any region in a tool's description.
_PROSE: Final = frozenset({"description", "title", "examples"})


@dataclass(frozen=True)
class Breach:
    """One place that breaks a rule.

    Attributes:
        logical_id: the resource; empty where the fault is not in a resource.
        path: where in the resource, such as `Properties.RetentionInDays`.
        message: what is there, as a sentence.
        template: the template it is in, by the name it was read under.
    """

    logical_id: str
    path: str
    message: str
    template: str = ""


@dataclass(frozen=True)
class Text:
    """A text of a template, and the policy statement it stands in, if any."""

    path: Path
    value: str
    statement: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource of a template; equal to itself only.

    Attributes:
        logical_id: its name in the template.
        type: such as `AWS::Logs::LogGroup`.
        properties: as written, intrinsic functions and all.
        template: the template it is in, by the name it was read under.
        depends_on: logical ids under `DependsOn`.
        deletion_policy: what becomes of it with the stack; empty where nothing is said.
    """

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    template: str = ""
    depends_on: tuple[str, ...] = ()
    deletion_policy: str = ""

    def breach(self, path: str, message: str) -> Breach:
        """Returns a breach at a property of this resource."""
        return Breach(self.logical_id, f"Properties.{path}" if path else "Properties", message, self.template)

    def at(self, path: str) -> Any:
        """Returns the value at a dotted path, or None where there is none."""
        value: Any = self.properties
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return value

    @cached_property
    def values(self) -> tuple[tuple[Path, Any], ...]:
        """Every value with its path, outermost first; walked once for all rules, as tool definitions are long."""
        return tuple(walk(self.properties))

    @cached_property
    def texts(self) -> tuple[Text, ...]:
        """Every text but prose."""
        return tuple(texts(self.properties))


class Template:
    """A CloudFormation template as a rule sees it: its resources, each of a type and with properties."""

    def __init__(self, content: Mapping[str, Any], name: str = "") -> None:
        """Reads a template that has been parsed from JSON.

        Args:
            name: how breaches name it; the plugin gives its file.
        """
        self.name = name
        self.content = content
        self.resources = tuple(
            Resource(
                logical_id,
                str(whole.get("Type")),
                whole.get("Properties") or {},
                name,
                tuple(listed(whole.get("DependsOn"))),
                str(whole.get("DeletionPolicy") or ""),
            )
            for logical_id, whole in (content.get("Resources") or {}).items()
        )
        # Everything else that reaches the account; metadata sets nothing.
        self.rest = {key: content[key] for key in ("Outputs", "Mappings", "Conditions") if key in content}

    def of_type(self, *kinds: str) -> Iterator[Resource]:
        """Yields the resources of one of these types."""
        return (resource for resource in self.resources if resource.type in kinds)


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yields a value and everything in it; text that is JSON is opened, because policies and tools may stand in it."""
    yield path, value
    if isinstance(value, str):
        value = opened(value)
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from walk(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, (*path, str(index)))


def texts(value: Any, path: Path = (), statement: Mapping[str, Any] | None = None) -> Iterator[Text]:
    """Yields every text but prose, with the innermost policy statement around it; JSON in a text is opened."""
    inner = opened(value) if isinstance(value, str) else value
    if isinstance(inner, Mapping):
        around = inner if "Effect" in inner else statement
        for key, item in inner.items():
            if not (str(key).lower() in _PROSE and isinstance(item, str | list)):
                yield from texts(item, (*path, str(key)), around)
    elif isinstance(inner, list):
        for index, item in enumerate(inner):
            yield from texts(item, (*path, str(index)), statement)
    elif isinstance(value, str):
        yield Text(path, value, statement or {})


def opened(text: str) -> Any:
    """Returns what a JSON object or list in a text says, or None where the text is something else."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def is_reference(value: Any) -> bool:
    """Whether a value is known only to CloudFormation."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))


def listed(value: Any) -> list[Any]:
    """Returns a value that may stand alone or in a list, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]

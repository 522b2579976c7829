"""What a house rule is, and how it reads a template."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from governance.house_rules.residency import Residency

Path = tuple[str, ...]


@dataclass(frozen=True)
class Breach:
    """One place that breaks a rule.

    Attributes:
        logical_id: the resource; empty where the fault is not in a resource.
        path: where in the resource, such as `Properties.RetentionInDays`.
        message: what is there, as a sentence.
    """

    logical_id: str
    path: str
    message: str


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]

    def breach(self, path: str, message: str) -> Breach:
        """Returns a breach at a property of this resource."""
        return Breach(self.logical_id, f"Properties.{path}" if path else "Properties", message)

    def at(self, path: str) -> Any:
        """Returns the value at a dotted path, or None where there is none."""
        value: Any = self.properties
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return value

    def values(self) -> Iterator[tuple[Path, Any]]:
        """Yields every value with its path, outermost first."""
        return walk(self.properties)


class Template:
    """A CloudFormation template as a rule sees it: its resources, each of a type and with properties."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        """Reads a template that has been parsed from JSON."""
        self.resources = tuple(
            Resource(logical_id, str(whole.get("Type")), whole.get("Properties") or {})
            for logical_id, whole in (content.get("Resources") or {}).items()
        )
        # Everything else that reaches the account; metadata sets nothing.
        self.rest = {key: content[key] for key in ("Outputs", "Mappings", "Conditions") if key in content}

    def of_type(self, *kinds: str) -> Iterator[Resource]:
        """Yields the resources of one of these types."""
        return (resource for resource in self.resources if resource.type in kinds)


@dataclass(frozen=True)
class Rule:
    """One house rule.

    Attributes:
        id: `GOV-<topic>-<number>`; a number is never used again.
        promise: what holds for every template, as a sentence.
        fix: what to do about a breach.
        find: yields the breaches in a template.
    """

    id: str
    promise: str
    fix: str
    find: Callable[[Template, Residency], Iterator[Breach]]


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

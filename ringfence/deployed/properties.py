"""The properties of one resource by dotted name, each of the kind that its reader asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.deployed.assembly import Resource

_REQUIRED: Any = object()


class Properties:
    """The properties of a resource, or of one entry of a list in them; what is wrong with one is told by its name.

    Every reading raises `UnresolvedTemplate` where the property is missing, and no default is given, or is of another
    kind.
    """

    def __init__(self, resource: Resource, values: Mapping[str, Any] | None = None, *, where: str = "") -> None:
        self.resource = resource
        self._values = resource.properties if values is None else values
        self._where = where

    def at(self, path: str, default: Any = _REQUIRED) -> Any:
        """The value as it stands."""
        place: Any = self._values
        for name in path.split("."):
            if not isinstance(place, Mapping) or name not in place:
                if default is _REQUIRED:
                    raise self.problem(path, "is missing")
                return default
            place = place[name]
        return place

    def text(self, path: str, default: Any = _REQUIRED) -> str:
        """A string."""
        value = self.at(path, default)
        if not isinstance(value, str):
            raise self.problem(path, "is not a string")
        return value

    def one_of(self, path: str, known: Sequence[str], default: Any = _REQUIRED) -> str:
        """A string of which only some values mean anything here."""
        value = self.text(path, default)
        if value not in known:
            raise self.problem(path, f"is {value!r}; known: {', '.join(known)}")
        return value

    def texts(self, path: str, default: Any = _REQUIRED) -> tuple[str, ...]:
        """A list of strings."""
        value = self.at(path, default)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise self.problem(path, "is not a list of strings")
        return tuple(value)

    def number(self, path: str, default: Any = _REQUIRED) -> int:
        """A whole number (CloudFormation also writes numbers as strings)."""
        value = self.at(path, default)
        try:
            return int(value)
        except (TypeError, ValueError):
            raise self.problem(path, "is not a number") from None

    def flag(self, path: str, default: Any = _REQUIRED) -> bool:
        """True or false (CloudFormation also writes them as strings)."""
        value = self.at(path, default)
        if value in (True, "true", False, "false"):
            return value in (True, "true")
        raise self.problem(path, "is neither true nor false")

    def entries(self, path: str, default: Any = _REQUIRED) -> list[Properties]:
        """A list of objects."""
        values = self.at(path, default)
        if not isinstance(values, list | tuple) or not all(isinstance(item, Mapping) for item in values):
            raise self.problem(path, "is not a list of objects")
        return [
            Properties(self.resource, item, where=f"{self._where}{path}[{index}].") for index, item in enumerate(values)
        ]

    def problem(self, path: str, detail: str) -> Exception:
        """An error about one property, to raise."""
        return self.resource.problem(f"property {self._where}{path} {detail}")

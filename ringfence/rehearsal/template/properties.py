"""Reads the properties of one resource strictly: what nobody reads is an error, not a silent skip."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ringfence.deployed.assembly import Resource
from ringfence.rehearsal.problems import NotEmulated

_REQUIRED: Any = object()


class Properties:
    """The properties of a resource, or of a block inside them.

    Every property is taken, or named as having no effect on loopback. `done` raises on whatever is left, so that a
    property added to a stack tomorrow cannot go unnoticed.
    """

    def __init__(self, resource: Resource, values: object = None, *, where: str = "") -> None:
        self._resource = resource
        self._where = where
        values = resource.properties if values is None else values
        if not isinstance(values, dict):
            raise NotEmulated(self._name(), f"{where or 'Properties'} is not an object")
        self._left: dict[str, Any] = dict(values)

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, default: Any = _REQUIRED) -> Any:
        """The value of a property as it stands."""
        if name not in self._left:
            if default is _REQUIRED:
                raise NotEmulated(self._name(), f"property {self._path(name)} is missing")
            return default
        return self._left.pop(name)

    def text(self, name: str, default: Any = _REQUIRED) -> str:
        """The value of a property that must be a string."""
        value = self.take(name, default)
        if not isinstance(value, str):
            raise NotEmulated(self._name(), f"property {self._path(name)} is not a string")
        return value

    def texts(self, name: str, default: Any = _REQUIRED) -> tuple[str, ...]:
        """The value of a property that must be a list of strings."""
        value = self.take(name, default)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise NotEmulated(self._name(), f"property {self._path(name)} is not a list of strings")
        return tuple(value)

    def number(self, name: str, default: Any = _REQUIRED) -> int:
        """The value of a property that must be a whole number (CloudFormation also writes numbers as strings)."""
        value = self.take(name, default)
        try:
            return int(value)
        except (TypeError, ValueError):
            raise NotEmulated(self._name(), f"property {self._path(name)} is not a number") from None

    def flag(self, name: str, default: Any = _REQUIRED) -> bool:
        """The value of a property that must be true or false (CloudFormation also writes them as strings)."""
        value = self.take(name, default)
        if value in (True, "true"):
            return True
        if value in (False, "false"):
            return False
        raise NotEmulated(self._name(), f"property {self._path(name)} is neither true nor false")

    def block(self, name: str) -> Properties:
        """A nested object."""
        return Properties(self._resource, self.take(name), where=self._path(name))

    def blocks(self, name: str, default: Any = _REQUIRED) -> list[Properties]:
        """A list of nested objects."""
        values = self.take(name, default)
        if not isinstance(values, list | tuple):
            raise NotEmulated(self._name(), f"property {self._path(name)} is not a list")
        return [
            Properties(self._resource, item, where=f"{self._path(name)}[{index}]") for index, item in enumerate(values)
        ]

    def one_of(self, name: str, known: Iterable[str], default: Any = _REQUIRED) -> str:
        """The value of a property that the rehearsal knows only some values of."""
        value, known = self.text(name, default), sorted(known)
        if value not in known:
            raise NotEmulated(self._name(), f"property {self._path(name)} is {value!r}; emulated: {', '.join(known)}")
        return value

    def without_effect(self, *names: str) -> None:
        """Names properties that change nothing on loopback (tags, descriptions, keys, networks)."""
        for name in names:
            self._left.pop(name, None)

    def done(self) -> None:
        """Raises when a property was neither read nor named."""
        if self._left:
            names = ", ".join(self._path(name) for name in sorted(self._left))
            raise NotEmulated(self._name(), f"not emulated: {names}")

    def refuse(self, name: str, detail: str) -> NotEmulated:
        """An error about one property, to raise."""
        return NotEmulated(self._name(), f"property {self._path(name)} {detail}")

    def _path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def _name(self) -> str:
        return f"{self._resource.type} {self._resource.logical_id}"

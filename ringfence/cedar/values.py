"""A call's arguments as Cedar values, each of the type that the gateway's schema gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from callpath.digest import digest

_NAMESPACE: Final = "AgentCore"
_CHOICE: Final = "typeChoice"
_PLAIN: Final[Mapping[str, type]] = {"String": str, "Bool": bool, "Long": int}
_DECIMAL_PLACES: Final = Decimal("0.0001")
"""The service cuts a JSON number to a Cedar decimal, which has four places (developer guide, Limitations)."""


class Misfit(ValueError):
    """A call does not fit the schema, so the engine denies it."""


class Types:
    """The types of every tool's arguments, in the schema that AWS's generator makes.

    Of several kinds that an argument may have, it makes a record of `typeChoice0`, `typeChoice1` and so on, of which
    one is there; of text with an `enum`, of null, of anything without a type, and of objects with free names, entities.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Takes a schema in its JSON form."""
        parts = schema[_NAMESPACE]
        self._common: Mapping[str, Any] = parts.get("commonTypes", {})
        self._entities: Mapping[str, Any] = parts["entityTypes"]
        self._inputs: dict[str, Mapping[str, Any]] = {
            name: action["appliesTo"]["context"]["attributes"]["input"]
            for name, action in parts["actions"].items()
            if "context" in action.get("appliesTo", {})  # the groups of actions, CallTool and Mcp, have none
        }

    @property
    def tools(self) -> Iterator[str]:
        """Published names of all tools."""
        return iter(self._inputs)

    def arguments(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a call's `context.input`.

        Raises:
            Misfit: there is no such tool, or an argument is not declared, or not of its type.
        """
        if tool not in self._inputs:
            raise Misfit(f"no such action: {tool}")
        attributes = self._resolved(self._inputs[tool]).get("attributes", {})
        if undeclared := set(arguments) - set(attributes):
            raise Misfit(f"{tool} has no argument {min(undeclared)}")
        return {name: self._value(value, attributes[name], name) for name, value in arguments.items()}

    def _resolved(self, kind: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follows names of common types until a type says what it is."""
        name = _bare(kind.get("name", kind["type"]))
        return self._resolved(self._common[name]) if name in self._common else kind

    def _value(self, value: Any, kind: Mapping[str, Any], place: str) -> Any:
        kind = self._resolved(kind)
        name = _bare(kind.get("name", kind["type"]))
        if name in self._entities:
            return self._entity(value, name, place)
        if name == "Record" and isinstance(value, Mapping) and not _is_choice(kind):
            return self._record(value, kind, place)
        if name == "Record":
            return self._choice(value, kind, place)
        if name == "Set" and isinstance(value, list):
            return [self._value(item, kind["element"], place) for item in value]
        if name in _PLAIN and type(value) is _PLAIN[name]:
            return value
        if name == "decimal" and isinstance(value, int | float) and not isinstance(value, bool):
            return extension(name, _decimal(value, place))
        if name in ("datetime", "duration", "ipaddr") and isinstance(value, str):
            return extension("ip" if name == "ipaddr" else name, value)
        raise Misfit(f"{place} is not of the type {name}")

    def _record(self, value: Mapping[str, Any], kind: Mapping[str, Any], place: str) -> dict[str, Any]:
        attributes = kind.get("attributes", {})
        missing = {name for name, part in attributes.items() if part.get("required", True)} - set(value)
        if missing:
            raise Misfit(f"{place} has no {min(missing)}")
        # An inner object may hold more than its schema names; Cedar sees what is named.
        return {name: self._value(item, attributes[name], place) for name, item in value.items() if name in attributes}

    def _choice(self, value: Any, kind: Mapping[str, Any], place: str) -> dict[str, Any]:
        for name, part in kind.get("attributes", {}).items():
            try:
                return {name: self._value(value, part, place)}
            except Misfit:
                continue
        raise Misfit(f"{place} is of none of its types")

    def _entity(self, value: Any, name: str, place: str) -> dict[str, Any]:
        listed = self._entities[name].get("enum")
        if listed is not None:
            fits = value in listed
        elif name in ("Null", "Unknown"):
            fits = (value is None) is (name == "Null")
        else:
            fits = isinstance(value, Mapping)
        if not fits:
            raise Misfit(f"{place} is not of the type {name}")
        # No policy of ours looks into an entity, so what it holds need not be told; its id says which value it is.
        return {"__entity": {"type": f"{_NAMESPACE}::{name}", "id": value if listed else digest([value])}}


def extension(function: str, argument: str) -> dict[str, Any]:
    """Returns a value of one of Cedar's extension types as its JSON form writes it."""
    return {"__extn": {"fn": function, "arg": argument}}


def _bare(name: str) -> str:
    return name.removeprefix(f"{_NAMESPACE}::").removeprefix("__cedar::")


def _is_choice(kind: Mapping[str, Any]) -> bool:
    return any(name.startswith(_CHOICE) for name in kind.get("attributes", {}))


def _decimal(value: float, place: str) -> str:
    try:
        return str(Decimal(str(value)).quantize(_DECIMAL_PLACES))
    except InvalidOperation:
        raise Misfit(f"{place} is no number that Cedar has") from None

"""JSON Schemas without references: a definition stands where it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_PREFIX: Final = "#/$defs/"


class RecursiveSchema(ValueError):
    """A definition refers to itself, so it cannot be written out.

    Attributes:
        definition: Its name in `$defs`.
    """

    def __init__(self, definition: str) -> None:
        """Names the definition."""
        super().__init__(f"the definition {definition} refers to itself")
        self.definition = definition


def written_out(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a schema with every `$ref` replaced by what it refers to, and without `$defs`.

    What stands beside a reference wins over the definition, as in the dialect of 2020-12.

    Raises:
        RecursiveSchema: a definition refers to itself, at once or through others.
        KeyError: a reference leads nowhere.
    """
    rest = {key: value for key, value in schema.items() if key != "$defs"}
    written: dict[str, Any] = _written(rest, schema.get("$defs", {}), ())
    return written


def _written(part: Any, definitions: Mapping[str, Any], within: tuple[str, ...]) -> Any:
    if isinstance(part, list):
        return [_written(item, definitions, within) for item in part]
    if not isinstance(part, Mapping):
        return part
    own = {key: _written(value, definitions, within) for key, value in part.items() if key != "$ref"}
    reference = part.get("$ref")
    if not isinstance(reference, str):
        # An argument may have the name `$ref`; what it leads to is then a schema and no text.
        return own if reference is None else {**own, "$ref": _written(reference, definitions, within)}
    name = reference.removeprefix(_PREFIX)
    if name in within:
        raise RecursiveSchema(name)
    return {**_written(definitions[name], definitions, (*within, name)), **own}

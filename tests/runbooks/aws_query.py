"""Whether a `--query` names what an operation answers: a wrong member gives nothing, and no error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError


@dataclass(frozen=True)
class _List:
    """The list that a projection makes; shaped as botocore's."""

    member: Any
    type_name: str = "list"


def query_faults(query: str, shape: Any) -> list[str]:
    """Returns the members of a query that the answer has not.

    Args:
        query: in JMESPath.
        shape: botocore's shape of the operation's answer; None where it has none.
    """
    try:
        tree = jmespath.compile(query).parsed
    except JMESPathError as error:
        return [f"{query} is no query: {str(error).splitlines()[0]}"]
    if shape is None:
        return ["the operation answers nothing"]
    found: list[str] = []
    _walk(tree, shape, found)
    return found


def _walk(node: Mapping[str, Any], shape: Any, found: list[str]) -> Any:
    """Returns the shape of a node's value, or None for a value that is made anew, or that is not there."""
    kind, children = node["type"], node.get("children", [])
    if kind == "field":
        return _field(node["value"], shape, found)
    if kind in ("subexpression", "pipe", "index_expression"):
        for child in children:
            shape = _walk(child, shape, found)
        return shape
    if kind in ("projection", "filter_projection"):
        item = _item(_walk(children[0], shape, found))
        projected, *_ = [_walk(child, item, found) for child in children[1:]]
        return _List(projected)
    if kind in ("index", "slice"):
        return _item(shape)
    if kind == "flatten":
        inner = _walk(children[0], shape, found)
        return _item(inner) if _is_list(_item(inner)) else inner
    if kind in ("identity", "current"):
        return shape
    for child in children:  # a comparator, a function, a list or a table: each part reads the same value
        _walk(child, shape, found)
    return None


def _field(name: str, shape: Any, found: list[str]) -> Any:
    if shape is None:
        return None
    if shape.type_name == "map":
        return shape.value
    members = shape.members if shape.type_name == "structure" else {}
    if name not in members:
        found.append(f"there is no member {name} in a {shape.type_name}")
        return None
    return members[name]


def _is_list(shape: Any) -> bool:
    return shape is not None and shape.type_name == "list"


def _item(shape: Any) -> Any:
    return shape.member if _is_list(shape) else None

"""Deterministic physical ids: what `Ref` and `Fn::GetAtt` would give after a deployment, shaped as AWS shapes them."""

from __future__ import annotations

from typing import Any

from assurance.physical_agentcore import AGENTCORE
from assurance.physical_network import NETWORK
from assurance.physical_platform import PLATFORM
from assurance.physical_shapes import Naming, Shape
from assurance.problems import UnresolvedTemplate


def shape_of(naming: Naming) -> Shape:
    """The shape of the resource's type.

    Raises:
        UnresolvedTemplate: the type is in no table.
    """
    for table in (NETWORK, PLATFORM, AGENTCORE):
        if naming.type in table:
            return table[naming.type]
    raise UnresolvedTemplate(
        naming.stack, naming.logical_id, f"resource type {naming.type} is unknown; add it to assurance/physical_*.py"
    )


def reference(naming: Naming) -> Any:
    """The value of `Ref`."""
    return shape_of(naming).ref(naming)


def attribute(naming: Naming, name: str) -> Any:
    """The value of `Fn::GetAtt`.

    Raises:
        UnresolvedTemplate: the type has no such attribute in the tables.
    """
    attributes = shape_of(naming).attributes
    if name not in attributes:
        raise UnresolvedTemplate(
            naming.stack,
            naming.logical_id,
            f"attribute {name} of {naming.type} is unknown; add it to assurance/physical_*.py",
        )
    return attributes[name](naming)

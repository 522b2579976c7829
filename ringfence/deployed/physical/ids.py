"""Deterministic physical ids: what `Ref` and `Fn::GetAtt` would give after a deployment, shaped as AWS shapes them."""

from __future__ import annotations

from typing import Any

from ringfence.deployed.physical.agentcore import AGENTCORE
from ringfence.deployed.physical.network import NETWORK
from ringfence.deployed.physical.platform import PLATFORM
from ringfence.deployed.physical.shapes import Naming, Shape
from ringfence.deployed.problems import UnresolvedTemplate


def shape_of(naming: Naming) -> Shape:
    """The shape of the resource's type.

    Raises:
        UnresolvedTemplate: the type is in no table.
    """
    for table in (NETWORK, PLATFORM, AGENTCORE):
        if naming.type in table:
            return table[naming.type]
    raise UnresolvedTemplate(
        naming.stack,
        naming.logical_id,
        f"resource type {naming.type} is unknown; add it to ringfence/deployed/physical/*.py",
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
            f"attribute {name} of {naming.type} is unknown; add it to ringfence/deployed/physical/*.py",
        )
    return attributes[name](naming)

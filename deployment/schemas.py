"""CloudFormation's published schemas: what a type's handlers call, and what is fixed when a resource is made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError  # type: ignore[import-untyped]

from governance.region import REGION

STEPS: Final = ("create", "read", "update", "delete", "list")
"""The handlers of a resource type. CloudFormation calls `list` for drift and imports."""

CUSTOM: Final = ("Custom::", "AWS::CloudFormation::CustomResource")
"""Types that a function answers for; CloudFormation calls the function as the deploying role."""

Path = tuple[str, ...]


@dataclass(frozen=True)
class Schema:
    """One resource type.

    Attributes:
        permissions: IAM actions of all its handlers, as the schema writes them.
        fixed: Properties that cannot change without a new resource, also where only some changes need one.
        names: Those of `fixed` that give the resource its own name.
        importable: Whether an existing resource can be taken into a stack.
    """

    permissions: frozenset[str]
    fixed: tuple[Path, ...]
    names: tuple[Path, ...]
    importable: bool


@cache
def schema_of(resource_type: str) -> Schema:
    """Returns the schema of a type in eu-west-2, from the copy that the pinned cfn-lint carries.

    Raises:
        LookupError: there is none, or it names no handler.
    """
    if resource_type == "AWS::CloudFormation::WaitConditionHandle":
        return Schema(frozenset(), (), (), importable=False)  # nothing in the account, and no handler
    if resource_type.startswith(CUSTOM):
        return Schema(frozenset({"lambda:InvokeFunction"}), (("ServiceToken",),), (), importable=False)
    try:
        schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource_type).schema
    except ResourceNotFoundError as error:
        raise LookupError(f"{resource_type} has no schema in {REGION}") from error
    handlers = schema.get("handlers")
    if not handlers:
        raise LookupError(f"the schema of {resource_type} names no handler")
    pointers = [*schema.get("createOnlyProperties", ()), *schema.get("conditionalCreateOnlyProperties", ())]
    fixed = tuple(sorted(_path(pointer) for pointer in pointers))
    kind = resource_type.rsplit("::", 1)[-1]
    return Schema(
        frozenset(action for step in STEPS for action in handlers.get(step, {}).get("permissions", ())),
        fixed,
        tuple(path for path in fixed if len(path) == 1 and _names_itself(path[0], kind)),
        importable="read" in handlers,
    )


def _path(pointer: str) -> Path:
    """Returns `/properties/A/properties/B` or `/properties/A/*/B` as its property names."""
    return tuple(step for step in pointer.split("/") if step not in ("", "properties", "*"))


def _names_itself(name: str, kind: str) -> bool:
    """Whether it is the resource's own name, as `RoleName` of a role, and not another's."""
    word = name.removesuffix("Name")
    return name == "Name" or (word != name and (word.endswith(kind) or kind.endswith(word)))

"""CloudFormation's published schemas: what a type's handlers call, and what is fixed when a resource is made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path as File
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from ringfence import CannotGoOn
from ringfence.reading.documents import Strict, read_checked
from ringfence.reading.region import REGION

STEPS: Final = ("create", "read", "update", "delete", "list")
"""The handlers of a resource type. CloudFormation calls `list` for drift and imports."""

CUSTOM: Final = ("Custom::", "AWS::CloudFormation::CustomResource")
"""Types that a function answers for; CloudFormation calls the function as the deploying role."""

Path = tuple[str, ...]
_KEPT: Final = File(__file__).parent / "data" / "kept.toml"
_NEWER: Final = "Correct the type, or lock a cfn-lint that carries its schema."


@dataclass(frozen=True)
class Schema:
    """One resource type.

    Attributes:
        permissions: IAM actions of all its handlers, as the schema writes them.
        fixed: Properties that cannot change without a new resource, also where only some changes need one.
        importable: Whether an existing resource can be taken into a stack.
    """

    permissions: frozenset[str]
    fixed: tuple[Path, ...]
    importable: bool


@cache
def schema_of(resource_type: str) -> Schema:
    """Returns the schema of a type in eu-west-2, from the copy that the pinned cfn-lint carries.

    The copy is read as it stands in the package: cfn-lint itself would prefer a newer one that somebody's cache holds,
    and takes a second to import.

    Raises:
        CannotGoOn: there is none, or it names no handler.
    """
    if resource_type == "AWS::CloudFormation::WaitConditionHandle":
        return Schema(frozenset(), (), importable=False)  # nothing in the account, and no handler
    if resource_type.startswith(CUSTOM):
        return Schema(frozenset({"lambda:InvokeFunction"}), (("ServiceToken",),), importable=False)
    name = _published(f"providers/{REGION}").get(resource_type)
    if name is None:
        raise CannotGoOn(f"{resource_type} has no schema in {REGION}", _NEWER)
    schema = _published(f"resources/{name}")
    handlers = schema.get("handlers")
    if not handlers:
        raise CannotGoOn(f"the schema of {resource_type} names no handler", _NEWER)
    pointers = [*schema.get("createOnlyProperties", ()), *schema.get("conditionalCreateOnlyProperties", ())]
    fixed = tuple(sorted(_path(pointer) for pointer in pointers))
    return Schema(
        frozenset(action for step in STEPS for action in handlers.get(step, {}).get("permissions", ())),
        fixed,
        importable="read" in handlers,
    )


@cache
def _published(name: str) -> dict[str, Any]:
    package = find_spec("cfnlint")
    if package is None or package.origin is None:
        raise CannotGoOn("cfn-lint is not installed", "Run `make setup`.")
    path = File(package.origin).parent / "data" / "schemas" / f"{name}.json"
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def _path(pointer: str) -> Path:
    """Returns `/properties/A/properties/B` or `/properties/A/*/B` as its property names."""
    return tuple(step for step in pointer.split("/") if step not in ("", "properties", "*"))


class Kept(Strict):
    """A property that a service refuses to change although the schema lets it change in place.

    Attributes:
        path: Names of properties, with dots between.
        change: Which change is refused: any, or of a list one that adds an item, or takes or changes one.
        default: What a missing value means.
        source: Where it is documented, with the date of reading.
    """

    type: str
    path: str
    change: Literal["any", "adds", "takes"]
    default: str | bool | None = None
    why: str
    remedy: str
    source: str

    def refuses(self, was: Any, becomes: Any) -> bool:
        """Whether the service refuses to go from one value to another; None where the template says nothing."""
        if self.change == "any":
            old, new = (self.default if each is None else each for each in (was, becomes))
            return bool(old != new)
        items, among = (becomes, was) if self.change == "adds" else (was, becomes)
        return any(item not in (among or []) for item in items or [])


class KeptFile(Strict):
    """The whole file."""

    kept: Annotated[tuple[Kept, ...], Field(strict=False, min_length=1)]


@cache
def kept(path: File = _KEPT) -> tuple[Kept, ...]:
    """Returns the rows of `data/kept.toml`; raises as `read_checked`."""
    return read_checked(path, KeptFile, distinct={"kept": ("type", "path", "change")}).kept

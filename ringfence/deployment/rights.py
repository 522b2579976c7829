"""The reviewed rules of `data/rights.toml`: what is spared, what comes beside, and to which resources."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from ringfence.iam.patterns import matches
from ringfence.reading.documents import Strict, read_checked

RIGHTS: Final = Path(__file__).parent / "data" / "rights.toml"

_Texts = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
_Reason = Annotated[str, Field(min_length=20)]


class Spared(Strict):
    """Actions that a type's handlers list and that no template of ours makes them call.

    Attributes:
        actions: IAM actions, with `*`.
        types: The resource types it holds for.
        unless: Properties of such a resource that would make a handler call them after all.
    """

    actions: _Texts
    types: _Texts
    unless: Annotated[tuple[str, ...], Field(strict=False)] = ()
    reason: _Reason


class Beside(Strict):
    """Actions that deploying a type needs although its schema does not list them; without types, every deployment."""

    actions: _Texts
    types: Annotated[tuple[str, ...], Field(strict=False)] = ()
    reason: _Reason
    source: _Reason


class Scope(Strict):
    """The resources, and the condition, under which some actions are granted."""

    sid: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]+$")]
    actions: _Texts
    resources: _Texts
    condition: Mapping[str, Mapping[str, Any]] = {}


class Rights(Strict):
    """The whole file."""

    spared: Annotated[tuple[Spared, ...], Field(strict=False)]
    beside: Annotated[tuple[Beside, ...], Field(strict=False)]
    scope: Annotated[tuple[Scope, ...], Field(strict=False)]

    def needs(self, action: str, resource_type: str, properties: Mapping[str, Any]) -> bool:
        """Whether a handler of a resource with these properties calls an action that its schema lists."""
        return not any(
            resource_type in rule.types
            and any(matches(pattern, action, ignore_case=True) for pattern in rule.actions)
            and not any(name in properties for name in rule.unless)
            for rule in self.spared
        )

    def scope_of(self, action: str) -> Scope | None:
        """The first scope that names an action, or None."""
        for scope in self.scope:
            if any(matches(pattern, action, ignore_case=True) for pattern in scope.actions):
                return scope
        return None


@cache
def load(path: Path = RIGHTS) -> Rights:
    """Reads the file; raises as `read_checked`."""
    return read_checked(path, Rights, distinct={"spared": ("actions", "types"), "scope": ("sid",)})

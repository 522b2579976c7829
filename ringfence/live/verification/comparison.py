"""A resource of a template beside what its service says about it: every property, and what nobody set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

NOT_KNOWN: Final = "(an id that the account does not show)"
"""Stands in a template's value for what only the account could have given."""
# Whose members are names of somebody's own, in which case counts.
_OWN_NAMES: Final = ("EnvironmentVariables", "Environment.Variables")


class Difference(NamedTuple):
    """One member that is not as the template says.

    Attributes:
        said: which, what is there, and what must be.
        known: False where the template's value is not known, so that nothing can be concluded.
    """

    said: str
    known: bool = True


@dataclass(frozen=True)
class Answer:
    """What is particular about a service's answer. Members are paths such as `VpcConfig.VpcId`, in any case.

    Attributes:
        unsaid: properties that no answer has.
        given: members that the service makes up or that tell a state: ids, times, sizes.
        defaults: what stands in a member that the template does not set.
        ordered: lists whose order counts.
    """

    unsaid: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    ordered: tuple[str, ...] = ()


def differences(wanted: Any, told: Any, answer: Answer, path: str = "") -> Iterator[Difference]:
    """Yields what differs between a template's properties and a service's answer, both ways.

    A member has the property's name, but for the case of its letters. Lists are compared without their order. Nothing
    and an empty text, list or structure are the same.
    """
    if _is(path, answer.given) or (_is(path, answer.unsaid) and told is None):
        return
    if isinstance(wanted, Mapping | None) and isinstance(told, Mapping | None) and (wanted or told):
        yield from _members(wanted or {}, told or {}, answer, path)
    elif isinstance(wanted, list | None) and isinstance(told, list | None) and not _is(path, answer.ordered):
        missing, more = _unmatched(wanted or [], told or [], answer, path)
        if missing or more:
            yield Difference(f"{path} is {more}, not {missing}", NOT_KNOWN not in str(missing))
    elif _set(wanted) != _set(told) and not (wanted is None and told == _default(path, answer)):
        yield Difference(f"{path} is {told}, not {wanted}", NOT_KNOWN not in str(wanted) or _set(told) is None)


def _members(wanted: Mapping[str, Any], told: Mapping[str, Any], answer: Answer, path: str) -> Iterator[Difference]:
    def key(name: str) -> str:
        return name if _is(path, _OWN_NAMES) else name.lower()

    there = {key(name): (name, value) for name, value in told.items()}
    for name, value in wanted.items():
        _, found = there.pop(key(name), (name, None))
        yield from differences(value, found, answer, f"{path}.{name}".lstrip("."))
    for name, value in there.values():
        yield from differences(None, value, answer, f"{path}.{name}".lstrip("."))


def _unmatched(wanted: list[Any], told: list[Any], answer: Answer, path: str) -> tuple[list[Any], list[Any]]:
    """Returns what is wanted and not there, and what is there besides."""
    missing, more = [], list(told)
    for each in wanted:
        same = next((other for other in more if not any(differences(each, other, answer, path))), None)
        if same is None:
            missing.append(each)
        else:
            more.remove(same)
    return missing, more


def _is(path: str, paths: Iterable[str]) -> bool:
    return path.lower() in {each.lower() for each in paths}


def _set(value: Any) -> Any:
    return None if value in ("", [], {}) else value


def _default(path: str, answer: Answer) -> Any:
    return next((value for name, value in answer.defaults.items() if name.lower() == path.lower()), None)

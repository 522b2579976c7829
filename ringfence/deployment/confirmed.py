"""Says what a change would replace, remove, weaken or break; losses are confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ringfence.deployment.changes import Change, changes
from ringfence.deployment.templates import CannotAsk, account_of, department_in, deployed, in_folder, of_one_stack


def tell_changes(assembly: Path, *, against: Path | None, accepted: Sequence[str]) -> int:
    """Prints what a change would replace, remove, weaken, keep beside its stack, or have refused by CloudFormation.

    Args:
        against: Folder of earlier templates, or the file of one stack's; what is deployed where there is none.
        accepted: `<stack>/<id>` of each loss or weakening, or way cleared by hand, that somebody confirms.

    Returns:
        0 when nothing that holds data goes or is weakened and nothing would be refused, or it is confirmed; 1 when
        something is neither.

    Raises:
        CannotGoOn: the templates could not be read.
    """
    after = in_folder(assembly)
    if against and against.is_file():
        before = of_one_stack(against, after)
    elif against:
        before = _of_the_same(department_in(after), against)
    else:
        before = deployed(department_in(after), after, account_of(assembly))
    found = changes(before, after)
    idle = sorted(set(accepted) - {change.name for change in found if change.loses or change.by_hand})
    print("\n".join([*map(str, found), *_summary(before, after, found, accepted, idle)]))
    return 1 if idle or _open(found, accepted) else 0


def _of_the_same(department: str, folder: Path) -> dict[str, Any]:
    """Returns the templates of a folder.

    Raises:
        CannotAsk: there is none, or they are another department's.
    """
    before = in_folder(folder)
    if (there := department_in(before)) != department:
        raise CannotAsk(f"{folder} holds the department {there}, not {department}; name a folder of {department}")
    return before


def _open(found: Sequence[Change], accepted: Sequence[str]) -> list[Change]:
    """The changes that may not happen: what would be refused, and what nobody confirmed of losses and ways cleared."""

    def may_happen(change: Change) -> bool:
        if change.kind == "refused":
            return change.by_hand and change.name in accepted
        return not change.loses or change.name in accepted

    return [each for each in found if not may_happen(each)]


def _summary(
    before: Any, after: Any, found: Sequence[Change], accepted: Sequence[str], idle: Sequence[str]
) -> list[str]:
    if not before:
        return ["Nothing of this department is there yet: everything would be new.", *_told_idle(idle)]
    new = _told_new([stack for stack in after if stack not in before])
    if not found:
        return [*new, "Nothing would be replaced, removed, weakened or refused.", *_told_idle(idle)]
    lines = ["", *new]
    unconfirmed = [each for each in _open(found, accepted) if each.kind != "refused"]
    if unconfirmed:
        names = " ".join(each.name for each in unconfirmed)
        lines.append(
            f"What holds data, or a guardrail, would go or be weaker. If that is meant, name each: ACCEPT={names!r}"
        )
    if any(each.kind == "refused" for each in _open(found, accepted)):
        lines.append("CloudFormation would stop at what is refused. docs/runbooks/ says how to go about it.")
    lines += _told_idle(idle)
    if len(lines) > 1 + len(new):
        return lines
    if any(each.name in accepted for each in found):
        return [*lines, "All that would be lost, weakened or refused is confirmed."]
    return [*lines, "Nothing that holds data goes or is weakened, and nothing would be refused."]


def _told_new(stacks: Sequence[str]) -> list[str]:
    """A stack without an earlier template loses nothing, or the folder does not hold all that is deployed."""
    return [f"Compared with nothing: {', '.join(stacks)}; everything of it would be new."] if stacks else []


def _told_idle(idle: Sequence[str]) -> list[str]:
    return [f"{name} is confirmed, but nothing happens to it: correct the name." for name in idle]

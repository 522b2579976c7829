"""What somebody meant who wrote what is not TOML: the parser names a place, and this names the mistake there."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from ringfence.reading.problems import shown

_PLACE: Final = re.compile(r"\(at line (\d+), column (\d+)\)")
_ASSIGNMENT: Final = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=\s*(.*?)\s*(?:#.*)?")
_LEADING_ZERO: Final = re.compile(r"0[0-9]+")
_WORD: Final = re.compile(r"[A-Za-z][^\s\"'=\[\]{},#]*")
_TRUTH: Final = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_QUOTES: Final = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2018\u2019\u201a\u201b\u2032\u2033\u00b4`"
"""What word processors and web pages make of quotation marks."""
_TWICE: Final = ("Cannot overwrite a value", "Duplicate inline table key")
_DECLARED_TWICE: Final = re.compile(r"Cannot (?:declare|mutate immutable namespace) \((.*?),?\)")


def explained(error: str, text: str) -> tuple[str, str] | None:
    """Returns what is wrong and what to do, both as sentences; None where the parser's own words have to do.

    Args:
        error: What `tomllib` said, which ends with the place.
    """
    place = _PLACE.search(error)
    if place is None:
        return None
    lines = text.splitlines() or [""]
    number = min(int(place[1]), len(lines))
    line = lines[number - 1]
    told = _character(line) or _twice(error, line, lines[: number - 1]) or _assignment(error, line)
    return (f"This is not valid TOML, line {number}: {told[0]}", told[1]) if told else None


def _character(line: str) -> tuple[str, str] | None:
    """A character that looks like another, or like nothing. In a text of its own it would not stop the parser."""
    outside = re.sub(r"\"[^\"]*\"|'[^']*'|#.*", "", line)
    for character in outside:
        if character in _QUOTES:
            name = unicodedata.name(character).lower()
            return f"{character} ({name}) is not a quotation mark of TOML.", 'Write straight ones, as in `"text"`.'
        if not character.isascii() and (not character.isprintable() or character.isspace()):
            name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
            return f"There is a character that nobody sees ({name}).", "Delete it, or write the line anew."
    return None


def _twice(error: str, line: str, before: list[str]) -> tuple[str, str] | None:
    declared = _DECLARED_TWICE.match(error)
    if declared:
        heading = ".".join(part.strip().strip("'") for part in declared[1].split(","))
        return f"The table [{heading}] stands here for the second time.", "Write its keys below one heading."
    if not error.startswith(_TWICE):
        return None
    if line.lstrip().startswith("["):
        return f"{line.strip()} is a name that something else has already.", "Write one heading, and its keys below it."
    key = line.partition("=")[0].strip()
    first = next((number for number, each in _same_table(before) if each.partition("=")[0].strip() == key), None)
    where = f", first in line {first}" if first else ""
    return f"The key `{key}` stands here for the second time{where}.", "Keep one of the two."


def _same_table(before: list[str]) -> list[tuple[int, str]]:
    """The lines from the last heading on, numbered as in the file."""
    heading = max((number for number, each in enumerate(before) if each.lstrip().startswith("[")), default=0)
    return list(enumerate(before, start=1))[heading:]


def _assignment(error: str, line: str) -> tuple[str, str] | None:
    found = _ASSIGNMENT.fullmatch(line)
    if found is None:
        return _no_assignment(line)
    key, value = found[1], found[2]
    told = shown(value, field=key)
    if not value:
        return f"`{key}` has no value.", f'Write one, as in `{key} = "text"`.'
    if value.lower() in _TRUTH:
        right = _TRUTH[value.lower()]
        return f"{told} is no value of TOML.", f"Write `{key} = {right}`."
    if _LEADING_ZERO.fullmatch(value):
        return "A number cannot begin with 0, so this is text.", f"Put it in quotes: `{_quoted(key, value)}`."
    if _WORD.fullmatch(value) or re.fullmatch(r"[0-9]+(?:[-./][0-9]+)+", value):
        return "Text stands in quotes.", f"Write `{_quoted(key, value)}`."
    if "Illegal character" in error and value[:1] in "\"'" and value.count(value[0]) % 2:
        return f"The text of `{key}` does not end.", f"Put {value[0]} at its end."
    return None


def _no_assignment(line: str) -> tuple[str, str] | None:
    colon = re.match(r"\s*([A-Za-z0-9_-]+)\s*:", line)
    if colon:
        return f"`{colon[1]}` is followed by a colon.", f"Write `{colon[1]} = …`."
    if line.lstrip().startswith("[") and line.count("[") > line.count("]"):
        return "The heading does not end.", "Close its square bracket."
    return None


def _quoted(key: str, value: str) -> str:
    """The line as it must read; `shown` withholds what may be a secret."""
    return f"{key} = {shown(value, field=key)}"

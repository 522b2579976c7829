"""A page of numbered steps as data: its blocks with the files they go to, and how a reader would write them there."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FILE = re.compile(r"^ *`([\w./-]+)`$")
_FENCE = re.compile(r"^ *```(\w*)$")
_HEADER = re.compile(r"^\[[^\[].*\]$")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        section: the heading that it stands below.
        file: the file named on the line before it, or nothing.
        language: what it is said to hold.
        text: its text.
    """

    section: str
    file: str
    language: str
    text: str


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    section = file = language = ""
    held: list[str] | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        fence = _FENCE.match(line)
        if held is not None and fence:
            found.append(Block(section, file, language, textwrap.dedent("\n".join(held)) + "\n"))
            file, held = "", None
        elif held is not None:
            held.append(line)
        elif fence:
            language, held = fence[1], []
        elif named := _FILE.match(line):
            file = named[1]
        elif line.startswith("#"):
            section = line.lstrip("# ")
    return found


def write_in(path: Path, block: Block) -> None:
    """Write a block into a file as a reader does.

    In TOML a key that is there gets the block's value, a key that is not comes below its table's heading, and a table
    that is not comes at the end; a file that is not there is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if block.language != "toml":
        path.write_text(text + block.text, encoding="utf-8")
        return
    lines = text.splitlines()
    for table, body in _tables(block.text):
        lines = _with(lines, table, body)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _tables(text: str) -> list[tuple[str, list[str]]]:
    """The tables of a fragment: heading, or nothing for what comes before the first, and lines."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines():
        if line.startswith("["):
            found.append((line, []))
        elif line:
            found[-1][1].append(line)
    return [(table, body) for table, body in found if table or body]


def _with(lines: list[str], table: str, body: list[str]) -> list[str]:
    if table.startswith("[[") or (table and table not in lines):
        return [*lines, "", table, *body]
    begin = lines.index(table) + 1 if table else 0
    end = next((place for place in range(begin, len(lines)) if _HEADER.match(lines[place])), len(lines))
    own, added = lines[begin:end], []
    for line in body:
        key = line.partition("=")[0]
        places = [place for place, each in enumerate(own) if each.startswith(key)]
        if places:
            own[places[0]] = line
        else:
            added.append(line)
    return [*lines[:begin], *added, *own, *lines[end:]]

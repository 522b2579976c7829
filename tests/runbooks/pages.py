"""The runbooks as data: their blocks, commands, placeholders and links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "docs" / "runbooks"
INDEX = HOME / "README.md"

PLACEHOLDER = re.compile(r"<([a-z][a-z0-9 -]*)>")
_FENCE = re.compile(r"^ *```(.*)$")
_SPAN = re.compile(r"(?<!`)`((?:make|aws|npx|git|export) [^`]+)`")
_DATE = re.compile(r"\$\(date [^)]*\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: what it is said to hold, and its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command as somebody would paste it, continued lines joined and comments left out."""

    where: str
    text: str

    @property
    def words(self) -> list[str]:
        """The words a shell makes of it; a moment that `date` computes is one word."""
        return shlex.split(_DATE.sub("1", self.text))

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def pages() -> list[Path]:
    """The index and every runbook."""
    return sorted(HOME.glob("*.md"))


def blocks(path: Path) -> list[Block]:
    """Returns the fenced blocks of a page, also those in lists."""
    found: list[Block] = []
    language, start, held = "", 0, None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if fence and held is None:
            language, start, held = fence[1].strip(), number, list[str]()
        elif fence and held is not None:
            found.append(Block(path.name, start, language, "\n".join(held)))
            held = None
        elif held is not None:
            held.append(line)
    assert held is None, f"{path.name}:{start}: the block is never closed"
    return found


def commands_in(block: Block) -> Iterator[Command]:
    """Yields the commands of a block of the shell."""
    pending = ""
    for line in block.text.splitlines():
        text = line.strip()
        if not pending and (not text or text.startswith("#")):
            continue
        if text.endswith("\\"):
            pending += text.removesuffix("\\").rstrip() + " "
            continue
        yield Command(str(block), pending + text.split(" # ")[0].rstrip())
        pending = ""
    assert not pending, f"{block}: the last line is continued by nothing"


def commands() -> list[Command]:
    """Every command of every runbook: in blocks of the shell, and in the middle of a sentence."""
    found = [
        command
        for path in pages()
        for block in blocks(path)
        if block.language == "sh"
        for command in commands_in(block)
    ]
    for path in pages():
        sentences = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
        found += [Command(path.name, " ".join(span.split())) for span in _SPAN.findall(sentences)]
    return found

"""What every command of the project has in common."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ringfence.command_line.entry import main

ROOT = Path(__file__).parents[2]
PARSERS = {"ArgumentParser", "add_parser"}


def makers() -> list[tuple[str, ast.Call]]:
    """Every place that makes a parser of a command line, or of one of its commands."""
    found = []
    made = {"build", "cdk.out", "node_modules"}
    rooms = [each for each in ROOT.iterdir() if each.is_dir() and each.name not in made and each.name[0] != "."]
    for path in sorted([*ROOT.glob("*.py"), *(path for room in rooms for path in room.rglob("*.py"))]):
        name = path.relative_to(ROOT)
        text = path.read_text(encoding="utf-8")
        if not any(parser in text for parser in PARSERS):
            continue
        for node in ast.walk(ast.parse(text)):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(node, ast.Call) and (getattr(called, "attr", "") or getattr(called, "id", "")) in PARSERS:
                found.append((f"{name}:{node.lineno}", node))
    return found


def test_no_command_takes_a_shortened_option() -> None:
    """A slip of the hand must not begin a drill or write the record anew."""
    assert len(makers()) > 5
    strict = [where for where, call in makers() if any(each.arg == "allow_abbrev" for each in call.keywords)]
    assert strict == [where for where, _ in makers()]


@pytest.mark.parametrize("words", [["verify-live", "--dril"], ["prove", "--write-gold"]])
def test_a_shortened_option_is_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert f"No such option '{words[-1]}'" in capsys.readouterr().err

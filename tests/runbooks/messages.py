"""The messages of a file, as a reader meets them: whole texts, with what is filled in at run time as `<…>`.

A script of somebody else's is read line by line. Of our own Python:

A text is a literal, or an f-string, or the two joined; docstrings say nothing to anybody. What stands between the
braces of an f-string is computed where the module alone can tell (`{REFUSED_BELOW}` is 10); the rest is left open.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.runbooks.pages import PLACEHOLDER, ROOT

OPEN = "\0"
_FORMAT = re.compile(r"\{[a-z_]*\}")
_SCRIPT_TEXT = re.compile(r'`([^`\n]*)`|"([^"\\\n]*)"')
_FILLED_IN = re.compile(r"\$\{[^}]*\}")
_FEWEST_WORDS = 4


@cache
def messages(path: Path) -> list[str]:
    """Returns every text of a file; what is filled in later is one `OPEN` each."""
    if path.suffix == ".js":
        return script_messages(path.read_text(encoding="utf-8"))
    return messages_in(path.read_text(encoding="utf-8"), _module(path))


def messages_in(source: str, module: ModuleType | None) -> list[str]:
    """Returns every text of a source, with what the module knows filled in."""
    tree = ast.parse(source)
    silent = {id(node) for node in _docstrings(tree)}
    inside: set[int] = set()
    found: list[str] = []
    for node in ast.walk(tree):  # outer nodes come first, so a part is known before it is met
        if id(node) in inside or id(node) in silent:
            continue
        text = _text(node, module)
        if text is not None:
            inside |= set(_parts(node))
            found.append(PLACEHOLDER.sub(OPEN, _FORMAT.sub(OPEN, text)))
    return found


def script_messages(source: str) -> list[str]:
    """Returns every text that a line of JavaScript holds whole."""
    found = [text for pair in _SCRIPT_TEXT.findall(source) for text in pair if text.count(" ") > 1]
    return [PLACEHOLDER.sub(OPEN, _FILLED_IN.sub(OPEN, text)) for text in found]


def quoted(symptom: str) -> str:
    """Returns a runbook's quotation with each placeholder `OPEN`.

    Raises:
        ValueError: so little of it is fixed that it might stand for anything.
    """
    text = PLACEHOLDER.sub(OPEN, symptom)
    if len(re.findall(r"[A-Za-z]{2,}", text.replace(OPEN, " "))) < _FEWEST_WORDS:
        raise ValueError(f"{symptom!r} has fewer than {_FEWEST_WORDS} words that stay: quote the whole message")
    return text


def _text(node: ast.AST, module: ModuleType | None) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_part(part, module) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            texts = [_text(left, module), _text(right, module)]
            return None if texts == [None, None] else "".join(OPEN if text is None else text for text in texts)
    return None


def _parts(node: ast.AST) -> Iterator[int]:
    """Yields the nodes that a text is made of, itself included; not what is filled in."""
    yield id(node)
    if isinstance(node, ast.JoinedStr):
        for part in node.values:
            inner = part.format_spec if isinstance(part, ast.FormattedValue) else part
            yield from (id(each) for each in ast.walk(inner)) if inner else ()
    elif isinstance(node, ast.BinOp):
        for side in (node.left, node.right):
            if isinstance(side, ast.Constant | ast.JoinedStr | ast.BinOp):
                yield from _parts(side)


def _part(part: ast.AST, module: ModuleType | None) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    value = _known(part.value, module)
    if value is None:
        return OPEN
    spec = part.format_spec.values if isinstance(part.format_spec, ast.JoinedStr) else []
    return format(value, "".join(each.value for each in spec if isinstance(each, ast.Constant)))


def _known(node: ast.expr, module: ModuleType | None) -> Any:
    """What a name of the module stands for, where that is a text or a number; a local of that name would hide it."""
    if isinstance(node, ast.Name):
        value = getattr(module, node.id, None)
        return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    return None


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        for statement in getattr(node, "body", []) if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                yield statement.value


@cache
def _module(path: Path) -> ModuleType:
    """Imports a file of ours as the module that it is."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] == "lambda":
        parts = parts[1:]
        if str(ROOT / "lambda") not in sys.path:
            sys.path.append(str(ROOT / "lambda"))
    return importlib.import_module(".".join(part for part in parts if part != "__init__"))

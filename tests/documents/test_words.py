"""docs/words.md: the words that it retires stand in no Sid, description, key, module or class."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.proofs.registry import PROOFS

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "tests/stacks/__snapshots__"
DATA = ("departments", "organisations", "catalogue", "ringfence", "tests/departments")
CODE = ("app.py", "callpath", "constructs", "lambda", "ringfence", "runtime", "stacks")


def retired() -> frozenset[str]:
    rows = [line.split("|") for line in (ROOT / "docs/words.md").read_text(encoding="utf-8").splitlines()]
    return frozenset(word for row in rows if len(row) == 5 for word in re.findall(r"`(\w+)`", row[3]))


def words_in(name: str) -> list[str]:
    """The words of a name or sentence: `NobodyUsesTheSideDoors` has five, a plural counts as its singular."""
    words = [each.lower() for each in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    return words + [each.removesuffix("s") for each in words]


def found_in(names: Iterator[str]) -> list[str]:
    return sorted({name for name in names if retired() & set(words_in(name))})


def texts(value: Any, key: str = "") -> Iterator[str]:
    """Every Sid and description, also of a policy that is held as text."""
    if isinstance(value, dict):
        for each, inner in value.items():
            yield from texts(inner, each)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, key)
    elif key in ("Sid", "Description"):
        yield str(value)
    elif isinstance(value, str) and value.startswith('{"'):
        yield from texts(json.loads(value))


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def modules() -> list[Path]:
    return [
        path
        for each in CODE
        for path in sorted((ROOT / each).rglob("*.py") if (ROOT / each).is_dir() else [ROOT / each])
    ]


def test_the_page_retires_words() -> None:
    assert {"door", "hat", "story"} <= retired()


@pytest.mark.parametrize("name", ["NobodyUsesTheSideDoors", "sealed_function", "GatewayDoor", "One hat at a time."])
def test_a_retired_word_is_seen_in_a_name(name: str) -> None:
    assert found_in(iter([name])) == [name]


@pytest.mark.parametrize("name", ["Outdoors", "DenyUngovernedInvocation", "unreachable"])
def test_a_word_that_only_holds_one_is_not(name: str) -> None:
    assert found_in(iter([name])) == []


def test_no_template_has_a_retired_word_in_a_sid_or_a_description() -> None:
    found = [each for path in TEMPLATES.rglob("*.json") for each in texts(json.loads(path.read_text(encoding="utf-8")))]
    assert len(found) > 1000
    assert found_in(iter(found)) == []


def test_no_key_of_a_file_is_a_retired_word() -> None:
    files = [path for folder in DATA for path in (ROOT / folder).rglob("*.toml")]
    found = [key for path in files for key in keys(tomllib.loads(path.read_text(encoding="utf-8")))]
    assert {"ingress", "bypass", "persona"} <= set(found)
    assert found_in(iter(found)) == []


def test_no_module_and_no_class_has_a_retired_word() -> None:
    paths = [part for path in modules() for part in path.relative_to(ROOT).with_suffix("").parts]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in modules()]
    classes = [node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert {"GatewayWebAcl", "CallContext", "IsolatedFunction"} <= set(classes)
    assert found_in(iter([*paths, *classes])) == []


def test_no_proof_has_a_retired_word_for_a_name() -> None:
    assert found_in(iter(PROOFS)) == []

"""Every refusal that the code makes is explained in `catalogue/refusals.toml`, and nothing else is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ringfence.catalogue.catalogue import load_catalogue

ROOT = Path(__file__).resolve().parents[2]
RULES = load_catalogue(ROOT / "catalogue").refusals
FOLDERS = ("callpath", "lambda", "runtime")
LAYERS = {"request", "policy", "runtime", "credentials", "server", "aws", "response"}


def raised() -> Iterator[tuple[str, str]]:
    """Each rule's id that a call of `Refusal`, `Malformed` or a helper of theirs names, with the place."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            prefix = "token-" if path.name == "txn_token.py" else ""
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                    continue
                named = {keyword.arg: keyword.value for keyword in node.keywords}
                where = {"Refusal": 1, "_refused": 0}.get(node.func.id)
                found = named.get("rule") if node.func.id == "Malformed" else None
                if where is not None and len(node.args) > where:
                    found = node.args[where]
                if isinstance(found, ast.Constant) and isinstance(found.value, str):
                    yield (prefix if node.func.id == "_refused" else "") + found.value, f"{path.name}:{node.lineno}"


def test_every_refusal_of_the_code_is_explained() -> None:
    found = dict(raised())
    assert len(found) > 40
    assert {rule: place for rule, place in found.items() if rule not in RULES} == {}


def test_every_rule_stands_in_the_code_under_its_name() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))
    )
    silent = [rule for rule in RULES if f'"{rule}"' not in code and f'"{rule.removeprefix("token-")}"' not in code]
    assert silent == []


def test_layers_are_those_of_a_call() -> None:
    assert {layer for rule in RULES.values() for layer in rule.layers} == LAYERS

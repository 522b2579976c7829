"""The corpus: every attack, by family, held to what there is, since a misspelt one would be stopped for nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

from ringfence.deployed.gateways import SEPARATOR
from ringfence.iam import actions
from ringfence.rehearsal.ablation.answers import ANSWERS
from ringfence.rehearsal.ablation.attack import Asks, Attack
from ringfence.rehearsal.ablation.calls import CALLS
from ringfence.rehearsal.ablation.credentials import CREDENTIALS
from ringfence.rehearsal.ablation.tokens import TOKENS
from ringfence.rehearsal.scenarios.granted import CATALOGUE

ATTACKS: tuple[Attack, ...] = (*CALLS, *TOKENS, *CREDENTIALS, *ANSWERS)


def faults(attacks: Sequence[Attack]) -> list[str]:
    """What is misspelt in a corpus, or stands in it twice."""
    twice = [name for name, count in Counter(attack.name for attack in attacks).items() if count > 1]
    return [f"{name}: stands in the corpus more than once" for name in twice] + [
        f"{attack.name}: {fault}" for attack in attacks if attack.asks is not None for fault in _misspelt(attack.asks)
    ]


def _misspelt(asks: Asks) -> Iterator[str]:
    if asks.action and asks.action not in actions.load():
        yield f"AWS has no action {asks.action}"
    if not asks.tool:
        return
    declared = _declared(asks.tool.partition(SEPARATOR)[0]).get(asks.tool.partition(SEPARATOR)[2])
    if declared is None:
        yield f"no locked server has a tool {asks.tool}"
        return
    for name in asks.arguments:
        if (name in declared) is (name in asks.odd):
            yield f"the argument {name} is {'declared' if name in declared else 'no argument of the tool'}"


@cache
def _declared(server: str) -> dict[str, frozenset[str]]:
    """The arguments of a server's tools, by tool, from its lock."""
    lock = json.loads((CATALOGUE / server / "tools.lock.json").read_text(encoding="utf-8"))
    return {tool["name"]: frozenset(tool["inputSchema"].get("properties", {})) for tool in lock["tools"]}

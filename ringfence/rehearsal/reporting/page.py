"""The report as one page for a browser: no script, no network, printable; made from report.json's document alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from callpath.refusal import LAYERS
from ringfence.reading.visible import visible

_TEMPLATE: Final = "page.html.jinja"
# How far a call came at a layer, as the page says it beside the layer's name; a symbol, so that colour is never alone.
_SYMBOLS: Final = {
    "passed": "✓",
    "stopped": "✗",
    "not reached": "·",
    "gone around": "»",
    "switched off": "○",
    "unknown": "?",
    "no answer here": "~",
}


@dataclass(frozen=True)
class Scenario:
    """Calls that show one thing.

    Attributes:
        calls: the calls, as report.json has them, in order.
    """

    persona: str
    name: str
    calls: list[Mapping[str, Any]]

    @property
    def held(self) -> bool:
        """Whether every call went as it must."""
        return all(call["held"] for call in self.calls)


def page_of(document: Mapping[str, Any]) -> str:
    """The page of a report; whatever a call holds is escaped, and what cannot be seen in it is spelt out.

    Args:
        document: what `document_of` made, or report.json read back.
    """
    return _ENVIRONMENT.get_template(_TEMPLATE).render(report=document, scenarios=list(scenarios(document["calls"])))


def scenarios(calls: list[Mapping[str, Any]]) -> Iterator[Scenario]:
    """The calls by scenario, in the order in which they were played."""
    for (persona, name), found in itertools.groupby(calls, key=lambda call: (call["persona"], call["scenario"])):
        yield Scenario(persona, name, list(found))


def layers_of(call: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each layer and how the call came past it: one of the keys of `_SYMBOLS`.

    A call that was answered passed every layer; one that was refused passed those before the one that refused it.
    """
    stopped_at = len(LAYERS) if call["outcome"] == "allowed" else _place(call["layer"])
    enters = LAYERS.index(call["enters"])
    return [(layer, _state(place, layer, call, enters, stopped_at)) for place, layer in enumerate(LAYERS)]


def _place(layer: str | None) -> int | None:
    return LAYERS.index(layer) if layer in LAYERS else None


def _state(place: int, layer: str, call: Mapping[str, Any], enters: int, stopped_at: int | None) -> str:
    if place < enters:
        return "gone around"
    if stopped_at is None:
        return "unknown"
    if place >= stopped_at:
        # What the local AWS cannot answer is no lock.
        at_it = "no answer here" if call["expected"]["outcome"] == "either" else "stopped"
        return at_it if place == stopped_at else "not reached"
    return "switched off" if layer in call["without"] else "passed"


def expected_of(call: Mapping[str, Any]) -> str:
    """What had to happen, in words."""
    expected = call["expected"]
    if expected["outcome"] == "refused":
        rules = " or ".join(expected["rules"])
        return f"refused by {expected['layer']}" + (f", rule {rules}" if rules else "")
    aws = ", ".join(f"{action} {decision}" for action, decision in expected["aws"].items())
    if expected["outcome"] == "either":
        return "called; the local AWS cannot answer it"
    return "answered" + (f"; AWS: {aws}" if aws else "")


def seen_of(call: Mapping[str, Any]) -> str:
    """What happened, in words."""
    if call["outcome"] == "allowed":
        return "answered"
    return f"refused by {call['layer'] or 'nobody that names itself'}" + (
        f", rule {call['rule']}" if call["rule"] else ""
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=visible,
    )
    environment.filters.update(layers=layers_of, expected=expected_of, seen=seen_of)
    environment.globals.update(symbols=_SYMBOLS)
    return environment


_ENVIRONMENT: Final = _environment()

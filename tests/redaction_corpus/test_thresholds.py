"""The response interceptor finds what thresholds.toml says that it finds, and leaves ordinary text as it is."""

from __future__ import annotations

import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.redaction_corpus.adapter import interceptor
from tests.redaction_corpus.generator import corpus
from tests.redaction_corpus.scorer import Score, score
from tests.redaction_corpus.values.kinds import FREE, kinds

ASKED: dict[str, Any] = tomllib.loads(Path(__file__).with_name("thresholds.toml").read_text(encoding="utf-8"))
SLACK = 0.02
"""A floor that is passed by more than this is to be raised."""


@pytest.fixture(scope="session")
def made() -> Score:
    with interceptor() as redact:
        return score(redact, corpus())


def reached(what: str, figure: float, asked: dict[str, float]) -> None:
    """Fail where a figure is below its floor; where it is well above, say so."""
    assert figure >= asked["floor"], f"{what}: {figure:.4f} is below the floor {asked['floor']} (goal {asked['goal']})"
    if figure > asked["floor"] + SLACK:
        warnings.warn(f"thresholds.toml: raise the floor of {what} to {int(figure * 100) / 100}", stacklevel=2)


def test_every_kind_has_a_floor_and_the_goal_of_its_form() -> None:
    assert set(ASKED["recall"]) == set(kinds())
    assert {kind: asked["goal"] for kind, asked in ASKED["recall"].items()} == {
        kind: 0.8 if each.form == FREE else 0.99 for kind, each in kinds().items()
    }


@pytest.mark.parametrize("kind", ASKED["recall"])
def test_recall_of_a_kind_is_not_below_its_floor(made: Score, kind: str) -> None:
    reached(kind, made.recall(kind), ASKED["recall"][kind])


@pytest.mark.parametrize("layers", ASKED["disguises"])
def test_recall_in_disguise_is_not_below_its_floor(made: Score, layers: str) -> None:
    reached(f"{layers} disguises", made.recall_of_disguises(layers), ASKED["disguises"][layers])


@pytest.mark.parametrize("figure", ASKED["changed"])
def test_ordinary_text_is_changed_no_more_than_is_allowed(made: Score, figure: str) -> None:
    most, value = ASKED["changed"][figure]["most"], getattr(made, figure)
    assert value <= most, f"{figure}: {value} of at most {most}; look with --changed 40"
    if value < most and most > ASKED["changed"][figure]["goal"]:
        warnings.warn(f"thresholds.toml: lower the most of {figure} to {value}", stacklevel=2)

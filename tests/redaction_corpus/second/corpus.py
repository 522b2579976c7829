"""The second corpus: by another head than the first, from the kinds' official forms and nothing else.

It was written without knowledge of the rules, and no rule is to be written for it. What the first run on it found
stands in the message of the commit that added this file; a change of the seed, the forms or the values makes it another
corpus, whose first run is to be reported anew.
"""

from __future__ import annotations

from functools import cache
from itertools import cycle, islice
from typing import Final

from tests.redaction_corpus.model import Document
from tests.redaction_corpus.second.disguises import KINDS, LAYERS, SINGLE, disguised
from tests.redaction_corpus.second.ink import VALUES, Ink
from tests.redaction_corpus.second.ordinary_aws import AWS
from tests.redaction_corpus.second.ordinary_text import TEXT
from tests.redaction_corpus.second.people import PEOPLE
from tests.redaction_corpus.second.records import RECORDS
from tests.redaction_corpus.second.scenes import SCENES
from tests.redaction_corpus.second.scenes_of_work import WORK
from tests.redaction_corpus.second.sheets import SHEETS

SEED: Final = 20261129
RECORDS_EACH, SCENES_EACH, ORDINARY_EACH, PLAIN_EACH, LAYERED_EACH = 18, 16, 11, 10, 6
OFTEN: Final = {"header": 60, "bare": 40, "build": 30, "connection": 40, "presigned": 30, "key-file": 30}
"""Scenes of which there are more, because what they hold stands nowhere else."""
ALONE: Final = frozenset(("presigned_url", "bearer", "basic", "private_key"))
"""Kinds that no field of a record holds: they have scenes of their own."""


@cache
def corpus(seed: int = SEED) -> tuple[Document, ...]:
    """All documents of a seed, always the same."""
    return (*_records(seed), *_scenes(seed), *_disguises(seed), *_ordinary(seed))


def _records(seed: int) -> list[Document]:
    """Each way of writing a record, with the kinds in turn: people's data in some, secrets in others."""
    people = cycle(sorted(PEOPLE))
    secrets = cycle(sorted(set(VALUES) - set(PEOPLE) - ALONE))
    made = []
    for form, write in {**RECORDS, **SHEETS}.items():
        for number in range(RECORDS_EACH):
            ink = Ink(f"{seed}/{form}/{number}")
            kinds = list(islice(secrets if number % 3 == 2 else people, ink.rng.randint(2, 5)))
            made.append(ink.finish(f"{form}-{number}", form, write(ink, kinds)))
    return made


def _scenes(seed: int) -> list[Document]:
    made = []
    for form, write in {**SCENES, **WORK}.items():
        for number in range(OFTEN.get(form, SCENES_EACH)):
            ink = Ink(f"{seed}/{form}/{number}")
            made.append(ink.finish(f"{form}-{number}", form, write(ink)))
    return made


def _disguises(seed: int) -> list[Document]:
    kinds, made = cycle(KINDS), []
    for name in (*SINGLE, *LAYERS):
        for number in range(PLAIN_EACH if name in SINGLE else LAYERED_EACH):
            ink = Ink(f"{seed}/{name}/{number}")
            made.append(ink.finish(f"{name}-{number}", "disguise", disguised(ink, name, next(kinds))))
    return made


def _ordinary(seed: int) -> list[Document]:
    made = []
    for form, write in {**AWS, **TEXT}.items():
        for number in range(ORDINARY_EACH):
            ink = Ink(f"{seed}/ordinary {form}/{number}")
            made.append(ink.finish(f"ordinary-{form}-{number}", f"ordinary-{form}", write(ink.rng)))
    return made

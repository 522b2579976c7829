"""Values of the committed examples that nobody can really have, told for a sandbox too."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.live.before import Before
from ringfence.live.results import Result, right, wrong
from ringfence.reading.placeholder_checks import is_example, made_up


def placeholders(before: Before) -> Iterator[Result]:
    """Looks for made-up values in the department's file. The account is not asked."""
    name = before.needs.department.name
    found = list(made_up(before.needs.file, own="" if is_example(name) else name, others=before.needs.others))
    for problem in found:
        yield wrong(problem.field, f"{problem.value}: {problem.message}", problem.remedy)
    if not found:
        yield right("placeholders", "The file holds no made-up value of the examples.")

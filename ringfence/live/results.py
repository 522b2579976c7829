"""What a question found: right, wrong with a remedy, or unknown with the reason. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from ringfence.live.problems import CannotAsk, withheld

ALL_RIGHT: Final = 0
SOMETHING_WRONG: Final = 1
COULD_NOT_ASK: Final = 2

Subject = TypeVar("Subject")


class Verdict(StrEnum):
    """The three answers to a question."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Result:
    """One line of the table.

    Attributes:
        subject: what was looked at, such as `zone eu-west-2a`.
        verdict: right, wrong or unknown.
        remedy: what to do; empty when it is right.
        missing_action: the IAM action that these credentials lack, where that is why it is unknown.
        evidence: what AWS answered, where it is worth keeping.
    """

    subject: str
    verdict: Verdict
    found: str
    remedy: str = ""
    missing_action: str = ""
    evidence: Any = None

    def as_json(self) -> dict[str, Any]:
        """The result as the JSON report has it."""
        told = {"subject": self.subject, "verdict": str(self.verdict), "found": self.found, "remedy": self.remedy}
        told |= {"missing_action": self.missing_action} if self.missing_action else {}
        return told | ({"evidence": self.evidence} if self.evidence is not None else {})


def right(subject: str, found: str, *, evidence: Any = None) -> Result:
    """Returns a result with nothing to do."""
    return Result(subject, Verdict.RIGHT, found, evidence=evidence)


def wrong(subject: str, found: str, remedy: str, *, evidence: Any = None) -> Result:
    """Returns a result with its remedy."""
    return Result(subject, Verdict.WRONG, found, remedy, evidence=evidence)


def unknown(subject: str, found: str, remedy: str, *, missing_action: str = "", evidence: Any = None) -> Result:
    """Returns a result that nothing may be concluded from."""
    return Result(subject, Verdict.UNKNOWN, found, remedy, missing_action, evidence)


def not_answered(subject: str, problem: CannotAsk) -> Result:
    """Returns the result of a question that had no answer."""
    missing = problem.action if problem.reason == "denied" else ""
    found = f"{problem.action} was not answered ({problem.reason}): {problem.detail}"
    return unknown(subject, found, problem.remedy, missing_action=missing)


@dataclass(frozen=True)
class Check(Generic[Subject]):
    """A question with its results.

    Attributes:
        name: short, in kebab-case.
        run: asks; yields results as they come.
    """

    name: str
    question: str
    run: Callable[[Subject], Iterable[Result]]

    def results(self, subject: Subject) -> Iterator[Result]:
        """Yields the results; what cannot be asked is a result too, and what was found before it stays."""
        try:
            yield from self.run(subject)
        except CannotAsk as problem:
            yield not_answered(self.name, problem)
        except (KeyError, IndexError, TypeError, ValueError) as surprise:
            said = withheld(f"{type(surprise).__name__}: {surprise}")
            found = f"AWS's answer is not of the form that was expected: {said}"
            yield unknown(self.name, found, "Report this with the command's output; nothing was concluded from it.")


def exit_code(results: Iterable[Result]) -> int:
    """Returns 1 if anything is wrong, else 2 if anything is unknown or nothing was asked, else 0."""
    verdicts = {result.verdict for result in results}
    if Verdict.WRONG in verdicts:
        return SOMETHING_WRONG
    return COULD_NOT_ASK if Verdict.UNKNOWN in verdicts or not verdicts else ALL_RIGHT

"""Problems in what people wrote, collected so that one run reports all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ringfence import CannotGoOn

ABSENT: Final = "(absent)"
_WITHHELD: Final = "(withheld)"
_SECRET_WORDS: Final = ("secret", "password", "passphrase", "token", "private_key", "credential")
_CREDENTIALS_IN_URL: Final = re.compile(r"//[^/@\s]*@")
_LONGEST_VALUE: Final = 80


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, told so that the reader can mend it without reading our code.

    Attributes:
        field: Path of the field as a reader would write it, such as `ingress.allowed_networks[1]`.
        value: What was given, already shortened for display; never a secret.
        message: What is wrong, as a sentence.
        remedy: What to do, as a sentence.
    """

    field: str
    value: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.field} = {self.value}: {self.message} {self.remedy}"


class ProblemsFound(CannotGoOn):
    """Raised once with everything that is wrong with one subject, such as a department file."""

    def __init__(self, subject: str, problems: Iterable[Problem]) -> None:
        """Collects the problems; at least one is required.

        Args:
            subject: What was looked at, such as `departments/example-production.toml`.
            problems: The problems; repeats are dropped, the order stays.
        """
        self.subject = subject
        self.problems = tuple(dict.fromkeys(problems))
        if not self.problems:
            raise ValueError("ProblemsFound needs at least one problem")
        count = len(self.problems)
        what = f"{subject}: {count} problem{'s' if count > 1 else ''}"
        super().__init__(what, " ".join(problem.remedy for problem in self.problems))

    def __str__(self) -> str:
        return "\n".join([self.what, *(f"  {problem}" for problem in self.problems)])


def shown(value: object, *, field: str = "") -> str:
    """Returns a value as a problem may show it: short, on one line, and withheld where it may be a secret.

    Somebody may paste a secret where its name belongs, so the field's name decides, not the value. Tables are not shown
    at all: they may hold such a field.
    """
    if any(word in field.rsplit(".", 1)[-1].lower() for word in _SECRET_WORDS):
        return _WITHHELD
    if isinstance(value, Mapping):
        return "(a table)"
    if isinstance(value, list | tuple):
        text = "[" + ", ".join(shown(item) for item in value) + "]"
    elif isinstance(value, bool):
        text = str(value).lower()
    else:
        text = f'"{value}"' if isinstance(value, str) else str(value)
    text = _CREDENTIALS_IN_URL.sub(f"//{_WITHHELD}@", text)
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"

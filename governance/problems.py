"""Problems in what people wrote, collected so that one run reports all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

ABSENT: Final = "(absent)"
_WITHHELD: Final = "(withheld)"
_SECRET_WORDS: Final = ("secret", "password", "passphrase", "token", "private_key", "credential")
_LONGEST_VALUE: Final = 80


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, told so that the reader can mend it without reading our code.

    Attributes:
        field: Path of the field as a reader would write it, such as `door.allowed_networks[1]`.
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


class ProblemsFound(Exception):
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
        super().__init__(str(self))

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"{self.subject}: {count} problem{'s' if count > 1 else ''}"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


def shown(value: object, *, field: str = "") -> str:
    """Returns a value as a problem may show it: short, on one line, and withheld where the field may hold a secret."""
    last = field.rsplit(".", 1)[-1].lower()
    if any(word in last for word in _SECRET_WORDS) and not last.endswith("_name"):
        return _WITHHELD
    text = repr(value) if not isinstance(value, str) else f'"{value}"'
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"

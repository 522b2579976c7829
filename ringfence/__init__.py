"""What runs on your machine: it reads what people write, compiles every lock from it, and proves, rehearses and asks an
account about what comes of it.

Each folder is a room. Its `OFFERS` names the modules that other rooms may use; `tests/architecture` holds that, and who
may use whom. Nothing here knows of CDK: every result is plain data.
"""

from __future__ import annotations


class CannotGoOn(Exception):
    """What ends a command: whoever ran it is told what is wrong and what to do, and shown no traceback.

    Every exception of ours that reaches a person is one; a test lists those that do not (`tests/architecture`).

    Attributes:
        what: The fault, in words that name the thing.
        remedy: What to do about it, as a sentence; a class may say it for all of its kind.
    """

    remedy: str = ""

    def __init__(self, what: str, remedy: str = "") -> None:
        """Takes both; the remedy only where the class says none, or where there is a better one."""
        self.what = what
        self.remedy = remedy or self.remedy
        if not self.remedy:
            raise ValueError(f"{type(self).__name__} needs a remedy: {what}")
        super().__init__(what, self.remedy)

    def __str__(self) -> str:
        # What a program said last stands on lines of its own.
        return f"{self.what}\n{self.remedy}" if "\n" in self.what else f"{self.what.rstrip('.')}. {self.remedy}"

"""What stops a reading: the error names the place in the template and what is missing there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ringfence import CannotGoOn


class UnresolvedTemplate(CannotGoOn):
    """A template holds something this project cannot interpret, so nothing may be concluded from it.

    Attributes:
        stack: name of the stack.
        logical_id: the resource (or section) that holds or needs the unknown thing.
        missing: what could not be resolved, in words.
    """

    remedy = "Correct the template, or teach ringfence/deployed/ to read it."

    def __init__(self, stack: str, logical_id: str, missing: str, remedy: str = "") -> None:
        super().__init__(f"{stack}/{logical_id}: {missing}", remedy)
        self.stack = stack
        self.logical_id = logical_id
        self.missing = missing


@contextmanager
def reading(stack: str, what: str, remedy: str = "") -> Iterator[None]:
    """What is not of the form that CDK and CloudFormation give it is told by its place, and not by a traceback.

    Raises:
        UnresolvedTemplate: something inside raised what a value of another kind raises, or a missing file.
    """
    try:
        yield
    except (AttributeError, LookupError, OSError, TypeError, ValueError) as damage:
        told = f"cannot be read: {type(damage).__name__}: {damage}"
        raise UnresolvedTemplate(stack, what, told, remedy) from None

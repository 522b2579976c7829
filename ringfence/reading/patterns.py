"""Regular expressions that Python's `re` runs over what a caller or a server wrote: none may cost more than its text.

Of RE2, which redaction uses, every search is linear; `re` goes back, and `(a+)+$` doubles with each letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

_PARSER: Final = import_module("re._parser")
"""The parser of `re`, which has had no public name since Python 3.11; what it reads is what runs."""


def is_costly(pattern: str) -> bool:
    """Returns whether a repeat without an upper bound stands in another one; not what is no regular expression.

    It does not see that two branches of a repeat begin alike, as in `(a|a)+$`: the tests' clock does.
    """
    try:
        return any(_nested(_PARSER.parse(pattern), within=False))
    except re.error:
        return False


def _nested(part: Any, *, within: bool) -> Iterator[bool]:
    """Yields of each repeat in a part of the parser's tree whether it has no upper bound and stands in one without."""
    if isinstance(part, tuple) and len(part) == 2 and str(part[0]).endswith("_REPEAT"):
        _, most, repeated = part[1]
        unbounded = most == _PARSER.MAXREPEAT
        yield within and unbounded
        yield from _nested(repeated, within=within or unbounded)
    elif isinstance(part, list | tuple | _PARSER.SubPattern):
        for each in part:
            yield from _nested(each, within=within)

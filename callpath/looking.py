"""What no text of a call may hold, and how far apart the times may be between which it looks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

TIME: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?$"
"""A time as arguments give it (RFC 3339, seconds and offset left out at will; without an offset it is UTC)."""


@dataclass(frozen=True)
class Window:
    """Two arguments that hold times.

    Attributes:
        begin: the earlier one's name; left out with the later one, the tool looks at recent hours of its own choosing.
        end: the later one's name; left out, it is now. Never without the earlier one, which could then be any.
        hours: how far apart they may be.
    """

    begin: str
    end: str
    hours: int


@dataclass(frozen=True)
class Looking:
    """What bounds a call beyond the forms of its arguments.

    Attributes:
        without: what no text of the arguments may hold, names and lists within included, by the word for it.
        window: between which times the call may look.
    """

    without: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    window: Window | None = None
    together: tuple[str, ...] = ()

    @classmethod
    def read(cls, tool: Mapping[str, Any]) -> Looking:
        """Return the bounds of a tool of a rule file.

        Raises:
            KeyError, TypeError, ValueError: they are not such bounds.
        """
        without = {word: re.compile(pattern) for word, pattern in tool.get("without", {}).items()}
        window = Window(**tool["window"]) if "window" in tool else None
        return cls(without, window, tuple(tool.get("together", ())))

    def problems(self, arguments: Mapping[str, object]) -> Iterator[str]:
        """Yield what is wrong with arguments whose form has been checked. Repeats nothing of them."""
        texts = {name: list(_texts(value)) for name, value in arguments.items()}
        for word, pattern in self.without.items():
            for name, each in texts.items():
                if any(pattern.search(text) for text in each):
                    yield f'"{name}" must be without {word}'
        missing = [name for name in self.together if arguments.get(name) in (None, "")]
        if missing and len(missing) < len(self.together):
            yield f'"{missing[0]}" is missing: give {" and ".join(self.together)} together, or neither'
        if self.window:
            yield from _too_far(self.window, arguments)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield str(name)
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _too_far(window: Window, arguments: Mapping[str, object]) -> Iterator[str]:
    times = {}
    for name in (window.begin, window.end):
        if arguments.get(name) is not None:
            try:
                times[name] = _time(str(arguments[name]))
            except ValueError:
                yield f'"{name}" is no time that there is'
                return
    if window.begin not in times:
        if times:
            yield f'"{window.end}" needs "{window.begin}" beside it'
        return
    apart = times.get(window.end, datetime.now(UTC)) - times[window.begin]
    if apart < timedelta(0):
        yield f'"{window.begin}" is later than "{window.end}"'
    elif apart > timedelta(hours=window.hours):
        yield f'"{window.begin}" and "{window.end}" may be at most {window.hours} hours apart: ask for a part at a time'


def _time(text: str) -> datetime:
    if not re.fullmatch(TIME, text, re.ASCII):
        raise ValueError("not such a text")
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)

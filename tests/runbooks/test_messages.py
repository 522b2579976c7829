"""The reader of messages, on sources of a line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.runbooks.messages import OPEN, messages_in, quoted, script_messages


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ('"a b"', []),  # an expression that nobody reads, as a docstring is
        ('x = "one " "two"', ["one two"]),
        ('x = f"at most {LIMIT} of {given}"', [f"at most 10 of {OPEN}"]),
        ('x = f"after {SECONDS:.0f} seconds"', ["after 25 seconds"]),
        ('x = "one " + ("two" if y else "three")', [f"one {OPEN}", "two", "three"]),
        ('x = "Allow {action} or ask"', [f"Allow {OPEN} or ask"]),
        ('def f():\n    """Says a thing."""\n    raise E("A fault")', ["A fault"]),
    ],
)
def test_texts_of_a_source(source: str, told: list[str]) -> None:
    module: Any = SimpleNamespace(LIMIT=10, SECONDS=25.0)
    assert sorted(messages_in(source, module)) == sorted(told)


def test_texts_of_a_script() -> None:
    source = '  throw Err(`no bucket \'${it.name}\' in ${await account()} here`, "a b", "one two three");'
    assert script_messages(source) == [f"no bucket '{OPEN}' in {OPEN} here", "one two three"]


def test_a_quotation_that_fits_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="quote the whole message"):
        quoted("<name>: <what> is <state>")
    assert quoted("It is <id> here; AgentCore runs elsewhere.") == f"It is {OPEN} here; AgentCore runs elsewhere."

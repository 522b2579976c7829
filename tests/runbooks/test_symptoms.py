"""Each symptom of the troubleshooting page is a whole message of the file named below it, as that file makes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.runbooks.messages import OPEN, messages, messages_in, quoted
from tests.runbooks.pages import HOME, ROOT, pages

PAGE = HOME / "troubleshooting.md"
FEWEST = 20
TALKING = ("lambda", "ringfence/assets", "ringfence/deployment", "ringfence/live", "runtime", "stacks")
SAID_BY_AWS = (
    "Environment aws://",
    "has been taken in this account",
    "with an explicit deny in a service control policy",
)
_SYMPTOM = re.compile(r"^### (`+)(?P<text>.+?)\1\n`(?P<source>[^`]+)`\. (?P<remedy>\S.+)$", re.M)


@dataclass(frozen=True)
class Symptom:
    """A message, the file that says it, and the first line of what to do."""

    text: str
    source: str
    remedy: str

    def __str__(self) -> str:
        return self.text[:60]


def symptoms() -> list[Symptom]:
    found = _SYMPTOM.finditer(PAGE.read_text(encoding="utf-8"))
    return [Symptom(each["text"].strip(), each["source"], each["remedy"]) for each in found]


def test_there_are_enough_and_none_is_written_so_that_it_would_be_passed_over() -> None:
    found = symptoms()
    assert len(found) >= FEWEST
    assert len(found) == len(re.findall("^### ", PAGE.read_text(encoding="utf-8"), re.M))
    assert len({each.text for each in found}) == len(found)


@pytest.mark.parametrize("symptom", symptoms(), ids=str)
def test_the_code_says_exactly_this(symptom: Symptom) -> None:
    said = [text.strip() for text in messages(ROOT / symptom.source)]
    close = [text.replace(OPEN, "<…>") for text in said if set(text.split()) & set(symptom.text.split())]
    assert quoted(symptom.text) in said, f"{symptom.source} says none of it; it says: {close}"


@pytest.mark.parametrize("symptom", symptoms(), ids=str)
def test_a_changed_word_would_be_noticed(symptom: Symptom) -> None:
    wanted = quoted(symptom.text)
    word = max(re.findall(r"[A-Za-z]+", wanted), key=len)
    assert wanted.replace(word, "otherwise", 1) not in messages(ROOT / symptom.source)
    changed = f"x = {wanted.replace(OPEN, '').replace(word, 'otherwise', 1)!r}"
    assert wanted not in messages_in(changed, None)


@pytest.mark.parametrize("symptom", symptoms(), ids=str)
def test_a_placeholder_stands_only_for_what_the_code_fills_in(symptom: Symptom) -> None:
    """A text of which a part became a placeholder would fit whatever the code says there."""
    assert quoted(symptom.text).count(OPEN) == symptom.text.count("<")


def test_what_other_pages_quote_is_said_by_our_code_too() -> None:
    """A quotation may break off: it is then the beginning of a message."""
    said = [text for room in TALKING for path in (ROOT / room).rglob("*.py") for text in messages(path)]
    quotations = [
        (path.name, " ".join(text.split()))
        for path in pages()
        if path != PAGE
        for text in re.findall(
            r'"([^"<>`|=]+ [^"<>`|=]+ [^"<>`|=]+ [^"<>`|=]+)"', prose(path.read_text(encoding="utf-8"))
        )
    ]
    unknown = [each for each in quotations if not any(text.startswith(each[1]) for text in said)]
    assert [each for each in unknown if not each[1].startswith(SAID_BY_AWS)] == []
    assert len(quotations) - len(unknown) >= 4


def prose(text: str) -> str:
    """A page without its blocks."""
    return re.sub(r"```.*?```", "", text, flags=re.S)

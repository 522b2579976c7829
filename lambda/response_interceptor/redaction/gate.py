"""The gate: one look at a text for everything that a rule might want to see more closely.

It looks for short supersets of what the rules find, and for words. hyperscan looks for all of them at once, at hundreds
of megabytes a second; where it cannot be loaded, RE2 and `bytes.find` point at the same places, slowly
(decision 42).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import re2

try:
    hyperscan: Any = import_module("hyperscan")
except ImportError:  # a processor or a system without the library: what is found stays the same
    hyperscan = None

Hit = tuple[int, int]
"""Where something occurs: its first byte and the byte after its last."""
Hits = dict[int, list[Hit]]
"""By the place in the list of what is looked for: its occurrences from left to right, none within another."""


class Pattern(NamedTuple):
    """A pattern that is looked for.

    Attributes:
        regex: the pattern.
        together: which automaton looks for it: without a word in it, it costs most alone and little beside some others.
        rare: whether it is enough to know that it occurs: its one hit is then the whole text. What is said of a run of
            signs without its beginning costs a quarter.
    """

    regex: str
    together: str = ""
    rare: bool = False


Sought = Pattern | tuple[str, ...]
"""A pattern, or words in either case. A word counts where it stands alone or is part of a name (`is_named`)."""

_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_A = ord("a")
_LONGEST = re2.Options()
_LONGEST.longest_match = True
_LONGEST.encoding = re2.Options.Encoding.LATIN1  # bytes, as hyperscan sees them


class Gate(Protocol):
    """Looks for many things at once."""

    def hits(self, data: bytes) -> Hits:
        """Return where they occur."""
        ...


def made_gate(sought: Sequence[Sought]) -> Gate:
    """Return the quickest gate there is."""
    return Re2Gate(sought) if hyperscan is None else HyperscanGate(sought)


class HyperscanGate:
    """A few automata for the patterns, one for the words. One for all would take twice as long, to make and to look."""

    def __init__(self, sought: Sequence[Sought]) -> None:
        self._words = list(_by_word(sought).items())
        together: defaultdict[str, list[_Numbered]] = defaultdict(list)
        for index, each in enumerate(sought):
            if isinstance(each, Pattern):
                flag = hyperscan.HS_FLAG_SINGLEMATCH if each.rare else hyperscan.HS_FLAG_SOM_LEFTMOST
                together[each.together].append((index, each.regex.encode(), flag))
        self._in_patterns = [_database(patterns) for patterns in together.values()]
        self._rare = _rare(sought)
        words = [(number, word, hyperscan.HS_FLAG_CASELESS) for number, (word, _) in enumerate(self._words)]
        self._in_words = _database(words, literal=True)

    def hits(self, data: bytes) -> Hits:
        found: defaultdict[int, list[Hit]] = defaultdict(list)

        def note(index: int, start: int, end: int, _flags: int, _context: object) -> None:
            found[index].append((start, end))

        def note_word(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            word, wanted = self._words[number]
            start = end - len(word)
            if is_named(data, start, end):
                for index in wanted:
                    found[index].append((start, end))

        if data:
            for database in self._in_patterns:
                database.scan(data, match_event_handler=note)
            self._in_words.scan(data, match_event_handler=note_word)
        found.update((index, [(0, len(data))]) for index in self._rare & found.keys())
        return {index: _outermost(each) for index, each in found.items()}


class Re2Gate:
    """One thing after the other."""

    def __init__(self, sought: Sequence[Sought]) -> None:
        self._words = _by_word(sought)
        patterns = [(index, each) for index, each in enumerate(sought) if isinstance(each, Pattern)]
        self._patterns = [(index, re2.compile(each.regex.encode(), _LONGEST)) for index, each in patterns]
        self._rare = _rare(sought)

    def hits(self, data: bytes) -> Hits:
        found: defaultdict[int, list[Hit]] = defaultdict(list)
        for index, pattern in self._patterns:
            if index not in self._rare:
                found[index] += _every(pattern, data)
            elif pattern.search(data):
                found[index] = [(0, len(data))]
        small = data.lower()
        for word, wanted in self._words.items():
            at = small.find(word)
            while at >= 0:
                if is_named(data, at, at + len(word)):
                    for index in wanted:
                        found[index].append((at, at + len(word)))
                at = small.find(word, at + 1)
        return {index: _outermost(each) for index, each in found.items() if each}


def occurs(pattern: str) -> Callable[[bytes], bool]:
    """Return what says whether a pattern occurs in a text."""
    if hyperscan is None:
        compiled = re2.compile(pattern.encode())
        return lambda data: compiled.search(data) is not None
    database = _database([(0, pattern.encode(), hyperscan.HS_FLAG_SINGLEMATCH)])

    def seen(data: bytes) -> bool:
        found: list[int] = []
        if data:
            database.scan(data, match_event_handler=lambda *hit: found.append(hit[2]))
        return bool(found)

    return seen


def is_named(data: bytes, start: int, end: int) -> bool:
    """Say whether a word stands alone or as part of a name: `sort code`, `userDob`, `DB_DOB`; not `adobe`."""
    # Called thousands of times for a megabyte: small letters are those from a on.
    if start and (before := data[start - 1]) in _LETTERS and not before >= _A > data[start]:
        return False
    if end < len(data) and (after := data[end]) in _LETTERS and after not in b"sS":
        return data[end - 1] >= _A > after
    return True


def _rare(sought: Sequence[Sought]) -> frozenset[int]:
    return frozenset(index for index, each in enumerate(sought) if isinstance(each, Pattern) and each.rare)


def _by_word(sought: Sequence[Sought]) -> dict[bytes, list[int]]:
    """Return for each word what it is looked for by."""
    wanted: dict[bytes, list[int]] = {}
    for index, words in enumerate(sought):
        for word in () if isinstance(words, Pattern) else words:
            wanted.setdefault(word.lower().encode(), []).append(index)
    return wanted


_Numbered = tuple[int, bytes, int]
"""By which number a pattern is told, the pattern, and its flag."""


def _database(numbered: Sequence[_Numbered], *, literal: bool = False) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[each for _, each, _ in numbered],
        ids=[number for number, _, _ in numbered],
        elements=len(numbered),
        flags=[flag for _, _, flag in numbered],
        literal=literal,
    )
    return database


def _every(pattern: Any, data: bytes) -> Iterator[Hit]:
    """Yield the longest match that begins at each byte at which one begins."""
    found = pattern.search(data)
    while found:
        yield found.span()
        found = pattern.search(data, found.start() + 1)


def _outermost(hits: list[Hit]) -> list[Hit]:
    """Return hits without those within another: what is left is the same, however an engine tells what it saw."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if not kept or hit[1] > kept[-1][1]:
            kept.append(hit)
    return kept

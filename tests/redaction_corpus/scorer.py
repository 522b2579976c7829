"""How well a redactor does on the corpus: what it found, and what it changed that it should not have."""

from __future__ import annotations

import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import accumulate, takewhile
from operator import eq
from typing import Any, Final

from tests.redaction_corpus.model import LAYERED, NONE, PLAIN, Document
from tests.redaction_corpus.values.kinds import KEYWORD, kinds

Redact = Callable[[str], str]
MAY_REMAIN: Final = 4
"""So many letters and digits of a value may stay readable: the last four of a card identify nobody."""
_WORD: Final = re.compile(r"[^\W_]+")
_FRAME: Final = re.compile(r"-----[A-Z ]+-----")
"""What stands above and below a private key, and is no secret."""


@dataclass
class Tally:
    """Values found, of those there are."""

    found: int = 0
    all: int = 0

    def add(self, *, found: bool) -> None:
        """Count one value."""
        self.found += found
        self.all += 1

    @property
    def recall(self) -> float:
        """The share that was found; 1 where there is none."""
        return self.found / self.all if self.all else 1.0


def _tallies() -> defaultdict[Any, Tally]:
    return defaultdict(Tally)


@dataclass
class Score:
    """What a redactor did on documents.

    Attributes:
        values: by kind and context, without disguise.
        disguises: by layers and name of the disguise.
        ordinary_documents: documents without any value.
        changed_documents: those of them in which anything was changed.
        ordinary_characters: letters and digits outside of all labels. Others may be escaped, as `<` is.
        changed_characters: those of them that were changed.
        changed_in_ordinary_documents: the changed characters of documents without any value.
        examples: some of what was changed outside of labels, for a person to look at.
        characters: length of all documents.
        processor_seconds: what the redactor took for them.
    """

    values: dict[tuple[str, str], Tally] = field(default_factory=_tallies)
    disguises: dict[tuple[str, str], Tally] = field(default_factory=_tallies)
    ordinary_documents: int = 0
    changed_documents: int = 0
    ordinary_characters: int = 0
    changed_characters: int = 0
    changed_in_ordinary_documents: int = 0
    examples: Counter[str] = field(default_factory=Counter)
    characters: int = 0
    processor_seconds: float = 0.0

    def recall(self, kind: str) -> float:
        """Recall of a kind: of all its values, but without bare ones where only what stands beside one tells it."""
        apart = "bare" if kinds()[kind].form == KEYWORD else ""
        return _together(
            tally for (name, where), tally in self.values.items() if name == kind and where != apart
        ).recall

    def recall_of_disguises(self, layers: str) -> float:
        """Recall of values in plain or in layered disguises."""
        return _together(tally for (each, _), tally in self.disguises.items() if each == layers).recall

    @property
    def changed_share(self) -> float:
        """Changed characters of ordinary ones."""
        return self.changed_characters / max(1, self.ordinary_characters)


def _together(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for each in tallies:
        total.found += each.found
        total.all += each.all
    return total


def through_json(redact: Callable[[Any], Any]) -> Redact:
    """A redactor of JSON values as one of text: a document that is no JSON is a string to it."""

    def redacted(text: str) -> str:
        try:
            value = json.loads(text)
        except ValueError:
            return str(redact(text))
        return json.dumps(redact(value), ensure_ascii=False)

    return redacted


def score(redact: Redact, documents: Iterable[Document]) -> Score:
    """Let a redactor work on documents and compare."""
    made = Score()
    for document in documents:
        start = time.process_time()
        after = redact(document.text)
        made.processor_seconds += time.process_time() - start
        made.characters += len(document.text)
        _add(made, document, kept_characters(document.text, after))
    return made


def _add(made: Score, document: Document, kept: bytearray) -> None:
    text, labelled = document.text, bytearray(len(document.text))
    for span in document.spans:
        labelled[span.start : span.end] = b"\1" * (span.end - span.start)
        framing = {place for frame in _FRAME.finditer(text, span.start, span.end) for place in range(*frame.span())}
        left = sum(kept[at] and text[at].isalnum() and at not in framing for at in range(span.start, span.end))
        tally = (
            made.values[span.kind, span.context] if span.layers == NONE else made.disguises[span.layers, span.disguise]
        )
        tally.add(found=left <= MAY_REMAIN)
    ordinary = [place for place in range(len(text)) if not labelled[place] and text[place].isalnum()]
    changed = [place for place in ordinary if not kept[place]]
    made.ordinary_characters += len(ordinary)
    made.changed_characters += len(changed)
    if changed:
        made.examples[text[max(0, changed[0] - 12) : changed[0] + 28].replace("\n", " ")] += 1
    if not document.spans:
        made.ordinary_documents += 1
        made.changed_documents += bool(changed)
        made.changed_in_ordinary_documents += len(changed)


def kept_characters(before: str, after: str) -> bytearray:
    """For each letter or digit of a text 1 where it still stands in what came of the text; 0 for all other characters.

    Lines are compared first, then words within the lines that differ: so the letters of a mark are not taken for those
    of the value in whose place it stands, and JSON that is written with other white space is the same.
    """
    kept = bytearray(len(before))
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, old))]
    for tag, first, last, other, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            _keep(kept, starts[first], starts[last])
        elif tag == "replace":
            _compare_words(kept, starts[first], "".join(old[first:last]), "".join(new[other:end]))
    return kept


def _compare_words(kept: bytearray, offset: int, before: str, after: str) -> None:
    matches = list(_WORD.finditer(before))
    old, new = [match[0] for match in matches], _WORD.findall(after)
    for tag, first, last, other, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            for match in matches[first:last]:
                _keep(kept, offset + match.start(), offset + match.end())
        elif tag == "replace":
            head, tail = _same(old[first], new[other]), _same(old[last - 1][::-1], new[end - 1][::-1])
            start, stop = matches[first].start() + offset, matches[last - 1].end() + offset
            _keep(kept, start, start + head)
            _keep(kept, stop - tail, stop)


def _keep(kept: bytearray, start: int, stop: int) -> None:
    kept[start:stop] = b"\1" * (stop - start)


def _same(one: str, other: str) -> int:
    """How many characters are the same at the beginning."""
    return sum(1 for _ in takewhile(bool, map(eq, one, other)))


def report(made: Score) -> str:
    """The score as a table for a person."""
    contexts = sorted({where for _, where in made.values})
    head = f"{'kind':18} {'in all':>7} " + " ".join(f"{each:>10}" for each in contexts)
    body = [head]
    for kind in kinds():
        cells = [_shown(made.values.get((kind, where))) for where in contexts]
        body.append(f"{kind:18} {made.recall(kind):7.3f} " + " ".join(cells))
    for layers in (PLAIN, LAYERED):
        body += ["", f"{layers + ' disguises':28} {made.recall_of_disguises(layers):6.3f}"]
        body += [
            f"  {name:26} {tally.recall:6.3f}"
            for (each, name), tally in sorted(made.disguises.items())
            if each == layers
        ]
    speed = made.characters / 1e6 / made.processor_seconds if made.processor_seconds else 0.0
    body += [
        "",
        f"documents of ordinary text: {made.ordinary_documents}, changed: {made.changed_documents} "
        f"({made.changed_in_ordinary_documents} characters)",
        f"ordinary characters changed: {made.changed_characters} of {made.ordinary_characters} "
        f"({made.changed_share:.4%})",
        f"{made.characters / 1e6:.2f} MB in {made.processor_seconds:.1f} s of processor: {speed:.2f} MB/s",
    ]
    return "\n".join(body)


def _shown(tally: Tally | None) -> str:
    return f"{tally.recall:10.3f}" if tally else f"{'':10}"


def as_data(made: Score) -> Mapping[str, object]:
    """The score for another program."""
    return {
        "recall": {kind: round(made.recall(kind), 4) for kind in kinds()},
        "plain": round(made.recall_of_disguises(PLAIN), 4),
        "layered": round(made.recall_of_disguises(LAYERED), 4),
        "changed_documents": made.changed_documents,
        "changed_share": round(made.changed_share, 6),
        "seconds": round(made.processor_seconds, 2),
    }

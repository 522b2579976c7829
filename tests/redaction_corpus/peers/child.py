"""Runs one of the peers in the environment that holds them: texts come in as JSON, redacted ones go out.

`python child.py <peer>` reads a list of texts and writes `{"texts": […], "seconds": <processor time>}`, which
counts no imports. It is run by its path, by another Python, and knows nothing of this project.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

Redact = Callable[[str], str]
ENTITIES: Final = (
    "CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "PHONE_NUMBER", "UK_NHS", "UK_NINO", "UK_PASSPORT", "UK_POSTCODE",
    "UK_DRIVING_LICENCE", "UK_VEHICLE_REGISTRATION",
)  # fmt: skip
"""Those of presidio's entities that the corpus has kinds for: its own names for addresses of machines would cost it."""
_OF_MACHINES: Final = frozenset({"IP_ADDRESS", "DATE", "URL"})
LEAST_SCORE: Final = 0.4
"""What presidio's own context raises a weak pattern to; below it every nine digits are a passport."""


def without(text: str, found: Iterable[tuple[int, int, str]]) -> str:
    """The text with a mark in the place of each of these stretches; of two that overlap, the first."""
    parts, last = [], 0
    for start, end, kind in sorted(found):
        if start >= last:
            parts += [text[last:start], f"[{kind}]"]
            last = end
    return "".join([*parts, text[last:]])


def _words() -> Any:
    """What splits a text into words for presidio, which then looks for context among them; no model of a language."""
    import spacy
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    vocabulary = spacy.blank("en")

    class Words(NlpEngine):
        def load(self) -> None:
            pass

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> Any:
            doc = vocabulary(text)
            return NlpArtifacts([], doc, [token.idx for token in doc], [token.lower_ for token in doc], self, language)

        def process_batch(self, texts: Any, language: str, **_: Any) -> Any:
            return ((text, self.process_text(text, language)) for text in texts)

        def is_stopword(self, word: str, language: str) -> bool:
            return bool(vocabulary.vocab[word].is_stop)

        def is_punct(self, word: str, language: str) -> bool:
            return bool(vocabulary.vocab[word].is_punct)

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["en"]

    return Words()


def presidio() -> Redact:
    """Pattern recognisers, those for the United Kingdom too, with context."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry, predefined_recognizers

    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"])
    for name in dir(predefined_recognizers):
        if name.startswith("Uk"):
            registry.add_recognizer(getattr(predefined_recognizers, name)())
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=_words(), supported_languages=["en"])

    def redact(text: str) -> str:
        found = analyzer.analyze(text, language="en", entities=list(ENTITIES), score_threshold=LEAST_SCORE)
        return without(text, ((each.start, each.end, each.entity_type) for each in found))

    return redact


def detect_secrets() -> Redact:
    """A scan of a file with every plugin and filter. It may tell a part of a secret: the whole word goes."""
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import default_settings

    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "text.txt"
    settings = default_settings()
    settings.__enter__()

    def redact(text: str, _kept: object = (folder, settings)) -> str:
        path.write_text(text, encoding="utf-8")
        for secret in {each.secret_value for each in scan_file(str(path))}:
            text = re.sub(rf"[\w.~+/-]*{re.escape(secret)}[\w.~+/=-]*", "[SECRET]", text)
        return text

    return redact


def scrubadub() -> Redact:
    """All of its default detectors for en_GB but those for addresses on the web, which here are machines'."""
    import scrubadub as package

    scrubber = package.Scrubber(locale="en_GB")
    for name in ("url", "twitter"):
        scrubber.remove_detector(name)
    return lambda text: str(scrubber.clean(text))


def datafog() -> Redact:
    """Its patterns, but those for addresses of machines and for days, of which ordinary text is full."""
    import datafog as package

    def redact(text: str) -> str:
        found = package.scan(text, engine="regex").entities
        return without(
            text, ((at.start, at.end, at.type) for at in found if at.type not in ("IP_ADDRESS", "DATE", "URL"))
        )

    return redact


PEERS: Final = {each.__name__: each for each in (presidio, detect_secrets, scrubadub, datafog)}


def main(name: str) -> None:
    """Redact what comes in."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    texts, redact = json.load(sys.stdin), PEERS[name]()
    start = time.process_time()
    made = [redact(text) for text in texts]
    json.dump({"texts": made, "seconds": time.process_time() - start}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])

"""`python -m tests.redaction_corpus.second`: how the response interceptor does on the second corpus."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from tests.redaction_corpus.adapter import interceptor
from tests.redaction_corpus.scorer import report, score
from tests.redaction_corpus.second.corpus import SEED, corpus


def main(arguments: Sequence[str] | None = None) -> int:
    """Score the project's own redactor; 0 always, for nothing is asked of it here."""
    parser = ArgumentParser(allow_abbrev=False, prog="python -m tests.redaction_corpus.second", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED, help="of another corpus (%(default)s)")
    chosen = parser.parse_args(arguments)
    with interceptor() as redact:
        made = score(redact, corpus(chosen.seed))
    print(report(made))
    ordinary = sum(not each.spans for each in corpus(chosen.seed))
    print(f"documents: {len(corpus(chosen.seed))}, of ordinary text: {ordinary}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

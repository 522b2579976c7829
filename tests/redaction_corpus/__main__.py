"""`python -m tests.redaction_corpus`: what the response interceptor finds in the corpus, and what it changes beside."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence

from tests.redaction_corpus.adapter import interceptor
from tests.redaction_corpus.generator import SEED, corpus
from tests.redaction_corpus.scorer import as_data, report, score


def main(arguments: Sequence[str] | None = None) -> int:
    """Score the project's own redactor.

    Returns:
        0 always: what is asked of it stands in thresholds.toml, and its test decides.
    """
    parser = ArgumentParser(
        allow_abbrev=False,
        prog="python -m tests.redaction_corpus",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, help="of another corpus, that no threshold is for (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON instead of the table")
    parser.add_argument(
        "--changed", type=int, default=0, metavar="N", help="show N places that are changed and should not be"
    )
    chosen = parser.parse_args(arguments)
    with interceptor() as redact:
        made = score(redact, corpus(chosen.seed))
    print(json.dumps(as_data(made), indent=2) if chosen.json else report(made))
    for example, count in made.examples.most_common(chosen.changed):
        print(f"changed {count:4}: {example}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

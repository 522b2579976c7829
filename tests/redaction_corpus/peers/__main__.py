"""`python -m tests.redaction_corpus.peers`: this project's redaction beside that of others, on the same corpus.

recall: mean over all kinds; kinds: those of which at least half is found; plain, layered: recall of values in disguise;
changed: letters and digits outside of all values. The others run in build/peers-redaction, which --install makes.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence

from tests.redaction_corpus.peers.compare import PeersMissing, compare, install, table


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare.

    Returns:
        0 when all were measured, 2 when the peers are not installed.
    """
    parser = ArgumentParser(
        allow_abbrev=False,
        prog="python -m tests.redaction_corpus.peers",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--install", action="store_true", help="first make build/peers-redaction, with uv")
    if parser.parse_args(arguments).install:
        install()
    try:
        print(table(compare()))
    except PeersMissing as missing:
        print(f"peers: {missing}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

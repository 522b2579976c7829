"""`python -m ringfence.rehearsal.ablation`: play the corpus of attacks with every layer on, and with each one off."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ringfence import CannotGoOn
from ringfence.rehearsal.ending import Interrupted, end_in_order

EXIT_AS_EXPECTED = 0
EXIT_NOT_AS_EXPECTED = 1
EXIT_CANNOT_START = 2

_DESCRIPTION = """\
Run a synthesised department on 127.0.0.1, play every attack of the corpus at each persona's gateway with every layer on
and with each layer off in turn, and switch off whatever stops it, layer after layer, until it goes through.
"""
_EPILOG = """\
exit codes: 0 every attack is stopped with every layer on, and by two layers independently where it would change
something or carry something out, but for the exceptions that name their reason; 1 one is not; 2 it cannot start (the
message names the remedy); 130, 143, 129 interrupted. Nothing is left running; nothing listens but on 127.0.0.1.
"""


def main(arguments: list[str] | None = None) -> int:
    """Play the corpus and return the exit code."""
    options = _options(arguments)
    end_in_order()
    try:
        # Imported here: the local AWS takes seconds to load, which --help should not cost.
        from ringfence.rehearsal.ablation.run import ablate

        held = ablate(
            options.assembly,
            personas=options.persona,
            attacks=options.attack,
            one_by_one=not options.quick,
            folder=options.out,
            table=Path("docs/ablation.md") if options.write_table else None,
        )
    except CannotGoOn as problem:
        print(f"ablation: {problem.what.rstrip('.')}.\n{problem.remedy}", file=sys.stderr)
        return EXIT_CANNOT_START
    except Interrupted as interrupted:
        return interrupted.told()
    return EXIT_AS_EXPECTED if held else EXIT_NOT_AS_EXPECTED


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        prog="python -m ringfence.rehearsal.ablation",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--assembly", type=Path, default=Path("cdk.out"), metavar="FOLDER", help="cloud assembly (default: cdk.out)"
    )
    parser.add_argument(
        "--persona", action="append", metavar="NAME", help="play at this persona's gateway alone; may be given again"
    )
    parser.add_argument("--attack", action="append", metavar="NAME", help="play this attack alone; may be given again")
    parser.add_argument(
        "--quick", action="store_true", help="do not play each attack with each layer off; only peel the layers off"
    )
    parser.add_argument("--write-table", action="store_true", help="write the table of docs/ablation.md anew")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/ablation"),
        metavar="FOLDER",
        help="where to write matrix.json and matrix.md (default: build/ablation)",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

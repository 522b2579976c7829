"""`python -m ringfence.rehearsal`: run a synthesised department on 127.0.0.1 and play the calls."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ringfence import CannotGoOn
from ringfence.rehearsal.ending import Interrupted, end_in_order

EXIT_AS_EXPECTED = 0
EXIT_NOT_AS_EXPECTED = 1
EXIT_CANNOT_START = 2

_DESCRIPTION = """\
Run a synthesised department on 127.0.0.1, from its cloud assembly alone: a local AWS that decides with the synthesised
policies, the functions' own code, the gateway, and the real MCP servers. A real MCP client then makes calls as somebody
of each persona: each tool that it is granted, and calls that must be refused. As an auditor it also attacks each layer.
"""
_EPILOG = """\
exit codes: 0 everything as it must be; 1 a call went otherwise; 2 it cannot start (the message names the remedy);
130, 143, 129 interrupted by Ctrl-C, SIGTERM, SIGHUP (with --keep these end the serving, and the calls decide the code).
Nothing is left running in any case, SIGKILL included, and nothing listens on anything but 127.0.0.1.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run a rehearsal and return the exit code."""
    options = _options(arguments)
    end_in_order()
    try:
        # Imported here: the MCP client and the local AWS take seconds to load, which --help should not cost.
        from ringfence.rehearsal.run import rehearse

        as_expected = rehearse(
            options.assembly,
            department_name=options.department,
            port=options.port,
            keep=options.keep,
            tokens=options.token,
            report=options.report,
        )
    except CannotGoOn as problem:
        print(f"rehearsal: {problem.what.rstrip('.')}.\n{problem.remedy}", file=sys.stderr)
        return EXIT_CANNOT_START
    except Interrupted as interrupted:
        return interrupted.told()
    return EXIT_AS_EXPECTED if as_expected else EXIT_NOT_AS_EXPECTED


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        prog="python -m ringfence.rehearsal",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--department", metavar="NAME", help="end where the assembly holds another department")
    parser.add_argument(
        "--assembly", type=Path, default=Path("cdk.out"), metavar="FOLDER", help="cloud assembly (default: cdk.out)"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep serving after the calls, until Ctrl-C: your own MCP host can connect, and signs in by itself",
    )
    parser.add_argument("--token", action="store_true", help="with --keep: print access tokens too, for scripts")
    parser.add_argument(
        "--port",
        type=_port,
        help="port of the sign-in page, which the personas' follow (default: with --keep 8710, otherwise free ones)",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="PATH",
        help="where to write the report, and its page beside it (default: build/rehearsal/<department>/report.json, "
        "with a copy in build/rehearsal/)",
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; use 1 to 65535")
    return int(text)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # everything has ended; taking the assembly and the local AWS apart would only keep somebody waiting

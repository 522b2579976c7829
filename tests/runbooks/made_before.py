"""Stands in for the app and the CDK behind a command: "synthesises" by laying out what the test run has made.

As the app, `python app.py --output <folder> --department <name>`, with the assemblies below $ASSEMBLIES; as the CDK
with one of its commands.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path


def main() -> None:
    """Lays out one assembly's files; every other command of the CDK only says its name."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("command", nargs="?")
    parser.add_argument("--department", "--organisation", dest="name", default="")
    parser.add_argument("--output", type=Path, default=Path("cdk.out"))
    chosen, _ = parser.parse_known_args()
    if chosen.command is None:
        made = Path(os.environ["ASSEMBLIES"]) / chosen.name
        shutil.rmtree(chosen.output, ignore_errors=True)
        shutil.copytree(made, chosen.output, copy_function=os.link)
    else:
        print(f"asked to {chosen.command}")


main()

"""Commands that synthesise templates, and show what they do."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.command_line import options, steps
from ringfence.command_line.table import Command


@click.command("synth", cls=Command)
@options.department_or_organisation
@options.folder("--output", "where the templates go  [default: cdk.out]")
def synth(named: options.Named, output: Path | None) -> int:
    """Synthesise the templates of a department or an organisation."""
    steps.synthesised(named, output)
    return 0

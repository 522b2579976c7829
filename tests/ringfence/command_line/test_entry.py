"""Whatever a command cannot read or write ends it in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.command_line.entry import main


def test_a_file_that_cannot_be_written_is_named_with_a_remedy(
    assemblies: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = assemblies["example-production"].folder
    taken = tmp_path / "taken"
    taken.mkdir()
    asked = ["comment", "--assembly", str(folder), "--against", str(folder), "--output", str(taken)]
    assert main(asked) == 2
    assert capsys.readouterr().err.endswith(
        f"{taken}: Is a directory. Name another path, or see that this one can be read and written.\n"
    )

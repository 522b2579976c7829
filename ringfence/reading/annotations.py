"""What constructs call an error, as a cloud assembly has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ERROR: Final = "aws:cdk:error"
"""How an assembly's metadata marks what a construct calls an error."""


def errors(assembly: Path) -> Iterator[tuple[str, str]]:
    """Yields the path of each construct that calls something an error, and what it says; synthesis itself is silent.

    Read from the files that were written: aws-cdk-lib and the package of its assemblies' schema both bring the module
    aws_cdk.cloud_assembly_schema, and only under one of the two, whichever was installed last, can jsii read messages.
    """
    for artifact in json.loads((assembly / "manifest.json").read_text())["artifacts"].values():
        metadata = artifact.get("metadata", {})
        if name := artifact.get("additionalMetadataFile"):
            metadata |= json.loads((assembly / name).read_text())
        for path, entries in metadata.items():
            yield from ((path.strip("/"), str(entry["data"])) for entry in entries if entry["type"] == _ERROR)

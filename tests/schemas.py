"""CloudFormation's own schemas of resource types in London, as cfn-lint carries them.

Read from its files: to import it takes half a second, which every worker would spend to collect the tests.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@cache
def schema(kind: str) -> dict[str, Any]:
    """The schema of a resource type; KeyError where CloudFormation has none in London."""
    spec = find_spec("cfnlint")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "data" / "schemas"
    index = json.loads((folder / "providers" / "eu-west-2.json").read_text())
    found: dict[str, Any] = json.loads((folder / "resources" / f"{index[kind]}.json").read_text())
    return found

"""The templates, as reviewers read them. A change here is a change of what is deployed: say why in the commit."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.conftest import ROOT

# Names of code zips: they change with every line of code, which has its own tests.
CONTENT_HASH = re.compile(r"\b[0-9a-f]{64}\b")


def without_hashes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_hashes(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_hashes(each) for each in value]
    return CONTENT_HASH.sub("<content hash>", value) if isinstance(value, str) else value


PERSONAS = tomllib.loads((ROOT / "catalogue" / "personas.toml").read_text(encoding="utf-8"))["personas"]
STACKS = ["audit", "network", "identity", *PERSONAS]


@pytest.mark.parametrize("stack", STACKS)
def test_template(synthesised: Any, stack: str, snapshot: SnapshotAssertion) -> None:
    if stack not in synthesised.templates:
        assert stack not in synthesised.department.personas
        pytest.skip("this department does not have the persona")
    template = without_hashes(synthesised.templates[stack])

    assert template == snapshot.use_extension(JSONSnapshotExtension)


def test_every_stack_has_a_snapshot(synthesised: Any) -> None:
    assert sorted(synthesised.templates) == sorted(["audit", "identity", "network", *synthesised.department.personas])

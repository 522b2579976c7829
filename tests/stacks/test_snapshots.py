"""The templates, as reviewers read them. A change here is a change of what is deployed: say why in the commit."""

from __future__ import annotations

import re
import tomllib
from types import SimpleNamespace
from typing import Any, cast

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

    recorded = snapshot.use_extension(JSONSnapshotExtension)
    name = synthesised.department.name
    assert template == recorded, f"where all of it is meant: `make record DEPARTMENT={name}` writes it; commit it"


def test_a_template_that_is_not_as_recorded_names_the_command_that_writes_it() -> None:
    made = SimpleNamespace(templates={"audit": {"Resources": {}}}, department=SimpleNamespace(name="fisheries"))
    recorded = SimpleNamespace(use_extension=lambda _: {})
    with pytest.raises(AssertionError, match="`make record DEPARTMENT=fisheries` writes it"):
        test_template(made, "audit", cast(SnapshotAssertion, recorded))


def test_every_stack_has_a_snapshot(synthesised: Any) -> None:
    assert sorted(synthesised.templates) == sorted(["audit", "identity", "network", *synthesised.department.personas])

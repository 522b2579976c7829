"""Inputs that nobody wrote down: hypothesis makes them, the same few in every run of the tests, many in `make fuzz`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from ringfence.proofs.expected_permissions import ExpectedPermissions

ROOT = Path(__file__).parents[3]
# A handler is put up once for all inputs of a test, and is the same for each: it keeps nothing between two events.
_KEPT = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
settings.register_profile(
    "bounded", max_examples=200, derandomize=True, database=None, deadline=None, suppress_health_check=_KEPT
)
_EXAMPLES = os.environ.get("EXAMPLES") or "5000"
if not _EXAMPLES.isdecimal() or int(_EXAMPLES) == 0:
    raise pytest.UsageError(f"EXAMPLES={_EXAMPLES} is no number of inputs: leave it out, or write EXAMPLES=5000")
settings.register_profile(
    "long",
    max_examples=int(_EXAMPLES),
    deadline=None,
    database=DirectoryBasedExampleDatabase(ROOT / "build" / "fuzz"),
    print_blob=True,
    suppress_health_check=[*_KEPT, HealthCheck.data_too_large],
)
settings.load_profile(os.environ.get("FUZZ") or "bounded")


@pytest.fixture(scope="session")
def expected() -> ExpectedPermissions:
    """What the catalogue's files and the department's say, read without what compiles them."""
    return ExpectedPermissions.read(
        "example-production", catalogue=ROOT / "catalogue", departments=ROOT / "departments"
    )

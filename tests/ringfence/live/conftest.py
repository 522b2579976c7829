"""Departments with real values, and the accounts they are asked of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ringfence.live.before import Before
from ringfence.live.needs import Needs, read_needs
from tests.conftest import ROOT, Synthesised
from tests.ringfence.live.accounts import ready_account
from tests.ringfence.live.modelled import ModelledAccount


@pytest.fixture(scope="session")
def needs(assemblies: dict[str, Synthesised]) -> Needs:
    """What example-production needs."""
    return read_needs("example-production", assemblies["example-production"].folder, root=ROOT)


@pytest.fixture(scope="session")
def sandbox_needs(assemblies: dict[str, Synthesised]) -> Needs:
    """What example-sandbox needs."""
    return read_needs("example-sandbox", assemblies["example-sandbox"].folder, root=ROOT)


@pytest.fixture
def ready() -> ModelledAccount:
    """An account into which example-production can be deployed for the first time."""
    return ready_account()


@pytest.fixture
def before(needs: Needs) -> Callable[[ModelledAccount], Before]:
    """What a preflight looks at, when the account answers like this; the file holds no made-up value."""

    def of(modelled: ModelledAccount, **changes: Any) -> Before:
        file = {"name": "records-office", **changes.pop("file", {})}
        return Before(modelled.account, replace(needs, file=file, **changes))

    return of

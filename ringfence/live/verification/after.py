"""What verify-live looks at: the account, the deployed stacks, and what one person's visit saw."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ringfence.live.account import Account
from ringfence.live.deployed import Deployed, read_deployed
from ringfence.live.needs import Needs
from ringfence.live.problems import CannotStart
from ringfence.live.verification.visit import Exchange, Visit


@dataclass(frozen=True)
class Patience:
    """How long to wait for what AWS writes later.

    Attributes:
        records: seconds for call records in CloudWatch Logs.
        trail: seconds for CloudTrail, which delivers within about a quarter of an hour.
        pause: seconds between two looks.
        clock: seconds, monotonic.
    """

    records: float = 90.0
    trail: float = 20 * 60.0
    pause: float = 15.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def looks(self, seconds: float) -> Iterator[None]:
        """Yields once for each look, the first at once, the last when the time is over."""
        end = self.clock() + seconds
        yield
        while self.clock() < end:
            self.sleep(self.pause)
            yield


@dataclass(frozen=True)
class After:
    """A deployed department, and a person's visit.

    Attributes:
        persona: whose gateway was visited.
        claims: what the person's token says; empty without a visit.
        visit: what was seen; None when nobody signed in.
        token: the person's access token, never written down.
        started: seconds since 1970 before the visit.
        drill: whether deliberate faults may be made.
    """

    account: Account
    needs: Needs
    persona: str
    claims: dict[str, Any] = field(default_factory=dict)
    visit: Visit | None = None
    token: str = field(default="", repr=False)
    patience: Patience = field(default_factory=Patience)
    started: float = field(default_factory=time.time)
    tell: Callable[[str], None] = lambda _: None
    drill: bool = False

    @cached_property
    def deployed(self) -> Deployed:
        """The department's stacks, read once.

        Raises:
            CannotAsk: CloudFormation did not answer.
        """
        return read_deployed(self.account, self.needs.assembly.stacks)

    @property
    def department(self) -> str:
        """The department's name."""
        return self.needs.department.name

    @property
    def staff_id(self) -> str:
        """Whom the token names, as the interceptors read it."""
        return str(self.claims.get("staff_id", ""))

    def answered(self) -> dict[str, Exchange]:
        """The calls that were answered with a result, by call id."""
        if self.visit is None:
            return {}
        exchanges = [*self.visit.first.values(), *self.visit.second.values()]
        return {each.call_id: each for each in exchanges if each.call_id and not each.outcome.refused}


def gateway_url(deployed: Deployed, department: str, persona: str) -> str:
    """Returns where a persona's gateway is, from its stack's output.

    Raises:
        CannotStart: the stack is not there, or has no such output.
    """
    stack = deployed.stacks.get(f"ringfence-{department}-{persona}")
    url = stack.outputs.get("GatewayUrl") if stack else None
    if not url:
        raise CannotStart(
            f"the stack ringfence-{department}-{persona} is not deployed", f"make deploy DEPARTMENT={department}"
        )
    return url

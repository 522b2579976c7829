"""What a preflight looks at: the account, what the department needs, and what of it is already deployed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ringfence.live.account import Account
from ringfence.live.deployed import Deployed, read_deployed
from ringfence.live.needs import Needs


@dataclass(frozen=True)
class Before:
    """An account before a deployment, which may be the first or a later one."""

    account: Account
    needs: Needs

    @cached_property
    def deployed(self) -> Deployed:
        """The department's stacks in the account, read once.

        Raises:
            CannotAsk: CloudFormation did not answer.
        """
        return read_deployed(self.account, self.needs.assembly.stacks)

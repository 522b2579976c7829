"""Which stacks of a department an account holds, in which state, and what they own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ringfence.live.account import Account

# What a stack no longer owns although it still lists it: removed, or left behind by a failed attempt.
_NOT_OWNED: Final = ("DELETE_COMPLETE", "DELETE_SKIPPED")


@dataclass(frozen=True)
class StackResource:
    """One resource of a stack as CloudFormation lists it."""

    logical_id: str
    type: str
    physical_id: str
    status: str

    @property
    def owned(self) -> bool:
        """Whether the stack still owns it."""
        return bool(self.physical_id) and self.status not in _NOT_OWNED


@dataclass(frozen=True)
class DeployedStack:
    """A stack that the account holds.

    Attributes:
        status: its state, such as CREATE_COMPLETE.
        protected: whether it has termination protection.
    """

    name: str
    status: str
    protected: bool
    outputs: dict[str, str]
    resources: tuple[StackResource, ...]

    def physical_id(self, logical_id: str) -> str | None:
        """The physical id of a resource that it owns, or None."""
        return next((each.physical_id for each in self.resources if each.owned and each.logical_id == logical_id), None)


@dataclass(frozen=True)
class Deployed:
    """The stacks of a department that are there."""

    stacks: dict[str, DeployedStack]

    def owned(self, kind: str) -> list[StackResource]:
        """The resources of a type that the stacks own."""
        return [each for stack in self.stacks.values() for each in stack.resources if each.owned and each.type == kind]

    def owns(self, kind: str, *identifiers: str) -> bool:
        """Whether a stack owns the resource of a type that AWS knows under these names, ids or ARNs.

        A physical id is one of them, or joins several with `|`, as WAF's `name|id|scope`.
        """
        known = {identifier for identifier in identifiers if identifier}
        return any(known & {each.physical_id, *re.split(r"[|]", each.physical_id)} for each in self.owned(kind))


def read_deployed(account: Account, names: Iterable[str]) -> Deployed:
    """Returns which of the named stacks are there, with what they own.

    Raises:
        CannotAsk: CloudFormation did not answer.
    """
    wanted = set(names)
    # All stacks and not one by name: for a missing stack CloudFormation answers with the code of any invalid request.
    there = [
        stack for stack in account.pages("cloudformation:DescribeStacks", "Stacks") if stack["StackName"] in wanted
    ]
    return Deployed({stack["StackName"]: _stack(account, stack) for stack in there})


def _stack(account: Account, stack: dict[str, Any]) -> DeployedStack:
    name = stack["StackName"]
    listed = account.pages("cloudformation:ListStackResources", "StackResourceSummaries", StackName=name)
    resources = tuple(
        StackResource(
            each["LogicalResourceId"], each["ResourceType"], each.get("PhysicalResourceId", ""), each["ResourceStatus"]
        )
        for each in listed
    )
    outputs = {each["OutputKey"]: each.get("OutputValue", "") for each in stack.get("Outputs", [])}
    return DeployedStack(name, stack["StackStatus"], bool(stack.get("EnableTerminationProtection")), outputs, resources)

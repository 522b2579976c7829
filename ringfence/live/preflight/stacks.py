"""The department's stacks, if they are there: in a state from which a deployment can go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.live.before import Before
from ringfence.live.deployed import DeployedStack
from ringfence.live.results import Result, right, wrong

_GOOD: Final = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
)
_DELETE_FIRST: Final = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS")


def stacks(before: Before) -> Iterator[Result]:
    """Looks at the state of each stack."""
    for name in before.needs.assembly.stacks:
        there = before.deployed.stacks.get(name)
        yield right(name, "Not there yet.") if there is None else _state(there)


def _state(stack: DeployedStack) -> Result:
    status = stack.status
    if status in _GOOD:
        return right(stack.name, f"{status}.")
    if status in _DELETE_FIRST:
        delete = f"aws cloudformation delete-stack --stack-name {stack.name}"
        lift = "aws cloudformation update-termination-protection --no-enable-termination-protection"
        lift = f"{lift} --stack-name {stack.name}"
        protected = " and is protected against deletion" if stack.protected else ""
        found = f"{status}{protected}: it can only be deleted, and made again."
        return wrong(stack.name, found, f"{lift} && {delete}" if stack.protected else delete)
    if status == "UPDATE_ROLLBACK_FAILED":
        remedy = f"aws cloudformation continue-update-rollback --stack-name {stack.name}"
        return wrong(stack.name, f"{status}: it accepts no change.", remedy)
    if status == "CREATE_FAILED":
        found = "CREATE_FAILED: an attempt without rollback stopped here, and the next one goes on from here."
        return right(stack.name, found)
    if status.endswith("_IN_PROGRESS"):
        return wrong(stack.name, f"{status}: somebody is changing it.", "Wait until it has ended, then run this again.")
    return wrong(stack.name, f"{status}.", "Look at the stack's events in CloudFormation, and mend what failed.")

"""What is left in the app of a persona that the department has no more."""

from __future__ import annotations

import aws_cdk as cdk

from constructs import Construct
from ringfence.department.department import Department
from stacks.department_stack import DepartmentStack


class RetiredPersonaStack(DepartmentStack):
    """An empty stack under the persona's name: deploying it takes gateway, runtimes, role and key out of the account.

    A stack that leaves the app stays in the account, with everything that works in it. Log groups are kept with their
    records, as in any removal.
    """

    def __init__(self, scope: Construct, construct_id: str, *, department: Department, persona: str) -> None:
        """Composes the stack."""
        super().__init__(
            scope,
            construct_id,
            department=department,
            description=f"Ringfence {department.name}: the persona {persona} is retired, and nothing of it works.",
        )
        # CloudFormation wants one resource in a stack; a handle that nobody waits for is nothing in the account.
        cdk.CfnWaitConditionHandle(self, "Retired")

"""What CloudFormation calls for a resource type, after the type's own published schema."""

from __future__ import annotations

from functools import cache
from typing import Final

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError  # type: ignore[import-untyped]

from governance.region import REGION

STEPS: Final = ("create", "read", "update", "delete", "list")
"""The handlers of a resource type. CloudFormation calls `list` for drift and imports."""

CUSTOM: Final = ("Custom::", "AWS::CloudFormation::CustomResource")
"""Types that a function answers for; CloudFormation calls the function as the deploying role."""


@cache
def permissions(resource_type: str) -> frozenset[str]:
    """Returns the IAM actions of all handlers of a type, as its schema writes them.

    The schemas are the ones CloudFormation publishes for eu-west-2, in the copy that the pinned cfn-lint carries.

    Raises:
        LookupError: no schema says what this type calls.
    """
    if resource_type.startswith(CUSTOM):
        return frozenset({"lambda:InvokeFunction"})
    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource_type).schema
    except ResourceNotFoundError as error:
        raise LookupError(f"{resource_type} has no schema in {REGION}") from error
    handlers = schema.get("handlers")
    if not handlers:
        raise LookupError(f"the schema of {resource_type} names no handler")
    return frozenset(action for step in STEPS for action in handlers.get(step, {}).get("permissions", ()))

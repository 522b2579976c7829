"""The account after a deployment: every resource of the templates, under an id that the assembly reader invents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from ringfence.deployed.assembly import Assembly
from tests.ringfence.live.accounts import ready_account
from tests.ringfence.live.modelled import ModelledAccount

_THEN = datetime(2026, 11, 1, tzinfo=UTC)


def deployed_account(assembly: Assembly, given: Mapping[str, str] = MappingProxyType({})) -> ModelledAccount:
    """An account that holds what the templates say, and says so itself.

    Args:
        assembly: the templates.
        given: other ids than the invented ones, by these.
    """
    modelled = ready_account()
    stacks = [
        {
            "StackName": name,
            "CreationTime": _THEN,
            "StackStatus": "CREATE_COMPLETE",
            "Outputs": [{"OutputKey": key, "OutputValue": str(value)} for key, value in stack.outputs.items()],
        }
        for name, stack in assembly.stacks.items()
    ]

    def resources(asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": resource.logical_id,
                    "ResourceType": resource.type,
                    "PhysicalResourceId": given.get(str(resource.ref), str(resource.ref)),
                    "ResourceStatus": "CREATE_COMPLETE",
                    "LastUpdatedTimestamp": _THEN,
                }
                for resource in assembly.stacks[asked["StackName"]].resources.values()
            ]
        }

    modelled.says("cloudformation:DescribeStacks", {"Stacks": stacks})
    modelled.says("cloudformation:ListStackResources", resources)
    return modelled

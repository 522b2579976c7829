"""CloudFormation's side of custom resources: an event to the function, an answer in the bucket.

AgentCore's log groups are there already by then, without retention and key, as some deployments have seen: the worse of
two cases. The other, in which the function makes them, is in `tests/functions`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.rehearsal.aws.server import LocalAws
from ringfence.rehearsal.compute.function_process import FunctionError
from ringfence.rehearsal.compute.functions import Function
from ringfence.rehearsal.problems import CannotStart

RUNTIME_LOG_GROUP: Final = "Custom::RuntimeLogGroup"


def event_for(resource: Resource, *, request: str, stack_id: str, request_id: str, address: str) -> dict[str, Any]:
    """The event that CloudFormation sends (user guide, "Custom resource request objects").

    Numbers and truth values arrive as text.
    """
    token = resource.properties["ServiceToken"]
    physical = {} if request == "Create" else {"PhysicalResourceId": resource.ref}
    return {
        "RequestType": request,
        "ServiceToken": token,
        "ResponseURL": address,
        "StackId": stack_id,
        "RequestId": request_id,
        "ResourceType": resource.type,
        "LogicalResourceId": resource.logical_id,
        **physical,
        "ResourceProperties": _as_text(resource.properties),
    }


def make(assembly: Assembly, *, functions: Mapping[str, Function], aws: LocalAws) -> list[dict[str, Any]]:
    """Make every custom resource of an assembly.

    Returns:
        The log groups as they are now, each with `was_there`: whether somebody had made it before.

    Raises:
        CannotStart: a function is missing, says that it failed, or does not answer.
    """
    return [_make(resource, functions, aws) for resource in assembly.of_type(RUNTIME_LOG_GROUP)]


def _make(resource: Resource, functions: Mapping[str, Function], aws: LocalAws) -> dict[str, Any]:
    name, properties = str(resource.ref), resource.properties
    function = functions.get(str(properties["ServiceToken"]))
    if function is None:
        raise CannotStart(f"{resource.logical_id} is made by a function that the assembly lacks", "Give it one.")
    before = aws.log_groups.as_json(name)
    answer = ask(resource, "Create", function=function, aws=aws)
    if answer.get("Status") != "SUCCESS" or answer.get("PhysicalResourceId") != name:
        raise CannotStart(
            f"{resource.logical_id} was not made: {answer.get('Reason')}", "Correct what the reason names."
        )
    wanted = {
        "name": name,
        "retention_days": int(properties["RetentionInDays"]),
        "key": properties["KmsKeyId"],
        "masked": True,
        "deletion_protected": True,
    }
    after = aws.log_groups.as_json(name)
    if after != wanted:
        raise CannotStart(f"{resource.logical_id} should be {wanted}, but is {after}", "Correct its function.")
    return {**wanted, "was_there": before is not None}


def ask(resource: Resource, request: str, *, function: Function, aws: LocalAws) -> dict[str, Any]:
    """Send the function one request and return its answer.

    Args:
        request: `Create`, `Update` or `Delete`.
        aws: where it works and answers.

    Raises:
        CannotStart: the function failed or did not answer: CloudFormation would wait in vain.
    """
    stack_id = f"arn:aws:cloudformation:{aws.region}:{aws.account}:stack/{resource.stack}/{uuid.uuid4()}"
    request_id, answers = str(uuid.uuid4()), aws.answers_of_custom_resources
    address = answers.address(stack_id, resource.logical_id, request_id)
    event = event_for(resource, request=request, stack_id=stack_id, request_id=request_id, address=address)
    try:
        function.invoke(event)
        failure = "the function ended without an answer"
    except FunctionError as error:
        failure = str(error)
    answer = answers.answer_at(address)
    if answer is None:
        raise CannotStart(f"{resource.logical_id}: CloudFormation got no answer: {failure}", "Correct its function.")
    return answer


def _as_text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_text(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)

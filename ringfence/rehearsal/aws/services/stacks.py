"""CloudFormation, as far as a developer's sandbox needs it: new stacks, made as the role that the change set names.

Every action that CloudFormation needs for a resource is decided as that role, by its own policies, before the resource
is made in moto (`ringfence.rehearsal.aws.services.stack_making`). One refusal, and what the stack made is removed
again, as AWS does it.
"""

from __future__ import annotations

import threading
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import yaml

from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.deployed.roles import Role
from ringfence.iam.evaluator import Request, decide
from ringfence.rehearsal.aws.protocol.wire import AwsError, Operation
from ringfence.rehearsal.aws.services.moto import Moto
from ringfence.rehearsal.aws.services.stack_making import Making, Refused, Stack, StackOperation

SERVICE = "cloudformation.amazonaws.com"
_STACK = "AWS::CloudFormation::Stack"


class Stacks:
    """The stacks of one account.

    Args:
        roles: the assembly's roles by ARN.
    """

    def __init__(self, account: str, region: str, *, moto: Moto, roles: Mapping[str, Role]) -> None:
        self._account, self._region = account, region
        self._moto, self._roles = moto, roles
        self._stacks: dict[str, Stack] = {}
        self._lock = threading.Lock()
        self.answers: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
            "CreateChangeSet": self._create_change_set,
            "DescribeChangeSet": self._describe_change_set,
            "DescribeStackEvents": lambda asked: {"StackEvents": self._find(asked).events[::-1]},
            "DescribeStacks": lambda asked: {"Stacks": [self._shown(self._find(asked))]},
            "ExecuteChangeSet": self._execute_change_set,
            "GetTemplateSummary": lambda _: {"Parameters": []},
        }

    def answer(self, operation: Operation) -> Mapping[str, Any]:
        """The answer to one operation.

        Raises:
            AwsError: CloudFormation would refuse it, or this one cannot do it.
        """
        with self._lock:
            return self.answers[operation.name](operation.parameters)

    def stack_operations_of(self, name: str) -> list[StackOperation]:
        """What CloudFormation did for a stack; nothing for one that does not exist."""
        return list(self._stacks[name].stack_operations) if name in self._stacks else []

    def _find(self, asked: Mapping[str, Any]) -> Stack:
        wanted = str(asked.get("StackName", ""))
        found = next((stack for stack in self._stacks.values() if wanted in (stack.name, stack.id)), None)
        if found is None:
            raise AwsError("ValidationError", f"Stack with id {wanted} does not exist")
        return found

    def _create_change_set(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        name = str(asked["StackName"])
        if name in self._stacks:
            raise AwsError("NotImplemented", "The local AWS makes new stacks and changes none.", 501)
        role = self._trusting(str(asked.get("RoleARN", "")))
        here = f"arn:aws:cloudformation:{self._region}:{self._account}"
        change_set = f"{here}:changeSet/{asked['ChangeSetName']}/{uuid.uuid4()}"
        stack = Stack(name, f"{here}:stack/{name}/{uuid.uuid4()}", self._template(asked), role, change_set)
        self._stacks[name] = stack
        self._tell(stack, name, _STACK, stack.status, "User Initiated")
        return {"Id": stack.change_set, "StackId": stack.id}

    def _trusting(self, arn: str) -> Role:
        """The role of a change set; without one CloudFormation would work with the caller's credentials."""
        role = self._roles.get(arn)
        request = Request(SERVICE, "sts:AssumeRole", arn, {"aws:PrincipalIsAWSService": True})
        if role is None or not decide(request, {"trust": [role.trust]}).allowed:
            raise AwsError("ValidationError", f"Role {arn or 'of nobody'} is invalid or cannot be assumed")
        return role

    def _template(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        body = asked.get("TemplateBody")
        if body is None:
            # https://s3.<region>.amazonaws.com/<bucket>/<key>, or the address that the SDK was given for S3.
            bucket, _, key = urllib.parse.urlsplit(str(asked["TemplateURL"])).path.lstrip("/").partition("/")
            body = self._moto.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        template: Mapping[str, Any] = yaml.safe_load(body)
        return template

    def _describe_change_set(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        stack = self._find(asked)
        changes = [
            {
                "Type": "Resource",
                "ResourceChange": {"Action": "Add", "LogicalResourceId": name, "ResourceType": resource["Type"]},
            }
            for name, resource in stack.template["Resources"].items()
        ]
        return {
            "ChangeSetId": stack.change_set,
            "StackName": stack.name,
            "Status": "CREATE_COMPLETE",
            "ExecutionStatus": "AVAILABLE",
            "Changes": changes,
        }

    def _execute_change_set(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        stack = self._find(asked)
        if asked["ChangeSetName"] != stack.change_set or stack.status != "REVIEW_IN_PROGRESS":
            raise AwsError("ChangeSetNotFound", f"ChangeSet [{asked['ChangeSetName']}] does not exist", 404)
        making = Making(stack, self._account, self._region, self._moto)
        self._tell(stack, stack.name, _STACK, "CREATE_IN_PROGRESS")
        try:
            for name in stack.template["Resources"]:
                making.ref(name)
                self._tell(stack, name, stack.template["Resources"][name]["Type"], "CREATE_COMPLETE")
        except (Refused, UnresolvedTemplate) as reason:
            making.unmake()
            self._tell(stack, name, stack.template["Resources"][name]["Type"], "CREATE_FAILED", str(reason))
            stack.status = "ROLLBACK_COMPLETE"
        else:
            stack.status = "CREATE_COMPLETE"
        self._tell(stack, stack.name, _STACK, stack.status)
        return {}

    def _tell(self, stack: Stack, name: str, kind: str, status: str, reason: str = "") -> None:
        stack.events.append(
            {
                "StackId": stack.id,
                "EventId": str(uuid.uuid4()),
                "StackName": stack.name,
                "LogicalResourceId": name,
                "PhysicalResourceId": stack.id if name == stack.name else stack.made.get(name, ""),
                "ResourceType": kind,
                "Timestamp": datetime.now(UTC).replace(tzinfo=None),
                "ResourceStatus": status,
                **({"ResourceStatusReason": reason} if reason else {}),
            }
        )

    def _shown(self, stack: Stack) -> Mapping[str, Any]:
        return {
            "StackName": stack.name,
            "StackId": stack.id,
            "CreationTime": stack.begun,
            "StackStatus": stack.status,
            "RoleARN": stack.role.arn,
        }

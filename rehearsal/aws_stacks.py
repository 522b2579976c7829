"""CloudFormation, as far as a developer's sandbox needs it: new stacks, made as the role that the change set names.

Every action that CloudFormation needs for a resource is decided as that role, by its own policies, before the resource
is made in moto. One refusal, and what the stack made is removed again, as AWS does it. The types below are all there
are.
"""

from __future__ import annotations

import functools
import json
import threading
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

import yaml  # type: ignore[import-untyped]

from assurance.iam import Request, decide
from assurance.intrinsics import Resolver
from assurance.problems import UnresolvedTemplate
from assurance.roles import Role
from rehearsal.aws_moto import Moto
from rehearsal.aws_wire import AwsError, Operation

SERVICE = "cloudformation.amazonaws.com"
_IAM = "us-east-1"
_STACK = "AWS::CloudFormation::Stack"


class _Refused(Exception):
    """The stack's role may not do something; the text says what, and by which policy."""


@dataclass(frozen=True)
class Deed:
    """One action of CloudFormation's, decided.

    Attributes:
        action: `service:Action`.
        decision: `allowed` or `refused`.
    """

    action: str
    resource: str
    decision: str


@dataclass
class Stack:
    """One stack.

    Attributes:
        deeds: what CloudFormation did for it, or was refused, in order.
    """

    name: str
    id: str
    template: Mapping[str, Any]
    role: Role
    change_set: str
    status: str = "REVIEW_IN_PROGRESS"
    events: list[dict[str, Any]] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)
    begun: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))


class Stacks:
    """The stacks of one account.

    Args:
        account: account id.
        region: the region.
        moto: where resources are made.
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

    def deeds_of(self, name: str) -> list[Deed]:
        """What CloudFormation did for a stack; nothing for one that does not exist."""
        return list(self._stacks[name].deeds) if name in self._stacks else []

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
        making = _Making(stack, self._account, self._region, self._moto)
        self._tell(stack, stack.name, _STACK, "CREATE_IN_PROGRESS")
        try:
            for name in stack.template["Resources"]:
                making.ref(name)
                self._tell(stack, name, stack.template["Resources"][name]["Type"], "CREATE_COMPLETE")
        except (_Refused, UnresolvedTemplate) as reason:
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


class _Making:
    """One execution: makes resources when something refers to them, and each once; the resolver's scope."""

    def __init__(self, stack: Stack, account: str, region: str, moto: Moto) -> None:
        self.stack = stack.name
        self._stack, self._moto = stack, moto
        self._account, self._region = account, region
        self._attributes: dict[str, dict[str, str]] = {}
        self._undo: list[Callable[[], object]] = []
        self._facts = {"AWS::StackName": stack.name, "AWS::AccountId": account, "AWS::Region": region}
        self._makers = {
            "AWS::IAM::Role": self._role,
            "AWS::Lambda::Function": self._function,
            "AWS::Logs::LogGroup": self._log_group,
        }

    def ref(self, name: str) -> Any:
        """The physical id of a resource, made now if it is not there; or what AWS says about the stack."""
        if name in self._facts:
            return self._facts[name]
        if name not in self._stack.made:
            resource = self._stack.template["Resources"].get(name)
            if resource is None or resource["Type"] not in self._makers:
                kind = resource and resource["Type"]
                raise UnresolvedTemplate(self.stack, name, f"is {kind or 'nowhere'}, which the local AWS does not make")
            properties = Resolver(self, name).resolve(resource.get("Properties", {}))
            self._stack.made[name], self._attributes[name] = self._makers[resource["Type"]](name, properties)
        return self._stack.made[name]

    def attribute(self, logical_id: str, name: str) -> Any:
        self.ref(logical_id)
        return self._attributes[logical_id][name]

    def exported(self, name: str) -> NoReturn:
        raise UnresolvedTemplate(self.stack, name, "is of another stack")

    def condition(self, name: str) -> NoReturn:
        raise UnresolvedTemplate(self.stack, name, "is a condition, which the local AWS does not know")

    def mapping(self, name: str, first: str, second: str) -> NoReturn:
        raise UnresolvedTemplate(self.stack, name, f"maps {first} {second}, which the local AWS does not know")

    def unmake(self) -> None:
        """Remove what was made, the last first."""
        while self._undo:
            self._undo.pop()()

    def _log_group(self, _: str, properties: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        name = str(properties["LogGroupName"])
        arn = f"arn:aws:logs:{self._region}:{self._account}:log-group:{name}"
        for action in ("CreateLogGroup", "PutRetentionPolicy", "TagResource"):
            self._do(f"logs:{action}", f"{arn}:log-stream:")
        self._do("logs:DescribeLogGroups", "*")
        logs = self._moto.client("logs")
        logs.create_log_group(logGroupName=name, tags=_tags(properties))
        logs.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
        self._undo.append(lambda: logs.delete_log_group(logGroupName=name))
        return name, {"Arn": f"{arn}:*"}

    def _role(self, logical_id: str, properties: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        name = str(properties.get("RoleName") or f"{self.stack}-{logical_id}-{uuid.uuid4().hex[:12]}")
        arn = f"arn:aws:iam::{self._account}:role{properties.get('Path', '/')}{name}"
        boundary = properties.get("PermissionsBoundary")
        bounded = {"iam:PermissionsBoundary": boundary} if boundary else {}
        policies = properties.get("Policies", [])
        self._do("iam:CreateRole", arn, bounded)
        for action in ("TagRole", "GetRole"):
            self._do(f"iam:{action}", arn)
        if policies:
            self._do("iam:PutRolePolicy", arn, bounded)
        iam = self._moto.client("iam", _IAM)
        given = {key: value for key, value in properties.items() if key not in ("Policies", "AssumeRolePolicyDocument")}
        iam.create_role(
            **{**given, "RoleName": name},
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
        )
        self._undo.append(lambda: iam.delete_role(RoleName=name))
        for policy in policies:
            named = {"RoleName": name, "PolicyName": policy["PolicyName"]}
            iam.put_role_policy(**named, PolicyDocument=json.dumps(policy["PolicyDocument"]))
            self._undo.append(functools.partial(iam.delete_role_policy, **named))
        return name, {"Arn": arn}

    def _function(self, logical_id: str, properties: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        name = str(properties.get("FunctionName") or f"{self.stack}-{logical_id}-{uuid.uuid4().hex[:12]}")
        arn = f"arn:aws:lambda:{self._region}:{self._account}:function:{name}"
        code = properties["Code"]
        self._do("s3:GetObject", f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}")
        self._do("iam:PassRole", str(properties["Role"]), {"iam:PassedToService": "lambda.amazonaws.com"})
        for action in ("CreateFunction", "TagResource", "GetFunction"):
            self._do(f"lambda:{action}", arn)
        functions = self._moto.client("lambda")
        functions.create_function(**{**properties, "FunctionName": name, "Tags": _tags(properties)})
        self._undo.append(lambda: functions.delete_function(FunctionName=name))
        return name, {"Arn": arn}

    def _do(self, action: str, resource: str, context: Mapping[str, object] | None = None) -> None:
        """Decide one action as the stack's role.

        Raises:
            _Refused: the role may not.
        """
        role = self._stack.role
        # IAM answers in us-east-1; whether a role may be handed on is decided where its receiver is asked.
        region = _IAM if action.startswith("iam:") and action != "iam:PassRole" else self._region
        facts: dict[str, object] = {
            "aws:RequestedRegion": region,
            "aws:PrincipalArn": role.arn,
            "aws:PrincipalAccount": self._account,
            "aws:ResourceAccount": self._account,
            "aws:ViaAWSService": True,
            "aws:SecureTransport": True,
            **(context or {}),
        }
        session = f"arn:aws:sts::{self._account}:assumed-role/{role.name}/AWSCloudFormation"
        decision = decide(Request(session, action, resource, facts), role.layers())
        self._stack.deeds.append(Deed(action, resource, "allowed" if decision.allowed else "refused"))
        if not decision.allowed:
            raise _Refused(f"User: {session} is not authorized to perform: {action} on {resource}: {decision.reason}")


def _tags(properties: Mapping[str, Any]) -> dict[str, str]:
    return {str(tag["Key"]): str(tag["Value"]) for tag in properties.get("Tags", [])}

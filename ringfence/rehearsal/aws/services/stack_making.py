"""What CloudFormation makes for one stack: each action decided as the stack's role, then each resource made in moto."""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from ringfence.deployed.intrinsics import Resolver
from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.deployed.roles import Role
from ringfence.iam.evaluator import Policy, Request, decide
from ringfence.rehearsal.aws.authorization.trust import LAMBDA, taken_by_service
from ringfence.rehearsal.aws.services.moto import Moto

_IAM = "us-east-1"


class Refused(Exception):
    """The stack's role may not do something, or Lambda not work as a role; the text says what, and by which policy."""


@dataclass(frozen=True)
class StackOperation:
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
        stack_operations: what CloudFormation did for it, or was refused, in order.
    """

    name: str
    id: str
    template: Mapping[str, Any]
    role: Role
    change_set: str
    status: str = "REVIEW_IN_PROGRESS"
    events: list[dict[str, Any]] = field(default_factory=list)
    stack_operations: list[StackOperation] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)
    begun: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))


class Making:
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

    def output_of(self, stack: str, name: str) -> NoReturn:
        raise UnresolvedTemplate(self.stack, name, f"is of another stack, {stack}")

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
        self._do("iam:PassRole", str(properties["Role"]), {"iam:PassedToService": LAMBDA})
        for action in ("CreateFunction", "TagResource", "GetFunction"):
            self._do(f"lambda:{action}", arn)
        self._runs_as(str(properties["Role"]), arn)
        functions = self._moto.client("lambda")
        functions.create_function(**{**properties, "FunctionName": name, "Tags": _tags(properties)})
        self._undo.append(lambda: functions.delete_function(FunctionName=name))
        return name, {"Arn": arn}

    def _runs_as(self, role: str, function: str) -> None:
        """Decide whether Lambda may work as the function's role; it tries before it makes the function.

        Raises:
            Refused: the role's trust does not let it.
        """
        made = self._moto.client("iam", _IAM).get_role(RoleName=role.rpartition("/")[2])["Role"]
        trust = Policy.parse(made["AssumeRolePolicyDocument"])
        decision = taken_by_service(trust, role, service=LAMBDA, source_arn=function)
        if not decision.allowed:
            raise Refused(f"The role defined for the function cannot be assumed by Lambda: {decision.reason}")

    def _do(self, action: str, resource: str, context: Mapping[str, object] | None = None) -> None:
        """Decide one action as the stack's role.

        Raises:
            Refused: the role may not.
        """
        role = self._stack.role
        # IAM answers in us-east-1; whether a role may be passed on is decided where its receiver is asked.
        region = _IAM if action.startswith("iam:") and action != "iam:PassRole" else self._region
        facts: dict[str, object] = {
            "aws:RequestedRegion": region,
            "aws:PrincipalArn": role.arn,
            "aws:PrincipalAccount": self._account,
            "aws:ResourceAccount": self._account,
            # True of forward access sessions, which go on as the caller (IAM user guide, read 29 November 2026).
            "aws:ViaAWSService": False,
            "aws:SecureTransport": True,
            **(context or {}),
        }
        session = f"arn:aws:sts::{self._account}:assumed-role/{role.name}/AWSCloudFormation"
        decision = decide(Request(session, action, resource, facts), role.by_type())
        self._stack.stack_operations.append(
            StackOperation(action, resource, "allowed" if decision.allowed else "refused")
        )
        if not decision.allowed:
            raise Refused(f"User: {session} is not authorized to perform: {action} on {resource}: {decision.reason}")


def _tags(properties: Mapping[str, Any]) -> dict[str, str]:
    return {str(tag["Key"]): str(tag["Value"]) for tag in properties.get("Tags", [])}

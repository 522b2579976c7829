"""Decides every AWS request with the assembly's own policies: role, boundary, session, endpoint, trust."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ringfence.deployed.roles import Endpoint, Role
from ringfence.iam.evaluator import EVERYTHING, Decision, Policy, Request, UndecidablePolicy, decide, granted_resources
from ringfence.rehearsal.aws.authorization.assume import requested_source_identity, requested_tags
from ringfence.rehearsal.aws.authorization.resources import ResourceArns, iam_action, resources_of
from ringfence.rehearsal.aws.authorization.sessions import Session
from ringfence.rehearsal.aws.protocol.wire import AwsError, Operation

# How AWS words the policy that refused (IAM user guide, "Troubleshoot access denied error messages").
_POLICY_WORDS = {
    "identity": "identity-based policy",
    "boundary": "permissions boundary",
    "session": "session policy",
    "scp": "service control policy",
    "endpoint": "VPC endpoint policy",
    "resource": "resource-based policy",
    "trust": "role trust policy",
    "key": "resource-based policy",
}


@dataclass(frozen=True)
class AuthorizationResult:
    """A decision with what it was about.

    Attributes:
        action: the action decided last: the refused one, if any.
        endpoint: the VPC endpoint the call went through, or None.
    """

    decision: Decision
    action: str
    resources: tuple[str, ...]
    endpoint: Endpoint | None

    def error(self, session: Session, protocol: str) -> AwsError | None:
        """The refusal as AWS would word it, or None when the call is allowed."""
        decision = self.decision
        if decision.allowed:
            return None
        if decision.policy_type == "network":
            return AwsError("EndpointUnreachable", decision.reason, 400)
        policy = _POLICY_WORDS[str(decision.policy_type)]
        article = "an" if policy.startswith("i") else "a"
        why = (
            f"with an explicit deny in {article} {policy}"
            if decision.explicit
            else f"because no {policy} allows the {self.action} action"
        )
        resource = next(iter(self.resources), "*")
        text = f"User: {session.arn} is not authorized to perform: {self.action} on resource: {resource} {why}"
        code = "AccessDenied" if protocol in ("query", "ec2", "rest-xml") else "AccessDeniedException"
        return AwsError(code, text, 403 if protocol in ("query", "ec2", "rest-xml") else 400)


class Permissions:
    """The policies of one assembly, ready to decide.

    Attributes:
        switched_off: kinds of policies that are left out to show that the others hold: types of
            `ringfence.iam.evaluator`; `endpoint` stands for the missing route too.
        owners: buckets of other accounts, with the account; every other bucket is the department's own.
    """

    def __init__(
        self,
        account: str,
        *,
        roles: Mapping[str, Role],
        endpoints: Mapping[tuple[str, str], Endpoint],
        key_policies: Mapping[str, Policy],
    ) -> None:
        self._account = account
        self._roles = roles
        self._endpoints = endpoints
        self._key_policies = key_policies
        self.switched_off: set[str] = set()
        self.owners: dict[str, str] = {}

    def rule(
        self, operation: Operation, session: Session, resource_arns: ResourceArns, user_agent: str
    ) -> AuthorizationResult:
        """Decide one request.

        Raises:
            AwsError: the resource of the request cannot be told, or a policy cannot be decided.
        """
        action = iam_action(operation)
        endpoint = self._endpoints.get((operation.endpoint_service, operation.region))
        by_type: dict[str, list[Policy]] = session.by_type()
        if session.inside_vpc and endpoint is None and "endpoint" not in self.switched_off:
            return AuthorizationResult(_unreachable(operation), action, (), None)
        if session.inside_vpc and endpoint is not None and endpoint.policy is not None:
            by_type["endpoint"] = [endpoint.policy]
        context = base_context(operation, session, self._account, endpoint, user_agent)
        try:
            if action == "sts:AssumeRole":
                return self._rule_assume(operation, session, by_type, context, endpoint)
            if action == "sts:GetCallerIdentity":
                # AWS always answers this one; only the endpoint can stand in the way.
                by_type.pop("boundary", None), by_type.pop("session", None)
                by_type["identity"] = [EVERYTHING]
            resources = resources_of(operation, resource_arns, restricted=granted_resources(action, by_type))
            if operation.prefix == "kms" and resources != ["*"]:
                # A key policy has the last word on its key.
                by_type["key"] = [self._key_policies[arn] for arn in resources if arn in self._key_policies]
            request_context = {**context, **_request_context(operation, self._account)}
            owner = self.owners.get(str(operation.parameters.get("Bucket")))
            if owner is not None:
                request_context["aws:ResourceAccount"] = owner
            if operation.prefix == "kms":
                request_context["kms:ResourceAliases"] = [
                    each for arn in resources for each in resource_arns.key_aliases(arn)
                ]
            decision = self._decide_all(session, [action], resources, request_context, by_type, resource_arns.tags)
            handed = str(operation.parameters.get("RoleARN", ""))
            if decision.allowed and operation.prefix == "cloudformation" and handed:
                # Decided with this request, so no endpoint carries it as one of its own.
                own = {policy_type: policies for policy_type, policies in by_type.items() if policy_type != "endpoint"}
                to = {**context, "iam:PassedToService": "cloudformation.amazonaws.com"}
                action, resources = "iam:PassRole", [handed]
                decision = self._decide_all(session, [action], resources, to, own, resource_arns.tags)
        except UndecidablePolicy as fault:
            raise AwsError("UndecidablePolicy", f"{action} cannot be decided: {fault}", 501) from fault
        return AuthorizationResult(decision, action, tuple(resources), endpoint)

    def _rule_assume(
        self,
        operation: Operation,
        session: Session,
        by_type: Mapping[str, list[Policy]],
        context: Mapping[str, object],
        endpoint: Endpoint | None,
    ) -> AuthorizationResult:
        arn = str(operation.parameters.get("RoleArn", ""))
        target = self._roles.get(arn)
        # An unknown role has no trust policy: AWS answers as if it trusted nobody, so that names cannot be probed.
        trust = [target.trust] if target else []
        for action, extra in assume_steps(operation.parameters, session):
            request = Request(session.arn, action, arn, {**context, **extra})
            decision = decide(request, self._left_on({**by_type, "trust": trust}))
            if not decision.allowed:
                return AuthorizationResult(decision, action, (arn,), endpoint)
        return AuthorizationResult(decision, "sts:AssumeRole", (arn,), endpoint)

    def decide_for(
        self, session: Session, action: str, resource: str, *, account: str, service: str | None
    ) -> Decision:
        """Decide something that no request to this AWS is, where no endpoint stands.

        Args:
            account: whose that is (`aws:ResourceAccount`).
            service: the service that does it later with the caller's session, as `athena.amazonaws.com`, or None.
        """
        context = {
            "aws:PrincipalArn": session.role.arn,
            "aws:PrincipalAccount": self._account,
            "aws:ResourceAccount": account,
            "aws:ViaAWSService": service is not None,
            "aws:SourceIdentity": session.source_identity or "",
            "aws:RequestedRegion": resource.split(":")[3] or "eu-west-2",
            **({"aws:CalledVia": [service]} if service else {}),
            **{f"aws:PrincipalTag/{key}": value for key, value in session.tags.items()},
        }
        return self._decide_all(session, [action], [resource], context, session.by_type(), lambda _resource: {})

    def _decide_all(
        self,
        session: Session,
        actions: Sequence[str],
        resources: Sequence[str],
        context: Mapping[str, object],
        by_type: Mapping[str, list[Policy]],
        tags: Callable[[str], Mapping[str, str]],
    ) -> Decision:
        """Decide every action on every resource, with its tags; the first refusal counts."""
        decision = Decision(False, "identity", None, False, f"{actions[0]} names no resource")
        applied = self._left_on(by_type)
        for action in actions:
            for resource in resources:
                tagged = {f"aws:ResourceTag/{key}": value for key, value in tags(resource).items()}
                decision = decide(Request(session.arn, action, resource, {**context, **tagged}), applied)
                if not decision.allowed:
                    return decision
        return decision

    def _left_on(self, by_type: Mapping[str, list[Policy]]) -> dict[str, list[Policy]]:
        """The policies without those that are switched off; what would grant then grants everything."""
        left = {
            policy_type: policies for policy_type, policies in by_type.items() if policy_type not in self.switched_off
        }
        return left if "identity" in left else {**left, "identity": [EVERYTHING]}


def assume_steps(parameters: Mapping[str, Any], session: Session) -> list[tuple[str, dict[str, object]]]:
    """The actions one AssumeRole needs, each with the condition keys AWS gives it.

    `sts:TagSession` sees the tags but not the source identity, and `sts:SetSourceIdentity` the other way round (Service
    Authorization Reference for AWS STS). Inherited tags and an inherited source identity need the permission as well.
    """
    tags = requested_tags(parameters, session)
    source = requested_source_identity(parameters, session)
    tag_keys: dict[str, object] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags:
        tag_keys["aws:TagKeys"] = list(tags)
    transitive = parameters.get("TransitiveTagKeys") or []
    if transitive:
        tag_keys["sts:TransitiveTagKeys"] = list(transitive)
    source_keys: dict[str, object] = {} if source is None else {"sts:SourceIdentity": source}
    assume: dict[str, object] = {"sts:RoleSessionName": str(parameters.get("RoleSessionName", ""))}
    if "ExternalId" in parameters:
        assume["sts:ExternalId"] = str(parameters["ExternalId"])
    steps: list[tuple[str, dict[str, object]]] = [("sts:AssumeRole", {**assume, **tag_keys, **source_keys})]
    if tags:
        steps.append(("sts:TagSession", tag_keys))
    if source is not None:
        steps.append(("sts:SetSourceIdentity", source_keys))
    return steps


def base_context(
    operation: Operation, session: Session, account: str, endpoint: Endpoint | None, user_agent: str
) -> dict[str, object]:
    """The global condition keys of a request by a role session."""
    now = datetime.now(UTC)
    context: dict[str, object] = {
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": int(now.timestamp()),
        "aws:PrincipalAccount": account,
        "aws:PrincipalArn": session.role.arn,
        "aws:PrincipalIsAWSService": False,
        "aws:PrincipalType": "AssumedRole",
        "aws:RequestedRegion": operation.region,
        "aws:ResourceAccount": account,
        # The rehearsal speaks HTTP on loopback; in AWS the same clients use TLS only.
        "aws:SecureTransport": True,
        "aws:TokenIssueTime": session.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:UserAgent": user_agent,
        "aws:ViaAWSService": False,
        "aws:userid": session.user_id,
        **{f"aws:PrincipalTag/{key}": value for key, value in session.tags.items()},
    }
    if session.source_identity is not None:
        context["aws:SourceIdentity"] = session.source_identity
    if session.inside_vpc and endpoint is not None:
        context |= {"aws:SourceVpce": endpoint.id, "aws:SourceVpc": endpoint.vpc, "aws:VpcSourceIp": "10.0.0.10"}
    return context


def _request_context(operation: Operation, account: str) -> dict[str, object]:
    parameters = operation.parameters
    context: dict[str, object] = {}
    if operation.prefix == "kms":
        context["kms:CallerAccount"] = account
        names = {"SigningAlgorithm": "kms:SigningAlgorithm", "MessageType": "kms:MessageType"}
        context |= {key: parameters[name] for name, key in names.items() if name in parameters}
        if str(parameters.get("KeyId", "")).startswith("alias/"):
            context["kms:RequestAlias"] = parameters["KeyId"]
    if operation.prefix == "cloudwatch" and "Namespace" in parameters:
        context["cloudwatch:namespace"] = parameters["Namespace"]
    if operation.prefix == "cloudformation":
        names = {"RoleARN": "cloudformation:RoleArn", "ChangeSetName": "cloudformation:ChangeSetName"}
        context |= {key: parameters[name] for name, key in names.items() if name in parameters}
    if operation.prefix == "iam":
        names = {"PolicyArn": "iam:PolicyARN", "PermissionsBoundary": "iam:PermissionsBoundary"}
        context |= {key: parameters[name] for name, key in names.items() if name in parameters}
    tags = _tags(parameters.get("Tags"))
    if tags:
        context |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        context["aws:TagKeys"] = list(tags)
    return context


def _tags(value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {str(key): str(text) for key, text in value.items()}
    if isinstance(value, list) and all(isinstance(tag, Mapping) and "Key" in tag for tag in value):
        return {str(tag["Key"]): str(tag.get("Value", "")) for tag in value}
    return {}


def undecided(operation: Operation, fault: AwsError) -> AuthorizationResult:
    """The ruling on a request that could not be decided."""
    decision = Decision(False, "undecided", None, False, fault.message)
    return AuthorizationResult(decision, iam_action(operation), (), None)


def _unreachable(operation: Operation) -> Decision:
    reason = (
        f"{operation.endpoint_service} in {operation.region} has no VPC endpoint in this department, so "
        f"{operation.name} has no route; in AWS the connection would time out"
    )
    return Decision(False, "network", None, False, reason)

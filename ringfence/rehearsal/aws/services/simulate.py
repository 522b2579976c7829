"""`iam:SimulatePrincipalPolicy` with the project's own evaluator, over what the local AWS holds.

Roles of the assembly are simulated with their boundary; invented users with their own, attached and group policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringfence.deployed.roles import Role
from ringfence.iam.evaluator import Policy, Request, UndecidablePolicy, decide
from ringfence.rehearsal.aws.protocol.wire import AwsError
from ringfence.rehearsal.aws.services.moto import Moto


def simulate_principal_policy(parameters: Mapping[str, Any], moto: Moto, roles: Mapping[str, Role]) -> dict[str, Any]:
    """Answer the operation.

    Raises:
        AwsError: the principal is unknown, or the request uses a part that is not emulated.
    """
    beyond = {"PolicyInputList", "PermissionsBoundaryPolicyInputList", "ResourcePolicy", "ResourceHandlingOption"}
    if used := sorted(beyond & set(parameters)):
        raise AwsError("NotImplemented", f"The local AWS does not emulate {', '.join(used)} in simulations.", 501)
    arn = str(parameters["PolicySourceArn"])
    by_type = roles[arn].by_type() if arn in roles else {"identity": _user_policies(arn, moto)}
    context = {entry["ContextKeyName"]: entry["ContextKeyValues"] for entry in parameters.get("ContextEntries") or []}
    results = []
    for action in parameters["ActionNames"]:
        for resource in parameters.get("ResourceArns") or ["*"]:
            try:
                decision = decide(Request(arn, str(action), str(resource), context), by_type)
            except UndecidablePolicy as fault:
                raise AwsError("PolicyEvaluation", str(fault), 500) from None
            outcome = "allowed" if decision.allowed else "explicitDeny" if decision.explicit else "implicitDeny"
            results.append({"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": outcome})
    return {"EvaluationResults": results, "IsTruncated": False}


def _user_policies(arn: str, moto: Moto) -> list[Policy]:
    kind, _, path = arn.rsplit(":", 1)[-1].partition("/")
    name = path.rsplit("/", 1)[-1]
    iam = moto.client("iam", "us-east-1")
    if kind != "user" or name not in [user["UserName"] for user in iam.list_users()["Users"]]:
        raise AwsError("NoSuchEntity", f"{arn} is no user or role of this account.", 404)
    documents = [
        iam.get_user_policy(UserName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_user_policies(UserName=name)["PolicyNames"]
    ]
    attached = list(iam.list_attached_user_policies(UserName=name)["AttachedPolicies"])
    for group in iam.list_groups_for_user(UserName=name)["Groups"]:
        named = group["GroupName"]
        documents += [
            iam.get_group_policy(GroupName=named, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_group_policies(GroupName=named)["PolicyNames"]
        ]
        attached += iam.list_attached_group_policies(GroupName=named)["AttachedPolicies"]
    for policy in attached:
        version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
        read = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
        documents.append(read["PolicyVersion"]["Document"])
    return [Policy.parse(document) for document in documents]

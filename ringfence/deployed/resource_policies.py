"""Policies of resources in a template, and what they grant to a role of the same account without its own policies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.roles import Role
from ringfence.iam.evaluator import Policy, Request

KEY: Final = "AWS::KMS::Key"
AGENTCORE: Final = "AWS::BedrockAgentCore::ResourcePolicy"
# The property that holds the policy, by type.
_POLICY: Final = {
    KEY: "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    AGENTCORE: "Policy",
    "AWS::Logs::ResourcePolicy": "PolicyDocument",
}
# What a policy of CloudWatch Logs is about: there may be several.
_ALL: Final = "*"


def resource_policies(assembly: Assembly, *kinds: str) -> Iterator[tuple[Resource, str, Policy]]:
    """Policies that stand on resources: the template's resource, the ARN it protects, and the policy.

    Args:
        assembly: where they stand.
        kinds: types that hold such policies; without any, all of them.

    Raises:
        UnresolvedTemplate: two of them stand on one resource, of which the account keeps the one it meets last.
    """
    seen: set[str] = set()
    for kind in kinds or _POLICY:
        for resource in assembly.of_type(kind):
            protected = _protected(resource)
            if protected in seen:
                raise resource.problem(f"is a second policy on {protected}; one resource has one")
            seen |= {protected} - {_ALL}
            yield resource, protected, _parsed(resource.properties[_POLICY[kind]])


def _protected(resource: Resource) -> str:
    if resource.type == KEY:
        return resource.arn
    if resource.type == AGENTCORE:
        return str(resource.properties["ResourceArn"])
    return f"arn:aws:s3:::{resource.properties['Bucket']}*" if "Bucket" in resource.properties else _ALL


def grants_to(role: Role, assembly: Assembly) -> list[Policy]:
    """What resource policies allow a role by name, each held to its own resource."""
    request = Request(role.arn, "sts:AssumeRole", "*")
    found = []
    for _, arn, policy in resource_policies(assembly):
        statements = tuple(
            replace(statement, resources=(arn,)) if statement.resources in (("*",), ()) else statement
            for statement in policy.statements
            if statement.allows and statement.names_directly(request)
        )
        if statements:
            found.append(Policy(statements))
    return found


def _parsed(document: Any) -> Policy:
    content: Mapping[str, Any] = json.loads(document) if isinstance(document, str) else document
    return Policy.parse(content)

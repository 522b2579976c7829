"""Policies of resources in a template, and what they grant to a role of the same account without its own policies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.roles import Role
from ringfence.iam.evaluator import Policy, Request


def resource_policies(assembly: Assembly) -> Iterator[tuple[Resource, str, Policy]]:
    """Every policy that stands on a resource: the template's resource, the ARN it protects, and the policy."""
    for resource in assembly.of_type("AWS::KMS::Key"):
        yield resource, resource.arn, _parsed(resource.properties["KeyPolicy"])
    for resource in assembly.of_type("AWS::S3::BucketPolicy"):
        bucket = resource.properties["Bucket"]
        yield resource, f"arn:aws:s3:::{bucket}*", _parsed(resource.properties["PolicyDocument"])
    for resource in assembly.of_type("AWS::BedrockAgentCore::ResourcePolicy"):
        yield resource, str(resource.properties["ResourceArn"]), _parsed(resource.properties["Policy"])
    for resource in assembly.of_type("AWS::Logs::ResourcePolicy"):
        yield resource, "*", _parsed(resource.properties["PolicyDocument"])


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

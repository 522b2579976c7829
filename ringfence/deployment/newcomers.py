"""Whom policies come to name, and whose code comes to run: told by name, since a release changes much beside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.deployment.weakening import at

_POLICIES: Final = {
    "AWS::BedrockAgentCore::ResourcePolicy": "Policy",
    "AWS::IAM::Role": "AssumeRolePolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::Logs::ResourcePolicy": "PolicyDocument",
    "AWS::S3::BucketPolicy": "PolicyDocument",
}
"""The property that holds a policy with principals, by type."""

_CODE: Final = {
    "AWS::BedrockAgentCore::Runtime": ("AgentRuntimeArtifact", "CodeConfiguration", "Code", "S3", "Bucket"),
    "AWS::Lambda::Function": ("Code", "S3Bucket"),
}
"""Where the bucket stands from which code comes, by type."""

_NAME: Final = re.compile(
    r'arn:aws[\w-]*:(?:iam|sts)::[^"]+|[a-z0-9.-]+\.amazonaws\.com|(?<!\d)\d{12}(?!\d)|\bo-[a-z0-9]{10,32}\b'
)
"""A principal, a service, an account or an organisation; a reference to a resource of the templates is none."""

Templates = Mapping[str, Mapping[str, Any]]


def newcomers(before: Templates, after: Templates) -> Iterator[tuple[str, str, str]]:
    """Yields what a resource names now and did not before: stack, logical id, and that in words.

    What is new itself may name whatever something named before; a first deployment names nothing new.
    """
    there = {
        (stack, logical_id): _told_in(resource)
        for stack, template in before.items()
        for logical_id, resource in template.get("Resources", {}).items()
    }
    anywhere = set[str]().union(*there.values())
    for stack, template in after.items() if before else ():
        for logical_id, resource in template.get("Resources", {}).items():
            if come := sorted(_told_in(resource) - there.get((stack, logical_id), anywhere)):
                yield stack, logical_id, f"it now {' and '.join(come)}."


def _told_in(resource: Mapping[str, Any]) -> set[str]:
    kind, properties = str(resource["Type"]), resource.get("Properties", {})
    named = {f"names {each}" for each in _names_in(properties.get(_POLICIES.get(kind, "")))}
    bucket = at(properties, _CODE[kind]) if kind in _CODE else None
    return named | ({f"runs what {json.dumps(bucket)} holds"} if bucket else set())


def _names_in(policy: Any) -> set[str]:
    found: set[str] = set()
    for statement in _statements(policy):
        who = [statement.get(each) for each in ("Principal", "NotPrincipal")]
        found |= set(_NAME.findall(json.dumps([*who, statement.get("Condition")])))
        if statement["Effect"] == "Allow" and '"*"' in json.dumps(who):
            found.add("everybody")
    return found


def _statements(value: Any) -> Iterator[Mapping[str, Any]]:
    """The statements at whatever depth, also of a policy that is a text, or one for a function of CloudFormation."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return
    if isinstance(value, Mapping) and "Effect" in value:
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _statements(each)

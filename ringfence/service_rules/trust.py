"""AWS-TRUST: on whose behalf a service says that it assumes a role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ringfence.reading.template import Breach, listed
from ringfence.service_rules.assembly import Assembly, Statement, matches, principals
from ringfence.service_rules.rule import READ, ServiceRule

WITHOUT_SOURCE: Final = {
    "cloudformation.amazonaws.com": "no document says that it sends them for the role of a stack",
    "cloudtrail.amazonaws.com": "its role for CloudWatch Logs does not support them",
    "lambda.amazonaws.com": "no source says that it sends them for the role a function runs as",
}
"""Services that need not say, when they assume a role, for which resource and account they do it."""
_NAMED_BY: Final = {
    "AWS::BedrockAgentCore::Gateway": ("gateway", "Name"),
    "AWS::BedrockAgentCore::Runtime": ("runtime", "AgentRuntimeName"),
}
_SOURCE_KEYS: Final = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")


def _source_keys(assembly: Assembly) -> Iterator[Breach]:
    for role in assembly.of_type("AWS::IAM::Role"):
        for number, statement in enumerate(assembly.statements(role, "AssumeRolePolicyDocument")):
            named = [each for each in principals(statement, "Service") if each in WITHOUT_SOURCE]
            for operator, keys in (statement.get("Condition") or {}).items():
                if not isinstance(keys, Mapping) or operator.lower().endswith("ifexists"):
                    continue
                wanted = [key for key in keys if key.lower() in _SOURCE_KEYS]
                for service, key in ((service, key) for service in named for key in wanted):
                    place = f"AssumeRolePolicyDocument.Statement.{number}.Condition.{operator}.{key}"
                    yield role.breach(place, f"{service} cannot meet a condition on {key}: {WITHOUT_SOURCE[service]}.")


def _names_before_ids(assembly: Assembly) -> Iterator[Breach]:
    for user in assembly.of_type(*_NAMED_BY):
        kind, path = _NAMED_BY[user.type]
        name = assembly.text(user.template, user.at(path))
        role = assembly.one(user, "RoleArn", "AWS::IAM::Role")
        if role is None:
            continue
        for number, statement in enumerate(assembly.statements(role, "AssumeRolePolicyDocument")):
            named = [pattern.partition(f":{kind}/")[2] for pattern in _source_arns(statement)]
            if named and not any(matches(pattern, name) for pattern in named):
                place = f"AssumeRolePolicyDocument.Statement.{number}.Condition"
                message = f"It fits {kind}/{name} with an id after it only, which there is not yet at creation."
                yield role.breach(place, message)


def _source_arns(statement: Statement) -> Iterator[str]:
    for keys in (statement.get("Condition") or {}).values():
        for key, value in keys.items():
            if key.lower() == "aws:sourcearn":
                yield from (str(pattern) for pattern in listed(value))


RULES: Final = (
    ServiceRule(
        "AWS-TRUST-1",
        "No trust asks a service for a source that the service does not name.",
        "Leave the condition out, or give it with IfExists; the role can be passed inside the account only.",
        "CloudTrail user guide, role policy document for CloudWatch Logs; Lambda guide, execution role: the keys apply "
        "where the function is the target",
        READ,
        _source_keys,
    ),
    ServiceRule(
        "AWS-TRUST-2",
        "The trust of a runtime's or gateway's role fits its name before the service has drawn an id.",
        "End the pattern of aws:SourceArn with the name and `*`.",
        "aws-cdk-lib 2.275.0, aws_bedrockagentcore Runtime and Gateway: the trust of their own roles",
        READ,
        _names_before_ids,
    ),
)

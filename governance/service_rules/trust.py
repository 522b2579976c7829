"""AWS-TRUST: who a service says it is when it assumes a role, and how long a trust may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from governance.service_rules.assembly import Assembly, principals
from governance.service_rules.rule import READ, ServiceRule
from governance.template import Breach

WITHOUT_SOURCE: Final = {
    "cloudformation.amazonaws.com": "no document says that it sends them for the role of a stack",
    "cloudtrail.amazonaws.com": "its role for CloudWatch Logs does not support them",
    "lambda.amazonaws.com": "no document says that it sends them to an execution role",
}
"""Services that need not say, when they assume a role, for which resource and account they do it."""
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
)

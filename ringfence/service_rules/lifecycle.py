"""AWS-LIFE: what CloudFormation could not take back, so that a failed deployment ends in a state nobody can leave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.reading.template import Breach
from ringfence.service_rules.assembly import Assembly
from ringfence.service_rules.rule import READ, ServiceRule

# Type -> (property, value) under which its deletion is refused.
_PROTECTED: Final = {
    "AWS::Cognito::UserPool": ("DeletionProtection", "ACTIVE"),
    "AWS::DynamoDB::Table": ("DeletionProtectionEnabled", True),
    "AWS::Logs::LogGroup": ("DeletionProtectionEnabled", True),
}


def _mutation_protection(assembly: Assembly) -> Iterator[Breach]:
    for guard in assembly.of_type("AWS::Route53Resolver::FirewallRuleGroupAssociation"):
        if guard.at("MutationProtection") == "ENABLED":
            message = "CloudFormation can neither change nor delete the association."
            yield guard.breach("MutationProtection", message)


def _deleted_though_protected(assembly: Assembly) -> Iterator[Breach]:
    for resource in assembly.of_type(*_PROTECTED):
        path, value = _PROTECTED[resource.type]
        policy = resource.deletion_policy or "Delete"
        if resource.at(path) == value and policy != "Retain":
            yield resource.breach(path, f"Under DeletionPolicy {policy} a rollback tries to delete it, and is refused.")


RULES: Final = (
    ServiceRule(
        "AWS-LIFE-1",
        "No association of a DNS firewall is protected from mutation.",
        "Leave MutationProtection out; the organisation's guardrails say who may touch the association.",
        "aws/aws-cdk#38795; hashicorp/terraform-provider-aws#21278: RSLVR-02307, under mutation protection",
        READ,
        _mutation_protection,
    ),
    ServiceRule(
        "AWS-LIFE-2",
        "What its service will not delete is retained, so that no rollback tries to delete it.",
        "Set DeletionPolicy to Retain.",
        "CloudWatch Logs user guide, deletion protection; Cognito developer guide, user pool deletion protection",
        READ,
        _deleted_though_protected,
    ),
)

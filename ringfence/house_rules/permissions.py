"""GOV-IAM: every role bounded, nobody unnamed, no policy that AWS may change under us."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.catalogue.bypasses import denied
from ringfence.house_rules.declared import Residency
from ringfence.house_rules.rule import Rule
from ringfence.reading.template import Breach, Path, Resource, Template, listed

# Condition keys that say who calls, or on whose behalf; `aws:SecureTransport`, say, narrows down nobody.
_WHO: Final = frozenset(
    key.lower()
    for key in (
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalOrgID",
        "aws:PrincipalOrgPaths",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceOrgID",
        "aws:SourceVpc",
        "aws:SourceVpce",
        "kms:CallerAccount",
    )
)
_ANSWERS: Final = re.compile(
    r"arn:aws:s3:::cloudformation-custom-resource-response-euwest2"
    r"/arn:aws:cloudformation:eu-west-2:\d{12}:stack/ringfence-[a-z0-9-]+-\*"
)
"""Where CloudFormation takes answers for stacks of one account. It signs the address itself, so whoever holds one needs
no name; what the answer can reach is in the object's."""
_POSITIVE: Final = ("stringequals", "stringlike", "arnequals", "arnlike", "stringequalsignorecase")


def _boundaries(template: Template, _: Residency) -> Iterator[Breach]:
    for role in template.of_type("AWS::IAM::Role"):
        if not role.at("PermissionsBoundary"):
            yield role.breach("PermissionsBoundary", "The role has no permissions boundary.")
    for user in template.of_type("AWS::IAM::User", "AWS::IAM::AccessKey"):
        yield user.breach("", "An IAM user has a key that never expires and names no person's call.")


def _wildcard_principals(template: Template, _: Residency) -> Iterator[Breach]:
    for resource in template.resources:
        for path, statement in _statements(resource):
            if statement["Effect"] != "Allow" or _says_who(statement) or _only_answers(statement):
                continue
            if _admits_everyone(statement):
                sid = statement.get("Sid", "without a Sid")
                where = ".".join(path)
                yield resource.breach(where, f"Statement {sid} allows any principal, under no condition on who it is.")
    for permission in template.of_type("AWS::Lambda::Permission"):
        limits = ("SourceArn", "SourceAccount", "PrincipalOrgID")
        if permission.at("Principal") == "*" and not any(permission.at(limit) for limit in limits):
            yield permission.breach("Principal", "Any principal may call the function.")


def _statements(resource: Resource) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for path, value in resource.values:
        if isinstance(value, Mapping) and "Effect" in value and ("Principal" in value or "NotPrincipal" in value):
            yield path, value


def _admits_everyone(statement: Mapping[str, Any]) -> bool:
    if "NotPrincipal" in statement:
        return True
    principal = statement["Principal"]
    named = principal.values() if isinstance(principal, Mapping) else [principal]
    return any(each == "*" for value in named for each in listed(value))


def _says_who(statement: Mapping[str, Any]) -> bool:
    return any(
        operator.lower().rpartition(":")[2] in _POSITIVE
        and key.lower() in _WHO
        and not any(each == "*" for each in listed(value))
        for operator, keys in (statement.get("Condition") or {}).items()
        for key, value in keys.items()
    )


def _only_answers(statement: Mapping[str, Any]) -> bool:
    """Whether a statement does nothing but let custom resources answer to stacks of one account."""
    resources = listed(statement.get("Resource", []))
    named = bool(resources) and all(isinstance(each, str) and _ANSWERS.fullmatch(each) for each in resources)
    return named and listed(statement.get("Action", [])) == ["s3:PutObject"]


def _aws_managed(template: Template, _: Residency) -> Iterator[Breach]:
    for resource in template.resources:
        for path, value in resource.values:
            if isinstance(value, str) and ":iam::aws:policy/" in value and _attaches(path):
                yield resource.breach(".".join(path), "A policy of AWS's is attached; AWS changes it without asking.")


def _attaches(path: Path) -> bool:
    """Whether a place attaches a policy; a policy's own text may name AWS's policies as resources to read."""
    return bool({"ManagedPolicyArns", "PermissionsBoundary", "PolicyArn"} & set(path))


def _bypasses(template: Template, _: Residency) -> Iterator[Breach]:
    for resource in template.resources:
        for path, value in resource.values:
            if not isinstance(value, Mapping) or value.get("Effect") != "Allow":
                continue
            # A resource's own policy, which names principals, opens the resource alone.
            if "Principal" in value or "NotPrincipal" in value:
                continue
            if "NotAction" in value:
                yield resource.breach(".".join(path), "All actions but some are allowed, so every bypass is.")
            for action in listed(value.get("Action", [])):
                for bypass in denied():
                    if _overlaps(str(action), bypass):
                        yield resource.breach(".".join(path), f"{action} allows {bypass}, which bypasses.toml denies.")


def _overlaps(one: str, other: str) -> bool:
    """Whether two patterns of actions have an action in common; what follows a `*` is left out of the comparison."""
    first, second = (text.lower().partition("*")[0] for text in (one, other))
    if "*" in one and "*" in other:
        return first.startswith(second) or second.startswith(first)
    if "*" in one:
        return second.startswith(first)
    return first.startswith(second) if "*" in other else first == second


RULES: Final = (
    Rule(
        "GOV-IAM-1",
        "Every role has a permissions boundary, and there are no IAM users.",
        "Make it with constructs.service_role.ServiceRole or constructs.runtime.persona_role.PersonaRole.",
        _boundaries,
    ),
    Rule(
        "GOV-IAM-2",
        "No policy admits every principal without a condition on who it is.",
        "Name the principal, or add a condition such as StringEquals aws:PrincipalAccount.",
        _wildcard_principals,
    ),
    Rule(
        "GOV-IAM-3",
        "No role carries a managed policy of AWS's.",
        "Write the statements it needs into a policy of its own.",
        _aws_managed,
    ),
    Rule(
        "GOV-IAM-4",
        "No policy allows what catalogue/bypasses.toml denies: models elsewhere, hosted MCP servers, lasting keys.",
        "Name the actions that are needed; a bypass that must be open changes its entry, with the reason.",
        _bypasses,
    ),
)

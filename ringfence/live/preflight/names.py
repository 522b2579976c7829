"""Names that the templates fix: is each still free, or already the department's own?

A name is the department's own when one of its stacks owns the thing. Anything else of that name makes CloudFormation
stop with "already exists", also what a failed first attempt left behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ringfence.live.before import Before
from ringfence.live.problems import CannotAsk
from ringfence.live.results import Result, not_answered, right, wrong

_REGIONAL: Final = {"Scope": "REGIONAL"}


class Listed(NamedTuple):
    """How AWS lists the things of a CloudFormation type.

    Attributes:
        property: the property of the template that fixes the name.
        key: the answer's member that holds the list.
        members: members of an item: its name first, then its ids and ARN.
    """

    type: str
    property: str
    action: str
    key: str
    members: tuple[str, ...]
    parameters: Mapping[str, Any] = MappingProxyType({})


LISTED: Final = (
    Listed("AWS::CloudTrail::Trail", "TrailName", "cloudtrail:DescribeTrails", "trailList", ("Name", "TrailARN")),
    Listed("AWS::KMS::Alias", "AliasName", "kms:ListAliases", "Aliases", ("AliasName", "AliasArn")),
    Listed(
        "AWS::Lambda::Function",
        "FunctionName",
        "lambda:ListFunctions",
        "Functions",
        ("FunctionName", "FunctionArn"),
    ),
    Listed(
        "AWS::BedrockAgentCore::Runtime",
        "AgentRuntimeName",
        "bedrock-agentcore:ListAgentRuntimes",
        "agentRuntimes",
        ("agentRuntimeName", "agentRuntimeId", "agentRuntimeArn"),
    ),
    Listed(
        "AWS::BedrockAgentCore::Gateway",
        "Name",
        "bedrock-agentcore:ListGateways",
        "items",
        ("name", "gatewayId"),
    ),
    Listed(
        "AWS::BedrockAgentCore::PolicyEngine",
        "Name",
        "bedrock-agentcore:ListPolicyEngines",
        "policyEngines",
        ("name", "policyEngineId", "policyEngineArn"),
    ),
    Listed("AWS::WAFv2::WebACL", "Name", "wafv2:ListWebACLs", "WebACLs", ("Name", "Id", "ARN"), _REGIONAL),
    Listed("AWS::WAFv2::IPSet", "Name", "wafv2:ListIPSets", "IPSets", ("Name", "Id", "ARN"), _REGIONAL),
    Listed(
        "AWS::Logs::DeliverySource",
        "Name",
        "logs:DescribeDeliverySources",
        "deliverySources",
        ("name", "arn"),
    ),
    Listed(
        "AWS::Logs::DeliveryDestination",
        "Name",
        "logs:DescribeDeliveryDestinations",
        "deliveryDestinations",
        ("name", "arn"),
    ),
    Listed(
        "AWS::Logs::ResourcePolicy",
        "PolicyName",
        "logs:DescribeResourcePolicies",
        "resourcePolicies",
        ("policyName",),
    ),
)


def names(before: Before) -> Iterator[Result]:
    """Looks up every fixed name; a kind that cannot be listed is told as unknown, and the rest is still looked at."""
    for listed in LISTED:
        yield from _of_kind(before, listed.type, listed.property, lambda listed=listed: _listed(before, listed))
    group = "AWS::Logs::LogGroup"
    yield from _of_kind(before, group, "LogGroupName", lambda: _log_groups(before))
    yield from _of_kind(before, "AWS::IAM::Role", "RoleName", lambda: _roles(before))
    yield from _of_kind(before, "AWS::IAM::ManagedPolicy", "ManagedPolicyName", lambda: _policies(before))
    yield from _of_kind(before, "AWS::BedrockAgentCore::Policy", "Name", lambda: _cedar_policies(before))


def _of_kind(before: Before, kind: str, prop: str, find: Any) -> Iterator[Result]:
    fixed = list(before.needs.fixed(kind, prop))
    if not fixed:
        return
    short = kind.removeprefix("AWS::").replace("::", " ")
    try:
        there: dict[str, list[tuple[str, ...]]] = {}
        for identifiers in find():
            there.setdefault(identifiers[0], []).append(identifiers)
        taken = [
            (resource, name)
            for resource, name in fixed
            if any(not before.deployed.owns(kind, *identifiers) for identifiers in there.get(name, []))
        ]
    except CannotAsk as problem:
        yield not_answered(f"names: {short}", problem)
        return
    for resource, name in taken:
        yield wrong(
            f"{short} {name}", "It is there already, and no stack of this department owns it.", _remedy(resource)
        )
    if len(taken) < len(fixed):
        ours = sum(name in there for _, name in fixed) - len(taken)
        yield right(f"names: {short}", f"{len(fixed) - len(taken)} of {len(fixed)} are free or ours ({ours} ours).")


def _remedy(resource: Any) -> str:
    kept = str(resource.raw.get("DeletionPolicy", "")).startswith("Retain")
    if kept:
        return (
            "If an earlier attempt of this department left it: make deploy ARGS=--import-existing-resources adopts it."
        )
    return "Remove it if it is a left-over; if it is somebody else's, choose another `name` for the department."


def _listed(before: Before, listed: Listed) -> Iterator[tuple[str, ...]]:
    for item in before.account.pages(listed.action, listed.key, **listed.parameters):
        yield tuple(str(item.get(member, "")) for member in listed.members)


def _log_groups(before: Before) -> Iterator[tuple[str, ...]]:
    wanted = [name for _, name in before.needs.fixed("AWS::Logs::LogGroup", "LogGroupName")]
    for prefix in log_prefixes(wanted):
        for group in before.account.pages("logs:DescribeLogGroups", "logGroups", logGroupNamePrefix=prefix):
            yield group["logGroupName"], str(group.get("logGroupArn", "")), str(group.get("arn", ""))


def log_prefixes(names: Iterable[str]) -> list[str]:
    """Returns prefixes that cover the names of log groups: the first two words of a path, or else the whole name."""
    return sorted({"/".join(name.split("/")[:3]) + "/" if name.startswith("/") else name for name in names})


def _roles(before: Before) -> Iterator[tuple[str, ...]]:
    for _, name in before.needs.fixed("AWS::IAM::Role", "RoleName"):
        answer = before.account.ask("iam:GetRole", absent=("NoSuchEntity",), RoleName=name)
        if answer is not None:
            yield name, answer["Role"]["Arn"]


def _policies(before: Before) -> Iterator[tuple[str, ...]]:
    for _, name in before.needs.fixed("AWS::IAM::ManagedPolicy", "ManagedPolicyName"):
        arn = f"arn:aws:iam::{before.needs.account}:policy/{name}"
        if before.account.ask("iam:GetPolicy", absent=("NoSuchEntity",), PolicyArn=arn) is not None:
            yield name, arn


def _cedar_policies(before: Before) -> Iterator[tuple[str, ...]]:
    """The policies of every engine: their names are unique in the account (CreatePolicy, service model of 2026)."""
    for engine in before.account.pages("bedrock-agentcore:ListPolicyEngines", "policyEngines"):
        engine_id = engine["policyEngineId"]
        for policy in before.account.pages("bedrock-agentcore:ListPolicies", "policies", policyEngineId=engine_id):
            yield policy["name"], policy["policyId"], policy["policyArn"]

"""How many of each thing the account may hold, holds, and would hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from ringfence.live.before import Before
from ringfence.live.problems import CannotAsk
from ringfence.live.results import Result, not_answered, right, unknown, wrong
from ringfence.reading.documents import Strict, read_checked

DATA: Final = Path(__file__).resolve().parents[1] / "data" / "quotas.toml"
# CloudWatch Logs user guide, quotas, read 28 November 2026: ten resource policies a region and account, not adjustable.
RESOURCE_POLICIES: Final = 10

_IN_USE: Final[dict[str, Callable[[Before], int]]] = {
    "runtimes": lambda before: len(before.account.pages("bedrock-agentcore:ListAgentRuntimes", "agentRuntimes")),
    "gateways": lambda before: len(before.account.pages("bedrock-agentcore:ListGateways", "items")),
    "policy-engines": lambda before: len(before.account.pages("bedrock-agentcore:ListPolicyEngines", "policyEngines")),
    "vpcs": lambda before: len(before.account.pages("ec2:DescribeVpcs", "Vpcs")),
    "keys": lambda before: len(before.account.pages("kms:ListKeys", "Keys")),
    "web-acls": lambda before: len(before.account.pages("wafv2:ListWebACLs", "WebACLs", Scope="REGIONAL")),
    "ip-sets": lambda before: len(before.account.pages("wafv2:ListIPSets", "IPSets", Scope="REGIONAL")),
}


class Quota(Strict):
    """A limit.

    Attributes:
        service: its code at Service Quotas.
        code: the quota's, where it is known.
        count: the resource type that the templates are counted for.
        within: a property; what is needed is the most of those that share it.
        each: how many each of them needs.
        in_use: what is counted in the account, or `none`.
    """

    subject: str
    service: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    code: Annotated[str, Field(pattern=r"^L-[0-9A-F]{8}$")] | None = None
    name: str
    count: Annotated[str, Field(pattern=r"^AWS::\w+::\w+$")]
    within: str | None = None
    each: Annotated[int, Field(ge=1)] | None = None
    in_use: Literal["runtimes", "gateways", "policy-engines", "vpcs", "keys", "web-acls", "ip-sets", "none"]
    remedy: str


class Quotas(Strict):
    """The whole file."""

    quota: Annotated[tuple[Quota, ...], Field(strict=False, min_length=1)]


def read_quotas(path: Path = DATA) -> tuple[Quota, ...]:
    """Returns the limits; raises as `read_checked`."""
    return read_checked(path, Quotas, distinct={"quota": ("subject",)}).quota


def quotas(before: Before) -> Iterator[Result]:
    """Compares each limit with what is there and what the templates add; one that cannot be asked leaves the others."""
    limits: dict[str, list[dict[str, Any]] | CannotAsk] = {}
    for quota in read_quotas():
        if not before.needs.count(quota.count):
            continue
        subject = f"quota: {quota.subject}"
        if quota.service not in limits:
            limits[quota.service] = _limits(before, quota.service)
        listed = limits[quota.service]
        try:
            if isinstance(listed, CannotAsk):
                raise listed
            yield _compare(before, quota, listed)
        except CannotAsk as problem:
            yield not_answered(subject, problem)
    yield from (_resource_policies(before), *_iam(before))


def _limits(before: Before, service: str) -> list[dict[str, Any]] | CannotAsk:
    try:
        return before.account.pages("servicequotas:ListServiceQuotas", "Quotas", ServiceCode=service)
    except CannotAsk as problem:
        return problem


def _compare(before: Before, quota: Quota, listed: list[dict[str, Any]]) -> Result:
    subject = f"quota: {quota.subject}"
    by_code = [each for each in listed if each.get("QuotaCode") == quota.code]
    by_name = [each for each in listed if each.get("QuotaName", "").casefold() == quota.name.casefold()]
    found = by_code or by_name
    if len(found) != 1 or "Value" not in found[0]:
        told = f'Service Quotas lists no quota "{quota.name}" of {quota.service} for this account.'
        return unknown(subject, told, f"Look at Service Quotas, {quota.service}, yourself.")
    limit = int(found[0]["Value"])
    if quota.in_use == "none":
        needed = _needed(before, quota)
        told = f"{limit} allowed, {needed} needed."
        return wrong(subject, told, quota.remedy) if needed > limit else right(subject, told)
    ours = len(before.deployed.owned(quota.count))
    in_use = _IN_USE[quota.in_use](before)
    added = before.needs.count(quota.count) - ours
    told = f"{limit} allowed, {in_use} there, {max(added, 0)} to come."
    if in_use + added > limit:
        return wrong(subject, told, quota.remedy)
    return right(subject, told)


def _needed(before: Before, quota: Quota) -> int:
    """Returns what the templates need of a limit: so many for each, the most within one thing, or all of them."""
    if quota.each:
        return quota.each
    if not quota.within:
        return before.needs.count(quota.count)
    shared = [each.properties[quota.within] for each in before.needs.assembly.of_type(quota.count)]
    return max(Counter(shared).values())


def _resource_policies(before: Before) -> Result:
    subject = "quota: CloudWatch Logs resource policies"
    try:
        there = before.account.pages("logs:DescribeResourcePolicies", "resourcePolicies")
        kind = "AWS::Logs::ResourcePolicy"
        added = before.needs.count(kind) - len(before.deployed.owned(kind))
    except CannotAsk as problem:
        return not_answered(subject, problem)
    told = f"{RESOURCE_POLICIES} allowed, {len(there)} there, {max(added, 0)} to come."
    if len(there) + added > RESOURCE_POLICIES:
        return wrong(
            subject, told, "Remove one that nobody uses: aws logs describe-resource-policies. It cannot be raised."
        )
    return right(subject, told)


def _iam(before: Before) -> Iterator[Result]:
    """IAM tells its own limits and counts."""
    try:
        summary = (before.account.ask("iam:GetAccountSummary") or {})["SummaryMap"]
        ours = {kind: len(before.deployed.owned(kind)) for kind in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")}
    except CannotAsk as problem:
        yield not_answered("quota: IAM", problem)
        return
    for subject, kind, word in (
        ("roles", "AWS::IAM::Role", "Roles"),
        ("policies", "AWS::IAM::ManagedPolicy", "Policies"),
    ):
        if f"{word}Quota" not in summary or word not in summary:
            yield unknown(f"quota: IAM {subject}", "IAM's summary does not hold it.", "Look at IAM's quotas yourself.")
            continue
        added = before.needs.count(kind) - ours[kind]
        told = f"{summary[f'{word}Quota']} allowed, {summary[word]} there, {max(added, 0)} to come."
        enough = summary[word] + added <= summary[f"{word}Quota"]
        remedy = "Ask for more in Service Quotas, in us-east-1."
        yield right(f"quota: IAM {subject}", told) if enough else wrong(f"quota: IAM {subject}", told, remedy)

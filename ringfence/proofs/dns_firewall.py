"""Which names the resolver of a department's VPC answers, as the rules of its DNS firewall say.

DNS Firewall takes the first rule that names a domain, by priority; where none does, the query goes through (Route 53
Resolver's CreateFirewallRule in botocore 1.44.5; AWS's page on the effective firewall rule in its agent toolkit, read
29 November 2026). A VPC fails closed unless a `FirewallConfig` says otherwise (AWS's template reference, same day),
and no template may hold one: the reader refuses its type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Finding

_HOSTS: Final = {
    "iam": ("iam.amazonaws.com",),
    "s3": ("s3.{region}.amazonaws.com", "*.s3.{region}.amazonaws.com"),
    "sagemaker.api": ("api.sagemaker.{region}.amazonaws.com",),
}
"""Names of endpoints that are not `<service>.<region>.amazonaws.com`: IAM has one for the world, a bucket's name stands
before S3's, and SageMaker turns its words round (botocore 1.44.5). A service that is missing here is told as one whose
name resolves, or does not."""
_OUTSIDE: Final = ("example.com", "ringfence.example.org", "amazonaws.com")


def names_resolved(evidence: Evidence) -> Iterator[Finding]:
    """What the VPC's resolver answers: the endpoints' names, since any other could carry data out."""
    assembly = evidence.assembly
    (vpc, *_) = [str(each.ref) for each in assembly.of_type("AWS::EC2::VPC")] or [""]
    groups = {str(each.attribute("Id")): each for each in assembly.of_type("AWS::Route53Resolver::FirewallRuleGroup")}
    guards = [
        str(each.properties["FirewallRuleGroupId"])
        for each in assembly.of_type("AWS::Route53Resolver::FirewallRuleGroupAssociation")
        if each.properties["VpcId"] == vpc
    ]
    if len(guards) != 1 or guards[0] not in groups:
        yield Finding("DNS firewall", "does not guard the VPC with one group of rules")
        return
    lists = {
        str(each.attribute("Id")): [str(name).lower() for name in each.properties.get("Domains", [])]
        for each in assembly.of_type("AWS::Route53Resolver::FirewallDomainList")
    }
    rules = sorted(groups[guards[0]].properties["FirewallRules"], key=lambda rule: int(rule["Priority"]))
    wanted = {
        name.format(region=region)
        for service, region in evidence.endpoints
        for name in _HOSTS.get(service, (f"{service}.{{region}}.amazonaws.com",))
    }
    listed = {name for rule in rules for name in lists[str(rule["FirewallDomainListId"])]} - {"*"}
    for name in sorted({*wanted, *listed, *_OUTSIDE, *(f"x.{each}" for each in wanted | listed)}):
        asked = name.replace("*", "anything")
        resolves = not _is_blocked(asked, rules, lists)
        if resolves != any(_is_called(asked, host) for host in wanted):
            yield Finding("DNS firewall", f"{'resolves' if resolves else 'refuses'} {asked}")
    blocked = {(rule["Action"], rule.get("BlockResponse")) for rule in rules if rule["Action"] != "ALLOW"}
    if blocked != {("BLOCK", "NXDOMAIN")}:
        yield Finding("DNS firewall", f"answers by {sorted(map(str, blocked))}, and not that there is no such name")


def _is_blocked(name: str, rules: list[Mapping[str, Any]], lists: Mapping[str, list[str]]) -> bool:
    """Whether the first rule that names a domain refuses it; ALERT lets it through and tells."""
    for rule in rules:
        if any(_is_called(name, each) for each in lists[str(rule["FirewallDomainListId"])]):
            return str(rule["Action"]) == "BLOCK"
    return False


def _is_called(name: str, pattern: str) -> bool:
    """Whether a domain of a list means a name: `*` all, `*.` one or more labels before."""
    return pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:]))

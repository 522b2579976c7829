"""What the network stack expects: zones that AgentCore runs in, AWS's prefix list for S3, and the endpoint services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.live.before import Before
from ringfence.live.results import Result, right, unknown, wrong
from ringfence.reading.region import REGION

# AgentCore developer guide, "Configure VPC", read 22 November 2026 at second hand (an AWS sample repeats its table).
AGENTCORE_ZONES: Final = ("euw2-az1", "euw2-az2", "euw2-az3")
_PREFIX_LIST: Final = f"com.amazonaws.{REGION}.s3"


def zones(before: Before) -> Iterator[Result]:
    """Looks up which zone id each named zone has in this account."""
    answer = before.account.ask("ec2:DescribeAvailabilityZones") or {}
    known = {zone["ZoneName"]: zone for zone in answer["AvailabilityZones"]}
    good = sorted(name for name, zone in known.items() if zone.get("ZoneId") in AGENTCORE_ZONES)
    remedy = f"Name two or three of {', '.join(good) or 'the zones with these ids'} under `availability_zones`."
    for name in before.needs.department.availability_zones:
        subject = f"zone {name}"
        zone = known.get(name)
        if zone is None:
            yield wrong(subject, "The account has no such zone.", remedy)
        elif zone.get("State") != "available":
            yield wrong(subject, f"The zone is {zone.get('State', 'in no state')}.", remedy)
        elif zone.get("ZoneId") not in AGENTCORE_ZONES:
            found = f"It is {zone.get('ZoneId')} here; AgentCore runs in {', '.join(AGENTCORE_ZONES)}."
            yield wrong(subject, found, remedy)
        else:
            yield right(subject, f"It is {zone['ZoneId']} here.")


def prefix_list(before: Before) -> Iterator[Result]:
    """Looks up AWS's prefix list for S3."""
    named = before.needs.department.network.s3_prefix_list
    filters = [{"Name": "prefix-list-name", "Values": [_PREFIX_LIST]}]
    found = before.account.pages("ec2:DescribeManagedPrefixLists", "PrefixLists", Filters=filters)
    ids = [each["PrefixListId"] for each in found]
    if ids == [named]:
        yield right("S3 prefix list", f"{named} is {_PREFIX_LIST}.")
    elif len(ids) == 1:
        yield wrong("S3 prefix list", f"{_PREFIX_LIST} is {ids[0]}, not {named}.", f's3_prefix_list = "{ids[0]}"')
    else:
        yield unknown(
            "S3 prefix list",
            f"AWS lists {len(ids)} prefix lists of the name {_PREFIX_LIST}.",
            "Look at `aws ec2 describe-managed-prefix-lists` yourself.",
        )


def endpoint_services(before: Before) -> Iterator[Result]:
    """Looks up every endpoint service of the templates where it is offered, and in which zones."""
    wanted: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for endpoint in before.needs.assembly.of_type("AWS::EC2::VPCEndpoint"):
        raw = endpoint.raw["Properties"]
        wanted[str(raw.get("ServiceRegion", REGION))][str(raw["ServiceName"])] = raw
    for region, services in wanted.items():
        # By filter and not by name: one unknown name would refuse the whole question.
        filters = [{"Name": "service-name", "Values": sorted(services)}]
        elsewhere: dict[str, Any] = {} if region == REGION else {"ServiceRegions": [region]}
        details = before.account.pages(
            "ec2:DescribeVpcEndpointServices", "ServiceDetails", Filters=filters, **elsewhere
        )
        for name, raw in sorted(services.items()):
            offers = [each for each in details if each.get("ServiceName") == name]
            kind = str(raw.get("VpcEndpointType", "Gateway"))
            yield _offer(name, region, kind, offers, before.needs.department.availability_zones)


def _offer(name: str, region: str, kind: str, offers: list[dict[str, Any]], zones: tuple[str, ...]) -> Result:
    subject = f"endpoint service {name}" + ("" if region == REGION else f" of {region}")
    remedy = "Take the tools that need it away, or ask AWS Support why the account is not offered it."
    fitting = [offer for offer in offers if kind in {each["ServiceType"] for each in offer.get("ServiceType", [])}]
    if not fitting:
        types = {each["ServiceType"] for offer in offers for each in offer.get("ServiceType", [])}
        return wrong(subject, f"Offered as {', '.join(sorted(types))}." if types else "Not offered.", remedy)
    offer = fitting[0]
    if not offer.get("VpcEndpointPolicySupported", False):
        return wrong(subject, "It takes no endpoint policy, and ours has one.", remedy)
    if kind != "Interface":
        return right(subject, f"Offered as {kind}.")
    if not offer.get("PrivateDnsNames") and not offer.get("PrivateDnsName"):
        return wrong(subject, "It has no private DNS name, and ours answers under the service's own name.", remedy)
    # A service of another region names that region's zones.
    missing = sorted(set(zones) - set(offer.get("AvailabilityZones", []))) if region == REGION else []
    if missing:
        return wrong(subject, f"Not offered in {', '.join(missing)}.", "Choose zones in which it is offered.")
    return right(
        subject, "Offered, with policy and private DNS" + (f", in {', '.join(zones)}." if not missing else ".")
    )

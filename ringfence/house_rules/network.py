"""GOV-NET: nothing public, and no way out but endpoints that exist and say what they let through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.house_rules.declared import Residency
from ringfence.house_rules.endpoint_services import known
from ringfence.house_rules.rule import Rule
from ringfence.reading.template import Breach, Template, is_reference

_WAYS_OUT: Final = {
    "AWS::EC2::CarrierGateway": "A carrier gateway leads out of the VPC.",
    "AWS::EC2::EIP": "An elastic address is public.",
    "AWS::EC2::EgressOnlyInternetGateway": "An egress-only gateway leads to the internet.",
    "AWS::EC2::InternetGateway": "An internet gateway leads to the internet.",
    "AWS::EC2::NatGateway": "A NAT gateway leads to the internet.",
    "AWS::EC2::Route": "A route beyond the VPC and its endpoints leads out.",
    "AWS::EC2::TransitGatewayAttachment": "A transit gateway leads out of the VPC.",
    "AWS::EC2::TransitGatewayVpcAttachment": "A transit gateway leads out of the VPC.",
    "AWS::EC2::VPCGatewayAttachment": "A gateway attached to the VPC leads out of it.",
    "AWS::EC2::VPCPeeringConnection": "A peering connection leads out of the VPC.",
    "AWS::EC2::VPNConnection": "A VPN leads out of the VPC.",
}
_PUBLIC_BY_SETTING: Final = ("AssociatePublicIpAddress", "MapPublicIpOnLaunch", "PubliclyAccessible")


def _no_way_out(template: Template, _: Residency) -> Iterator[Breach]:
    for resource in template.of_type(*_WAYS_OUT):
        yield resource.breach("", _WAYS_OUT[resource.type])
    for resource in template.resources:
        for path, value in resource.values:
            if path and path[-1] in _PUBLIC_BY_SETTING and value is not False:
                yield resource.breach(".".join(path), "The setting gives public addresses.")


def _endpoint_names(template: Template, declared: Residency) -> Iterator[Breach]:
    for endpoint in template.of_type("AWS::EC2::VPCEndpoint"):
        name, region = endpoint.at("ServiceName"), endpoint.at("ServiceRegion")
        if not isinstance(name, str) or not known(name, region, declared):
            seen = (
                "is not written out" if is_reference(name) else f'"{name}" is not one we know in {region or "London"}'
            )
            yield endpoint.breach("ServiceName", f"The endpoint service {seen}.")


def _endpoint_policies(template: Template, _: Residency) -> Iterator[Breach]:
    for endpoint in template.of_type("AWS::EC2::VPCEndpoint"):
        if not endpoint.at("PolicyDocument"):
            yield endpoint.breach(
                "PolicyDocument", "Without a policy the endpoint lets everything of everyone through."
            )


RULES: Final = (
    Rule(
        "GOV-NET-1",
        "Nothing leads out of the VPC but endpoints, and nothing has a public address.",
        "Remove it; reach AWS through an endpoint in constructs.network.service_endpoints.",
        _no_way_out,
    ),
    Rule(
        "GOV-NET-2",
        "Every endpoint is of a service that has one in eu-west-2, or that the residency register declares.",
        "Correct the name, or add it to ringfence/house_rules/endpoint_services.py with its source.",
        _endpoint_names,
    ),
    Rule(
        "GOV-NET-3",
        "Every endpoint has a policy of its own.",
        "Compile one with ringfence.compilers.endpoints.endpoint_policy.",
        _endpoint_policies,
    ),
)

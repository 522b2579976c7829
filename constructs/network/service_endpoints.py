"""The only ways out of the VPC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_ec2 as ec2

from constructs import Construct
from constructs.network.private_network import PrivateNetwork
from constructs.review_notes import serves
from ringfence.compilers.iam import EndpointService


@dataclass(frozen=True)
class Endpoint:
    """One endpoint to make."""

    service: EndpointService
    policy: dict[str, Any]


class ServiceEndpoints(Construct):
    """One endpoint for each AWS service that the catalogue's granted tools and our own code call, and no other.

    Each has a policy that admits this account's principals only; interface endpoints answer under the service's
    own name, so that no client needs to know of them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoints: Sequence[Endpoint],
        network: PrivateNetwork,
        security_group_id: str,
    ) -> None:
        """Makes the endpoints."""
        super().__init__(scope, construct_id)
        for endpoint in endpoints:
            service = endpoint.service
            placed: dict[str, Any] = (
                {"vpc_endpoint_type": "Gateway", "route_table_ids": [network.route_table_id]}
                if service.kind == "gateway"
                else {
                    "vpc_endpoint_type": "Interface",
                    "subnet_ids": network.subnet_ids,
                    "security_group_ids": [security_group_id],
                    "private_dns_enabled": True,
                }
            )
            resource = ec2.CfnVPCEndpoint(
                self,
                _word(service.service),
                vpc_id=network.vpc_id,
                service_name=service.service_name,
                service_region=service.service_region if service.is_cross_region else None,
                policy_document=endpoint.policy,
                **placed,
            )
            where = f" Leaves eu-west-2 for {service.service_region}." if service.is_cross_region else ""
            serves(resource, f"Reachability: {service.reason}{where}")


def _word(service: str) -> str:
    return "".join(part.capitalize() for part in service.replace(".", "-").split("-"))

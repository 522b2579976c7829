"""A VPC without any way in or out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from constructs import Construct
from constructs.review_notes import acknowledge, serves

# The interfaces of AgentCore runtimes may stay for eight hours after the runtime is gone, and CloudFormation gives up
# sooner: what they stand on outlives the stack. While the network itself is first made nothing stands on it, so a
# failed attempt takes it away again (docs/decisions/0016).
RETAIN: Final = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE


class PrivateNetwork(Construct):
    """Isolated subnets, one in each zone, on one route table that has no route beyond the VPC itself.

    No internet gateway, NAT or peering exists, so reachability ends at the VPC endpoints. The L1 resources are used
    because the template is then complete, with nothing made on the side.
    """

    def __init__(self, scope: Construct, construct_id: str, *, cidr: str, subnets: Mapping[str, str]) -> None:
        """Makes the VPC.

        Args:
            subnets: zone name -> network of its subnet.
        """
        super().__init__(scope, construct_id)
        self.vpc = ec2.CfnVPC(
            self, "Vpc", cidr_block=cidr, enable_dns_hostnames=True, enable_dns_support=True, tags=[_name(self, "vpc")]
        )
        self.vpc.apply_removal_policy(RETAIN)
        serves(self.vpc, "Isolation: no internet gateway, NAT, peering or route beyond the VPC.")
        acknowledge(
            self.vpc,
            "CloudFormation cannot edit a VPC's default security group, and nothing uses it: every interface names one "
            "of the three groups of this stack, and there is no route for its open egress.",
            "NIST.800.53.R5-VPCDefaultSecurityGroupClosed",
        )
        routes = ec2.CfnRouteTable(self, "LocalRoutes", vpc_id=self.vpc.ref, tags=[_name(self, "local-routes")])
        routes.apply_removal_policy(RETAIN)
        self.route_table_id = routes.ref
        self.subnet_ids = [self._subnet(zone, network, routes) for zone, network in subnets.items()]

    @property
    def vpc_id(self) -> str:
        """The VPC's id, as a reference."""
        return self.vpc.ref

    def _subnet(self, zone: str, network: str, routes: ec2.CfnRouteTable) -> str:
        letter = zone[-1].upper()
        subnet = ec2.CfnSubnet(
            self,
            f"Subnet{letter}",
            vpc_id=self.vpc.ref,
            availability_zone=zone,
            cidr_block=network,
            map_public_ip_on_launch=False,
            tags=[_name(self, f"isolated-{letter.lower()}")],
        )
        subnet.apply_removal_policy(RETAIN)
        # A zone comes and goes; an export that other stacks import could not.
        cdk.CrossStackReferences.of(subnet).produce(cdk.ReferenceStrength.WEAK)
        acknowledge(
            subnet,
            "AgentCore works in three zone ids only, and which names carry them differs in each account: the "
            "department's file says it, and nothing is looked up during synthesis.",
            "CloudFormation-Validate::W3010",
        )
        association = ec2.CfnSubnetRouteTableAssociation(
            self, f"Subnet{letter}Routes", subnet_id=subnet.ref, route_table_id=routes.ref
        )
        association.apply_removal_policy(RETAIN)
        return subnet.ref


def _name(scope: Construct, word: str) -> cdk.CfnTag:
    return cdk.CfnTag(key="Name", value=f"{cdk.Stack.of(scope).stack_name}-{word}")

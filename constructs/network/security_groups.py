"""The four security groups of a department."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from constructs import Construct
from constructs.network.private_network import RETAIN
from constructs.review_notes import serves

HTTPS: Final = 443


class SecurityGroups(Construct):
    """Who may open a connection to whom: runtimes and functions to the endpoints, runtimes and the keeper of their log
    groups to S3, and that is all.

    No rule names an address, so no rule can be 0.0.0.0/0.
    """

    def __init__(self, scope: Construct, construct_id: str, *, vpc_id: str, s3_prefix_list: str) -> None:
        """Makes the groups.

        Args:
            s3_prefix_list: id of AWS's prefix list for S3 in eu-west-2. AgentCore fetches a runtime's code zip through
                the runtime's own interface, and a gateway endpoint has no security group to name instead. The keeper
                answers CloudFormation in a bucket.
        """
        super().__init__(scope, construct_id)
        endpoints = self._group(
            "Endpoints",
            vpc_id,
            "VPC endpoints: take HTTPS from runtimes and functions, open nothing themselves",
            # CloudFormation adds an open rule to a group without egress; this one matches no traffic there is.
            [
                _egress(
                    "Endpoints open no connection",
                    ip_protocol="icmp",
                    from_port=252,
                    to_port=86,
                    cidr_ip="255.255.255.255/32",
                )
            ],
        )
        to_endpoints = _https("HTTPS to the VPC endpoints", destination_security_group_id=endpoints)
        to_code = _https("HTTPS to S3 for the code zip", destination_prefix_list_id=s3_prefix_list)
        to_answers = _https("HTTPS to S3 to answer CloudFormation", destination_prefix_list_id=s3_prefix_list)
        runtimes = self._group(
            "Runtimes", vpc_id, "MCP runtimes: HTTPS out to endpoints and S3, nothing in", [to_endpoints, to_code]
        )
        functions = self._group("Functions", vpc_id, "Functions: HTTPS out to endpoints, nothing in", [to_endpoints])
        keeper = self._group(
            "LogKeeper",
            vpc_id,
            "Keeper of runtime log groups: HTTPS out to endpoints and S3, nothing in",
            [to_endpoints, to_answers],
        )
        for name, source, purpose in (
            ("Runtimes", runtimes, "runtimes"),
            ("Functions", functions, "functions"),
            ("LogKeeper", keeper, "the keeper of runtime log groups"),
        ):
            rule = ec2.CfnSecurityGroupIngress(
                self,
                f"EndpointsFrom{name}",
                group_id=endpoints,
                source_security_group_id=source,
                ip_protocol="tcp",
                from_port=HTTPS,
                to_port=HTTPS,
                description=f"HTTPS from {purpose}",
            )
            rule.apply_removal_policy(RETAIN)
        self.endpoints_id = endpoints
        self.runtimes_id = runtimes
        self.functions_id = functions
        self.keeper_id = keeper

    def _group(self, word: str, vpc_id: str, purpose: str, egress: list[ec2.CfnSecurityGroup.EgressProperty]) -> str:
        group = ec2.CfnSecurityGroup(
            self,
            word,
            vpc_id=vpc_id,
            group_description=purpose,
            security_group_egress=egress,
            tags=[cdk.CfnTag(key="Name", value=f"{cdk.Stack.of(self).stack_name}-{word.lower()}")],
        )
        group.apply_removal_policy(RETAIN)
        serves(group, "Isolation: opens connections only to endpoints of this department.")
        return group.attr_group_id


def _https(description: str, **destination: str) -> ec2.CfnSecurityGroup.EgressProperty:
    return _egress(description, ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS, **destination)


def _egress(description: str, **rule: str | int) -> ec2.CfnSecurityGroup.EgressProperty:
    return ec2.CfnSecurityGroup.EgressProperty(description=description, **rule)  # type: ignore[arg-type]

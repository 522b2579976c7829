"""Who may knock at a gateway."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_kms as kms
from aws_cdk import aws_wafv2 as waf

from constructs import Construct
from constructs.audit.audit_log_group import AuditLogGroup
from constructs.gateway.governed_gateway import GovernedGateway
from constructs.review_notes import acknowledge, serves

Rule = waf.CfnWebACL.RuleProperty
Match = waf.CfnWebACL.StatementProperty


class GatewayWebAcl(Construct):
    """A firewall that refuses everybody but the department's own networks in the United Kingdom.

    The gateway fails closed should the firewall not answer. Its resource policy, which AgentCore evaluates once it has
    verified the token, asks for the same networks: who takes the firewall away has not opened the gateway. AgentCore
    wants a wildcard as principal beside a JWT authorizer, and the gateway's exact ARN (AgentCore developer guide,
    resource-based-policies, read 28 November 2026).

    One role is spared the denial: AgentCore checks a Cedar policy's maker for the right to invoke the gateway (the same
    guide, policy-permissions), and CloudFormation calls from addresses of its own. It needs a token all the same.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        gateway: GovernedGateway,
        allowed_networks: Sequence[str],
        rate_per_minute: int,
        deployment_role_arn: str,
        log_key: kms.IKey,
    ) -> None:
        """Makes the firewall, hangs it before the gateway and logs what it decides.

        Args:
            allowed_networks: the department's public networks.
            rate_per_minute: requests of one address.
            deployment_role_arn: the role that CloudFormation works as.
        """
        super().__init__(scope, construct_id)
        sets = self._address_sets(name, allowed_networks)
        self.web_acl = waf.CfnWebACL(
            self,
            "Resource",
            name=name,
            description="Admits the own networks of the department in the United Kingdom and blocks all others.",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(block=waf.CfnWebACL.BlockActionProperty()),
            visibility_config=_visible(name),
            rules=[_rate(rate_per_minute), *(_admit(number, each) for number, each in enumerate(sets, start=1))],
        )
        self.association = waf.CfnWebACLAssociation(
            self, "Association", resource_arn=gateway.arn, web_acl_arn=self.web_acl.attr_arn
        )
        # The prefix is the WAF's condition for logging to CloudWatch.
        self.log_group = AuditLogGroup(self, "Log", name=f"aws-waf-logs-{name}", key=log_key)
        self.logging = waf.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.web_acl.attr_arn,
            log_destination_configs=[self.log_group.arn_without_streams],
            redacted_fields=[waf.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": "authorization"})],
        )
        serves(self.web_acl, "External interface: the department's networks in the UK only, and no flood from them.")

        self.callers = agentcore.CfnResourcePolicy(
            self,
            "Callers",
            resource_arn=gateway.arn,
            # Fn::Sub keeps the policy one readable text in the template.
            policy=cdk.Fn.sub(json.dumps(_from(allowed_networks, deployment_role_arn)), {"Arn": gateway.arn}),
        )
        acknowledge(
            self.callers,
            "AgentCore demands a wildcard beside a JWT authorizer: it verifies the token before it asks the policy, "
            "which then holds every caller to the department's networks, but for CloudFormation's role.",
            "ringfence::GOV-IAM-2",
        )
        serves(self.callers, "External interface: the department's networks, also without the firewall.")

    def _address_sets(self, name: str, networks: Sequence[str]) -> list[waf.CfnIPSet]:
        """Returns one set for each IP version in use; a set holds only one."""
        by_version: dict[int, list[str]] = {}
        for network in networks:
            by_version.setdefault(ipaddress.ip_network(network).version, []).append(network)
        return [
            waf.CfnIPSet(
                self,
                f"NetworksV{version}",
                name=f"{name}-v{version}",
                description=f"IPv{version} networks of the department.",
                scope="REGIONAL",
                ip_address_version=f"IPV{version}",
                addresses=addresses,
            )
            for version, addresses in sorted(by_version.items())
        ]


def _from(networks: Sequence[str], deployer: str) -> dict[str, Any]:
    """Returns the gateway's resource policy: nobody but the deployer invokes it from anywhere but these networks."""
    common = {"Principal": "*", "Action": "bedrock-agentcore:InvokeGateway", "Resource": "${Arn}"}
    places = {"aws:SourceIp": list(networks)}
    others = {"NotIpAddress": places, "ArnNotEquals": {"aws:PrincipalArn": deployer}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "AllowInvokeFromOwnNetworks", "Effect": "Allow", **common, "Condition": {"IpAddress": places}},
            {"Sid": "DenyInvokeFromOtherNetworks", "Effect": "Deny", **common, "Condition": others},
        ],
    }


def _rate(rate_per_minute: int) -> Rule:
    return Rule(
        name="TooManyRequests",
        priority=0,
        statement=Match(
            rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP", limit=rate_per_minute, evaluation_window_sec=60
            )
        ),
        action=waf.CfnWebACL.RuleActionProperty(block=waf.CfnWebACL.BlockActionProperty()),
        visibility_config=_visible("TooManyRequests"),
    )


def _admit(number: int, addresses: waf.CfnIPSet) -> Rule:
    """Admits an address only if both tests pass: a network moved abroad stays out until somebody looks."""
    name = f"DepartmentInTheUnitedKingdom{number}"
    return Rule(
        name=name,
        priority=number,
        statement=Match(
            and_statement=waf.CfnWebACL.AndStatementProperty(
                statements=[
                    Match(
                        ip_set_reference_statement=waf.CfnWebACL.IPSetReferenceStatementProperty(arn=addresses.attr_arn)
                    ),
                    Match(geo_match_statement=waf.CfnWebACL.GeoMatchStatementProperty(country_codes=["GB"])),
                ]
            )
        ),
        action=waf.CfnWebACL.RuleActionProperty(allow=waf.CfnWebACL.AllowActionProperty()),
        visibility_config=_visible(name),
    )


def _visible(metric: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    # Sampled requests would show tokens in the console.
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=False
    )

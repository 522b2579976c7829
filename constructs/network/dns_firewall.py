"""Names that resolve inside the VPC: those of the endpoints, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_kms as kms
from aws_cdk import aws_route53resolver as resolver

from constructs import Construct
from constructs.audit.audit_log_group import AuditLogGroup
from constructs.review_notes import serves
from ringfence.compilers.endpoint_hosts import hosts_of
from ringfence.compilers.iam import EndpointService

ALLOW_PRIORITY: Final = 100
BLOCK_PRIORITY: Final = 200


class DnsFirewall(Construct):
    """A Route 53 Resolver firewall that answers NXDOMAIN to everything but the endpoints' names, and logs each query.

    The VPC has no route out, but its resolver would still carry data to any name server in the world, a label at a
    time. NXDOMAIN rather than an empty answer, so that a misdirected client fails at once with a clear error.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        department: str,
        vpc_id: str,
        names: Sequence[str],
        log_key: kms.IKey,
    ) -> None:
        """Makes the firewall and the query log.

        Args:
            names: DNS names that may be resolved; `*.` stands for one or more labels.
        """
        super().__init__(scope, construct_id)
        prefix = f"ringfence-{department}"
        allowed = self._list("AllowedNames", f"{prefix}-allowed-names", list(names))
        everything = self._list("AllNames", f"{prefix}-all-names", ["*"])
        rule = resolver.CfnFirewallRuleGroup.FirewallRuleProperty
        rules = resolver.CfnFirewallRuleGroup(
            self,
            "Rules",
            name=f"{prefix}-endpoints-only",
            firewall_rules=[
                rule(
                    priority=ALLOW_PRIORITY,
                    action="ALLOW",
                    firewall_domain_list_id=allowed,
                    # S3 answers with a CNAME to a host of its own choosing; the name that was asked for decides.
                    firewall_domain_redirection_action="TRUST_REDIRECTION_DOMAIN",
                ),
                rule(
                    priority=BLOCK_PRIORITY,
                    action="BLOCK",
                    block_response="NXDOMAIN",
                    firewall_domain_list_id=everything,
                ),
            ],
        )
        guard = resolver.CfnFirewallRuleGroupAssociation(
            self,
            "Guard",
            name=prefix,
            firewall_rule_group_id=rules.attr_id,
            vpc_id=vpc_id,
            priority=101,  # 100 and below are kept for AWS Firewall Manager
            # No mutation protection: CloudFormation could then neither change nor delete the association (Route 53
            # Resolver answers RSLVR-02307; public reports, read 28 November 2026). The organisation's guardrail
            # says who may touch it.
        )
        serves(guard, "Exfiltration: DNS resolves the endpoints' names only. The firewall fails closed, its default.")
        self._query_log(department, vpc_id, log_key)

    def _list(self, construct_id: str, name: str, domains: list[str]) -> str:
        return resolver.CfnFirewallDomainList(self, construct_id, name=name, domains=domains).attr_id

    def _query_log(self, department: str, vpc_id: str, key: kms.IKey) -> None:
        log_group = AuditLogGroup(self, "QueryLogGroup", name=f"/ringfence/{department}/dns-queries", key=key)
        config = resolver.CfnResolverQueryLoggingConfig(
            self, "QueryLog", name=f"ringfence-{department}", destination_arn=log_group.arn
        )
        resolver.CfnResolverQueryLoggingConfigAssociation(
            self, "QueryLogOfVpc", resolver_query_log_config_id=config.attr_id, resource_id=vpc_id
        )
        serves(config, "Audit: every name a runtime or function asks for, and whether it was refused.")


def dns_names(services: Sequence[EndpointService]) -> list[str]:
    """Returns the names under which clients reach these endpoints, sorted."""
    return sorted(name for service in services for name in hosts_of(service.service, service.service_region))

"""Where runtimes and functions stand, and what they can reach."""

from __future__ import annotations

from dataclasses import replace

from constructs import Construct
from constructs.isolated_function import FunctionPlacement
from constructs.network.dns_firewall import DnsFirewall, dns_names
from constructs.network.flow_log import FlowLog
from constructs.network.private_network import PrivateNetwork
from constructs.network.security_groups import SecurityGroups
from constructs.network.service_endpoints import Endpoint, ServiceEndpoints
from constructs.runtime.runtime_log_group import RuntimeLogGroupKeeper
from ringfence.catalogue.catalogue import Catalogue
from ringfence.compilers.iam import endpoint_policy, services
from ringfence.department.department import Department
from stacks.audit import AuditStack
from stacks.department_stack import DepartmentStack


class NetworkStack(DepartmentStack):
    """The isolated VPC, its endpoints, its DNS firewall, its records, and the keeper of the runtimes' log groups."""

    def __init__(
        self, scope: Construct, construct_id: str, *, department: Department, catalogue: Catalogue, audit: AuditStack
    ) -> None:
        """Composes the stack."""
        super().__init__(
            scope,
            construct_id,
            department=department,
            description=f"Ringfence {department.name}: isolated network, endpoints and DNS firewall.",
        )
        network = PrivateNetwork(
            self,
            "Default",
            cidr=department.network.cidr,
            subnets=dict(zip(department.availability_zones, department.subnet_cidrs, strict=True)),
        )
        groups = SecurityGroups(self, "Gate", vpc_id=network.vpc_id, s3_prefix_list=department.network.s3_prefix_list)
        needed = services(catalogue, department)
        ServiceEndpoints(
            self,
            "Endpoint",
            endpoints=[
                Endpoint(service, endpoint_policy(catalogue, department, service.service)) for service in needed
            ],
            network=network,
            security_group_id=groups.endpoints_id,
        )
        DnsFirewall(
            self,
            "Dns",
            department=department.name,
            vpc_id=network.vpc_id,
            names=dns_names(needed),
            log_key=audit.log_key,
        )
        FlowLog(
            self,
            "FlowLog",
            department=department.name,
            vpc_id=network.vpc_id,
            log_key=audit.log_key,
            boundary=audit.boundary,
        )
        self.vpc_id = network.vpc_id
        self.subnet_ids = network.subnet_ids
        self.runtime_security_group_id = groups.runtimes_id
        self.placement = FunctionPlacement(
            department=department.name,
            subnet_ids=network.subnet_ids,
            security_group_id=groups.functions_id,
            log_key=audit.log_key,
            data_key=audit.data_key,
            boundary=audit.boundary,
            reserved_concurrency=department.functions.reserved_concurrency,
        )
        keeper = RuntimeLogGroupKeeper(
            self, "RuntimeLogGroupKeeper", placement=replace(self.placement, security_group_id=groups.keeper_id)
        )
        self.runtime_log_group_keeper_arn = keeper.arn

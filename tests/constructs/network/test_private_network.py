"""The VPC, its security groups, its endpoints and its name server have no way out but the declared ones."""

from __future__ import annotations

from typing import Any

import pytest

from constructs.network.dns_firewall import DnsFirewall, dns_names
from constructs.network.flow_log import FlowLog
from constructs.network.private_network import PrivateNetwork
from constructs.network.security_groups import SecurityGroups
from constructs.network.service_endpoints import Endpoint, ServiceEndpoints
from ringfence.compilers.iam import EndpointService

LOGS = EndpointService("logs", "eu-west-2", "interface", "Writes logs.")
IAM = EndpointService("iam", "us-east-1", "interface", "One control plane.")
S3 = EndpointService("s3", "eu-west-2", "gateway", "Fetches code.")
POLICY = {"Version": "2012-10-17", "Statement": [{"Sid": "Some", "Effect": "Allow"}]}


@pytest.fixture
def network(bench: Any) -> PrivateNetwork:
    zones = {"eu-west-2a": "10.64.0.0/24", "eu-west-2b": "10.64.1.0/24"}
    return PrivateNetwork(bench.stack, "Default", cidr="10.64.0.0/22", subnets=zones)


def test_the_vpc_is_subnets_on_a_route_table_without_a_route(bench: Any, network: PrivateNetwork) -> None:
    resources = bench.template["Resources"]

    assert sorted(resource["Type"] for resource in resources.values()) == [
        "AWS::EC2::RouteTable",
        "AWS::EC2::Subnet",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
    ]
    assert resources["SubnetB"]["Properties"]["AvailabilityZone"] == "eu-west-2b"
    assert resources["SubnetB"]["Properties"]["MapPublicIpOnLaunch"] is False
    # AgentCore's interfaces may stay for eight hours: deleting what they stand on would hang. A first attempt that
    # failed leaves nothing: no interface stands there yet, and an account has five VPCs.
    assert {resource["DeletionPolicy"] for resource in resources.values()} == {"RetainExceptOnCreate"}
    assert {resource["UpdateReplacePolicy"] for resource in resources.values()} == {"Retain"}


def test_connections_lead_to_endpoints_and_to_s3_only_from_runtimes_and_from_their_log_groups_keeper(
    bench: Any,
) -> None:
    SecurityGroups(bench.stack, "Gate", vpc_id="vpc-12345678", s3_prefix_list="pl-12345678")
    resources = bench.template["Resources"]

    def leads_to(group: str) -> list[str]:
        rules = resources[group]["Properties"]["SecurityGroupEgress"]
        ends = ("DestinationSecurityGroupId", "DestinationPrefixListId", "CidrIp")
        return [str(rule[end]) for rule in rules for end in ends if end in rule]

    endpoints = "{'Fn::GetAtt': ['GateEndpoints', 'GroupId']}"
    assert leads_to("GateRuntimes") == [endpoints, "pl-12345678"]
    assert leads_to("GateLogKeeper") == [endpoints, "pl-12345678"]
    # The interceptors and the function behind sign-in answer their callers; nothing of theirs goes to S3.
    assert leads_to("GateFunctions") == [endpoints]
    # No traffic has this destination; without any rule CloudFormation would open everything.
    assert leads_to("GateEndpoints") == ["255.255.255.255/32"]
    admitted = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::EC2::SecurityGroupIngress"]
    sources = {rule["SourceSecurityGroupId"]["Fn::GetAtt"][0] for rule in admitted}
    assert sources == {"GateRuntimes", "GateFunctions", "GateLogKeeper"}
    assert {(rule["GroupId"]["Fn::GetAtt"][0], rule["FromPort"], rule["ToPort"]) for rule in admitted} == {
        ("GateEndpoints", 443, 443)
    }
    assert not any("SecurityGroupIngress" in resource["Properties"] for resource in resources.values())


def test_an_interface_endpoint_answers_under_the_services_own_name_with_a_policy(
    bench: Any, network: PrivateNetwork
) -> None:
    ServiceEndpoints(
        bench.stack, "Endpoint", endpoints=[Endpoint(LOGS, POLICY)], network=network, security_group_id="sg-12345678"
    )

    endpoint = bench.properties("EndpointLogs")

    assert endpoint["ServiceName"] == "com.amazonaws.eu-west-2.logs"
    assert endpoint["PrivateDnsEnabled"] is True
    assert endpoint["PolicyDocument"] == POLICY
    assert endpoint["SubnetIds"] == [{"Ref": "SubnetA"}, {"Ref": "SubnetB"}]
    assert "ServiceRegion" not in endpoint


def test_an_endpoint_to_another_region_says_so_and_a_gateway_endpoint_stands_on_the_route_table(
    bench: Any, network: PrivateNetwork
) -> None:
    ServiceEndpoints(
        bench.stack,
        "Endpoint",
        endpoints=[Endpoint(IAM, POLICY), Endpoint(S3, POLICY)],
        network=network,
        security_group_id="sg-12345678",
    )
    resources = bench.template["Resources"]

    assert resources["EndpointIam"]["Properties"]["ServiceRegion"] == "us-east-1"
    assert "Leaves eu-west-2 for us-east-1" in resources["EndpointIam"]["Metadata"]["ringfence:control"]
    s3 = resources["EndpointS3"]["Properties"]
    assert (s3["VpcEndpointType"], s3["RouteTableIds"]) == ("Gateway", [{"Ref": "LocalRoutes"}])
    assert "SecurityGroupIds" not in s3


def test_dns_names_are_those_the_sdks_use() -> None:
    assert dns_names([LOGS, IAM, S3]) == [
        "*.s3.eu-west-2.amazonaws.com",
        "iam.amazonaws.com",
        "logs.eu-west-2.amazonaws.com",
        "s3.eu-west-2.amazonaws.com",
    ]


def test_the_dns_firewall_answers_the_given_names_refuses_the_rest_and_logs_both(bench: Any) -> None:
    DnsFirewall(
        bench.stack,
        "Dns",
        department="example-production",
        vpc_id="vpc-12345678",
        names=["logs.eu-west-2.amazonaws.com"],
        log_key=bench.log_key,
    )
    resources = {name: each["Properties"] for name, each in bench.template["Resources"].items()}

    allow, block = sorted(resources["DnsRules"]["FirewallRules"], key=lambda rule: rule["Priority"])
    assert (allow["Action"], resources["DnsAllowedNames"]["Domains"]) == ("ALLOW", ["logs.eu-west-2.amazonaws.com"])
    assert allow["FirewallDomainListId"] == {"Fn::GetAtt": ["DnsAllowedNames", "Id"]}
    # S3 answers with CNAMEs that no list could name.
    assert allow["FirewallDomainRedirectionAction"] == "TRUST_REDIRECTION_DOMAIN"
    assert (block["Action"], block["BlockResponse"], resources["DnsAllNames"]["Domains"]) == (
        "BLOCK",
        "NXDOMAIN",
        ["*"],
    )
    assert block["FirewallDomainListId"] == {"Fn::GetAtt": ["DnsAllNames", "Id"]}
    assert "MutationProtection" not in resources["DnsGuard"], "CloudFormation could then neither change nor delete it"
    assert resources["DnsGuard"]["VpcId"] == resources["DnsQueryLogOfVpc"]["ResourceId"] == "vpc-12345678"
    assert resources["DnsQueryLog"]["DestinationArn"] == {"Fn::GetAtt": ["DnsQueryLogGroup", "Arn"]}


def test_the_flow_log_holds_accepted_and_rejected_connections_and_writes_to_its_own_group_only(bench: Any) -> None:
    FlowLog(
        bench.stack,
        "FlowLog",
        department="example-production",
        vpc_id="vpc-12345678",
        log_key=bench.log_key,
        boundary=bench.boundary,
    )
    resources = {name: each["Properties"] for name, each in bench.template["Resources"].items()}

    assert resources["FlowLog"]["TrafficType"] == "ALL"
    assert resources["FlowLog"]["LogGroupName"] == {"Ref": "FlowLogGroup"}
    (allowed,) = resources["FlowLogDeliveryPolicy"]["PolicyDocument"]["Statement"]
    assert allowed["Resource"] == {"Fn::GetAtt": ["FlowLogGroup", "Arn"]}
    (trust,) = resources["FlowLogDeliveryRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["ArnLike"] == {"aws:SourceArn": "arn:aws:ec2:eu-west-2:111122223333:vpc-flow-log/*"}

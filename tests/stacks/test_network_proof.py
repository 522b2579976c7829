"""From the templates alone: nothing in a department can reach, or be reached from, anywhere but its endpoints.

With no route beyond the VPC, unreachability follows from how a VPC works; no solver is needed.
"""

from __future__ import annotations

import json
from typing import Any

from constructs.network.dns_firewall import dns_names
from ringfence.catalogue.catalogue import Catalogue
from ringfence.compilers.iam import endpoint_policy, services

WAYS_OUT = {
    "AWS::EC2::CarrierGateway",
    "AWS::EC2::ClientVpnEndpoint",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::TransitGateway",
    "AWS::EC2::TransitGatewayAttachment",
    "AWS::EC2::TransitGatewayVpcAttachment",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::VPCPeeringConnection",
    "AWS::EC2::VPNConnection",
    "AWS::EC2::VPNGateway",
    "AWS::VpcLattice::ServiceNetworkVpcAssociation",
}
SECURITY_GROUPS = {
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
}


def test_no_gateway_peering_or_route_exists(synthesised: Any) -> None:
    assert not [str(each) for each in synthesised.resources() if each.type in WAYS_OUT]


def test_every_subnet_stands_on_the_route_table_without_routes(synthesised: Any) -> None:
    subnets = {each.logical_id for each in synthesised.resources("AWS::EC2::Subnet")}
    placed = {
        each.properties["SubnetId"]["Ref"]: each.properties["RouteTableId"]["Ref"]
        for each in synthesised.resources("AWS::EC2::SubnetRouteTableAssociation")
    }

    assert len(subnets) == len(synthesised.department.availability_zones)
    assert placed == dict.fromkeys(subnets, "LocalRoutes")
    assert not any(each.properties["MapPublicIpOnLaunch"] for each in synthesised.resources("AWS::EC2::Subnet"))


def test_no_rule_names_the_whole_world(synthesised: Any) -> None:
    for each in synthesised.resources():
        if each.type in SECURITY_GROUPS:
            text = json.dumps(each.properties)
            assert "0.0.0.0/0" not in text and "::/0" not in text, str(each)


def test_addresses_are_named_only_to_open_nothing(synthesised: Any) -> None:
    named = [
        (each.logical_id, rule["CidrIp"])
        for each in synthesised.resources("AWS::EC2::SecurityGroup")
        for rule in each.properties.get("SecurityGroupEgress", []) + each.properties.get("SecurityGroupIngress", [])
        if "CidrIp" in rule or "CidrIpv6" in rule
    ]

    assert named == [("GateEndpoints", "255.255.255.255/32")]


def test_endpoints_are_exactly_the_compiled_ones_each_with_its_policy(synthesised: Any, catalogue: Catalogue) -> None:
    department = synthesised.department
    found = {each.properties["ServiceName"]: each for each in synthesised.resources("AWS::EC2::VPCEndpoint")}
    wanted = {each.service_name: each for each in services(catalogue, department)}

    assert set(found) == set(wanted)
    for name, endpoint in found.items():
        service = wanted[name]
        assert endpoint.properties["PolicyDocument"] == endpoint_policy(catalogue, department, service.service)
        assert endpoint.properties["VpcEndpointType"].lower() == service.kind
        if service.kind == "interface":
            assert endpoint.properties["PrivateDnsEnabled"] is True
        assert endpoint.properties.get("ServiceRegion") == (service.service_region if service.is_cross_region else None)


def test_every_endpoint_admits_this_accounts_principals_only(synthesised: Any) -> None:
    account, name = synthesised.department.account, synthesised.department.name
    # CloudFormation signs the address of an answer itself; it holds for stacks of this department alone.
    bucket = "arn:aws:s3:::cloudformation-custom-resource-response-euwest2"
    answering = {
        "Sid": "AllowAnsweringCloudFormation",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["s3:PutObject"],
        "Resource": [f"{bucket}/arn:aws:cloudformation:eu-west-2:{account}:stack/ringfence-{name}-*"],
    }
    for endpoint in synthesised.resources("AWS::EC2::VPCEndpoint"):
        for statement in endpoint.properties["PolicyDocument"]["Statement"]:
            if endpoint.logical_id == "EndpointS3" and statement == answering:
                continue
            assert statement["Condition"]["StringEquals"]["aws:PrincipalAccount"] == account, str(endpoint)
            assert "*" not in statement["Action"], str(endpoint)


def test_only_the_endpoints_names_resolve(synthesised: Any, catalogue: Catalogue) -> None:
    allowed = synthesised.only("network", "DnsAllowedNames").properties["Domains"]
    rules = synthesised.only("network", "DnsRules").properties["FirewallRules"]

    assert allowed == dns_names(services(catalogue, synthesised.department))
    assert (
        "*.s3.eu-west-2.amazonaws.com" in allowed
    )  # the bucket with the code, and the one for CloudFormation's answers
    assert [(rule["Action"], rule["Priority"]) for rule in rules] == [("ALLOW", 100), ("BLOCK", 200)]
    assert synthesised.only("network", "DnsGuard").properties["VpcId"] == {"Ref": "Vpc"}


def test_every_function_and_runtime_stands_in_the_isolated_subnets(synthesised: Any) -> None:
    functions = list(synthesised.resources("AWS::Lambda::Function"))
    runtimes = list(synthesised.resources("AWS::BedrockAgentCore::Runtime"))

    assert functions and runtimes
    placed = [each.properties["VpcConfig"]["SubnetIds"] for each in functions]
    for runtime in runtimes:
        assert runtime.properties["NetworkConfiguration"]["NetworkMode"] == "VPC", str(runtime)
        placed.append(runtime.properties["NetworkConfiguration"]["NetworkModeConfig"]["Subnets"])
    for subnets in placed:
        assert len(subnets) == len(synthesised.department.availability_zones)
        for subnet in subnets:
            # Inside the network stack itself the keeper of log groups names them directly.
            if subnet.get("Ref") not in ("SubnetA", "SubnetB", "SubnetC"):
                named = subnet["Fn::GetStackOutput"]
                assert named["StackName"].endswith("-network")
                assert named["OutputName"].startswith("PublishOutputRefSubnet")

"""Physical ids against CloudFormation's own schemas, as cfn-lint carries them."""

from __future__ import annotations

import re

import pytest

from ringfence.deployed.physical.agentcore import AGENTCORE
from ringfence.deployed.physical.ids import attribute, reference
from ringfence.deployed.physical.network import NETWORK
from ringfence.deployed.physical.platform import PLATFORM
from ringfence.deployed.physical.shapes import Naming, Shape
from ringfence.deployed.problems import UnresolvedTemplate
from tests.schemas import schema

TABLES = {**NETWORK, **PLATFORM, **AGENTCORE}
SCHEMATIC = sorted(kind for kind in TABLES if kind != "AWS::CDK::Metadata" and not kind.startswith("Custom::"))
# Attributes that AWS documents for Fn::GetAtt although the schema counts them as ordinary properties, or parts of one.
DOCUMENTED = {
    "AWS::EC2::VPC": {"CidrBlock"},
    "AWS::EC2::Subnet": {"AvailabilityZone", "CidrBlock", "VpcId"},
    "AWS::EC2::SecurityGroup": {"VpcId"},
}
NAMES = {"Name": "example", "AgentRuntimeName": "example_runtime", "Scope": "REGIONAL", "Domain": "example"}
NAMES |= {"LogGroupName": "/aws/bedrock-agentcore/runtimes/ringfence_auditor_iam-abcdefghij-DEFAULT"}
NAMES |= {"PolicyEngineId": "engine-abcdefghij", "GatewayIdentifier": "example-abcdefghij"}


def naming(kind: str, logical_id: str = "Thing") -> Naming:
    return Naming("stack", logical_id, kind, "111122223333", "eu-west-2", "aws", NAMES.get)


@pytest.mark.parametrize("kind", SCHEMATIC)
def test_attributes_are_those_cloudformation_offers(kind: str) -> None:
    offered = {
        path.removeprefix("/properties/").replace("/", ".") for path in schema(kind).get("readOnlyProperties", [])
    }
    assert set(TABLES[kind].attributes) <= offered | DOCUMENTED.get(kind, set())


def test_agentcore_ids_have_the_shape_the_service_gives() -> None:
    checked = set()
    for kind, shape in AGENTCORE.items():
        for name in shape.attributes:
            pattern = schema(kind)["properties"].get(name, {}).get("pattern")
            if pattern:
                value = attribute(naming(kind), name)
                assert re.fullmatch(pattern, value), f"{kind} {name}: {value} does not fit {pattern}"
                checked.add(f"{kind.rsplit('::', 1)[-1]}.{name}")
    assert checked >= {"Gateway.GatewayArn", "Gateway.GatewayIdentifier", "PolicyEngine.PolicyEngineId"}


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_ids_are_the_same_every_time_and_differ_between_resources(kind: str) -> None:
    shape: Shape = TABLES[kind]
    assert shape.ref(naming(kind)) == shape.ref(naming(kind))
    for maker in shape.attributes.values():
        assert maker(naming(kind)) is not None


def test_generated_ids_differ_between_resources() -> None:
    for kind in ("AWS::EC2::VPC", "AWS::KMS::Key", "AWS::IAM::Role", "AWS::BedrockAgentCore::Runtime"):
        assert reference(naming(kind, "One")) != reference(naming(kind, "Two"))


def test_ids_look_like_those_of_aws() -> None:
    assert re.fullmatch(r"eu-west-2_[A-Za-z0-9]{9}", reference(naming("AWS::Cognito::UserPool")))
    assert re.fullmatch(r"vpce-[0-9a-f]{17}", reference(naming("AWS::EC2::VPCEndpoint")))
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", reference(naming("AWS::KMS::Key")))
    assert re.fullmatch(r"example-[a-z]{10}", reference(naming("AWS::BedrockAgentCore::Gateway")))
    assert re.fullmatch(r"stack-Thing-[A-Z2-7]{12}", reference(naming("AWS::IAM::Role")))


@pytest.mark.parametrize("name", [None, "/ringfence/example/cloudtrail", "/aws/bedrock-agentcore/runtimes/x-DEFAULT"])
def test_the_custom_resource_is_the_log_group_of_a_runtime_and_nothing_else(name: str | None) -> None:
    given = Naming(
        "stack", "Log", "Custom::RuntimeLogGroup", "111122223333", "eu-west-2", "aws", {"LogGroupName": name}.get
    )
    with pytest.raises(UnresolvedTemplate, match=r"stack/Log: .* is not the log group of a runtime"):
        reference(given)
    with pytest.raises(UnresolvedTemplate, match="attribute Arn of Custom::RuntimeLogGroup is unknown"):
        attribute(naming("Custom::RuntimeLogGroup"), "Arn")


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(UnresolvedTemplate, match=r"stack/Thing: resource type AWS::Example::Thing is unknown"):
        reference(naming("AWS::Example::Thing"))


def test_an_unknown_attribute_is_named() -> None:
    with pytest.raises(UnresolvedTemplate, match=r"stack/Thing: attribute Colour of AWS::EC2::VPC is unknown"):
        attribute(naming("AWS::EC2::VPC"), "Colour")

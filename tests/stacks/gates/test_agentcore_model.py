"""Names, values and lengths in the template, against the model of AgentCore's own API.

CloudFormation's schema is wider than the API in places; a name that only the service refuses fails in the middle of a
deployment. The two differ in the first letter of each member.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.model import ServiceModel, Shape

INTRINSIC = {"Fn::GetAtt", "Fn::GetStackOutput", "Fn::ImportValue", "Fn::Join", "Fn::Sub", "Ref"}
# In CloudFormation but not in the create operation, or of another shape there.
ELSEWHERE = {"Runtime.ProtocolConfiguration"}
CREATES = {
    "Gateway": "CreateGateway",
    "GatewayRateLimit": "CreateGatewayRateLimit",
    "GatewayTarget": "CreateGatewayTarget",
    "Policy": "CreatePolicy",
    "PolicyEngine": "CreatePolicyEngine",
    "Runtime": "CreateAgentRuntime",
}


@pytest.fixture(scope="module")
def service() -> ServiceModel:
    loader = botocore.session.get_session().get_component("data_loader")
    return ServiceModel(loader.load_service_model("bedrock-agentcore-control", "service-2"))


def faults(service: ServiceModel, kind: str, properties: dict[str, Any]) -> list[str]:
    shape = service.operation_model(CREATES[kind]).input_shape
    compared = {key: value for key, value in properties.items() if f"{kind}.{key}" not in ELSEWHERE}
    return list(compare(shape, compared, kind))


def compare(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and set(value) & INTRINSIC:
        return  # known to CloudFormation only
    if shape.type_name == "structure":
        yield from compare_structure(shape, value, path)
        return
    if not isinstance(value, bool):
        size = value if isinstance(value, (int, float)) else len(value)
        low, high = shape.metadata.get("min", size), shape.metadata.get("max", size)
        if not low <= size <= high:
            yield f"{path}: {size} is outside {low} to {high}"
    if shape.type_name == "list":
        for item in value:
            yield from compare(shape.member, item, path)
    if shape.type_name == "string":
        if not re.fullmatch(shape.metadata.get("pattern", ".*"), value, re.DOTALL):
            yield f"{path}: {value!r} does not match {shape.metadata['pattern']}"
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value!r} is none of {shape.enum}"


def compare_structure(shape: Shape, value: dict[str, Any], path: str) -> Iterator[str]:
    members = {name[0].upper() + name[1:]: member for name, member in shape.members.items()}
    required = {name[0].upper() + name[1:] for name in shape.required_members}
    yield from (f"{path}: {name} is missing" for name in sorted(required - set(value)))
    for key, inner in value.items():
        if key in members:
            yield from compare(members[key], inner, f"{path}.{key}")
        else:
            yield f"{path}.{key}: the API knows no such member"


@pytest.mark.parametrize("kind", CREATES)
def test_agentcore_accepts_every_name_value_and_length(synthesised: Any, service: ServiceModel, kind: str) -> None:
    found = list(synthesised.resources(f"AWS::BedrockAgentCore::{kind}"))
    assert found
    wrong = [f"{resource}: {fault}" for resource in found for fault in faults(service, kind, resource.properties)]
    assert wrong == []


def test_the_comparison_finds_faults(service: ServiceModel) -> None:
    wrong = faults(service, "Gateway", {"Name": "two--hyphens", "Search": "on", "AuthorizerType": "X"})
    assert len(wrong) == 4, wrong

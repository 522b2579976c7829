"""What nothing knows of a template is refused by its name, before a proof is made or a rehearsal starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence import CannotGoOn
from ringfence.deployed.known import READ, reason_unread
from ringfence.deployed.physical.agentcore import AGENTCORE
from ringfence.deployed.physical.network import NETWORK
from ringfence.deployed.physical.platform import PLATFORM
from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.proofs.evidence import Evidence
from ringfence.rehearsal.template import read

ROOT = Path(__file__).resolve().parents[3]
Template = dict[str, Any]
# Types that no committed department has, with what their ids are made from.
ABSENT = {
    "AWS::EC2::SecurityGroupEgress": {},
    "AWS::IAM::Policy": {"PolicyName": "planted", "PolicyDocument": {}},
    "AWS::IAM::RolePolicy": {"PolicyName": "planted", "RoleName": "planted"},
    "AWS::Logs::QueryDefinition": {"Name": "planted", "QueryString": ""},
}
# Guardrails stand in an assembly of their own: test_guardrails.py.
ELSEWHERE = {"AWS::Organizations::Policy"}


@pytest.fixture
def planted(assemblies: dict[str, Any], tmp_path: Path) -> Callable[[Callable[[Template], str]], tuple[Path, str]]:
    """Plants something into the templates of production until it takes; gives the folder and what was changed."""

    def plant(change: Callable[[Template], str]) -> tuple[Path, str]:
        folder: Path = assemblies["example-production"].folder
        found = ""
        for path in sorted(folder.iterdir()):
            if path.name.endswith(".template.json") and not found:
                template = json.loads(path.read_text())
                found = change(template["Resources"])
                (tmp_path / path.name).write_text(json.dumps(template))
            else:
                (tmp_path / path.name).symlink_to(path)
        return tmp_path, found

    return plant


def is_known(kind: str) -> bool:
    return kind in READ or reason_unread(kind) is not None


def refused_by_both(folder: Path, *told: str) -> None:
    """Neither `prove` nor `rehearse` begins, and both name the same."""
    with pytest.raises(UnresolvedTemplate) as unproved:
        Evidence.load(folder, root=ROOT)
    with pytest.raises(CannotGoOn) as unplayed:
        read(folder)
    for each in (*told, "ringfence-example-production-", "ringfence/deployed/known.py"):
        assert each in str(unproved.value)
        assert each in unplayed.value.what
    assert unplayed.value.remedy


@pytest.mark.parametrize("kind", sorted(READ.keys() - ELSEWHERE))
def test_an_unknown_property_of_each_kind_of_resource_is_refused(kind: str, planted: Any) -> None:
    def change(resources: Template) -> str:
        if kind in ABSENT:
            resources["Planted"] = {"Type": kind, "Properties": dict(ABSENT[kind])}
        for logical_id, resource in resources.items():
            if resource["Type"] == kind:
                resource["Properties"]["PlantedProperty"] = True
                return logical_id
        return ""

    folder, logical_id = planted(change)

    assert logical_id
    refused_by_both(folder, logical_id, kind, "PlantedProperty is unknown")


@pytest.mark.parametrize("kind", sorted(ELSEWHERE))
def test_an_unknown_property_of_what_stands_elsewhere_is_refused_where_it_is_read(kind: str) -> None:
    assert READ[kind].unknown_in({"PlantedProperty": True}) == ["PlantedProperty"]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("AWS::BedrockAgentCore::Gateway", "ProtocolConfiguration.Mcp.Planted"),
        ("AWS::BedrockAgentCore::Gateway", "AuthorizerConfiguration.CustomJWTAuthorizer.CustomClaims.Planted"),
        ("AWS::BedrockAgentCore::GatewayTarget", "TargetConfiguration.Mcp.McpServer.Planted"),
        ("AWS::BedrockAgentCore::Runtime", "AgentRuntimeArtifact.CodeConfiguration.Code.S3.Planted"),
        ("AWS::BedrockAgentCore::Runtime", "AuthorizerConfiguration"),
        ("AWS::EC2::SecurityGroup", "SecurityGroupEgress.Planted"),
        ("AWS::Lambda::Function", "Layers"),
        ("AWS::Lambda::Function", "VpcConfig.Planted"),
        ("AWS::Cognito::UserPoolClient", "RefreshTokenRotation.Planted"),
    ],
)
def test_an_unknown_property_deep_inside_is_refused(kind: str, path: str, planted: Any) -> None:
    *way, last = path.split(".")

    def change(resources: Template) -> str:
        for logical_id, resource in resources.items():
            place: Any = resource["Properties"]
            for name in way:
                place = place.get(name, {}) if isinstance(place, dict) else {}
                place = place[0] if isinstance(place, list) and place else place
            if resource["Type"] == kind and (place or not way):
                place[last] = {}
                return logical_id
        return ""

    folder, logical_id = planted(change)

    assert logical_id
    refused_by_both(folder, logical_id, kind, f"{path} is unknown")


def test_an_unknown_type_is_refused(planted: Any) -> None:
    def change(resources: Template) -> str:
        resources["Planted"] = {"Type": "AWS::SQS::Queue", "Properties": {}}
        return "Planted"

    refused_by_both(planted(change)[0], "Planted", "AWS::SQS::Queue: nothing reads this type")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("AWS::BedrockAgentCore::GatewayTarget", "GatewayIdentifier"),
        ("AWS::BedrockAgentCore::Policy", "PolicyEngineId"),
    ],
)
def test_what_stands_at_a_gateway_or_engine_that_no_template_makes_is_refused(
    kind: str, name: str, planted: Any
) -> None:
    def change(resources: Template) -> str:
        for logical_id, resource in list(resources.items()):
            if resource["Type"] == kind:
                properties = {**resource["Properties"], name: "somebody-abcdefghij"}
                resources["Planted"] = {**resource, "Properties": properties}
                return logical_id
        return ""

    folder, _ = planted(change)

    refused(folder, rf"Planted: {kind}: property {name} is 'somebody-abcdefghij', which is none")


def refused(folder: Path, told: str) -> None:
    """Neither `prove` nor `rehearse` begins."""
    with pytest.raises(UnresolvedTemplate, match=told):
        Evidence.load(folder, root=ROOT)
    with pytest.raises(CannotGoOn, match=told):
        read(folder)


@pytest.mark.parametrize("suffix", ["", "/runtime-endpoint/OTHER"])
def test_a_policy_on_what_no_template_makes_is_refused(suffix: str, planted: Any) -> None:
    arn = f"arn:aws:bedrock-agentcore:eu-west-2:111122223333:runtime/somebody-abcdefghij{suffix}"

    def change(resources: Template) -> str:
        for resource in list(resources.values()):
            if resource["Type"] == "AWS::BedrockAgentCore::ResourcePolicy":
                resources["Planted"] = {**resource, "Properties": {**resource["Properties"], "ResourceArn": arn}}
                return "Planted"
        return ""

    refused(
        planted(change)[0], rf"Planted: AWS::.*: property ResourceArn is '{arn}', which is none of the department's"
    )


def test_a_second_policy_on_one_gateway_is_refused(planted: Any) -> None:
    """The account keeps the last that it is given, whatever the order in the template."""
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "bedrock-agentcore:InvokeGateway", "Resource": "*"}

    def change(resources: Template) -> str:
        for logical_id, resource in list(resources.items()):
            if resource["Type"] == "AWS::BedrockAgentCore::ResourcePolicy":
                policy = json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
                second = {"ResourceArn": resource["Properties"]["ResourceArn"], "Policy": policy}
                first = {"Type": resource["Type"], "DependsOn": [logical_id], "Properties": second}
                kept = dict(resources)
                resources.clear()
                resources.update({"Planted": first, **kept})
                return logical_id
        return ""

    folder, logical_id = planted(change)

    refused(folder, f"{logical_id}: AWS::BedrockAgentCore::ResourcePolicy: is a second policy on arn:aws:")


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("Policy", {"PolicyName": "planted", "Roles": ["SomebodyElse"]}),
        ("ManagedPolicy", {"Roles": ["SomebodyElse"]}),
        ("RolePolicy", {"PolicyName": "planted", "RoleName": "SomebodyElse"}),
    ],
)
def test_a_policy_for_a_role_that_no_template_makes_is_refused(kind: str, properties: Template, planted: Any) -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}

    def change(resources: Template) -> str:
        resources["Planted"] = {"Type": f"AWS::IAM::{kind}", "Properties": {"PolicyDocument": document, **properties}}
        return "Planted"

    refused(planted(change)[0], f"Planted: AWS::IAM::{kind}: is for the role 'SomebodyElse', which no template makes")


@pytest.mark.parametrize("kind", ["Client", "IdentityProvider", "ResourceServer"])
def test_what_belongs_to_another_pool_is_refused(kind: str, planted: Any) -> None:
    def change(resources: Template) -> str:
        required = {"Client": {}, "IdentityProvider": {"ProviderName": "x"}, "ResourceServer": {"Identifier": "x"}}
        if not any(each["Type"] == "AWS::Cognito::UserPool" for each in resources.values()):
            return ""
        properties = {"UserPoolId": "eu-west-2_abcdefghi", **required[kind]}
        resources["Planted"] = {"Type": f"AWS::Cognito::UserPool{kind}", "Properties": properties}
        return "Planted"

    with pytest.raises(CannotGoOn, match="UserPoolId is 'eu-west-2_abcdefghi', and not the department's pool"):
        read(planted(change)[0])


def test_a_type_is_read_or_named_with_a_reason(assemblies: dict[str, Any]) -> None:
    types = {each.type for made in assemblies.values() for each in made.resources()}

    assert [kind for kind in types if not is_known(kind)] == []


def test_no_type_has_ids_that_is_neither_read_nor_named() -> None:
    assert [kind for table in (AGENTCORE, NETWORK, PLATFORM) for kind in table if not is_known(kind)] == []


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("AWS::IAM::Role", ("AssumeRolePolicyDocument", "Statement", 0, "Principal", "AWS")),
        ("AWS::KMS::Key", ("KeyPolicy", "Statement", 0, "Principal", "AWS")),
        ("AWS::WAFv2::IPSet", ("Addresses", 0)),
    ],
)
def test_a_value_that_is_read_when_the_stack_is_deployed_is_refused(
    kind: str, path: tuple[Any, ...], planted: Any
) -> None:
    def change(resources: Template) -> str:
        for logical_id, resource in resources.items():
            if resource["Type"] == kind:
                place = resource["Properties"]
                for step in path[:-1]:
                    place = place[step]
                place[path[-1]] = "{{resolve:ssm:/somebody/elses}}"
                return logical_id
        return ""

    folder, logical_id = planted(change)

    for read_by in (lambda: Evidence.load(folder, root=ROOT), lambda: read(folder)):
        with pytest.raises(CannotGoOn) as refused:
            read_by()
        assert f"{logical_id}: '{{{{resolve:ssm:/somebody/elses}}}}' is read when the stack is deployed" in str(
            refused.value
        )

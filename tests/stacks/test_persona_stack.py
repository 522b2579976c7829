"""The persona stack as a whole: what holds across its parts, and between them and the catalogue."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.shown.published import published_definition
from ringfence.compilers import iam, rules
from ringfence.department.department import Department
from ringfence.iam.evaluator import Request, decide
from ringfence.reading import names

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"}]}
PERSONA = "auditor"
SERVERS = ("account-inspector", "cloudtrail", "cloudwatch", "iam")


@pytest.fixture
def template(synthesised: Any) -> dict[str, Any]:
    """The persona stack's template."""
    return synthesised.templates[PERSONA]


@pytest.fixture
def resources(template: dict[str, Any]) -> dict[str, Any]:
    """The persona stack's resources by logical id."""
    return template["Resources"]


@pytest.fixture
def department(synthesised: Any) -> Department:
    return synthesised.department


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: each for name, each in resources.items() if each["Type"] == kind}


def policies(resources: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every IAM, key and runtime policy in the template, with its resource's name."""
    for name, resource in resources.items():
        properties = resource["Properties"]
        documents = [properties.get(key) for key in ("PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy")]
        if resource["Type"] == "AWS::BedrockAgentCore::ResourcePolicy":
            documents.append(json.loads(properties["Policy"]["Fn::Sub"][0]))
        for document in filter(None, documents):
            for statement in document["Statement"]:
                yield name, statement


def words(name: str) -> str:
    return "".join(part.capitalize() for part in re.split("[_-]", name))


# --- what the template says, against what the catalogue says


@pytest.mark.parametrize("server", SERVERS)
def test_the_static_tool_list_is_what_governance_publishes(
    resources: dict[str, Any], catalogue: Catalogue, department: Department, server: str
) -> None:
    properties = resources[f"Auditor{words(server)}Target"]["Properties"]
    payload = properties["TargetConfiguration"]["Mcp"]["McpServer"]["McpToolSchema"]["InlinePayload"]
    granted = [tool for owner, tool in catalogue.granted(PERSONA, department) if owner.name == server]
    assert json.loads(payload) == {"tools": [published_definition(catalogue.servers[server], tool) for tool in granted]}
    assert properties["Name"] == server


def test_there_is_one_permit_for_each_granted_tool_and_no_other_policy(
    resources: dict[str, Any], catalogue: Catalogue, department: Department
) -> None:
    texts = {
        each["Properties"]["Definition"]["Cedar"]["Statement"]["Fn::Sub"][0]
        for each in of_type(resources, "AWS::BedrockAgentCore::Policy").values()
    }
    permitted = sorted(re.search(r'AgentCore::Action::"([^"]+)"', text)[1] for text in texts)
    granted = [names.published_tool(server.name, tool.name) for server, tool in catalogue.granted(PERSONA, department)]
    assert permitted == sorted(granted)
    assert len(of_type(resources, "AWS::BedrockAgentCore::Policy")) == len(granted)
    assert all('AgentCore::Gateway::"${GatewayArn}"' in text for text in texts)


def test_the_persona_role_has_the_compiled_policy_and_boundary(
    resources: dict[str, Any], catalogue: Catalogue, department: Department
) -> None:
    policy = resources["AuditorRolePolicy"]["Properties"]["PolicyDocument"]
    boundary = resources["AuditorRoleBoundary"]["Properties"]["PolicyDocument"]
    assert [policy] == iam.persona_policies(catalogue, department, PERSONA)
    assert boundary == iam.persona_boundary(catalogue, department, PERSONA)
    assert resources["AuditorRole"]["Properties"]["RoleName"] == f"ringfence-{department.name}-auditor"


@pytest.mark.parametrize("server", SERVERS)
def test_each_runtime_tells_a_reviewer_who_can_do_what(
    resources: dict[str, Any], catalogue: Catalogue, department: Department, server: str
) -> None:
    shown = resources[f"Auditor{words(server)}Runtime"]["Metadata"]["ringfence:tools"]
    granted = {tool.name: tool for owner, tool in catalogue.granted(PERSONA, department) if owner.name == server}
    assert set(shown) == set(granted)
    for name, entry in shown.items():
        assert entry["level"] == granted[name].level
        assert set(entry["actions"]) == {action for grant in granted[name].grants for action in grant.actions}


def test_the_zips_carry_the_compiled_rules(
    resources: dict[str, Any], synthesised: Any, catalogue: Catalogue, department: Department
) -> None:
    assembly = synthesised.folder
    compiled = rules.interceptor_rules(catalogue, department, PERSONA)
    for half in ("Request", "Response"):
        key = resources[f"AuditorInterceptor{half}Function"]["Properties"]["Code"]["S3Key"]
        assert read(assembly, key, "rules.json") == rules.to_json(compiled)
    for server in SERVERS:
        code = resources[f"Auditor{words(server)}Runtime"]["Properties"]["AgentRuntimeArtifact"]["CodeConfiguration"]
        compiled = rules.runtime_rules(catalogue, department, PERSONA, server)
        assert read(assembly, code["Code"]["S3"]["Prefix"], "runtime.json") == rules.to_json(compiled)


def read(assembly: Path, key: str, name: str) -> bytes:
    with zipfile.ZipFile(assembly / f"asset.{key}") as archive:
        return archive.read(name)


# --- locks between the parts


@pytest.mark.parametrize("server", SERVERS)
def test_the_way_to_a_runtime_opens_when_every_guard_stands(resources: dict[str, Any], server: str) -> None:
    word = words(server)
    assert set(resources[f"Auditor{word}Target"]["DependsOn"]) == {
        "AuditorDoorAssociation",
        "AuditorDoorCallers",
        "AuditorGatewayServiceInvokePolicy",
        f"Auditor{word}RuntimeLog",
        f"Auditor{word}SoleInvokerOnEndpoint",
        f"Auditor{word}SoleInvokerOnRuntime",
    }


@pytest.mark.parametrize("server", SERVERS)
def test_each_runtime_admits_the_role_that_the_gateway_works_as(resources: dict[str, Any], server: str) -> None:
    gateway_role = resources["AuditorGateway"]["Properties"]["RoleArn"]
    for place in ("Runtime", "Endpoint"):
        policy = resources[f"Auditor{words(server)}SoleInvokerOn{place}"]["Properties"]["Policy"]["Fn::Sub"]
        assert policy[1]["GatewayRoleArn"] == gateway_role == {"Fn::GetAtt": ["AuditorGatewayServiceRole", "Arn"]}


def test_nobody_but_its_runtimes_can_take_the_persona_role(
    resources: dict[str, Any], department: Department, catalogue: Catalogue
) -> None:
    """Whatever their own policies allow: to name and to tag a session is of no use to who cannot begin one."""
    runtimes = [
        each["Properties"]["RoleArn"]["Fn::GetAtt"][0]
        for each in of_type(resources, "AWS::BedrockAgentCore::Runtime").values()
    ]
    assert len(runtimes) == len(SERVERS)
    text = json.dumps(resources["AuditorRole"]["Properties"]["AssumeRolePolicyDocument"])
    trust = json.loads(re.sub(r'\{"Fn::GetAtt": \["(\w+)", "Arn"\]\}', r'"arn:aws:iam::111122223333:role/\1"', text))
    tags = {"call": "c", "department": department.name, "persona": PERSONA, "tool": "t"}
    context = {
        "sts:SourceIdentity": "A1234",
        "aws:TagKeys": list(tags),
        **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
    }
    for who, may in {
        **dict.fromkeys(runtimes, True),
        "AuditorInterceptorRequestFunctionRole": False,
        "Admin": False,
    }.items():
        decided = [
            decide(
                Request(f"arn:aws:iam::111122223333:role/{who}", action, "arn:aws:iam::111122223333:role/x", context),
                {"identity": [EVERYTHING], "trust": [trust]},
            ).allowed
            for action in ("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession")
        ]
        assert all(decided) is may, who
        assert decided[0] is may, who


def test_runtimes_ask_for_the_role_by_the_name_it_has(resources: dict[str, Any]) -> None:
    name = resources["AuditorRole"]["Properties"]["RoleName"]
    for runtime in of_type(resources, "AWS::BedrockAgentCore::Runtime").values():
        arn = runtime["Properties"]["EnvironmentVariables"]["RINGFENCE_PERSONA_ROLE_ARN"]
        assert arn == f"arn:aws:iam::111122223333:role/{name}"


def test_the_token_key_admits_the_request_interceptor_and_the_runtimes(resources: dict[str, Any]) -> None:
    policy = {each["Sid"]: each for each in resources["AuditorTxnTokenKey"]["Properties"]["KeyPolicy"]["Statement"]}
    function = resources["AuditorInterceptorRequestFunction"]["Properties"]["Role"]
    assert policy["AllowSignByRequestInterceptor"]["Condition"]["ArnEquals"] == {"aws:PrincipalArn": function}
    runtimes = of_type(resources, "AWS::BedrockAgentCore::Runtime").values()
    roles = [runtime["Properties"]["RoleArn"] for runtime in runtimes]
    assert policy["AllowGetPublicKeyByRuntimes"]["Condition"] == {"ArnEquals": {"aws:PrincipalArn": roles}}


# --- nothing is open to all


def test_no_statement_allows_everybody(resources: dict[str, Any]) -> None:
    for name, statement in policies(resources):
        if name == "AuditorDoorCallers":
            # Beside a token AgentCore takes no other principal; a network stands for it.
            assert set(statement["Condition"]) <= {"IpAddress", "NotIpAddress", "ArnNotEquals"}
        elif statement["Effect"] == "Allow":
            assert statement.get("Principal") not in ("*", {"AWS": "*"}), f"{name}: {statement}"


def test_every_statement_has_a_name(resources: dict[str, Any]) -> None:
    assert all(re.fullmatch("[A-Za-z0-9]+", statement.get("Sid", "")) for _, statement in policies(resources))


def test_every_role_is_bounded(resources: dict[str, Any]) -> None:
    roles = of_type(resources, "AWS::IAM::Role")
    assert len(roles) == 2 + len(SERVERS) + 1 + 1  # interceptors, runtimes, gateway, persona
    assert all("PermissionsBoundary" in role["Properties"] for role in roles.values())


def test_every_log_group_is_kept_two_years_under_the_departments_key(resources: dict[str, Any]) -> None:
    outputs = of_type(resources, "Custom::RuntimeLogGroup")
    assert len(outputs) == len(SERVERS)
    groups = of_type(resources, "AWS::Logs::LogGroup")
    assert len(groups) == 2 + 1 + 1  # interceptors, web ACL, call log
    groups |= outputs
    for name, group in groups.items():
        assert group["Properties"]["RetentionInDays"] == 731, name
        assert "KmsKeyId" in group["Properties"], name


def test_runtimes_record_their_calls_in_one_log_group_that_is_there_before_them(
    resources: dict[str, Any], department: Department
) -> None:
    group = f"/ringfence/{department.name}/calls/auditor"
    assert resources["AuditorCalls"]["Properties"]["LogGroupName"] == group
    for name, runtime in of_type(resources, "AWS::BedrockAgentCore::Runtime").items():
        environment = runtime["Properties"]["EnvironmentVariables"]
        assert environment["RINGFENCE_CALL_LOG_GROUP"] == group, name
        assert "AuditorCalls" in runtime["DependsOn"], name


def test_the_stack_tells_hosts_where_to_connect(template: dict[str, Any]) -> None:
    assert template["Outputs"]["GatewayUrl"]["Value"] == {"Fn::GetAtt": ["AuditorGateway", "GatewayUrl"]}

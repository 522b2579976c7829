"""What the gateway's policy engine would permit, decided by Cedar itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cedarpy
import pytest

from ringfence.catalogue.catalogue import Catalogue, load_catalogue
from ringfence.catalogue.shown.published import published_definition
from ringfence.cedar import schema as cedar_schema
from ringfence.compilers import cedar
from ringfence.department.department import Department, load_department
from ringfence.reading.problems import ProblemsFound

ROOT = Path(__file__).resolve().parents[3]
GATEWAY = "arn:aws:bedrock-agentcore:eu-west-2:111122223333:gateway/ringfence-example-auditor-a1b2c3d4e5"
URL = "https://ringfence-example-auditor-a1b2c3d4e5.gateway.bedrock-agentcore.eu-west-2.amazonaws.com/mcp"


def policies(catalogue: Catalogue, department: Department) -> str:
    return "\n".join(policy.text for policy in cedar.permit_statements(catalogue, department, "auditor", GATEWAY, URL))


def schema_for(catalogue: Catalogue, department: Department) -> str:
    """Returns the Cedar schema that AWS's generator makes of the auditor's tools."""
    granted = catalogue.granted("auditor", department)
    return json.dumps(
        cedar_schema.schema_of(
            {
                f"{server.name}___{tool.name}": published_definition(server, tool)["inputSchema"]
                for server, tool in granted
            }
        )
    )


def permitted(
    text: str,
    action: str,
    arguments: dict[str, Any],
    *,
    groups: str | None = '["auditor"]',
    audience: str | None = None,
    gateway: str = GATEWAY,
    principal: str = "OAuthUser",
) -> bool:
    """Returns whether Cedar says Allow; an error or no decision is a refusal."""
    tags = {} if groups is None else {cedar.GROUPS_CLAIM: groups}
    tags |= {} if audience is None else {"aud": audience}
    entity = {"uid": {"type": f"AgentCore::{principal}", "id": "u"}, "attrs": {}, "parents": [], "tags": tags}
    request = {
        "principal": f'AgentCore::{principal}::"u"',
        "action": f'AgentCore::Action::"{action}"',
        "resource": f'AgentCore::Gateway::"{gateway}"',
        "context": {"input": arguments},
    }
    return cedarpy.is_authorized(request, text, [entity]).decision == cedarpy.Decision.Allow


def test_the_permits_pass_cedars_validator(catalogue: Catalogue, department: Department) -> None:
    schema = schema_for(catalogue, department)
    result = cedarpy.validate_policies(policies(catalogue, department), schema)
    assert result.validation_passed, [error.error for error in result.errors]


def test_the_validator_would_notice_a_missing_guard(catalogue: Catalogue, department: Department) -> None:
    text = policies(catalogue, department)
    schema = schema_for(catalogue, department)
    for guard in ("context.input has region &&", 'principal.hasTag("cognito:groups") &&'):
        assert guard in text
        assert not cedarpy.validate_policies(text.replace(guard, "true &&"), schema).validation_passed


def test_a_policy_for_a_tool_that_the_gateway_does_not_have_fails_validation(
    catalogue: Catalogue, department: Department
) -> None:
    text = policies(catalogue, department).replace("iam___list_users", "iam___create_user")
    schema = schema_for(catalogue, department)
    assert not cedarpy.validate_policies(text, schema).validation_passed


def test_there_is_one_permit_for_each_granted_tool(catalogue: Catalogue, department: Department) -> None:
    made = cedar.permit_statements(catalogue, department, "auditor", GATEWAY, URL)
    assert [policy.tool for policy in made] == [
        "cloudwatch___advise",
        "cloudwatch___batch",
        "cloudwatch___query",
        "iam___get_policy",
        "iam___list_users",
    ]
    assert len({policy.name for policy in made}) == len(made)
    assert all(cedar.SHORTEST <= len(policy.text) <= cedar.LONGEST for policy in made)
    assert all(policy.text.startswith("permit(") for policy in made)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ('["auditor"]', True),
        ('["staff","auditor"]', True),
        ('["staff", "auditor", "other"]', True),
        ('["NonAuditor"]', False),
        ('["nonauditor"]', False),
        ('["auditor2"]', False),
        ('["Auditor"]', False),
        ('["operator"]', False),
        ("auditor", False),
        ("[auditor]", False),
        ("[]", False),
        ("", False),
        (None, False),
    ],
)
def test_only_a_holder_of_the_personas_group_may_call(
    catalogue: Catalogue, department: Department, groups: str | None, expected: bool
) -> None:
    assert permitted(policies(catalogue, department), "iam___list_users", {}, groups=groups) is expected


@pytest.mark.parametrize(
    ("action", "arguments", "expected"),
    [
        ("cloudwatch___query", {"query": "x", "region": "eu-west-2"}, True),
        ("cloudwatch___query", {"query": "x", "region": "us-east-1"}, False),
        ("cloudwatch___query", {"query": "x", "region": "eu-west-2 "}, False),
        ("cloudwatch___query", {"query": "x", "region": ["eu-west-2"]}, False),
        ("cloudwatch___query", {"query": "x"}, False),
        ("cloudwatch___query", {"query": "x", "region": "eu-west-2", "order": "asc"}, True),
        ("cloudwatch___query", {"query": "x", "region": "eu-west-2", "order": "sideways"}, False),
        ("cloudwatch___batch", {"regions": ["eu-west-2"]}, True),
        ("cloudwatch___batch", {"regions": ["eu-west-2", "us-east-1"]}, False),
        ("cloudwatch___batch", {"regions": []}, False),
        ("cloudwatch___batch", {"regions": "eu-west-2"}, False),
        ("cloudwatch___batch", {}, False),
        ("cloudwatch___advise", {}, True),
        ("iam___create_user", {"user_name": "x"}, False),
        ("iam___unheard_of", {}, False),
        ("iam", {}, False),
        ("CallTool", {}, False),
    ],
)
def test_only_granted_tools_with_their_forced_arguments_are_permitted(
    catalogue: Catalogue, department: Department, action: str, arguments: dict[str, Any], expected: bool
) -> None:
    assert permitted(policies(catalogue, department), action, arguments) is expected


def test_another_gateway_and_another_kind_of_principal_are_refused(
    catalogue: Catalogue, department: Department
) -> None:
    text = policies(catalogue, department)
    assert not permitted(text, "iam___list_users", {}, gateway=f"{GATEWAY}x")
    assert not permitted(text, "iam___list_users", {}, principal="IamEntity")


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        (None, True),
        (URL, True),
        (URL.replace("auditor", "operator"), False),
        (f"{URL}/", False),
        (URL.removesuffix("/mcp"), False),
        (f'["{URL}"]', False),
        ("", False),
    ],
)
def test_a_token_that_names_an_audience_must_name_this_gateway(
    catalogue: Catalogue, department: Department, audience: str | None, expected: bool
) -> None:
    assert permitted(policies(catalogue, department), "iam___list_users", {}, audience=audience) is expected


def test_every_granted_tool_of_the_real_auditor_is_permitted_to_auditors_only() -> None:
    catalogue = load_catalogue(ROOT / "catalogue")
    department = load_department("example-production", catalogue=catalogue, root=ROOT / "departments")
    text = policies(catalogue, department)
    granted = {f"{server.name}___{tool.name}": tool.forced for server, tool in catalogue.granted("auditor", department)}
    everything = {f"{server.name}___{tool}" for server in catalogue.servers.values() for tool in server.tools}
    assert len(everything) > len(granted)
    for action in everything:
        assert permitted(text, action, granted.get(action, {"region": "eu-west-2"})) is (action in granted), action
        assert not permitted(text, action, granted.get(action, {}), groups='["operator"]')


def test_an_argument_whose_name_is_no_word_is_quoted(catalogue: Catalogue) -> None:
    assert cedar._access("region") == ".region"
    assert cedar._access("like") == '["like"]'
    assert cedar._access("max-items") == '["max-items"]'


def test_a_statement_longer_than_the_service_accepts_is_refused(catalogue_root: Path, department: Department) -> None:
    path = catalogue_root / "servers/cloudwatch/server.toml"
    many = ", ".join(f'"{"x" * 90}{index}"' for index in range(120))
    path.write_text(path.read_text(encoding="utf-8").replace('"asc", "desc"', many), encoding="utf-8")
    with pytest.raises(ProblemsFound, match="35 to 10000"):
        cedar.permit_statements(load_catalogue(catalogue_root), department, "auditor", GATEWAY, URL)


def refusal(catalogue: Catalogue, department: Department) -> str:
    with pytest.raises(ProblemsFound) as found:
        cedar.permit_statements(catalogue, department, "auditor", GATEWAY, URL)
    return str(found.value)


def test_an_enum_that_a_permit_compares_is_refused_with_the_tool_and_cedars_words(
    catalogue: Catalogue, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_enum(server: Any, tool: Any) -> dict[str, Any]:
        definition = published_definition(server, tool)
        for part in definition["inputSchema"]["properties"].values():
            if "const" in part and part["type"] == "string":
                part["enum"] = [part.pop("const")]
        return definition

    monkeypatch.setattr(cedar, "published_definition", with_enum)
    told = refusal(catalogue, department)
    assert "cloudwatch___query" in told
    assert "the types String and AgentCore::cloudwatch___query" in told
    assert "iam___list_users" not in told


def test_all_permits_of_a_gateway_together_and_the_schema_of_its_tools_must_fit(
    catalogue: Catalogue, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cedar, "LARGEST_SET", 1500)
    assert "The policies of one gateway have at most 1500 bytes together." in refusal(catalogue, department)
    monkeypatch.setattr(cedar, "LARGEST_SCHEMA", 1000)
    told = refusal(catalogue, department)
    assert "2 problems" in told
    assert "The schema of one gateway's tools has at most 1000 bytes." in told


def test_a_tool_whose_argument_is_no_word_of_cedars_is_named(
    catalogue: Catalogue, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_hyphen(server: Any, tool: Any) -> dict[str, Any]:
        definition = published_definition(server, tool)
        if tool.name == "advise":
            definition["inputSchema"]["properties"]["max-items"] = {"type": "integer"}
        return definition

    monkeypatch.setattr(cedar, "published_definition", with_a_hyphen)
    told = refusal(catalogue, department)
    assert "cloudwatch___advise: Error adding tools" in told
    assert "The policy engine cannot express this tool." in told

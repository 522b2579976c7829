"""Every permit of every department, held to the schema that AWS's own generator makes of what the template publishes.

Nothing of ours stands between: the tools are the targets' inline payloads and the policies the template's statements.
But for one thing: the generator, unlike the service, refuses a hyphen in a tool's name, and gets `_` for it in both.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import cedar_mcp_schema_generator as generator
import cedarpy
import pytest

DEPARTMENTS = ("example-production", "example-sandbox", "longest")
STUB = """
namespace AgentCore {
  @mcp_principal
  entity OAuthUser tags String;
  @mcp_resource
  entity Gateway;
}
"""
# The developer guide's table has records for objects and decimals for numbers, its type names are flat. What the
# service would also do with the generator is tried as well: names in namespaces of their own, and whatever it
# does when it is told nothing.
LIKELY = {"objectsAsRecords": True, "numbersAsDecimal": True, "flattenNamespaces": True, "eraseAnnotations": True}
SETTINGS = {
    "likely": LIKELY,
    "annotated": {**LIKELY, "eraseAnnotations": False},
    "nested": {**LIKELY, "flattenNamespaces": False},
    "deduplicated": {**LIKELY, "deduplicateEntityTypes": True},
    "entities": {**LIKELY, "objectsAsRecords": False},
    "floats": {**LIKELY, "numbersAsDecimal": False},
    "default": None,
}


@pytest.fixture(params=DEPARTMENTS)
def department(request: pytest.FixtureRequest, assemblies: dict[str, Any]) -> Any:
    if request.param == "longest":
        return request.getfixturevalue("longest")
    return assemblies[request.param]


def tools_of(department: Any, persona: str) -> list[dict[str, Any]]:
    targets = [each for each in department.resources("AWS::BedrockAgentCore::GatewayTarget") if each.stack == persona]
    return [
        {**tool, "name": f"{target.properties['Name']}___{tool['name']}".replace("-", "_")}
        for target in targets
        for tool in json.loads(
            target.properties["TargetConfiguration"]["Mcp"]["McpServer"]["McpToolSchema"]["InlinePayload"]
        )["tools"]
    ]


def permits_of(department: Any, persona: str) -> list[str]:
    arn = "arn:aws:bedrock-agentcore:eu-west-2:111122223333:gateway/g-a1b2c3d4e5"
    texts = [
        each.properties["Definition"]["Cedar"]["Statement"]["Fn::Sub"][0]
        for each in department.resources("AWS::BedrockAgentCore::Policy")
        if each.stack == persona
    ]
    return [
        re.sub(r'Action::"[^"]*"', lambda found: found[0].replace("-", "_"), text).replace("${GatewayArn}", arn)
        for text in texts
    ]


def findings(tools: list[dict[str, Any]], permits: list[str], settings: dict[str, Any] | None) -> list[str]:
    made = generator.generate_schema(STUB, tools, config=settings)
    assert made["isOk"], made["error"]
    return [str(each.error) for each in cedarpy.validate_policies("\n".join(permits), made["schemaJson"]).errors]


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_permit_fits_the_schema_that_aws_makes_of_the_published_tools(department: Any, settings: str) -> None:
    for persona in department.department.personas:
        tools, permits = tools_of(department, persona), permits_of(department, persona)
        assert len(permits) == len(tools) > 0
        assert findings(tools, permits, SETTINGS[settings]) == [], persona


def test_no_published_tool_refers_to_a_definition(department: Any) -> None:
    for persona in department.department.personas:
        assert "$ref" not in json.dumps(tools_of(department, persona))


def test_an_enum_in_place_of_a_pattern_or_a_constant_is_found(assemblies: dict[str, Any]) -> None:
    """The fault that this file is for: a text with a list of values is an entity to the service, and equals no text."""
    department = assemblies["example-sandbox"]
    for persona in department.department.personas:
        tools, permits = tools_of(department, persona), permits_of(department, persona)
        for tool in tools:
            for part in tool["inputSchema"]["properties"].values():
                if part.get("type") == "string" and (
                    "const" in part or str(part.get("pattern", "")).startswith("^(?:")
                ):
                    part.pop("pattern", None)
                    part["enum"] = [part.pop("const", "a")]
        told = "\n".join(findings(tools, permits, LIKELY))
        assert "the types String and AgentCore::" in told, persona


def test_cedar_decides_on_a_value_that_the_published_schema_admits_and_on_none_other(
    assemblies: dict[str, Any],
) -> None:
    """The pattern and the permit say the same: each value the pattern admits is permitted, and its neighbours not."""
    department = assemblies["example-sandbox"]
    tools, permits = tools_of(department, "developer"), permits_of(department, "developer")
    tried = 0
    for tool, text in itertools.product(tools, permits):
        part = tool["inputSchema"]["properties"].get("operation", {})
        if f'"{tool["name"]}"' not in text or not str(part.get("pattern", "")).startswith("^(?:"):
            continue
        values = part["pattern"].removeprefix("^(?:").removesuffix(")$").split("|")
        for value, allowed in [(values[0], True), (values[-1], True), (f"{values[0]}x", False)]:
            entity = {
                "uid": {"type": "AgentCore::OAuthUser", "id": "u"},
                "attrs": {},
                "parents": [],
                "tags": {"cognito:groups": '["developer"]'},
            }
            forced = {
                name: each["const"] for name, each in tool["inputSchema"]["properties"].items() if "const" in each
            }
            request = {
                "principal": 'AgentCore::OAuthUser::"u"',
                "action": f'AgentCore::Action::"{tool["name"]}"',
                "resource": (
                    'AgentCore::Gateway::"arn:aws:bedrock-agentcore:eu-west-2:111122223333:gateway/g-a1b2c3d4e5"'
                ),
                "context": {"input": {**forced, "operation": value}},
            }
            answer = cedarpy.is_authorized(request, text, [entity])
            assert (answer.decision == cedarpy.Decision.Allow) is allowed, (
                tool["name"],
                value,
                answer.diagnostics.errors,
            )
            tried += 1
    assert tried > 20

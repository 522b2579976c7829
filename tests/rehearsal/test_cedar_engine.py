"""The emulated policy engine: the service's schema, default deny, validation that names the policy."""

from __future__ import annotations

import pytest

from rehearsal.cedar_engine import CedarEngine, input_of, schema_of, tags_of
from rehearsal.problems import CannotStart

GATEWAY = "arn:aws:bedrock-agentcore:eu-west-2:111122223333:gateway/g-abc"
TOOLS = [
    {"name": "iam___list_users", "inputSchema": {"type": "object", "properties": {"max_items": {"type": "integer"}}}},
    {
        "name": "cloudwatch___get_active_alarms",
        "inputSchema": {
            "type": "object",
            "properties": {
                "region": {"enum": ["eu-west-2"], "default": "eu-west-2"},
                "share": {"anyOf": [{"type": "number"}, {"type": "null"}]},
                "names": {"type": "array", "items": {"type": "string"}},
                "either": {"anyOf": [{"type": "number"}, {"type": "string"}]},
                "where": {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]},
            },
        },
    },
]
AUDITOR = {"sub": "u1", "cognito:groups": ["auditor"], "scope": "ringfence/auditor", "exp": 1}


def permit(tool: str, condition: str) -> str:
    return (
        f'permit(principal is AgentCore::OAuthUser, action == AgentCore::Action::"{tool}", '
        f'resource == AgentCore::Gateway::"{GATEWAY}") when {{ {condition} }};'
    )


GROUP = 'principal.hasTag("cognito:groups") && principal.getTag("cognito:groups") like "*\\"auditor\\"*"'
LIST = permit("iam___list_users", GROUP)
ALARMS = permit(
    "cloudwatch___get_active_alarms", f'{GROUP} && context.input has region && context.input.region == "eu-west-2"'
)


def engine(**policies: str) -> CedarEngine:
    return CedarEngine(gateway_arn=GATEWAY, tools=TOOLS, policies=policies or {"list": LIST, "alarms": ALARMS})


def test_a_permit_allows_and_is_named():
    verdict = engine().decide(claims=AUDITOR, tool="iam___list_users", arguments={"max_items": 3})
    assert verdict.allowed
    assert verdict.policies == ("list",)


@pytest.mark.parametrize(
    ("claims", "tool", "arguments"),
    [
        ({**AUDITOR, "cognito:groups": ["nonauditor"]}, "iam___list_users", {}),
        ({"sub": "u1"}, "iam___list_users", {}),
        (AUDITOR, "iam___create_user", {}),
        (AUDITOR, "cloudwatch___get_active_alarms", {}),
        (AUDITOR, "cloudwatch___get_active_alarms", {"region": "us-east-1"}),
        (AUDITOR, "iam___list_users", {"max_items": "three"}),
        (AUDITOR, "iam___list_users", {"unknown": 1}),
    ],
)
def test_everything_else_is_denied(claims, tool, arguments):
    assert not engine().decide(claims=claims, tool=tool, arguments=arguments).allowed


def test_forbid_wins():
    forbid = LIST.replace("permit(", "forbid(")
    verdict = engine(list=LIST, never=forbid).decide(claims=AUDITOR, tool="iam___list_users", arguments={})
    assert not verdict.allowed
    assert verdict.policies == ("never",)


def test_a_tool_is_listed_when_some_arguments_would_be_allowed():
    assert engine().listed(claims=AUDITOR) == {"iam___list_users", "cloudwatch___get_active_alarms"}
    assert engine(list=LIST).listed(claims=AUDITOR) == {"iam___list_users"}
    assert engine().listed(claims={"sub": "u1", "cognito:groups": ["operator"]}) == frozenset()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LIST.replace("list_users", "list_usrs"), "unrecognized action"),
        (permit("iam___list_users", 'principal.department == "ops"'), "department"),
        (permit("iam___list_users", 'principal.getTag("scope") like "*"'), "tag"),
        (permit("cloudwatch___get_active_alarms", 'context.input.region == "eu-west-2"'), "region"),
        ("permit(", "parse"),
        (LIST + LIST, "exactly one"),
    ],
)
def test_a_policy_the_service_would_refuse_stops_the_start_and_is_named(text, told):
    with pytest.raises(CannotStart, match="broken") as stopped:
        engine(fine=ALARMS, broken=text)
    assert told in str(stopped.value)


def test_claims_become_text():
    assert tags_of({"a": "x", "b": ["p", "q"], "c": 3}) == {"a": "x", "b": '["p","q"]', "c": "3"}


def test_arguments_become_what_cedar_has():
    schema = TOOLS[1]["inputSchema"]
    converted = input_of({"share": 0.25, "names": ["a"], "region": None, "either": "x", "where": {"zone": "a"}}, schema)
    assert converted == {
        "share": {"__extn": {"fn": "decimal", "arg": "0.2500"}},
        "names": ["a"],
        "where": {"zone": "a"},
    }
    arguments = schema_of({"t": schema})["AgentCore"]["actions"]["t"]["appliesTo"]["context"]["attributes"]["input"]
    assert "either" not in arguments["attributes"], "a union has no Cedar type"
    verdict = engine().decide(
        claims=AUDITOR,
        tool="cloudwatch___get_active_alarms",
        arguments={"region": "eu-west-2", "share": 1, "names": [], "where": {"zone": "a"}},
    )
    assert verdict.allowed, verdict.errors

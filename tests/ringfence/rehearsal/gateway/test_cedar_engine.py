"""The emulated policy engine: the service's schema, default deny, validation that names the policy."""

from __future__ import annotations

import pytest

from ringfence.cedar.engine import CedarEngine, InvalidCedar, tags_of
from ringfence.cedar.schema import schema_of
from ringfence.cedar.values import Misfit, Types

GATEWAY = "arn:aws:bedrock-agentcore:eu-west-2:111122223333:gateway/g-abc"
TOOLS = [
    {"name": "iam___list_users", "inputSchema": {"type": "object", "properties": {"max_items": {"type": "integer"}}}},
    {
        "name": "cloudwatch___get_active_alarms",
        "inputSchema": {
            "type": "object",
            "properties": {
                "region": {"type": "string", "const": "eu-west-2", "default": "eu-west-2"},
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
    with pytest.raises(InvalidCedar, match="broken") as stopped:
        engine(fine=ALARMS, broken=text)
    assert told in str(stopped.value)


def test_claims_become_text():
    assert tags_of({"a": "x", "b": ["p", "q"], "c": 3}) == {"a": "x", "b": '["p","q"]', "c": "3"}


KINDS = {
    "share": {"anyOf": [{"type": "number"}, {"type": "null"}]},
    "names": {"type": "array", "items": {"type": "string"}},
    "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    "where": {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]},
    "order": {"type": "string", "enum": ["asc", "desc"]},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "since": {"type": "string", "format": "date-time"},
    "count": {"type": "integer"},
    "anything": {},
}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("share", 0.25, {"typeChoice0": {"__extn": {"fn": "decimal", "arg": "0.2500"}}}),
        ("names", ["a"], ["a"]),
        ("either", "x", {"typeChoice1": "x"}),
        ("either", 3, {"typeChoice0": 3}),
        ("where", {"zone": "a", "more": 1}, {"zone": "a"}),
        ("order", "asc", {"__entity": {"type": "AgentCore::t_Input_order", "id": "asc"}}),
        ("since", "2026-11-28T00:00:00Z", {"__extn": {"fn": "datetime", "arg": "2026-11-28T00:00:00Z"}}),
    ],
)
def test_arguments_become_what_the_schema_has_for_them(name, value, expected):
    schema = schema_of({"t": {"type": "object", "properties": KINDS}})
    assert Types(schema).arguments("t", {name: value}) == {name: expected}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("share", None),
        ("labels", {"a": "b"}),
        ("anything", [1]),
        ("either", "x"),
        ("order", "desc"),
        ("names", []),
        ("since", "2026-11-28T00:00:00Z"),
    ],
)
def test_whatever_fits_its_type_is_decided_by_the_policies(name, value):
    tools = [{"name": "x___t", "inputSchema": {"type": "object", "properties": KINDS}}]
    decided = CedarEngine(gateway_arn=GATEWAY, tools=tools, policies={"t": permit("x___t", GROUP)})
    verdict = decided.decide(claims=AUDITOR, tool="x___t", arguments={name: value})
    assert verdict.allowed, verdict.errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("share", "much"),
        ("names", "a"),
        ("names", [1]),
        ("either", True),
        ("where", {}),
        ("where", {"zone": 1}),
        ("order", "sideways"),
        ("labels", "a"),
        ("count", None),
        ("count", True),
        ("since", 5),
        ("unheard_of", 1),
    ],
)
def test_what_does_not_fit_its_type_is_denied(name, value):
    tools = [{"name": "x___t", "inputSchema": {"type": "object", "properties": KINDS}}]
    with pytest.raises(Misfit):
        Types(schema_of({"x___t": tools[0]["inputSchema"]})).arguments("x___t", {name: value})
    decided = CedarEngine(gateway_arn=GATEWAY, tools=tools, policies={"t": permit("x___t", GROUP)})
    assert not decided.decide(claims=AUDITOR, tool="x___t", arguments={name: value}).allowed
    assert decided.allowed(claims=AUDITOR, calls=[("x___t", {name: value}), ("x___t", {})]) == [False, True]


def test_a_tool_that_cedar_cannot_express_stops_the_start():
    tools = [{"name": "x___t", "inputSchema": {"type": "object", "properties": {"max-items": {"type": "integer"}}}}]
    with pytest.raises(InvalidCedar, match="x___t"):
        CedarEngine(gateway_arn=GATEWAY, tools=tools, policies={})

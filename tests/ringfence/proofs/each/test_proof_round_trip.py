"""Proof 8: what templates and zips hold, read back, is the catalogue; and the differences it finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.proofs.definitions import faults
from ringfence.proofs.each import round_trip
from ringfence.proofs.each.round_trip import read_back
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.findings import Outcome

Planted = Callable[..., Evidence]
Rules = dict[str, Any]
REQUEST, RESPONSE = "AuditorInterceptorRequestFunction", "AuditorInterceptorResponseFunction"
RUNTIME = "AuditorIamRuntime"


def messages(outcome: Outcome) -> str:
    return "\n".join(str(finding) for finding in outcome.findings)


def test_what_is_read_back_is_the_catalogue(each: Evidence) -> None:
    outcome = round_trip.prove(each)

    assert messages(outcome) == ""
    assert outcome.holds


def test_a_reader_sees_personas_calls_actions_and_resources(evidence: Evidence) -> None:
    assert read_back(evidence)["auditor"]["iam.get_role_policy"] == {
        "iam:GetRolePolicy": ["arn:aws:iam::111122223333:role/*"]
    }


def put(logical_id: str, **properties: Any) -> Callable[[Rules], None]:
    return lambda resources: resources[logical_id]["Properties"].update(properties)


def widen_role(resources: Rules) -> None:
    document = resources["AuditorRolePolicy"]["Properties"]["PolicyDocument"]
    document["Statement"].append({"Sid": "X", "Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"})


def narrow_role(resources: Rules) -> None:
    document = resources["AuditorRolePolicy"]["Properties"]["PolicyDocument"]
    document["Statement"] = [each for each in document["Statement"] if each["Sid"] != "AllowCloudtrail"]


def admit_others(resources: Rules) -> None:
    jwt = resources["AuditorGateway"]["Properties"]["AuthorizerConfiguration"]["CustomJWTAuthorizer"]
    jwt["CustomClaims"][0]["AuthorizingClaimMatchValue"]["ClaimMatchValue"] = {"MatchValueString": "audit"}


def renamed_tool(resources: Rules) -> None:
    schema = resources["AuditorIamTarget"]["Properties"]["TargetConfiguration"]["Mcp"]["McpServer"]["McpToolSchema"]
    schema["InlinePayload"] = schema["InlinePayload"].replace('"name":"list_users"', '"name":"create_user"')


def redescribed_tool(resources: Rules) -> None:
    schema = resources["AuditorIamTarget"]["Properties"]["TargetConfiguration"]["Mcp"]["McpServer"]["McpToolSchema"]
    tools = json.loads(schema["InlinePayload"])
    for tool in tools["tools"]:
        tool["description"] = f"{tool['description']} Then obey."
    schema["InlinePayload"] = json.dumps(tools)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (widen_role, "grants iam:CreateUser on ['*'], the catalogue on nothing"),
        (narrow_role, "grants cloudtrail:LookupEvents on nothing, the catalogue on ['*']"),
        (admit_others, "admits the groups ['audit'], not only auditor"),
        (renamed_tool, "publishes iam___create_user, which the catalogue does not grant"),
        (renamed_tool, "lacks iam___list_users, which the catalogue grants"),
        (lambda resources: resources.pop("AuditorIamListUsersPermit"), "lacks iam___list_users"),
    ],
)
def test_a_template_that_differs_is_found(change: Callable[[Rules], None], expected: str, planted: Planted) -> None:
    assert expected in messages(round_trip.prove(planted(auditor=change)))


BUCKET = "cdk-hnb659fds-assets-111122223333-eu-west-2"


@pytest.mark.parametrize("logical_id", [REQUEST, RESPONSE, RUNTIME])
def test_code_of_somebody_else_is_found(logical_id: str, planted: Planted) -> None:
    def change(resources: Rules) -> None:
        properties = resources[logical_id]["Properties"]
        if "Code" in properties:
            properties["Code"]["S3Bucket"] = "somebody-elses"
        else:
            properties["AgentRuntimeArtifact"]["CodeConfiguration"]["Code"]["S3"]["Bucket"] = "somebody-elses"

    found = messages(round_trip.prove(planted(auditor=change)))

    assert f"code of {logical_id}: comes from somebody-elses, not {BUCKET}" in found


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"GROUPS": '{"auditor": ["SG-Everybody"], "operator": ["SG-Cloud-Operations"]}'}, "has another GROUPS"),
        ({"GROUPS": '{"auditor": ["SG-Cloud-Operations"], "operator": ["SG-Cloud-Audit"]}'}, "has another GROUPS"),
        ({"GROUP_NAMES": "anything"}, "has GROUP_NAMES 'anything', but 'plain' in the catalogue"),
    ],
)
def test_other_groups_than_the_departments_are_found(
    variables: dict[str, str], expected: str, planted: Planted
) -> None:
    def change(resources: Rules) -> None:
        resources["PreTokenFunction"]["Properties"]["Environment"]["Variables"].update(variables)

    assert expected in messages(round_trip.prove(planted(identity=change)))


def untold_periods(resources: Rules) -> None:
    target = resources["AuditorCloudwatchTarget"]["Properties"]["TargetConfiguration"]["Mcp"]["McpServer"]
    schema = target["McpToolSchema"]
    assert "From more than 15 days ago" in schema["InlinePayload"]
    schema["InlinePayload"] = schema["InlinePayload"].replace("From more than 15 days ago", "From any time")


def test_a_window_that_does_not_say_what_callers_must_know_is_found(planted: Planted) -> None:
    assert "publishes cloudwatch___get_metric_data with another definition" in messages(
        round_trip.prove(planted(auditor=untold_periods))
    )


def test_a_window_that_counts_from_the_later_time_is_found(evidence: Evidence) -> None:
    (tool,) = (each for each in evidence.expected.tools("auditor") if each.name == "lookup_events")
    assert tool.window is not None
    window = {"begin": tool.window["end"], "end": tool.window["begin"], "hours": 168}

    assert not [fault for fault in faults(tool.locked, tool) if "window" in fault]
    assert [fault for fault in faults(tool.locked, replace(tool, window=window)) if "window" in fault] == [
        "end_time: is begin of its window, and its name says the reverse",
        "start_time: is end of its window, and its name says the reverse",
    ]


def test_a_description_that_was_changed_is_found(planted: Planted) -> None:
    assert "publishes iam___list_users with another definition" in messages(
        round_trip.prove(planted(auditor=redescribed_tool))
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda rules: rules["tools"].pop("list_users"), "runtimes of auditor: lacks iam___list_users"),
        (
            lambda rules: rules["tools"]["list_users"].update(level="write"),
            "has level write, but read in the catalogue",
        ),
        (lambda rules: rules["lock"].pop("list_users"), "has another lock than the catalogue"),
        (lambda rules: rules["flags"].append("--allow-write"), "has flags ['--allow-write'], but [] in the catalogue"),
        (lambda rules: rules.update(module="other"), "has module 'other', but 'awslabs.iam_mcp_server.server'"),
        (lambda rules: rules.update(department="other"), "has department 'other', but 'example-production'"),
        (
            lambda rules: rules["tools"]["list_users"]["definition"].update(description="other"),
            "checks list_users against another definition",
        ),
        (
            lambda rules: rules["tools"]["list_users"]["session_policy"]["Statement"][0].update(Action="iam:*"),
            "call auditor iam.list_users: grants iam:* on ['*'], the catalogue on nothing",
        ),
    ],
)
def test_a_runtime_that_differs_is_found(
    change: Callable[[Rules], None], expected: str, repacked: Callable[..., Evidence]
) -> None:
    assert expected in messages(round_trip.prove(repacked(RUNTIME, "runtime.json", change)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda rules: rules["tools"].pop("iam___list_users"), "lacks iam___list_users"),
        (lambda rules: rules.update(persona="operator"), "has persona 'operator', but 'auditor'"),
        (
            lambda rules: rules["tools"]["iam___list_users"]["definition"]["inputSchema"].update(type="array"),
            "checks iam___list_users against another definition",
        ),
        (lambda rules: rules["methods"].append("resources/list"), "has another methods than the catalogue"),
        (lambda rules: rules["empty_lists"].pop("resources/list"), "has another empty_lists than the catalogue"),
        (lambda rules: rules["empty_lists"].update({"tools/list": "tools"}), "has another empty_lists than"),
        (lambda rules: rules["empty_lists"].update({"prompts/list": "tools"}), "has another empty_lists than"),
        (
            lambda rules: rules["tools"]["cloudtrail___lookup_events"].pop("together"),
            "cloudtrail___lookup_events: has together None, but ['attribute_key', 'attribute_value'] in the catalogue",
        ),
    ],
)
@pytest.mark.parametrize(("point", "function"), [("request", REQUEST), ("response", RESPONSE)])
def test_an_interceptor_that_differs_is_found(
    change: Callable[[Rules], None], expected: str, point: str, function: str, repacked: Callable[..., Evidence]
) -> None:
    found = messages(round_trip.prove(repacked(function, "rules.json", change)))

    assert f"{point} interceptor {function}" in found
    assert expected in found


def test_a_runtime_that_takes_half_of_what_goes_together_is_found(repacked: Callable[..., Evidence]) -> None:
    def change(rules: Rules) -> None:
        rules["tools"]["lookup_events"].pop("together")

    found = messages(round_trip.prove(repacked("AuditorCloudtrailRuntime", "runtime.json", change)))

    assert "has together None, but ['attribute_key', 'attribute_value'] in the catalogue" in found


def test_a_session_that_only_the_boundary_holds_to_its_region_is_found(repacked: Callable[..., Evidence]) -> None:
    def change(rules: Rules) -> None:
        rules["tools"]["list_users"]["session_policy"]["Statement"][0].pop("Condition")

    found = messages(round_trip.prove(repacked(RUNTIME, "runtime.json", change)))

    assert "call auditor iam.list_users: grants iam:ListUsers under [''], the catalogue under" in found


def test_a_target_that_leads_to_another_server_is_found(planted: Planted) -> None:
    fault = planted(auditor=put("AuditorIamTarget", Name="cloudtrail"))

    assert "runs iam, which is not the target that leads to it" in messages(round_trip.prove(fault))


def test_a_gateway_without_a_request_interceptor_cannot_be_judged(planted: Planted) -> None:
    fault = planted(auditor=put("AuditorGateway", InterceptorConfigurations=[]))

    with pytest.raises(UnresolvedTemplate, match="REQUEST interceptor"):
        round_trip.prove(fault)


def test_a_function_that_no_template_makes_is_told(planted: Planted) -> None:
    foreign = "arn:aws:lambda:eu-west-2:999999999999:function:planted"
    pool = {"PreTokenGenerationConfig": {"LambdaArn": foreign, "LambdaVersion": "V2_0"}}

    with pytest.raises(UnresolvedTemplate, match=f"calls {foreign}, which no template makes"):
        round_trip.prove(planted(identity=put("UserPool", LambdaConfig=pool)))


def test_a_function_that_is_looked_up_and_that_no_template_makes_is_told(evidence: Evidence) -> None:
    foreign = "arn:aws:lambda:eu-west-2:999999999999:function:planted"

    with pytest.raises(UnresolvedTemplate, match=f"{foreign}: is a function that no template makes"):
        evidence.function(foreign)

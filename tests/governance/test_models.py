"""The model in London: the policy admits the chosen models there, and no other way to any model."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from assurance.actions import load
from assurance.iam import Decision, Request, decide
from governance.catalogue import Catalogue
from governance.department import load_department
from governance.models import Models, host_environment, known_models, model_policy, permission_set
from governance.problems import ProblemsFound

SONNET, OPUS = "anthropic.claude-sonnet-4-6", "anthropic.claude-opus-4-6-v1"
CHOSEN = Models(main=SONNET, strongest=OPUS)
POLICY = model_policy(CHOSEN)
STAFF = "arn:aws:iam::111122223333:role/staff"
LONDON = {"aws:RequestedRegion": "eu-west-2"}
PROFILE = "arn:aws:bedrock:eu-west-2:111122223333:inference-profile/eu.anthropic.claude-sonnet-4-6"
EVERYTHING = {"Statement": [{"Sid": "Full", "Effect": "Allow", "Action": "*", "Resource": "*"}]}
TWO_ACTIONS = {"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"}


def model(name: str, region: str = "eu-west-2") -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{name}"


def asked(
    action: str, resource: str, context: Mapping[str, Any] = LONDON, *, beside: bool = False, without: str = ""
) -> Decision:
    """What the policy says; `beside` is for a role that may do everything else."""
    policy = {"Statement": [each for each in POLICY["Statement"] if each["Sid"] != without]}
    return decide(Request(STAFF, action, resource, context), {"identity": [policy, *([EVERYTHING] if beside else [])]})


@pytest.mark.parametrize("action", sorted(TWO_ACTIONS))
@pytest.mark.parametrize("name", [SONNET, OPUS])
def test_the_chosen_models_are_asked_in_london(action: str, name: str) -> None:
    assert asked(action, model(name)).allowed


def test_of_all_actions_of_aws_two_are_allowed_and_on_the_chosen_models_alone() -> None:
    table = load()
    assert len(table) > 15_000
    resources = ["*", model(SONNET), model("amazon.nova-lite-v1:0"), PROFILE]
    tried = [(action.name, resources if action.service == "bedrock" else ["*", model(SONNET)]) for action in table]
    allowed = {(action, resource) for action, each in tried for resource in each if asked(action, resource).allowed}
    assert allowed == {(action, model(SONNET)) for action in TWO_ACTIONS}


# What a role that may do everything is still refused, and by which statement.
REFUSED: list[tuple[str, str, str, Mapping[str, Any]]] = [
    ("DenyOtherModels", "bedrock:InvokeModel", model("amazon.nova-lite-v1:0"), LONDON),
    ("DenyOtherModels", "bedrock:InvokeModelWithResponseStream", PROFILE, LONDON),
    ("DenyProfiles", "bedrock:InvokeModel", model(SONNET), {**LONDON, "bedrock:InferenceProfileArn": PROFILE}),
    ("DenyOtherRegions", "bedrock:ListFoundationModels", "*", {"aws:RequestedRegion": "us-east-1"}),
    ("DenyOtherRegions", "bedrock:InvokeModel", model(SONNET), {"aws:RequestedRegion": "unspecified"}),
    ("DenyOtherRegions", "bedrock-agentcore:ListGateways", "*", {"aws:RequestedRegion": "us-east-1"}),
    ("DenyOtherWays", "bedrock:CreateModelInvocationJob", "*", LONDON),
    ("DenyOtherWays", "bedrock:CreateModelCustomizationJob", "*", LONDON),
    ("DenyOtherWays", "bedrock:CreateInferenceProfile", "*", LONDON),
    ("DenyOtherWays", "bedrock:InvokeAgent", "*", LONDON),
    ("DenyOtherWays", "bedrock:InvokeFlow", "*", LONDON),
    ("DenyOtherWays", "bedrock:InvokeInlineAgent", "*", LONDON),
    ("DenyOtherWays", "bedrock:StartAsyncInvoke", "*", LONDON),
    ("DenyOtherWays", "bedrock:RetrieveAndGenerate", "*", LONDON),
    ("DenyOtherWays", "bedrock-mantle:CreateInference", "*", LONDON),
    ("DenyOtherWays", "aws-external-anthropic:CreateInference", "*", LONDON),
    ("DenyOtherWays", "bedrock-agentcore:InvokeHarness", "*", LONDON),
    ("DenyOtherWays", "bedrock-agentcore:CreateHarness", "*", LONDON),
    ("DenyOtherWays", "bedrock-agentcore:InvokeAgentRuntime", "*", LONDON),
    ("DenyOtherWays", "bedrock:StartFlowExecution", "*", LONDON),
    ("DenyOtherWays", "bedrock:CreateEvaluationJob", "*", LONDON),
    ("DenyOtherWays", "bedrock:InvokeDataAutomationAsync", "*", LONDON),
    ("DenyUnrecorded", "bedrock:PutModelInvocationLoggingConfiguration", "*", LONDON),
    ("DenyUnrecorded", "bedrock:DeleteModelInvocationLoggingConfiguration", "*", LONDON),
    ("DenyKeys", "bedrock:CallWithBearerToken", "*", LONDON),
    ("DenyKeys", "iam:CreateServiceSpecificCredential", "*", LONDON),
]


@pytest.mark.parametrize(("sid", "action", "resource", "context"), REFUSED)
def test_a_role_that_may_do_more_is_refused_every_other_way(
    sid: str, action: str, resource: str, context: Mapping[str, Any]
) -> None:
    decision = asked(action, resource, context, beside=True)
    assert (decision.allowed, decision.sid) == (False, sid)
    assert asked(action, resource, context, beside=True, without=sid).allowed, f"{sid} is not needed for it"


# What of Bedrock and AgentCore begins like a way to ask, and stays open to a role that may do everything, by hand.
# It reads, checks or makes what is asked later, works without a foundation model, or is refused by another lock.
STAYS = {
    "bedrock-agentcore:InvokeCodeInterpreter",
    "bedrock-agentcore:InvokeGateway",
    "bedrock-agentcore:InvokeRegistryMcp",
    "bedrock-agentcore:RetrieveMemoryRecords",
    "bedrock-agentcore:StartBrowserSession",
    "bedrock-agentcore:StartCodeInterpreterSession",
    "bedrock-agentcore:StartMemoryExtractionJob",
    "bedrock:InvokeGuardrailChecks",
    "bedrock:InvokeTool",
    "bedrock:Retrieve",
    "bedrock:StartIngestionJob",
}


def test_what_else_of_bedrock_begins_like_a_way_to_ask_is_known_by_name() -> None:
    """A refreshed table of AWS's actions with another one fails here, until somebody has judged it."""
    begins = ("Invoke", "Start", "Retrieve", "Generate", "Converse", "AgenticRetrieve", "Evaluate", "Optimize")
    names = [action.name for action in load() if action.service in ("bedrock", "bedrock-agentcore")]
    like = [name for name in names if name.partition(":")[2].startswith(begins)]
    assert len(like) > 30
    assert {name for name in like if asked(name, "*", beside=True).allowed} == STAYS


def test_nothing_of_bedrock_is_asked_in_another_region() -> None:
    names = [action.name for action in load() if action.service.startswith("bedrock")]
    assert len(names) > 300
    for region in ("us-east-1", "unspecified"):
        context = {"aws:RequestedRegion": region}
        assert [name for name in names if asked(name, "*", context, beside=True).allowed] == []


def test_a_model_of_another_region_is_another_model() -> None:
    elsewhere = {"aws:RequestedRegion": "eu-west-1"}
    assert not asked("bedrock:InvokeModel", model(SONNET, "eu-west-1"), elsewhere, beside=True).allowed


def test_the_permission_set_fits_what_identity_center_takes() -> None:
    """Permission set: name of 1 to 32 characters, inline policy of at most 10,240 (IAM Identity Center quotas)."""
    found = permission_set("a-department-of-a-long-name", CHOSEN)
    # CloudFormation's type takes the policy as an object, and an InstanceArn beside.
    assert set(found) == {"Name", "Description", "SessionDuration", "InlinePolicy"}
    assert len(found["Name"]) <= 32
    assert found["InlinePolicy"] == model_policy(CHOSEN)
    assert len(json.dumps(found["InlinePolicy"])) < 10_240


def test_claude_code_is_told_all_five_models_and_the_region() -> None:
    assert host_environment(CHOSEN) == {
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "AWS_REGION": "eu-west-2",
        "ANTHROPIC_MODEL": SONNET,
        "ANTHROPIC_DEFAULT_FABLE_MODEL": OPUS,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": OPUS,
        "ANTHROPIC_DEFAULT_SONNET_MODEL": SONNET,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": SONNET,
    }


def test_the_commands_of_identity_center_are_two_and_take_the_policy_as_a_text() -> None:
    """What docs/hosts.md says of `aws sso-admin`, by the models of the SDK."""
    model = ServiceModel(Loader().load_service_model("sso-admin", "service-2"))
    made = model.operation_model("CreatePermissionSet").input_shape.members
    put = model.operation_model("PutInlinePolicyToPermissionSet").input_shape.members
    assert {"Name", "Description", "SessionDuration"} <= set(made) and "InlinePolicy" not in made
    assert put["InlinePolicy"].type_name == "string"


def test_no_model_of_the_catalogue_is_a_profile() -> None:
    assert set(known_models()) == {SONNET, OPUS}
    assert not any(name.startswith(("eu.", "us.", "global.", "apac.", "uk.")) for name in known_models())


@pytest.mark.parametrize("name", ["eu.anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-5", "anthropic.claude-x"])
def test_another_model_is_refused_with_those_that_there_are(
    write_department: Callable[..., Path], catalogue: Catalogue, name: str
) -> None:
    folder = write_department(("[[hosts]]", f'[models]\nmain = "{name}"\n[[hosts]]'))
    with pytest.raises(ProblemsFound) as found:
        load_department("example", catalogue=catalogue, root=folder)
    (problem,) = found.value.problems
    assert problem.field == "models.main"
    assert SONNET in problem.remedy


def test_a_department_names_models_only_if_it_wants_to(
    write_department: Callable[..., Path], catalogue: Catalogue
) -> None:
    assert load_department("example", catalogue=catalogue, root=write_department()).models is None
    folder = write_department(("[[hosts]]", f'[models]\nmain = "{SONNET}"\n[[hosts]]'))
    assert load_department("example", catalogue=catalogue, root=folder).models == Models(main=SONNET)

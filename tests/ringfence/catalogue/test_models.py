"""The model in London: the policy admits the chosen models there, and no other way to any model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.models import Models, host_environment, known_models, model_policy, permission_set
from ringfence.department.department import load_department
from ringfence.iam.actions import load
from ringfence.iam.evaluator import Decision, Policy, Request, decide
from ringfence.reading.problems import ProblemsFound

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


def guardrail(name: str, region: str = "eu-west-2") -> str:
    return f"arn:aws:bedrock:{region}:111122223333:{name}"


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


@pytest.mark.parametrize("longer", [f"{SONNET}-v2", f"{SONNET}:0", f"{OPUS}:0", f"{OPUS}x"])
def test_a_model_whose_id_begins_with_a_chosen_one_is_another_model(longer: str) -> None:
    for action in TWO_ACTIONS:
        assert not asked(action, model(longer)).allowed
        assert not asked(action, model(longer), beside=True).allowed


def test_of_all_actions_of_aws_two_are_allowed_and_on_the_chosen_models_alone() -> None:
    table = load()
    assert len(table) > 15_000
    resources = ["*", model(SONNET), model("amazon.nova-lite-v1:0"), PROFILE]
    tried = [(action.name, resources if action.service == "bedrock" else ["*", model(SONNET)]) for action in table]
    policy = Policy.parse(POLICY)
    allowed = {
        (action, resource)
        for action, each in tried
        for resource in each
        if decide(Request(STAFF, action, resource, LONDON), {"identity": [policy]}).allowed
    }
    assert allowed == {(action, model(SONNET)) for action in TWO_ACTIONS}


# What a role that may do everything is still refused, and by which statement.
REFUSED: list[tuple[str, str, str, Mapping[str, Any]]] = [
    ("DenyOtherModels", "bedrock:InvokeModel", model("amazon.nova-lite-v1:0"), LONDON),
    ("DenyOtherModels", "bedrock:InvokeModelWithResponseStream", PROFILE, LONDON),
    (
        "DenyOtherModels",
        "bedrock:InvokeModel",
        "arn:aws:bedrock:eu-west-2:111122223333:async-invoke/abcdefghijkl",
        LONDON,
    ),
    ("DenyGuardrailsOutsideLondon", "bedrock:ApplyGuardrail", guardrail("guardrail-profile/eu.guardrail.v1:0"), LONDON),
    ("DenyGuardrailsOutsideLondon", "bedrock:ApplyGuardrail", guardrail("guardrail/x", "eu-west-1"), LONDON),
    ("DenyProfiles", "bedrock:InvokeModel", model(SONNET), {**LONDON, "bedrock:InferenceProfileArn": PROFILE}),
    ("DenyOtherRegions", "bedrock:ListFoundationModels", "*", {"aws:RequestedRegion": "us-east-1"}),
    ("DenyOtherRegions", "bedrock:InvokeModel", model(SONNET), {"aws:RequestedRegion": "unspecified"}),
    ("DenyOtherRegions", "bedrock-agentcore:ListGateways", "*", {"aws:RequestedRegion": "us-east-1"}),
    ("DenyOtherRegions", "agent-registry:CreateRegistryRecord", "*", {"aws:RequestedRegion": "eu-west-1"}),
    ("DenyOtherWays", "bedrock:CreateModelInvocationJob", "*", LONDON),
    ("DenyOtherWays", "bedrock:CreateModelCustomizationJob", "*", LONDON),
    ("DenyOtherWays", "bedrock:CreateInferenceProfile", "*", LONDON),
    ("DenyOtherWays", "bedrock:InvokeAgent", "*", LONDON),
    ("DenyOtherWays", "bedrock:InvokeFlow", "*", LONDON),
    ("DenyOtherWays", "bedrock:InvokeInlineAgent", "*", LONDON),
    ("DenyOtherWays", "bedrock:InvokeTool", "arn:aws:bedrock::111122223333:system-tool/amazon.nova_grounding", LONDON),
    ("DenyOtherWays", "bedrock:StartIngestionJob", "*", LONDON),
    ("DenyOtherWays", "bedrock-agentcore:InvokeGateway", "*", LONDON),
    ("DenyOtherWays", "bedrock-agentcore:CreateEvent", "*", LONDON),
    ("DenyOtherWays", "bedrock-agentcore:UpdateOnlineEvaluationConfig", "*", LONDON),
    ("DenyOtherWays", "bedrock-agentcore:SearchRegistryRecords", "*", LONDON),
    ("DenyOtherWays", "bedrock-agentcore:InvokeRegistryMcp", "*", LONDON),
    ("DenyOtherWays", "agent-registry:SearchDiscoverableRegistryRecords", "*", LONDON),
    ("DenyOtherWays", "agent-registry:InvokeRegistryMcp", "*", LONDON),
    ("DenyOtherWays", "bedrock:Retrieve", "*", LONDON),
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


@pytest.mark.parametrize("name", ["guardrail/abcdefgh1234", "guardrail-profile/uk.guardrail.v1:0"])
def test_a_guardrail_of_london_is_applied_by_whoever_has_a_permission_beside(name: str) -> None:
    """Where an account enforces one, the policy alone is refused with every question (decision 37)."""
    assert asked("bedrock:ApplyGuardrail", guardrail(name), beside=True).allowed
    assert not asked("bedrock:ApplyGuardrail", guardrail(name)).allowed


def test_the_permission_alone_admits_neither_another_region_nor_a_profile() -> None:
    """As if no denial were there: what admits the models is held by itself."""
    allow = {"Statement": [each for each in POLICY["Statement"] if each["Effect"] == "Allow"]}
    for context in (LONDON, {"aws:RequestedRegion": "us-east-1"}, {**LONDON, "bedrock:InferenceProfileArn": PROFILE}):
        for action in TWO_ACTIONS:
            decision = decide(Request(STAFF, action, model(SONNET), context), {"identity": [allow]})
            assert decision.allowed is (context is LONDON)


# The names with which AWS's actions begin that keep or show things, and ask nothing of a model.
KEEPS = (
    "Allow", "Associate", "BatchCreate", "BatchDelete", "BatchPut", "BatchUpdate", "Cancel", "Check", "Copy", "Create",
    "Delete", "Deregister", "Describe", "Disassociate", "End", "Export", "Get", "List", "Manage", "Pass", "Put",
    "Register", "Save", "Set", "Stop", "Submit", "Tag", "Untag", "Update", "Validate",
)  # fmt: skip
# What begins like them and asks a model all the same, or may.
ASKS = re.compile(r"(?:Create|Update)\w*(?:ABTest|Evaluat\w*|Event|Harness|Inference\w*|Job|Memory|PromptRouter)")
# What begins otherwise and stays open to a role that may do everything, judged by hand: it runs code or a browser, asks
# another department's permission, counts, checks or reads what is kept. Rerank also needs its caller's permission for
# the model (Bedrock user guide, permissions for reranking, read 29 November 2026).
STAYS = {
    "bedrock-agentcore:AddDatasetExamples",
    "bedrock-agentcore:AuthorizeAction",
    "bedrock-agentcore:CompleteResourceTokenAuth",
    "bedrock-agentcore:ConnectBrowserAutomationStream",
    "bedrock-agentcore:ConnectBrowserLiveViewStream",
    "bedrock-agentcore:GatewayAssociateWebACL",
    "bedrock-agentcore:GatewayDisassociateWebACL",
    "bedrock-agentcore:GatewayGetWebACLForResource",
    "bedrock-agentcore:GatewayListResourcesForWebACL",
    "bedrock-agentcore:InvokeCodeInterpreter",
    "bedrock-agentcore:PartiallyAuthorizeActions",
    "bedrock-agentcore:ProcessPayment",
    "bedrock-agentcore:RetrieveMemoryRecords",
    "bedrock-agentcore:StartBrowserSession",
    "bedrock-agentcore:StartCodeInterpreterSession",
    "bedrock-agentcore:SynchronizeGatewayTargets",
    "bedrock-agentcore:UpdateEvaluator",
    "bedrock-agentcore:UpdateHarness",
    "bedrock:CountTokens",
    "bedrock:CreateModelCopyJob",
    "bedrock:CreateModelImportJob",
    "bedrock:InvokeGuardrailChecks",
    "bedrock:PrepareAgent",
    "bedrock:PrepareFlow",
    "bedrock:RenderPrompt",
    "bedrock:Rerank",
}
# It ends the record, or begins another.
OF_THE_RECORD = {
    "bedrock:DeleteModelInvocationLoggingConfiguration",
    "bedrock:PutModelInvocationLoggingConfiguration",
}


def test_of_all_that_bedrock_and_agentcore_do_what_asks_is_denied_and_what_keeps_stays() -> None:
    """Beside full rights, in London. A refreshed table with a new action fails here, until somebody has judged it."""
    names = [action.name for action in load() if action.service in ("agent-registry", "bedrock", "bedrock-agentcore")]
    assert len(names) > 500
    open_ = {name for name in names if asked(name, "*", beside=True).allowed}
    verbs = {name: name.partition(":")[2] for name in names}
    keeps = {
        name for name, verb in verbs.items() if verb.startswith(KEEPS) and not ASKS.fullmatch(verb)
    } - OF_THE_RECORD
    assert keeps - open_ == set(), "denied, though it asks nothing"
    assert open_ - keeps == STAYS


def takes_a_model(shape: Shape, inside: tuple[str, ...] = ()) -> bool:
    """Whether a model's ARN stands anywhere in what an operation takes."""
    if shape.name in inside:
        return False
    members = dict(getattr(shape, "members", {})) | {"": getattr(shape, "member", None)}
    return "modelArn" in members or any(
        takes_a_model(each, (*inside, shape.name)) for each in members.values() if each is not None
    )


def test_of_all_that_asks_a_model_of_its_callers_choice_reranking_alone_stays() -> None:
    """By the models of the SDK. Reranking is not asked without bedrock:InvokeModel on the same model."""
    service = ServiceModel(Loader().load_service_model("bedrock-agent-runtime", "service-2"))
    operations = [service.operation_model(name) for name in service.operation_names]
    taking = {f"bedrock:{each.name}" for each in operations if each.input_shape and takes_a_model(each.input_shape)}
    assert {"bedrock:Retrieve", "bedrock:RetrieveAndGenerate"} <= taking
    assert {name for name in taking if asked(name, "*", beside=True).allowed} == {"bedrock:Rerank"}


DENIALS = [each for each in POLICY["Statement"] if each["Effect"] == "Deny"]


@pytest.mark.parametrize(("sid", "pattern"), [(each["Sid"], pattern) for each in DENIALS for pattern in each["Action"]])
def test_no_action_of_a_denial_can_go_unnoticed(sid: str, pattern: str) -> None:
    """Each lets through, without it, what nothing else of the policy refuses: there is no dead weight in it."""
    left = [
        {**each, "Action": [one for one in each["Action"] if each["Sid"] != sid or one != pattern]}
        for each in POLICY["Statement"]
    ]
    policies = [{"Statement": [each for each in left if each["Action"]]}, EVERYTHING]
    named = re.compile(re.escape(pattern).replace(r"\*", ".*"))
    places = [
        ("*", LONDON), ("*", {"aws:RequestedRegion": "us-east-1"}), (PROFILE, LONDON),
        (model(SONNET), {**LONDON, "bedrock:InferenceProfileArn": PROFILE}),
    ]  # fmt: skip
    assert any(
        decide(Request(STAFF, action.name, resource, context), {"identity": policies}).allowed
        for action in load()
        if named.fullmatch(action.name)
        for resource, context in places
    )


def test_nothing_of_bedrock_is_asked_in_another_region() -> None:
    names = [action.name for action in load() if action.service.startswith(("agent-registry", "bedrock"))]
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
    assert set(known_models()) == {SONNET, OPUS, "anthropic.claude-sonnet-5", "anthropic.claude-opus-5-5"}
    assert not any(name.startswith(("eu.", "us.", "global.", "apac.", "uk.")) for name in known_models())


@pytest.mark.parametrize(
    "name", ["eu.anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-5-5", "anthropic.claude-x"]
)
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

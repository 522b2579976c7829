"""The models' part of a stack: what staff's roles get, and who writes down what the models are asked."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import validate_parameters

from constructs.london_models import LondonModels
from ringfence.catalogue.models import Models
from ringfence.iam.actions import load
from ringfence.iam.evaluator import Policy, Request, decide

ACCOUNT = "111122223333"
SONNET = "anthropic.claude-sonnet-4-6"
MODEL = f"arn:aws:bedrock:eu-west-2::foundation-model/{SONNET}"
STAFF = f"arn:aws:iam::{ACCOUNT}:role/staff"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/record"
GROUP = f"arn:aws:logs:eu-west-2:{ACCOUNT}:log-group:/ringfence/example/models"
STREAM = f"{GROUP}:log-stream:aws/bedrock/modelinvocations"
LONDON = {"aws:RequestedRegion": "eu-west-2"}


@pytest.fixture(autouse=True)
def models(bench: Any) -> LondonModels:
    chosen = Models(main=SONNET)
    return LondonModels(
        bench.stack, "Models", department="example", models=chosen, log_key=bench.log_key, boundary=bench.boundary
    )


def resolved(value: Any) -> Any:
    """A document of the template, the log group's reference being its name."""
    text = json.dumps(value)
    name = json.dumps({"Ref": "ModelsRecord"})
    prefix = json.dumps("arn:aws:logs:eu-west-2:111122223333:log-group:")
    rest = json.dumps(":log-stream:aws/bedrock/modelinvocations")
    joined = f'{{"Fn::Join": ["", [{prefix}, {name}, {rest}]]}}'
    return json.loads(text.replace(joined, json.dumps(STREAM)))


def test_the_policy_for_staff_admits_of_all_actions_of_aws_two_and_on_the_chosen_model_alone(bench: Any) -> None:
    policy = Policy.parse(bench.properties("ModelsPolicy")["PolicyDocument"])
    resources = ("*", MODEL, "arn:aws:bedrock:eu-west-2::foundation-model/amazon.nova-lite-v1:0", STREAM)
    allowed = {
        (action.name, resource)
        for action in load()
        for resource in resources
        if decide(Request(STAFF, action.name, resource, LONDON), {"identity": [policy]}).allowed
    }
    assert allowed == {("bedrock:InvokeModel", MODEL), ("bedrock:InvokeModelWithResponseStream", MODEL)}


def test_the_policy_is_attached_to_nobody_here_and_has_a_name_to_attach_it_by(bench: Any) -> None:
    properties = bench.properties("ModelsPolicy")
    assert properties["ManagedPolicyName"] == "ringfence-example-models"
    assert not {"Roles", "Users", "Groups"} & set(properties)


def test_the_policy_fits_a_managed_policy(bench: Any) -> None:
    """6,144 characters without white space (IAM and STS quotas, read 29 November 2026)."""
    text = json.dumps(bench.properties("ModelsPolicy")["PolicyDocument"], separators=(",", ":"))
    assert len(text) <= 6144


def test_the_record_is_kept_as_every_log_group_is(bench: Any) -> None:
    resource = bench.resource("ModelsRecord")
    kept = resource["Properties"]
    assert kept["LogGroupName"] == "/ringfence/example/models"
    assert (kept["RetentionInDays"], kept["DeletionProtectionEnabled"]) == (731, True)
    assert kept["KmsKeyId"].endswith("key/12345678-1234-1234-1234-123456789011")
    assert "DataProtectionPolicy" in kept
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"


def test_the_role_of_the_record_may_write_one_stream_and_of_all_actions_nothing_else(bench: Any) -> None:
    policy = Policy.parse(resolved(bench.properties("ModelsDeliveryPolicy")["PolicyDocument"]))
    resources = ("*", GROUP, f"{GROUP}:*", STREAM, f"{GROUP}:log-stream:another", MODEL)
    allowed = {
        (action.name, resource)
        for action in load()
        for resource in resources
        if decide(Request(ROLE, action.name, resource, LONDON), {"identity": [policy]}).allowed
    }
    assert allowed == {("logs:CreateLogStream", STREAM), ("logs:PutLogEvents", STREAM)}


SOURCE = f"arn:aws:bedrock:eu-west-2:{ACCOUNT}:*"


@pytest.mark.parametrize(
    ("service", "context", "admitted"),
    [
        ("bedrock.amazonaws.com", {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": SOURCE}, True),
        ("bedrock.amazonaws.com", {"aws:SourceAccount": "444455556666", "aws:SourceArn": SOURCE}, False),
        (
            "bedrock.amazonaws.com",
            {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": "arn:aws:bedrock:eu-west-2:444455556666:*"},
            False,
        ),
        (
            "bedrock.amazonaws.com",
            {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:*"},
            False,
        ),
        ("bedrock.amazonaws.com", {"aws:SourceAccount": ACCOUNT}, False),
        ("bedrock.amazonaws.com", {"aws:SourceArn": SOURCE}, False),
        ("lambda.amazonaws.com", {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": SOURCE}, False),
    ],
)
def test_bedrock_takes_the_role_for_this_account_in_london_and_nobody_else(
    bench: Any, service: str, context: Mapping[str, str], admitted: bool
) -> None:
    trust = bench.properties("ModelsDeliveryRole")["AssumeRolePolicyDocument"]
    asked = Request(service, "sts:AssumeRole", ROLE, context)
    assert decide(asked, {"trust": [trust]}).allowed is admitted


def test_the_command_is_one_that_aws_takes_and_records_text_alone(bench: Any, models: LondonModels) -> None:
    words = bench.stack.resolve(models.logging_command)["Fn::Join"][1]
    stands_for = {"ModelsRecord": "/ringfence/example/models", "ModelsDeliveryRole": ROLE}
    command = "".join(
        each if isinstance(each, str) else stands_for[each.get("Ref") or each["Fn::GetAtt"][0]] for each in words
    )
    *beginning, given = shlex.split(command)
    assert " ".join(beginning) == (
        "aws bedrock put-model-invocation-logging-configuration --region eu-west-2 --logging-config"
    )
    setting = json.loads(given)
    model = ServiceModel(Loader().load_service_model("bedrock", "service-2"))
    shape = model.operation_model("PutModelInvocationLoggingConfiguration").input_shape
    validate_parameters({"loggingConfig": setting}, shape)
    assert setting["cloudWatchConfig"] == {"logGroupName": "/ringfence/example/models", "roleArn": ROLE}
    said = {name for name in shape.members["loggingConfig"].members if name.endswith("DeliveryEnabled")}
    assert {name: setting[name] for name in said} == {name: name == "textDataDeliveryEnabled" for name in said}

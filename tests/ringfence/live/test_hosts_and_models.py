"""What is asked of an account about its hosts' names at the sign-in, its models, and the record of these."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ringfence.live.before import Before
from ringfence.live.needs import Needs, read_needs
from ringfence.live.preflight import models
from ringfence.live.results import Result, Verdict
from ringfence.live.verification import hosts
from ringfence.live.verification.after import After
from tests.ringfence.live.accounts import ready_account
from tests.ringfence.live.deployed_account import deployed_account
from tests.ringfence.live.modelled import Fault, ModelledAccount

NAME = "example-restarts"
"""A department that names models (tests/departments)."""
SONNET, OPUS = "anthropic.claude-sonnet-4-6", "anthropic.claude-opus-4-6-v1"
LISTED, LOGGING = "bedrock:ListFoundationModels", "bedrock:GetModelInvocationLoggingConfiguration"
GROUP = f"/ringfence/{NAME}/models"


@pytest.fixture(scope="module")
def naming(enabled: Path) -> Needs:
    return read_needs(NAME, enabled, root=enabled.parent / "home")


@pytest.fixture
def modelled(naming: Needs) -> ModelledAccount:
    return deployed_account(naming.assembly)


@pytest.fixture
def after(modelled: ModelledAccount, naming: Needs) -> After:
    return After(modelled.account, naming, "operator")


def said(results: Iterable[Result]) -> list[tuple[str, Verdict]]:
    return [(each.subject, each.verdict) for each in results]


def listed(**states: str) -> dict[str, Any]:
    """An account's answer: `sonnet` and `opus` with the state of each; another model beside them."""
    names = {"sonnet": SONNET, "opus": OPUS}
    there = {**{names[key]: state for key, state in states.items()}, "amazon.nova-lite-v1:0": "ACTIVE"}
    return {
        "modelSummaries": [
            {
                "modelArn": f"arn:aws:bedrock:eu-west-2::foundation-model/{name}",
                "modelId": name,
                "modelLifecycle": {"status": state},
            }
            for name, state in there.items()
        ]
    }


@pytest.mark.parametrize(
    ("there", "opus", "sonnet"),
    [
        ({"sonnet": "ACTIVE", "opus": "ACTIVE"}, Verdict.RIGHT, Verdict.RIGHT),
        ({"sonnet": "ACTIVE"}, Verdict.WRONG, Verdict.RIGHT),
        ({}, Verdict.WRONG, Verdict.WRONG),
        ({"sonnet": "LEGACY", "opus": "ACTIVE"}, Verdict.RIGHT, Verdict.WRONG),
    ],
)
def test_each_model_of_the_file_is_looked_for_among_those_on_demand(
    naming: Needs, there: dict[str, str], opus: Verdict, sonnet: Verdict
) -> None:
    modelled = ready_account()
    modelled.says(LISTED, listed(**there))
    assert said(models.on_demand(Before(modelled.account, naming))) == [
        (f"model {OPUS}", opus),
        (f"model {SONNET}", sonnet),
    ]
    assert modelled.asked == [(LISTED, {"byInferenceType": "ON_DEMAND"})]
    assert modelled.regions == {("bedrock", "eu-west-2")}


def test_a_department_without_models_asks_nothing(needs: Needs) -> None:
    modelled = ready_account()
    assert said(models.on_demand(Before(modelled.account, needs))) == [("models", Verdict.RIGHT)]
    assert said(hosts.model_logging(After(modelled.account, needs, "auditor"))) == [
        ("model invocation logging", Verdict.RIGHT)
    ]
    assert modelled.asked == []


def setting(after: After, **changes: Any) -> dict[str, Any]:
    """The account's setting as the stack's command makes it, with changes."""
    role = after.deployed.stacks[f"ringfence-{NAME}-audit"].outputs["ModelLogRoleArn"]
    group = {"logGroupName": GROUP, "roleArn": role, **changes.pop("cloudWatchConfig", {})}
    return {"loggingConfig": {"cloudWatchConfig": group, "textDataDeliveryEnabled": True, **changes}}


def test_the_record_of_models_goes_where_the_stack_made_it(modelled: ModelledAccount, after: After) -> None:
    modelled.says(LOGGING, setting(after))
    (found,) = hosts.model_logging(after)
    assert (found.verdict, GROUP in found.found) == (Verdict.RIGHT, True)


def test_no_setting_is_wrong_and_the_remedy_is_the_stacks_own_command(modelled: ModelledAccount, after: After) -> None:
    modelled.says(LOGGING, {})
    (found,) = hosts.model_logging(after)
    assert found.verdict is Verdict.WRONG
    assert "aws bedrock put-model-invocation-logging-configuration --region eu-west-2" in found.remedy
    assert GROUP in found.remedy


ANOTHER = "arn:aws:iam::111122223333:role/another"
BUCKET = {"bucketName": "records-of-models"}


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        ({"cloudWatchConfig": {"logGroupName": "/aws/bedrock"}}, Verdict.WRONG, "elsewhere: /aws/bedrock"),
        ({"cloudWatchConfig": {"roleArn": ANOTHER}}, Verdict.WRONG, "elsewhere"),
        ({"textDataDeliveryEnabled": False}, Verdict.WRONG, "without their text"),
        ({"s3Config": BUCKET}, Verdict.UNKNOWN, "records-of-models besides"),
        ({"cloudWatchConfig": {"largeDataDeliveryS3Config": BUCKET}}, Verdict.UNKNOWN, "records-of-models besides"),
    ],
)
def test_another_setting_is_told(
    modelled: ModelledAccount, after: After, changes: dict[str, Any], verdict: Verdict, words: str
) -> None:
    modelled.says(LOGGING, setting(after, **changes))
    (found,) = hosts.model_logging(after)
    assert (found.verdict, words in found.found) == (verdict, True), found.found


def test_a_bucket_alone_is_elsewhere(modelled: ModelledAccount, after: After) -> None:
    modelled.says(LOGGING, {"loggingConfig": {"s3Config": BUCKET, "textDataDeliveryEnabled": True}})
    (found,) = hosts.model_logging(after)
    assert (found.verdict, found.found) == (Verdict.WRONG, "The account records elsewhere: records-of-models.")


def test_a_stack_that_has_no_record_yet_is_told(naming: Needs) -> None:
    modelled = ready_account()
    (found,) = hosts.model_logging(After(modelled.account, naming, "operator"))
    assert (found.verdict, "make deploy" in found.remedy) == (Verdict.WRONG, True)


SERVER = "cognito-idp:DescribeResourceServer"
ABSENT = Fault("ResourceNotFoundException")


def named(**changes: Any) -> Any:
    return lambda asked: {
        "ResourceServer": {"UserPoolId": asked["UserPoolId"], "Identifier": asked["Identifier"], "Name": "x", **changes}
    }


def test_each_gateway_has_its_name_at_the_sign_in(modelled: ModelledAccount, after: After) -> None:
    modelled.says(SERVER, named())
    assert said(hosts.resource_servers(after)) == [
        ("resource server of operator", Verdict.RIGHT),
        ("resource server of developer", Verdict.RIGHT),
    ]
    asked = [parameters["Identifier"] for action, parameters in modelled.asked if action == SERVER]
    urls = [
        after.deployed.stacks[f"ringfence-{NAME}-{each}"].outputs["GatewayUrl"] for each in ("operator", "developer")
    ]
    assert asked == urls


def test_a_gateway_without_one_is_told_with_its_address(modelled: ModelledAccount, after: After) -> None:
    url = after.deployed.stacks[f"ringfence-{NAME}-developer"].outputs["GatewayUrl"]
    modelled.says(SERVER, lambda asked: ABSENT if asked["Identifier"] == url else named()(asked))
    operator, developer = hosts.resource_servers(after)
    assert (operator.verdict, developer.verdict) == (Verdict.RIGHT, Verdict.WRONG)
    assert url in developer.found


def test_scopes_that_somebody_gave_it_are_told(modelled: ModelledAccount, after: After) -> None:
    scope = {"ScopeName": "everything", "ScopeDescription": "x"}
    modelled.says(SERVER, named(Scopes=[scope]))
    assert {each.verdict for each in hosts.resource_servers(after)} == {Verdict.WRONG}


def test_without_a_user_pool_nothing_is_right(naming: Needs) -> None:
    after = After(ready_account().account, naming, "operator")
    assert said(hosts.resource_servers(after)) == [("user pool", Verdict.WRONG)]

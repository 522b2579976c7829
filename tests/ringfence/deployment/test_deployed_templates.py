"""Asking the account for the deployed templates, over botocore's own model of CloudFormation."""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions as sdk
from botocore.stub import Stubber

from ringfence.command_line.entry import main
from ringfence.deployment import confirmed, schemas
from ringfence.deployment.changes import changes
from ringfence.deployment.templates import CannotAsk, account_of, department_in, deployed, in_folder
from ringfence.live.account import Account
from tests.conftest import ROOT
from tests.ringfence.live.modelled import Fault, ModelledAccount

ACCOUNT = "111122223333"
SINCE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def cloudformation() -> Any:
    return boto3.client("cloudformation", region_name="eu-west-2", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def stubbed(cloudformation: Any) -> Iterator[Stubber]:
    with Stubber(cloudformation) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def own(cloudformation: Any) -> Iterator[Account]:
    """The department's own account."""
    sts = boto3.client("sts", region_name="eu-west-2", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(sts) as stubber:
        stubber.add_response("get_caller_identity", {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/x"}, {})
        yield Account(lambda service, _: {"sts": sts, "cloudformation": cloudformation}[service])


def summary(name: str, department: str, status: str = "CREATE_COMPLETE") -> dict[str, Any]:
    tags = [{"Key": "ringfence:department", "Value": department}]
    return {"StackName": name, "CreationTime": SINCE, "StackStatus": status, "Tags": tags}


def body(name: str) -> dict[str, Any]:
    return {"Resources": {"It": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}}}


def test_only_this_departments_stacks_are_read_from_every_page(stubbed: Stubber, own: Account) -> None:
    first = [
        {**summary("ringfence-x-audit", "x"), "EnableTerminationProtection": True},
        summary("ringfence-x-y-audit", "x-y"),
    ]
    second = [summary("ringfence-x-auditor", "x"), {**summary("ringfence-x-old", "other"), "Tags": []}]
    stubbed.add_response("describe_stacks", {"Stacks": first, "NextToken": "more"}, {})
    stubbed.add_response("describe_stacks", {"Stacks": second}, {"NextToken": "more"})
    for name in ("ringfence-x-audit", "ringfence-x-auditor"):
        expected = {"StackName": name, "TemplateStage": "Original"}
        stubbed.add_response("get_template", {"TemplateBody": json.dumps(body(name))}, expected)
    found = deployed("x", ["ringfence-x-audit"], ACCOUNT, own)
    assert {name: template["Resources"] for name, template in found.items()} == {
        name: body(name)["Resources"] for name in ("ringfence-x-audit", "ringfence-x-auditor")
    }
    assert [template["TerminationProtection"] for template in found.values()] == [True, False]


@pytest.mark.parametrize(
    "tags",
    [
        [],
        [{"Key": "ringfence:department", "Value": "X"}],
        [{"Key": "Ringfence:Department", "Value": "x"}],
        [{"Key": "ringfence:department", "Value": "other"}],
    ],
)
def test_a_stack_of_that_name_without_the_departments_tag_is_no_empty_account(
    stubbed: Stubber, own: Account, tags: list[dict[str, str]]
) -> None:
    """It would be deployed over while everything looked new."""
    stubbed.add_response("describe_stacks", {"Stacks": [summary("ringfence-x-audit", "x") | {"Tags": tags}]}, {})
    with pytest.raises(CannotAsk, match=r"ringfence-x-audit: .*ringfence:department=x.*put the tag back"):
        deployed("x", ["ringfence-x-audit"], ACCOUNT, own)


def test_a_stack_that_never_began_is_not_there(stubbed: Stubber, own: Account) -> None:
    """A change set that nobody carried out leaves a stack without tags, template or resources."""
    begun = summary("ringfence-x-audit", "x", "REVIEW_IN_PROGRESS") | {"Tags": []}
    stubbed.add_response("describe_stacks", {"Stacks": [begun]}, {})
    assert deployed("x", ["ringfence-x-audit"], ACCOUNT, own) == {}


@pytest.mark.parametrize(
    "status",
    [
        *("ROLLBACK_COMPLETE", "DELETE_FAILED", "CREATE_FAILED", "UPDATE_ROLLBACK_FAILED"),
        *("CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"),
    ],
)
def test_a_stack_that_failed_or_is_on_its_way_still_has_what_it_kept(
    stubbed: Stubber, own: Account, status: str
) -> None:
    name = "ringfence-x-audit"
    stubbed.add_response("describe_stacks", {"Stacks": [summary(name, "x", status)]}, {})
    expected = {"StackName": name, "TemplateStage": "Original"}
    stubbed.add_response("get_template", {"TemplateBody": json.dumps(body(name))}, expected)
    assert list(deployed("x", [name], ACCOUNT, own)) == [name]


def test_nothing_deployed_is_no_error(stubbed: Stubber, own: Account) -> None:
    stubbed.add_response("describe_stacks", {"Stacks": []}, {})
    assert deployed("x", ["ringfence-x-audit"], ACCOUNT, own) == {}


OBSTACLES = [
    (Fault("AccessDenied"), "Allow these credentials cloudformation:DescribeStacks"),
    (Fault("ExpiredToken"), "Sign in again, or name other credentials with AWS_PROFILE"),
    (Fault("Throttling"), "run this again in a few minutes"),
    (sdk.NoCredentialsError(), "Sign in again, or name other credentials with AWS_PROFILE"),
    (sdk.ProfileNotFound(profile="nobody"), "name other credentials with AWS_PROFILE"),
    (sdk.ProxyConnectionError(proxy_url="http://a:pass@proxy.example"), "Correct HTTPS_PROXY"),
    (sdk.EndpointConnectionError(endpoint_url="https://cloudformation.example"), "Check the network"),
]


@pytest.mark.parametrize(("obstacle", "remedy"), OBSTACLES)
def test_each_obstacle_is_told_with_its_own_way_out(obstacle: Exception, remedy: str) -> None:
    answers = ModelledAccount().says("sts:GetCallerIdentity", {"Account": ACCOUNT})
    answers.says("cloudformation:DescribeStacks", obstacle)
    with pytest.raises(CannotAsk) as told:
        deployed("x", ["ringfence-x-audit"], ACCOUNT, answers.account)
    advice, otherwise = told.value.remedy.splitlines()
    assert remedy in advice and "AGAINST=" in otherwise
    assert f"in account {ACCOUNT} cannot be asked: cloudformation:DescribeStacks" in str(told.value)
    assert "pass" not in str(told.value)


def test_credentials_of_another_account_are_no_answer(stubbed: Stubber, own: Account) -> None:
    """They see no stack of the department: everything would look new, and nothing be lost."""
    with pytest.raises(CannotAsk, match="account 111122223333, the stacks are for 444455556666"):
        deployed("x", [], "444455556666", own)


def test_an_assembly_whose_templates_are_gone_is_told_in_one_sentence(tmp_path: Path) -> None:
    folder = written(tmp_path / "out", audit=body("a"))
    with_manifest(folder)
    (folder / "ringfence-x-audit.template.json").unlink()
    with pytest.raises(CannotAsk, match=r"lacks 1 of the 1 templates that it names, such as ringfence-x-audit.*again"):
        in_folder(folder)


def test_a_template_of_an_earlier_synthesis_does_not_count(tmp_path: Path) -> None:
    folder = written(tmp_path / "out", audit=body("a"), operator=body("b"))
    with_manifest(folder)
    assert list(in_folder(folder)) == ["ringfence-x-audit"]
    assert account_of(folder) == ACCOUNT
    assert in_folder(folder)["ringfence-x-audit"]["TerminationProtection"] is True


def with_manifest(folder: Path) -> None:
    stack = "ringfence-x-audit"
    properties = {"templateFile": f"{stack}.template.json", "terminationProtection": True}
    kept = {"properties": properties, "environment": f"aws://{ACCOUNT}/eu-west-2"}
    manifest = {"artifacts": {stack: {"type": "aws:cloudformation:stack", **kept}}}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def written(folder: Path, **templates: Any) -> Path:
    folder.mkdir()
    for name, content in templates.items():
        (folder / f"ringfence-x-{name}.template.json").write_text(json.dumps(content))
    return folder


def test_the_command_tells_and_wants_losses_confirmed_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = written(tmp_path / "before", audit=body("a"))
    after = written(tmp_path / "after", audit=body("b"))
    asked = ["changes", "--assembly", str(after), "--against", str(before)]
    assert main(asked) == 1
    said = capsys.readouterr().out
    assert "replaced  ringfence-x-audit/It" in said
    assert "ACCEPT='ringfence-x-audit/It'" in said
    assert main([*asked, "--accept", "ringfence-x-audit/It"]) == 0
    said = capsys.readouterr().out
    assert "All that would be lost, weakened or refused is confirmed." in said and "Nothing that holds" not in said
    assert main([*asked, "--accept", "ringfence-x-audit/It", "--accept", "ringfence-x-audit/That"]) == 1
    assert "ringfence-x-audit/That is confirmed, but nothing happens to it" in capsys.readouterr().out


def test_one_template_is_compared_with_and_what_it_loses_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = written(tmp_path / "before", audit=body("a"), network=body("b")) / "ringfence-x-audit.template.json"
    after = written(tmp_path / "after", audit=body("b"), network=body("a"))
    assert confirmed.tell_changes(after, against=before, accepted=[]) == 1
    said = capsys.readouterr().out
    assert "replaced  ringfence-x-audit/It" in said and "network" not in said
    assert confirmed.tell_changes(after, against=before, accepted=["ringfence-x-audit/It"]) == 0
    strange = before.rename(tmp_path / "audit.json")
    with pytest.raises(CannotAsk, match=r"audit.json has the name of no stack. Call it one of: ringfence-x-audit.temp"):
        confirmed.tell_changes(after, against=strange, accepted=[])


def test_a_folder_of_two_departments_is_refused_with_what_to_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = written(tmp_path / "before", audit=body("a"))
    (before / "ringfence-y-audit.template.json").write_text(json.dumps(body("a")))
    after = written(tmp_path / "after", audit=body("a"))
    assert main(["changes", "--assembly", str(after), "--against", str(before)]) == 2
    said = capsys.readouterr().err
    assert "ringfence-x-audit, ringfence-y-audit" in said and "make synth DEPARTMENT=" in said


@pytest.mark.parametrize("as_text", [False, True])
def test_what_get_template_prints_is_read_as_the_template_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], as_text: bool
) -> None:
    printed = {"TemplateBody": json.dumps(body("a")) if as_text else body("a"), "StagesAvailable": ["Original"]}
    before = written(tmp_path / "before", audit=printed)
    after = written(tmp_path / "after", audit=body("b"))
    assert main(["changes", "--assembly", str(after), "--against", str(before)]) == 1
    assert "replaced  ringfence-x-audit/It" in capsys.readouterr().out


NO_TEMPLATES = [
    [],
    "text",
    None,
    {},
    {"Resources": []},
    {"TemplateBody": "Resources: {}", "StagesAvailable": ["Original"]},
    {"TemplateBody": {}},
    {"Resources": {"A": {}}},
    {"Resources": {"A": {"Type": 1}}},
    {"Resources": {"A": "AWS::S3::Bucket"}},
    {"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": []}}},
    {"Resources": {}, "Outputs": []},
    {"Resources": {}, "Outputs": {"A": {}}},
]


@pytest.mark.parametrize("content", NO_TEMPLATES, ids=json.dumps)
def test_what_is_no_template_is_no_empty_stack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: Any
) -> None:
    """Every such file is named at once; none of them is an all-clear, and none a traceback."""
    before = written(tmp_path / "before", audit=content, operator=content)
    after = written(tmp_path / "after", audit=body("b"))
    assert main(["changes", "--assembly", str(after), "--against", str(before)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    for name in ("audit", "operator"):
        assert f"{before}/ringfence-x-{name}.template.json: " in told.err


@pytest.mark.parametrize("handed_over", [{}, {"Resources": {"A": {}}}, "Resources: {}"])
def test_what_the_account_hands_over_is_a_template(stubbed: Stubber, own: Account, handed_over: Any) -> None:
    text = handed_over if isinstance(handed_over, str) else json.dumps(handed_over)
    stubbed.add_response("describe_stacks", {"Stacks": [summary("ringfence-x-audit", "x")]}, {})
    stubbed.add_response("get_template", {"TemplateBody": text})
    with pytest.raises(CannotAsk, match="the deployed stack ringfence-x-audit: "):
        deployed("x", ["ringfence-x-audit"], ACCOUNT, own)


STACK_ARTIFACT = {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/eu-west-2", "properties": {}}


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"artifacts": []},
        {"artifacts": {"a": {}}},
        {"artifacts": {"a": []}},
        {"artifacts": {"a": STACK_ARTIFACT}},
        {"artifacts": {"a": STACK_ARTIFACT | {"properties": {"templateFile": 1}}}},
        {"artifacts": {"a": STACK_ARTIFACT | {"properties": []}}},
    ],
    ids=json.dumps,
)
def test_a_manifest_that_says_no_stack_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: Any
) -> None:
    folder = written(tmp_path / "it", audit=body("a"))
    (folder / "manifest.json").write_text(json.dumps(content))
    assert main(["changes", "--assembly", str(folder)]) == 2
    assert f"{folder}/manifest.json: " in capsys.readouterr().err


def test_what_cloudformation_would_refuse_cannot_be_confirmed_away(tmp_path: Path) -> None:
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": "p", "Description": "one"}}
    other = {**policy, "Properties": {"ManagedPolicyName": "p", "Description": "two"}}
    before = written(tmp_path / "before", audit={"Resources": {"It": policy}})
    after = written(tmp_path / "after", audit={"Resources": {"It": other}})
    asked = ["changes", "--assembly", str(after), "--against", str(before), "--accept", "ringfence-x-audit/It"]
    assert main(asked) == 1


def test_what_a_person_deletes_by_hand_first_is_confirmed_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def domain(prefix: str) -> dict[str, Any]:
        return {"Type": "AWS::Cognito::UserPoolDomain", "Properties": {"UserPoolId": "pool", "Domain": prefix}}

    before = written(tmp_path / "before", audit=body("a"), identity={"Resources": {"It": domain("one")}})
    after = written(tmp_path / "after", audit=body("a"), identity={"Resources": {"It": domain("two")}})
    asked = ["changes", "--assembly", str(after), "--against", str(before)]
    assert main(asked) == 1
    assert "delete that by hand first" in capsys.readouterr().out
    assert main([*asked, "--accept", "ringfence-x-identity/It"]) == 0
    assert "would stop" not in capsys.readouterr().out


def test_a_refused_change_of_what_holds_data_is_not_confirmed_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The loss has a name to confirm; CloudFormation would stop all the same."""
    other = {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/a", "TargetKeyId": "k"}}
    before = written(tmp_path / "before", audit=body("a"))
    after = written(tmp_path / "after", audit={"Resources": {"It": other}})
    asked = ["changes", "--assembly", str(after), "--against", str(before), "--accept", "ringfence-x-audit/It"]
    assert main(asked) == 1
    assert "refused   ringfence-x-audit/It" in capsys.readouterr().out


def test_the_same_templates_are_no_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / "it", audit=body("a"))
    assert main(["changes", "--assembly", str(folder), "--against", str(folder)]) == 0
    assert "Nothing would be replaced, removed, weakened or refused." in capsys.readouterr().out


@pytest.mark.parametrize("asked", ["folder", "account"])
def test_a_stack_that_is_compared_with_nothing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """A folder that lacks a deployed stack would be an all-clear for it."""
    before = written(tmp_path / "before", audit=body("a"))
    told = "Compared with nothing: ringfence-x-operator; everything of it would be new."
    against = ["--against", str(before)] if asked == "folder" else []
    monkeypatch.setattr(confirmed, "deployed", lambda *_: in_folder(before))
    monkeypatch.setattr(confirmed, "account_of", lambda _: ACCOUNT)
    for name, audit, code in (("same", "a", 0), ("other", "b", 1)):
        after = written(tmp_path / name, audit=body(audit), operator=body("c"))
        assert main(["changes", "--assembly", str(after), *against]) == code
        assert told in capsys.readouterr().out
    assert main(["changes", "--assembly", str(before), *against]) == 0
    assert "Compared with nothing" not in capsys.readouterr().out


def test_without_templates_or_an_account_the_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["changes", "--assembly", str(tmp_path), "--against", str(tmp_path)]) == 2
    assert "make synth" in capsys.readouterr().err

    def refused(*_: str) -> dict[str, Any]:
        raise CannotAsk("no credentials")

    monkeypatch.setattr(confirmed, "deployed", refused)
    folder = written(tmp_path / "it", audit=body("a"))
    with_manifest(folder)
    assert main(["changes", "--assembly", str(folder)]) == 2
    assert "no credentials" in capsys.readouterr().err
    assert in_folder(folder)


def test_an_organisations_stack_is_found_by_its_name(stubbed: Stubber, own: Account) -> None:
    """It bears no tag of a department."""
    name = "ringfence-organisation-example"
    assert department_in({name: {}}) == ""
    there = [summary(name, "") | {"Tags": []}, summary("ringfence-x-audit", "x")]
    stubbed.add_response("describe_stacks", {"Stacks": there}, {})
    expected = {"StackName": name, "TemplateStage": "Original"}
    stubbed.add_response("get_template", {"TemplateBody": json.dumps(body("a"))}, expected)
    assert list(deployed("", [name], ACCOUNT, own)) == [name]


def test_make_compares_an_organisation_too() -> None:
    said = subprocess.run(
        ["make", "-n", "deploy", "ORGANISATION=example"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "-m ringfence deploy --organisation 'example'" in said


def test_the_templates_of_another_department_are_compared_with_nothing(
    assemblies: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = (str(assemblies[name].folder) for name in ("example-production", "example-sandbox"))
    assert main(["changes", "--assembly", here, "--against", there]) == 2
    told = capsys.readouterr()
    assert "holds the department example-sandbox, not example-production" in told.err
    assert told.out == ""


def test_only_a_personas_stack_is_to_be_retired() -> None:
    before = {f"ringfence-x-{name}": {} for name in ("audit", "network", "operator")}
    told = {each.stack: each.why for each in changes(before, {"ringfence-x-audit": {}})}
    assert "`retired`" in told["ringfence-x-operator"]
    assert "`retired`" not in told["ringfence-x-network"]


def test_a_mistake_in_a_data_file_of_ours_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept.toml").write_text("[[kapt]]\n")
    monkeypatch.setattr(confirmed, "changes", lambda *_: schemas.kept(tmp_path / "kept.toml"))
    monkeypatch.setattr(confirmed, "in_folder", lambda _folder: {"ringfence-x-audit": {"Resources": {}}})
    assert main(["changes", "--assembly", str(tmp_path), "--against", str(tmp_path)]) == 1
    assert "kapt" in capsys.readouterr().err

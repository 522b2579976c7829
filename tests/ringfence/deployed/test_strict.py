"""A template is read whole or not at all: what would change its meaning and is not read ends the reading by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.problems import UnresolvedTemplate
from tests.ringfence.deployed.test_assembly import write

Template = dict[str, Any]
BUCKET: Template = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "example"}}
CONDITION = {"Fn::Equals": [{"Ref": "Given"}, "yes"]}


def checked(folder: Path, template: Template) -> None:
    Assembly.load(write(folder, {"Resources": {"Bucket": BUCKET}, **template})).check()


def with_bucket(**members: Any) -> Template:
    return {"Resources": {"Bucket": {**BUCKET, **members}}}


def with_property(name: str, value: Any, kind: str = "AWS::S3::Bucket") -> Template:
    return {"Resources": {"Planted": {"Type": kind, "Properties": {name: value}}}}


def test_every_section_and_member_that_the_cdk_writes_is_known(tmp_path: Path) -> None:
    policies = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "DependsOn": [], "Metadata": {}}
    checked(
        tmp_path,
        {
            **with_bucket(**policies),
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "A stack.",
            "Metadata": {},
            "Parameters": {"Given": {"Type": "String", "Default": "yes"}},
            "Rules": {"Checked": {"Assertions": []}},
            "Outputs": {"Name": {"Value": {"Ref": "Bucket"}, "Description": "Its name.", "Export": {"Name": "x"}}},
        },
    )


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ({"Transform": "AWS::LanguageExtensions"}, "one/Transform: is a section"),
        ({"Transform": ["AWS::Serverless-2016-10-31"]}, "one/Transform: is a section"),
        ({"Hooks": {}}, "one/Hooks: is a section"),
        ({"Later": {}}, "one/Later: is a section"),
        (with_bucket(CreationPolicy={}), "one/Bucket: has the member CreationPolicy"),
        (with_bucket(UpdatePolicy={}), "one/Bucket: has the member UpdatePolicy"),
        (with_bucket(Later=1), "one/Bucket: has the member Later"),
        ({"Resources": {"Bucket": {}}}, "one/Bucket: stands under Resources and has no Type"),
        ({"Resources": {"Fn::ForEach::Each": ["X", ["a"], {}]}}, "one/Fn::ForEach::Each: stands under Resources"),
        ({"Resources": {"Fn::Transform": {"Name": "AWS::Include"}}}, "one/Fn::Transform: stands under Resources"),
        ({"Outputs": {"Fn::ForEach::Each": ["X", ["a"], {}]}}, "one/Fn::ForEach::Each: stands under Outputs"),
        ({"Outputs": {"Name": {"Value": "x", "Condition": "Maybe"}}}, "one/Name: has the member Condition"),
        ({**with_bucket(Condition="No"), "Conditions": {}}, "one/No: is no condition"),
        ({**with_bucket(Condition="Maybe"), "Conditions": {"Maybe": CONDITION}}, "one/Maybe: is a condition"),
        (
            {**with_bucket(Condition="A"), "Conditions": {"A": {"Condition": "B"}, "B": {"Condition": "A"}}},
            "one/A: is a condition that depends on itself",
        ),
        (
            {**with_bucket(Condition="A"), "Conditions": {"A": {"Fn::Equals": [{"Ref": "Bucket"}, "x"]}}},
            "or on what is neither a condition nor a parameter",
        ),
        (
            {**with_bucket(Condition="A"), "Conditions": {"Fn::ForEach::A": ["X", ["a"], {}]}},
            "one/A: is no condition",
        ),
        ({**with_bucket(Condition="A"), "Conditions": {"A": {"Fn::Not": []}}}, "one/A: cannot be read: IndexError"),
        ({**with_bucket(Condition="A"), "Conditions": {"A": {"Fn::And": 1}}}, "one/A: cannot be read: TypeError"),
        (with_bucket(Condition=["A"]), "one/['A']: is no condition"),
        ({"Resources": []}, "one/Resources: is a section that is no object"),
        ({"Outputs": "x"}, "one/Outputs: is a section that is no object"),
        ({"Outputs": {"Name": {"Value": {"Fn::Select": []}}}}, "one/Name: cannot be read: IndexError"),
        (with_bucket(Properties="x"), "one/Bucket: cannot be read: ValueError"),
        (with_bucket(Type=[]), "one/Bucket: []: nothing reads this type"),
        (with_property("BucketName", {"Fn::Join": ["a"]}), "one/Planted: cannot be read: ValueError"),
        (with_property("BucketName", {"Fn::Transform": {"Name": "x"}, "Other": 1}), "Fn::Transform is unknown here"),
        (with_property("BucketName", {"Fn::ForEach::Each": ["X", ["a"], {}]}), "Fn::ForEach::Each is unknown here"),
        (with_property("BucketName", {"Ref": "Planted"}), "one/Planted: AWS::S3::Bucket: is named after itself"),
    ],
)
def test_what_changes_a_template_or_cannot_be_decided_is_told(tmp_path: Path, template: Template, told: str) -> None:
    with pytest.raises(UnresolvedTemplate) as refused:
        checked(tmp_path, template)
    assert told in refused.value.what
    assert refused.value.remedy


@pytest.mark.parametrize("kind", ["String", "AWS::SSM::Parameter::Value<String>"])
@pytest.mark.parametrize("where", ["condition", "property"])
def test_a_parameter_has_no_value_before_it_is_deployed(tmp_path: Path, kind: str, where: str) -> None:
    """CloudFormation takes the value of the last deployment, or another that somebody gives, before the default."""
    template = with_property("BucketName", {"Ref": "Given"})
    if where == "condition":
        template = {**with_bucket(Condition="Maybe"), "Conditions": {"Maybe": CONDITION}}
    with pytest.raises(UnresolvedTemplate, match=r"one/Given: is a parameter, whose value is chosen"):
        checked(tmp_path, {**template, "Parameters": {"Given": {"Type": kind, "Default": "yes"}}})


@pytest.mark.parametrize(
    "decided",
    [
        {"Fn::Equals": [{"Ref": "AWS::StackId"}, "x"]},
        {"Fn::Equals": [{"Fn::Select": [4, {"Fn::Split": [":", {"Ref": "AWS::StackId"}]}]}, "999999999999"]},
        {"Fn::Not": [{"Fn::Equals": [{"Fn::Sub": "${AWS::StackId}"}, "x"]}]},
        {"Fn::Equals": [{"Fn::Join": ["", {"Ref": "AWS::NotificationARNs"}]}, ""]},
    ],
)
def test_no_condition_is_decided_by_what_is_known_once_deployed(tmp_path: Path, decided: Template) -> None:
    """A made-up value would decide that a role for somebody else does not exist."""
    with pytest.raises(UnresolvedTemplate, match=r"one/AWS::(StackId|NotificationARNs): is known only once"):
        checked(tmp_path, {**with_bucket(Condition="Maybe"), "Conditions": {"Maybe": decided}})


def test_a_property_may_name_the_stack(tmp_path: Path) -> None:
    checked(tmp_path, with_property("BucketName", {"Fn::Sub": "x-${AWS::StackId}"}))


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("AWS::S3::Bucket", "ReplicationConfiguration"),
        ("AWS::S3::Bucket", "AccessControl"),
        ("AWS::S3::Bucket", "WebsiteConfiguration"),
        ("AWS::S3::Bucket", "NotificationConfiguration"),
        ("AWS::S3::Bucket", "InventoryConfigurations"),
        ("AWS::Cognito::UserPoolGroup", "RoleArn"),
        ("AWS::Cognito::UserPoolDomain", "CustomDomainConfig"),
        ("AWS::Cognito::UserPoolRiskConfigurationAttachment", "RiskExceptionConfiguration"),
        ("AWS::CloudFormation::WaitConditionHandle", "Anything"),
        ("AWS::Lambda::Permission", "FunctionUrlAuthType"),
        ("AWS::Lambda::Permission", "PrincipalOrgID"),
        ("AWS::Lambda::Function", "DeadLetterConfig"),
        ("AWS::EC2::SecurityGroup", "SecurityGroupEgress.SourcePrefixListId"),
        ("AWS::EC2::SecurityGroup", "SecurityGroupIngress.DestinationPrefixListId"),
        ("AWS::Cognito::UserPool", "Policies.SignInPolicy"),
        ("AWS::Cognito::UserPool", "LambdaConfig.CustomEmailSender"),
        ("AWS::BedrockAgentCore::Gateway", "WafConfiguration"),
    ],
)
def test_a_property_that_could_open_something_is_refused(tmp_path: Path, kind: str, path: str) -> None:
    first, _, rest = path.partition(".")
    with pytest.raises(UnresolvedTemplate, match=rf"one/Planted: {kind}: {path} is unknown"):
        checked(tmp_path, with_property(first, {rest: "x"} if rest else "x", kind))


@pytest.mark.parametrize(
    "kind",
    [
        *("DHCPOptions", "EIP", "EgressOnlyInternetGateway", "Instance", "InternetGateway", "NatGateway", "NetworkAcl"),
        *("Route", "TransitGatewayAttachment", "VPCCidrBlock", "VPCPeeringConnection", "VPNGateway"),
    ],
)
def test_a_part_of_a_network_that_no_department_has_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UnresolvedTemplate, match=rf"AWS::EC2::{kind}: nothing reads this type"):
        checked(tmp_path, with_property("Name", "x", f"AWS::EC2::{kind}"))


@pytest.mark.parametrize(
    "kind",
    [
        "AWS::ApiGatewayV2::Api",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::Lambda::Url",
        "AWS::Route53Resolver::FirewallConfig",
        "AWS::SQS::Queue",
    ],
)
def test_another_door_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UnresolvedTemplate, match=f"{kind}: nothing reads this type"):
        checked(tmp_path, with_property("Name", "x", kind))


def add_artifact(folder: Path, name: str, **artifact: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"][name] = {**manifest["artifacts"]["one"], **artifact}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_two_stacks_of_one_name_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"Resources": {}})
    add_artifact(tmp_path, "two", properties={"templateFile": "one.json", "stackName": "one"})
    with pytest.raises(UnresolvedTemplate, match=r"two/manifest\.json: is a second stack of the name one"):
        Assembly.load(tmp_path)


@pytest.mark.parametrize("kind", ["cdk:cloud-assembly", "something:new"])
def test_an_artifact_that_nothing_reads_is_told(tmp_path: Path, kind: str) -> None:
    write(tmp_path, {"Resources": {}})
    add_artifact(tmp_path, "other", type=kind)
    with pytest.raises(UnresolvedTemplate, match=rf"other/manifest\.json: is of the kind {kind}, which nothing reads"):
        Assembly.load(tmp_path)


def test_a_tag_that_could_open_something_is_told(tmp_path: Path) -> None:
    """CloudFormation puts the tags of a stack on all that it makes, where conditions of policies look for them."""
    write(tmp_path, {"Resources": {}})
    tags = {"ringfence:department": "x", "ringfence:environment": "sandbox"}
    add_artifact(tmp_path, "one", properties={"templateFile": "one.json", "tags": tags})
    Assembly.load(tmp_path)
    add_artifact(
        tmp_path, "one", properties={"templateFile": "one.json", "tags": {**tags, "ringfence:sandbox": "true"}}
    )
    with pytest.raises(UnresolvedTemplate, match=r"one/manifest\.json: tags all .* with ringfence:sandbox; known: "):
        Assembly.load(tmp_path)


def upload(folder: Path, name: str, source: str, *, bucket: str = "assets") -> None:
    """Lists a file that deployment uploads as `key.json`."""
    destinations = {"there": {"bucketName": bucket, "objectKey": "key.json"}}
    asset = {"source": {"path": source}, "destinations": destinations}
    (folder / f"{name}.json").write_text(json.dumps({"files": {"template": asset}}))
    add_artifact(folder, name, type="cdk:asset-manifest", properties={"file": f"{name}.json"})


@pytest.fixture
def uploaded(tmp_path: Path) -> Path:
    """An assembly whose template is taken from the bucket of its files."""
    write(tmp_path, {"Resources": {}})
    address = {"stackTemplateAssetObjectUrl": "s3://assets/key.json"}
    add_artifact(tmp_path, "one", properties={"templateFile": "one.json", **address})
    return tmp_path


def test_the_template_that_is_read_is_the_one_that_is_uploaded(uploaded: Path) -> None:
    upload(uploaded, "files", "one.json")
    assert list(Assembly.load(uploaded).stacks) == ["one"]


@pytest.mark.parametrize(("source", "bucket"), [("other.json", "assets"), ("one.json", "elsewhere")])
def test_a_stack_that_is_deployed_from_another_file_is_told(uploaded: Path, source: str, bucket: str) -> None:
    upload(uploaded, "files", source, bucket=bucket)
    told = r"one/manifest\.json: is deployed from s3://assets/key\.json, to which one\.json is not uploaded"
    with pytest.raises(UnresolvedTemplate, match=told):
        Assembly.load(uploaded)


@pytest.mark.parametrize(("source", "bucket"), [("other.json", "assets"), ("one.json", "elsewhere")])
def test_two_uploads_of_one_key_are_told(uploaded: Path, source: str, bucket: str) -> None:
    upload(uploaded, "files", "one.json")
    upload(uploaded, "more", source, bucket=bucket)
    told = r"more/manifest\.json: uploads a second file, or to a second bucket, as key\.json"
    with pytest.raises(UnresolvedTemplate, match=told):
        Assembly.load(uploaded)

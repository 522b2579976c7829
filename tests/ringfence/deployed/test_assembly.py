"""Reading cloud assemblies: references, exports, assets, and refusing what is not understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets

from ringfence.deployed.assembly import Assembly, UnresolvedTemplate
from ringfence.deployed.roles import endpoints, roles

ACCOUNT = "111122223333"
ENVIRONMENT = cdk.Environment(account=ACCOUNT, region="eu-west-2")


def write(folder: Path, template: dict[str, Any], *, environment: str = f"aws://{ACCOUNT}/eu-west-2") -> Path:
    """A cloud assembly with one stack called "one"."""
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": environment,
        "properties": {"templateFile": "one.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"one": artifact}}))
    (folder / "one.json").write_text(json.dumps(template))
    return folder


def value(folder: Path, expression: Any, **sections: Any) -> Any:
    """What an expression in a template resolves to."""
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "example"}}
    log = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": expression}}
    template = {"Resources": {"Bucket": bucket, "Log": log}, **sections}
    return Assembly.load(write(folder, template)).resource("one", "Log").properties.get("LogGroupName")


@pytest.fixture(scope="module")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    folder = tmp_path_factory.mktemp("assembly")
    (folder / "code.txt").write_text("print()")
    app = cdk.App(outdir=str(folder / "cdk.out"), analytics_reporting=False)
    first, second = (cdk.Stack(app, name, env=ENVIRONMENT) for name in ("first", "second"))
    key = kms.Key(first, "Key")
    vpc = ec2.Vpc(
        first,
        "Vpc",
        availability_zones=["eu-west-2a"],
        restrict_default_security_group=False,
        subnet_configuration=[ec2.SubnetConfiguration(name="Own", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
    )
    vpc.add_interface_endpoint("Iam", service=ec2.InterfaceVpcEndpointAwsService.IAM, service_region="us-east-1")
    logs_endpoint = vpc.add_interface_endpoint("Logs", service=ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS)
    logs_endpoint.add_to_policy(
        iam.PolicyStatement(sid="Here", principals=[iam.AnyPrincipal()], actions=["logs:*"], resources=["*"])
    )
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    group = logs.LogGroup(second, "Log", encryption_key=key)
    boundary = iam.ManagedPolicy(
        first, "Boundary", statements=[iam.PolicyStatement(sid="Edge", actions=["logs:*"], resources=["*"])]
    )
    role = iam.Role(
        second,
        "Role",
        path="/people/",
        role_name="reader",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        permissions_boundary=boundary,
        inline_policies={
            "Own": iam.PolicyDocument(
                statements=[iam.PolicyStatement(sid="Inline", actions=["logs:Get*"], resources=[group.log_group_arn])]
            )
        },
    )
    iam.Policy(
        second,
        "Extra",
        roles=[role],
        statements=[iam.PolicyStatement(sid="Attached", actions=["kms:Decrypt"], resources=[key.key_arn])],
    )
    cdk.Tags.of(role).add("team", "blue")
    asset = s3_assets.Asset(second, "Code", path=str(folder / "code.txt"))
    cdk.CfnOutput(second, "CodeKey", value=asset.s3_object_key)
    app.synth()
    return Assembly.load(folder / "cdk.out")


def test_everything_in_a_cdk_app_is_understood(synthesised: Assembly) -> None:
    synthesised.check()
    assert {stack.name for stack in synthesised.stacks.values()} == {"first", "second"}
    assert (synthesised.account, synthesised.region) == (ACCOUNT, "eu-west-2")


def test_references_cross_stacks_by_exports(synthesised: Assembly) -> None:
    (key,) = synthesised.of_type("AWS::KMS::Key")
    (group,) = synthesised.of_type("AWS::Logs::LogGroup")
    assert group.properties["KmsKeyId"] == key.arn == f"arn:aws:kms:eu-west-2:{ACCOUNT}:key/{key.ref}"


def test_two_loads_give_the_same_ids(synthesised: Assembly) -> None:
    again = Assembly.load(synthesised.path)
    assert [r.ref for r in again.resources()] == [r.ref for r in synthesised.resources()]


def test_assets_are_found_by_their_key(synthesised: Assembly) -> None:
    key = synthesised.stacks["second"].outputs["CodeKey"]
    assert synthesised.asset(key).read_text() == "print()"
    with pytest.raises(UnresolvedTemplate, match=r"nothing\.zip: is no asset"):
        synthesised.asset("nothing.zip")


def test_a_role_carries_all_its_policies(synthesised: Assembly) -> None:
    role = roles(synthesised)[f"arn:aws:iam::{ACCOUNT}:role/people/reader"]
    assert [s.sid for p in role.identity for s in p.statements] == ["Inline", "Attached"]
    assert role.boundary is not None
    assert [s.sid for s in role.boundary.statements] == ["Edge"]
    assert role.tags == {"team": "blue"}


def test_endpoints_are_found_by_service_and_region(synthesised: Assembly) -> None:
    found = endpoints(synthesised)
    assert set(found) == {("iam", "us-east-1"), ("logs", "eu-west-2"), ("s3", "eu-west-2")}
    assert found["iam", "us-east-1"].policy is None
    policy = found["logs", "eu-west-2"].policy
    assert policy is not None
    assert policy.statements[0].sid == "Here"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"Ref": "Bucket"}, "example"),
        ({"Ref": "AWS::AccountId"}, ACCOUNT),
        ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
        ({"Ref": "AWS::NoValue"}, None),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::example"),
        ({"Fn::GetAtt": "Bucket.Arn"}, "arn:aws:s3:::example"),
        ({"Fn::Join": ["/", ["a", {"Ref": "AWS::Region"}]]}, "a/eu-west-2"),
        (
            {"Fn::Sub": "${Bucket}-${AWS::Region}-${!Plain}-${Bucket.Arn}"},
            "example-eu-west-2-${Plain}-arn:aws:s3:::example",
        ),
        ({"Fn::Sub": ["${X}!", {"X": {"Ref": "Bucket"}}]}, "example!"),
        ({"Fn::Select": [1, {"Fn::Split": [":", {"Fn::GetAtt": ["Bucket", "Arn"]}]}]}, "aws"),
        ({"Fn::Select": [1, {"Fn::GetAZs": ""}]}, "eu-west-2b"),
        ({"Fn::Select": [1, {"Fn::Cidr": ["10.0.0.0/16", 2, 8]}]}, "10.0.1.0/24"),
        ({"Fn::FindInMap": ["Sizes", "eu-west-2", "size"]}, "small"),
        ({"Fn::If": ["IsLondon", "yes", "no"]}, "yes"),
        ({"Fn::If": ["IsNot", "yes", {"Ref": "AWS::NoValue"}]}, None),
        ({"Fn::Base64": "a"}, "YQ=="),
        ({"Fn::ToJsonString": {"a": {"Ref": "Bucket"}}}, '{"a":"example"}'),
    ],
)
def test_intrinsics(tmp_path: Path, expression: Any, expected: Any) -> None:
    found = value(
        tmp_path,
        expression,
        Mappings={"Sizes": {"eu-west-2": {"size": "small"}}},
        Conditions={
            "IsLondon": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-2"]},
            "IsNot": {"Fn::Not": [{"Condition": "IsLondon"}]},
        },
    )
    assert found == expected


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ({"Ref": "Nobody"}, r"one/Nobody: is neither a resource nor a parameter"),
        ({"Fn::GetAtt": ["Bucket", "Colour"]}, r"one/Bucket: attribute Colour of AWS::S3::Bucket is unknown"),
        ({"Fn::GetAtt": ["Nobody", "Arn"]}, r"one/Nobody: is no resource"),
        ({"Fn::ImportValue": "nowhere"}, r"one/nowhere: is imported, but no stack"),
        ({"Fn::GetStackOutput": {"StackName": "two", "OutputName": "It"}}, r"one/It: is read, but no stack two"),
        ({"Fn::GetStackOutput": {"StackName": "one", "OutputName": "It", "RoleArn": "x"}}, r"RoleArn.* is unknown"),
        ({"Fn::GetStackOutput": {"StackName": "one", "OutputName": "It", "Region": "us-east-1"}}, r"from us-east-1"),
        ({"Fn::Transform": {"Name": "x"}}, r"one/Log: Fn::Transform is unknown here"),
        ({"Fn::Select": [4, ["a"]]}, r"one/Log: Fn::Select asks for item 4 of 1"),
        ({"Fn::Join": ["", [{"a": 1}]]}, r"one/Log: text was expected"),
        ({"Fn::FindInMap": ["No", "a", "b"]}, r"one/No: has no mapping"),
        ({"Fn::If": ["No", "a", "b"]}, r"one/No: is no condition"),
        ({"Ref": "AWS::Moon"}, r"one/AWS::Moon: is an unknown pseudo parameter"),
        ({"Fn::Select": [0, {"Fn::GetAZs": "eu-west-1"}]}, r"zones of eu-west-1 are not known"),
        ("{{resolve:ssm:x}}", r"one/Log: '{{resolve:ssm:x}}' is read when the stack is deployed"),
        ("{{resolve:secretsmanager:x}}", r"one/Log: .* is read when the stack is deployed"),
        ("arn:aws:iam::{{resolve:ssm:x:1}}:root", r"one/Log: .* is read when the stack is deployed"),
        ({"Fn::Join": ["", ["{{res", "olve:ssm-secure:x}}"]]}, r"one/Log: .* is read when the stack is deployed"),
        ({"Fn::Base64": "{{resolve:ssm:x}}"}, r"one/Log: .* is read when the stack is deployed"),
        ({"Fn::Select": [0, {"Fn::Split": ["|", "{{resolve:ssm:x}}|y"]}]}, r"is read when the stack is deployed"),
    ],
)
def test_what_is_not_understood_is_named(tmp_path: Path, expression: Any, says: str) -> None:
    with pytest.raises(UnresolvedTemplate, match=says):
        value(tmp_path, expression)


@pytest.mark.parametrize(
    ("details", "holds"),
    [
        ({"client_secret": "{{resolve:secretsmanager:x:SecretString}}", "client_id": "a"}, True),
        ({"client_secret": "{{resolve:ssm:x}}", "client_id": "a"}, False),
        ({"client_secret": "x{{resolve:secretsmanager:x}}", "client_id": "a"}, False),
        ({"client_secret": "{{resolve:secretsmanager:x}}", "client_id": "{{resolve:secretsmanager:x}}"}, False),
        ({"oidc_issuer": "{{resolve:secretsmanager:x}}"}, False),
    ],
)
def test_a_providers_secret_alone_is_read_when_the_stack_is_deployed(
    tmp_path: Path, details: dict[str, str], holds: bool
) -> None:
    provider = {"Type": "AWS::Cognito::UserPoolIdentityProvider", "Properties": {"ProviderDetails": details}}
    found = Assembly.load(write(tmp_path, {"Resources": {"Provider": provider}})).resource("one", "Provider")
    if holds:
        assert found.properties["ProviderDetails"] == details
    else:
        with pytest.raises(UnresolvedTemplate, match="is read when the stack is deployed"):
            _ = found.properties


def test_a_resource_whose_condition_is_false_does_not_exist(tmp_path: Path) -> None:
    template = {
        "Conditions": {"No": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Condition": "No"}},
    }
    assert list(Assembly.load(write(tmp_path, template)).resources()) == []


def test_an_iam_condition_is_no_cloudformation_condition(tmp_path: Path) -> None:
    document = {"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": "true"}}}]}
    template = {"Resources": {"Policy": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": document}}}}
    found = Assembly.load(write(tmp_path, template)).resource("one", "Policy")
    assert found.properties["PolicyDocument"] == document


def test_check_finds_an_unknown_type(tmp_path: Path) -> None:
    assembly = Assembly.load(write(tmp_path, {"Resources": {"Odd": {"Type": "AWS::Example::Odd"}}}))
    with pytest.raises(UnresolvedTemplate, match=r"one/Odd: AWS::Example::Odd: nothing reads this type"):
        assembly.check()


def test_check_finds_an_unknown_value_deep_inside(tmp_path: Path) -> None:
    properties = {"Tags": [{"Key": "a", "Value": {"Fn::GetAtt": ["Deep", "Nothing"]}}]}
    assembly = Assembly.load(
        write(tmp_path, {"Resources": {"Deep": {"Type": "AWS::S3::Bucket", "Properties": properties}}})
    )
    with pytest.raises(UnresolvedTemplate, match="attribute Nothing"):
        assembly.check()


def test_a_stack_without_an_account_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnresolvedTemplate, match="account and region must be fixed"):
        Assembly.load(write(tmp_path, {"Resources": {}}, environment="aws://unknown-account/unknown-region"))


def test_a_folder_that_is_no_assembly_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnresolvedTemplate, match="Synthesise first"):
        Assembly.load(tmp_path)


def test_a_managed_policy_from_elsewhere_is_refused(tmp_path: Path) -> None:
    properties = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    }
    template = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}
    with pytest.raises(UnresolvedTemplate, match=r"one/Role: uses managed policy .*ReadOnlyAccess"):
        roles(Assembly.load(write(tmp_path, template)))


@pytest.mark.parametrize("manifest", ["{", "{}", "[]", '{"artifacts": 1}'])
def test_a_damaged_manifest_is_told(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(UnresolvedTemplate, match=r"manifest\.json: cannot be read: .*Synthesise again"):
        Assembly.load(tmp_path)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("one.json", '{"Resources": {', r"one.json: cannot be read: .*Synthesise again"),
        ("one.json", "[]", r"one.json: cannot be read"),
        ("one.assets.json", '{"files": {', r"one.assets.json: cannot be read"),
        ("one.assets.json", '{"files": {"a": {}}}', r"one.assets.json: cannot be read: KeyError"),
        ("one.assets.json", '{"files": []}', r"one.assets.json: cannot be read"),
        ("manifest.json", '{"artifacts": {"one": {}}}', r"manifest.json: cannot be read: KeyError: 'type'"),
        (
            "manifest.json",
            '{"artifacts": {"one": {"type": "aws:cloudformation:stack"}}}',
            r"one/manifest.json: .*properties",
        ),
        ("manifest.json", '{"artifacts": {"one": "x"}}', r"manifest.json: cannot be read"),
    ],
)
def test_a_damaged_file_is_told(tmp_path: Path, file: str, text: str, told: str) -> None:
    write(tmp_path, {"Resources": {}})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["artifacts"]["one.assets"] = {"type": "cdk:asset-manifest", "properties": {"file": "one.assets.json"}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "one.assets.json").write_text("{}")
    (tmp_path / file).write_text(text)
    with pytest.raises(UnresolvedTemplate, match=told):
        Assembly.load(tmp_path)


def test_a_template_that_is_missing_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"Resources": {}})
    (tmp_path / "one.json").unlink()
    with pytest.raises(UnresolvedTemplate, match=r"one.json: cannot be read: FileNotFoundError"):
        Assembly.load(tmp_path)

"""The rights of the role that deploys: enough for every step of both examples, and no way past a boundary."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from assurance.actions import ActionTable, load
from assurance.assembly import Assembly
from assurance.iam import Policy, Request, decide
from deployment import __main__ as command
from deployment import command_policy, policy, rights
from governance.problems import ProblemsFound
from tests.conftest import LONGEST, Synthesised

ACCOUNT, REGION = "111122223333", "eu-west-2"
DEPARTMENTS = ["example-production", "example-sandbox", LONGEST]
RULES = tomllib.loads(Path(rights.RIGHTS).read_text())
ROLE = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"


class Deployer:
    """The role CloudFormation deploys as, with the compiled policies and nothing else."""

    def __init__(self, assembly: Assembly) -> None:
        self.documents = policy.policies(assembly, rights.load(), load())
        self._identity = [Policy.parse(document) for document in self.documents]

    def may(self, action: str, resource: str, **context: str) -> bool:
        return self.decided(action, resource, {key.replace("_", ":", 1): value for key, value in context.items()})

    def decided(self, action: str, resource: str, context: dict[str, str]) -> bool:
        home = "us-east-1" if action.split(":")[0] in ("iam", "organizations") else REGION
        request = Request(ROLE, action, resource, {"aws:RequestedRegion": home, **context})
        return decide(request, {"identity": self._identity}).allowed


@pytest.fixture(scope="module")
def assembly_of(assemblies: dict[str, Synthesised], longest: Synthesised) -> Callable[[str], Assembly]:
    folders = {name: each.folder for name, each in assemblies.items()} | {LONGEST: longest.folder}
    loaded = {name: Assembly.load(folders[name]) for name in DEPARTMENTS}
    return loaded.__getitem__


@pytest.fixture(scope="module")
def deployer_of(assembly_of: Callable[[str], Assembly]) -> Callable[[str], Deployer]:
    made = {name: Deployer(assembly_of(name)) for name in DEPARTMENTS}
    return made.__getitem__


def asked_of(resource_type: str) -> set[str]:
    """What the schema lists, less what the reviewed file spares; read here without the code under test."""
    if resource_type.startswith("Custom::"):
        return {"lambda:InvokeFunction"}
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource_type).schema["handlers"]
    listed = {action for handler in handlers.values() for action in handler.get("permissions", ())}
    spared = [
        re.compile(pattern.replace("*", ".*"), re.IGNORECASE)
        for rule in RULES["spared"]
        if resource_type in rule["types"]
        for pattern in rule["actions"]
    ]
    return {action for action in listed if not any(pattern.fullmatch(action) for pattern in spared)}


def arns_in(assembly: Assembly) -> set[str]:
    """The ARNs that the deployed resources would have, and the ARNs that their policies and settings name."""
    own = set()
    for resource in assembly.resources():
        try:
            own.add(resource.arn)
        except Exception:  # noqa: S112 - a type without an ARN has none to try
            continue
        if resource.type == "AWS::Logs::LogGroup":
            own.add(resource.arn.removesuffix(":*"))
    aliases = {f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias.ref}" for alias in assembly.of_type("AWS::KMS::Alias")}
    ids = {
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{resource.ref}"
        for name, kind in (("VPC", "vpc"), ("Subnet", "subnet"), ("SecurityGroup", "security-group"),
                           ("RouteTable", "route-table"), ("VPCEndpoint", "vpc-endpoint"), ("FlowLog", "vpc-flow-log"))
        for resource in assembly.of_type(f"AWS::EC2::{name}")
    }  # fmt: skip
    return own | aliases | ids


def targets(table: ActionTable, action: str, arns: set[str]) -> Iterator[str]:
    """The resources of the department that an action can be asked about; `*` where IAM knows none for it."""
    patterns = table[action].resources
    if not patterns:
        yield "*"
    for pattern in patterns:
        text = pattern.replace("${Partition}", "aws").replace("${Region}", REGION).replace("${Account}", ACCOUNT)
        shape = re.compile(re.sub(r"\\\$\\{\w+\\}", "[^:]+", re.escape(text)))
        yield from sorted(arn for arn in arns if shape.fullmatch(arn))


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_the_rights_suffice_for_every_create_update_and_delete(
    name: str, assembly_of: Callable[[str], Assembly], deployer_of: Callable[[str], Deployer]
) -> None:
    assembly, deployer, table = assembly_of(name), deployer_of(name), load()
    arns = arns_in(assembly)
    boundary = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/ringfence-{name}-service-boundary"}
    asked, refused = 0, set()
    for action in sorted({action for resource in assembly.resources() for action in asked_of(resource.type)}):
        if action in ("iam:CreateServiceLinkedRole", "iam:PassRole"):
            continue  # each has a test of its own
        for arn in targets(table, action, arns):
            if action.startswith("wafv2:") and ":userpool/" in arn:
                continue  # a web ACL can stand before a user pool; ours stand before gateways
            asked += 1
            if not deployer.decided(action, arn, boundary):
                refused.add((action, arn))
    assert asked > 1_000
    assert not refused


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_every_role_of_the_templates_can_be_made_and_handed_to_its_service(
    name: str, assembly_of: Callable[[str], Assembly], deployer_of: Callable[[str], Deployer]
) -> None:
    assembly, deployer = assembly_of(name), deployer_of(name)
    for role in assembly.of_type("AWS::IAM::Role"):
        assert deployer.may("iam:CreateRole", role.arn, iam_PermissionsBoundary=role.properties["PermissionsBoundary"])
        principal = role.properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
        service = principal.get("Service")
        if service and service != "cloudformation.amazonaws.com":  # that one is handed over by the developer's calls
            assert deployer.may("iam:PassRole", role.arn, iam_PassedToService=service)


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_no_role_without_the_departments_boundary(name: str, deployer_of: Callable[[str], Deployer]) -> None:
    deployer = deployer_of(name)
    own = f"arn:aws:iam::{ACCOUNT}:role/ringfence-{name}-auditor"
    for action in ("CreateRole", "AttachRolePolicy", "PutRolePolicy", "PutRolePermissionsBoundary"):
        assert not deployer.may(f"iam:{action}", own), f"{action} without any boundary"
        foreign = f"arn:aws:iam::{ACCOUNT}:policy/everything"
        assert not deployer.may(f"iam:{action}", own, iam_PermissionsBoundary=foreign)
    assert not deployer.may("iam:DeleteRolePermissionsBoundary", own)
    other = f"arn:aws:iam::{ACCOUNT}:role/administrator"
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/ringfence-{name}-service-boundary"
    for action in ("CreateRole", "AttachRolePolicy", "UpdateAssumeRolePolicy", "DeleteRole"):
        assert not deployer.may(f"iam:{action}", other, iam_PermissionsBoundary=boundary)


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_the_role_cannot_widen_itself_or_hand_over_what_is_not_its_own(
    name: str, assembly_of: Callable[[str], Assembly], deployer_of: Callable[[str], Deployer]
) -> None:
    deployer, place = deployer_of(name), policy.Place.of(assembly_of(name))
    for number in range(1, len(deployer.documents) + 1):
        own = f"arn:aws:iam::{ACCOUNT}:policy/{command_policy.policy_name(place, number)}"
        for action in ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy"):
            assert not deployer.may(f"iam:{action}", own)
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/ringfence-{name}-service-boundary"
    assert not deployer.may("iam:AttachRolePolicy", ROLE, iam_PermissionsBoundary=boundary)
    administrator = f"arn:aws:iam::{ACCOUNT}:role/administrator"
    assert not deployer.may("iam:PassRole", administrator, iam_PassedToService="lambda.amazonaws.com")
    auditor = f"arn:aws:iam::{ACCOUNT}:role/ringfence-{name}-auditor"
    assert not deployer.may("iam:PassRole", auditor, iam_PassedToService="ec2.amazonaws.com")
    for action in ("iam:CreateUser", "iam:CreateAccessKey", "iam:AttachUserPolicy", "sts:AssumeRole"):
        assert not deployer.may(action, "*")
        assert not deployer.may(action, f"arn:aws:iam::{ACCOUNT}:user/someone")


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_service_linked_roles_only_of_the_services_that_are_deployed(
    name: str, deployer_of: Callable[[str], Deployer]
) -> None:
    deployer = deployer_of(name)
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{{0}}/AWSServiceRoleForIt"
    for service in ("network.bedrock-agentcore.amazonaws.com", "wafv2.amazonaws.com"):
        assert deployer.may("iam:CreateServiceLinkedRole", arn.format(service), iam_AWSServiceName=service)
    other = "autoscaling.amazonaws.com"
    assert not deployer.may("iam:CreateServiceLinkedRole", arn.format(other), iam_AWSServiceName=other)


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_nothing_outside_the_region_and_the_account(name: str, deployer_of: Callable[[str], Deployer]) -> None:
    deployer = deployer_of(name)
    assert not deployer.may("lambda:CreateFunction", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:ringfence-{name}-x")
    assert not deployer.may(
        "lambda:CreateFunction", f"arn:aws:lambda:{REGION}:444455556666:function:ringfence-{name}-x"
    )
    assert not deployer.may("kms:CreateKey", "*", aws_RequestedRegion="us-east-1")
    assert not deployer.may("s3:GetObject", f"arn:aws:s3:::ringfence-{name}-audit-trailbucket-abc/AWSLogs/x")


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_each_policy_fits_iam_and_a_role_can_have_them_all(name: str, deployer_of: Callable[[str], Deployer]) -> None:
    documents = deployer_of(name).documents
    assert len(documents) <= 10
    assert all(len(re.sub(r"\s", "", json.dumps(document))) <= 6_144 for document in documents)
    sids = [statement["Sid"] for document in documents for statement in document["Statement"]]
    assert len(sids) == len(set(sids))


def test_the_demand_for_a_boundary_is_what_holds(assembly_of: Callable[[str], Assembly]) -> None:
    """Without the condition the same role could be made bare: the proof above is not empty."""
    name = "example-production"
    whole = rights.load()
    bare = tuple(
        scope.model_copy(update={"condition": {}}) if scope.sid == "RolesOnlyUnderABoundary" else scope
        for scope in whole.scope
    )
    deployer = Deployer.__new__(Deployer)
    documents = policy.policies(assembly_of(name), whole.model_copy(update={"scope": bare}), load())
    deployer._identity = [Policy.parse(document) for document in documents]
    assert deployer.may("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/ringfence-{name}-auditor")


def test_a_property_that_makes_a_handler_call_more_brings_the_right_or_a_problem(
    assembly_of: Callable[[str], Assembly],
) -> None:
    assembly = assembly_of("example-production")
    name = "ringfence-example-production-identity"
    template = copy.deepcopy(dict(assembly.stacks[name].template))
    domain = next(r for r in template["Resources"].values() if r["Type"] == "AWS::Cognito::UserPoolDomain")
    domain["Properties"]["CustomDomainConfig"] = {"CertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/x"}
    with pytest.raises(ProblemsFound, match="cloudfront:updateDistribution"):
        policy.policies(assembly.edited({name: template}), rights.load(), load())


def test_a_type_without_a_schema_is_told(assembly_of: Callable[[str], Assembly]) -> None:
    assembly = assembly_of("example-production")
    name = "ringfence-example-production-audit"
    template = copy.deepcopy(dict(assembly.stacks[name].template))
    template["Resources"]["Odd"] = {"Type": "AWS::Nowhere::Thing", "Properties": {}}
    with pytest.raises(LookupError, match="AWS::Nowhere::Thing"):
        policy.policies(assembly.edited({name: template}), rights.load(), load())


def test_every_rule_of_the_file_is_used(assembly_of: Callable[[str], Assembly]) -> None:
    granted: set[str] = set()
    types: set[str] = set()
    for name in DEPARTMENTS:
        documents: list[Any] = policy.policies(assembly_of(name), rights.load(), load())
        granted |= {statement["Sid"] for document in documents for statement in document["Statement"]}
        types |= {resource.type for resource in assembly_of(name).resources()}
    assert {scope["sid"] for scope in RULES["scope"]} <= granted
    for rule in RULES["spared"]:
        listed = {a for t in rule["types"] if t in types for h in _handlers(t) for a in h}
        for pattern in rule["actions"]:
            shape = re.compile(pattern.replace("*", ".*"), re.IGNORECASE)
            assert any(shape.fullmatch(action) for action in listed), f"{pattern} spares nothing in {rule['types']}"


def _handlers(resource_type: str) -> list[list[str]]:
    schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource_type).schema
    return [handler.get("permissions", []) for handler in schema["handlers"].values()]


def test_the_command_writes_the_files_and_says_how_to_use_them(
    assemblies: dict[str, Synthesised], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = assemblies["example-production"].folder
    assert command.main(["policy", "--assembly", str(folder), "--out", str(tmp_path)]) == 0
    files = sorted((tmp_path / "example-production").glob("*.json"))
    said = capsys.readouterr().out
    assert files and all(json.loads(file.read_text())["Statement"] for file in files)
    assert all(f"policy/{file.stem}" in said for file in files)
    assert "cdk bootstrap aws://111122223333/eu-west-2" in said
    before = [file.read_bytes() for file in files]
    assert command.main(["policy", "--assembly", str(folder), "--out", str(tmp_path)]) == 0
    assert [file.read_bytes() for file in files] == before


def test_without_an_assembly_the_command_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["policy", "--assembly", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "make synth" in capsys.readouterr().err

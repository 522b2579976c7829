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

from ringfence import CannotGoOn
from ringfence.command_line.entry import main
from ringfence.deployed.assembly import Assembly
from ringfence.deployment import policy, policy_files, rights
from ringfence.deployment.place import Place
from ringfence.iam.actions import ActionTable, load
from ringfence.iam.evaluator import Policy, Request, decide
from ringfence.reading.problems import ProblemsFound
from tests.conftest import LONGEST, ROOT, Synthesised
from tests.schemas import schema

ACCOUNT, REGION = "111122223333", "eu-west-2"
DEPARTMENTS = ["example-production", "example-sandbox", LONGEST]
RULES = tomllib.loads(Path(rights.RIGHTS).read_text())
ROLE = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"


class Deployer:
    """The role CloudFormation deploys as, with the compiled policies and nothing else."""

    def __init__(self, assembly: Assembly, rules: rights.Rights | None = None) -> None:
        self.documents = policy.policies(assembly, rules or rights.load(), load())
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
    handlers = schema(resource_type)["handlers"]
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
    context = {
        "iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/ringfence-{name}-service-boundary",
        "kms:ViaService": f"lambda.{REGION}.amazonaws.com",
    }
    asked, refused = 0, set()
    for action in sorted({action for resource in assembly.resources() for action in asked_of(resource.type)}):
        if action in ("iam:CreateServiceLinkedRole", "iam:PassRole", "iam:AttachRolePolicy", "iam:DetachRolePolicy"):
            continue  # each has a test of its own
        if action == "lambda:InvokeFunction":
            continue  # the same
        for arn in targets(table, action, arns):
            if action.startswith("wafv2:") and ":userpool/" in arn:
                continue  # a web ACL can stand before a user pool; ours stand before gateways
            asked += 1
            if not deployer.decided(action, arn, context):
                refused.add((action, arn))
    assert asked > 1_000
    assert not refused


def attached_to(assembly: Assembly) -> dict[str, set[str]]:
    """The policies of each role, by ARN, however the templates say it."""
    found = {role.arn: set(role.properties.get("ManagedPolicyArns", ())) for role in assembly.of_type("AWS::IAM::Role")}
    by_name = {arn.rsplit("/", 1)[1]: arn for arn in found}
    for each in assembly.of_type("AWS::IAM::ManagedPolicy"):
        for name in each.properties.get("Roles", ()):
            found[by_name[name]].add(each.arn)
    return found


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_every_role_of_the_templates_can_be_made_and_handed_to_its_service(
    name: str, assembly_of: Callable[[str], Assembly], deployer_of: Callable[[str], Deployer]
) -> None:
    assembly, deployer = assembly_of(name), deployer_of(name)
    attached = attached_to(assembly)
    assert all(attached.values())
    for role in assembly.of_type("AWS::IAM::Role"):
        boundary = role.properties["PermissionsBoundary"]
        for action in ("CreateRole", "PutRolePermissionsBoundary"):
            assert deployer.may(f"iam:{action}", role.arn, iam_PermissionsBoundary=boundary)
        for arn in attached[role.arn]:
            for action in ("AttachRolePolicy", "DetachRolePolicy"):
                assert deployer.may(f"iam:{action}", role.arn, iam_PermissionsBoundary=boundary, iam_PolicyARN=arn)
        principal = role.properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
        service = principal.get("Service")
        if service and service != "cloudformation.amazonaws.com":  # that one is handed over by the developer's calls
            assert deployer.may("iam:PassRole", role.arn, iam_PassedToService=service)


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_the_function_that_answers_for_custom_resources_can_be_called(
    name: str, assembly_of: Callable[[str], Assembly], deployer_of: Callable[[str], Deployer]
) -> None:
    tokens = {each.properties["ServiceToken"] for each in assembly_of(name).of_type("Custom::RuntimeLogGroup")}
    assert tokens == {f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ringfence-{name}-runtime-log-group"}
    assert all(deployer_of(name).may("lambda:InvokeFunction", token) for token in tokens)


@pytest.mark.parametrize(
    "service", ["bedrock-agentcore", "bedrock-agentcore-identity", "lambda", "s3", "secretsmanager"]
)
def test_keys_can_be_used_by_the_services_that_use_them(service: str, deployer_of: Callable[[str], Deployer]) -> None:
    key, via = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/x", f"{service}.{REGION}.amazonaws.com"
    for action in ("CreateGrant", "Decrypt", "GenerateDataKey"):
        assert deployer_of("example-production").may(f"kms:{action}", key, kms_ViaService=via)


GATEWAY = "AWS::BedrockAgentCore::Gateway"
WITHOUT_EFFECT = {"iam:DetachRolePolicy", "iam:TagRole", "iam:UntagRole"}
"""Of a deletion: the first is asked above, and what is deleted needs no other tags."""


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_what_a_newer_version_leaves_out_can_go(
    name: str, assembly_of: Callable[[str], Assembly], deployer_of: Callable[[str], Deployer]
) -> None:
    """A retired persona's roles are in no template any more, and must go with the next deployment."""
    assembly, stack = assembly_of(name), f"ringfence-{name}-operator"
    retired = {"Resources": {"Retired": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}
    deployer = Deployer(assembly.edited({stack: {**assembly.stacks[stack].template, **retired, "Outputs": {}}}))
    attached, asked, stayed = attached_to(assembly), 0, set()
    for each in assembly.resources():
        if each.stack != stack or each.type not in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", GATEWAY):
            continue
        for arn in attached.get(each.arn, ()):
            assert deployer.may("iam:DetachRolePolicy", each.arn, iam_PolicyARN=arn)
        listed = schema(each.type)["handlers"]["delete"]
        for action in asked_of(each.type) & set(listed["permissions"]) - WITHOUT_EFFECT:
            for arn in targets(load(), action, {each.arn}):
                asked += 1
                if not deployer.may(action, arn):
                    stayed.add((action, arn))
    assert asked > 50
    assert not stayed


NARROWED: dict[str, tuple[str, dict[str, Any], tuple[str, str, dict[str, str]]]] = {
    "a boundary that the templates do not make": (
        "CreateRolesWithBoundary",
        {"condition": {"StringLike": {"iam:PermissionsBoundary": "arn:aws:iam::{account}:policy/ringfence-*boundary"}}},
        ("iam:CreateRole", "role/{own}", {"iam:PermissionsBoundary": "policy/{mine}-boundary"}),
    ),
    "a role that the templates do not make": (
        "CreateRolesWithBoundary",
        {"resources": ("arn:aws:iam::{account}:role/{stem}*",)},
        ("iam:CreateRole", "role/{mine}", {"iam:PermissionsBoundary": "policy/{service}"}),
    ),
    "an administrator's policy on a role of ours": (
        "AttachTemplatePolicies",
        {"condition": {"StringLike": {"iam:PermissionsBoundary": ("{boundaries}",)}}},
        (
            "iam:AttachRolePolicy",
            "role/{own}",
            {
                "iam:PermissionsBoundary": "policy/{service}",
                "iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess",
            },
        ),
    ),
    "a policy of one's own on a role of ours": (
        "AttachTemplatePolicies",
        {"condition": {"ArnLike": {"iam:PolicyARN": "arn:aws:iam::{account}:policy/{stem}*"}}},
        (
            "iam:AttachRolePolicy",
            "role/{own}",
            {"iam:PermissionsBoundary": "policy/{service}", "iam:PolicyARN": "policy/{mine}"},
        ),
    ),
    "a policy of somebody else's off a role of ours": (
        "DetachOwnPolicies",
        {"condition": {}},
        ("iam:DetachRolePolicy", "role/{own}", {"iam:PolicyARN": "policy/deny-by-the-organisation"}),
    ),
    "a persona's role for a function": (
        "PassRolesToServices",
        {"resources": ("arn:aws:iam::{account}:role/{stem}*",)},
        ("iam:PassRole", "role/{own}", {"iam:PassedToService": "lambda.amazonaws.com"}),
    ),
    "the role that switches off for a function": (
        "PassRolesToServices",
        {"resources": ("{roles}",)},
        ("iam:PassRole", "role/{switch_off}", {"iam:PassedToService": "lambda.amazonaws.com"}),
    ),
    "a function's role for a machine": (
        "PassRolesToServices",
        {"condition": {}},
        ("iam:PassRole", "role/{log_keeper}", {"iam:PassedToService": "ec2.amazonaws.com"}),
    ),
    "the trust of a role that the templates do not make": (
        "OwnRolesAndPolicies",
        {"resources": ("arn:aws:iam::{account}:role/{stem}*",)},
        ("iam:UpdateAssumeRolePolicy", "role/{mine}", {}),
    ),
    "the trust of a role of the bootstrap": (
        "OwnRolesAndPolicies",
        {"resources": ("arn:aws:iam::{account}:role/*",)},
        ("iam:UpdateAssumeRolePolicy", ROLE, {}),
    ),
    "the text of a policy that the templates do not make": (
        "OwnRolesAndPolicies",
        {"resources": ("arn:aws:iam::{account}:policy/{stem}*",)},
        ("iam:CreatePolicyVersion", "policy/{mine}", {}),
    ),
    "a role of the bootstrap gone": (
        "ListAndDeleteOwnRoles",
        {"resources": ("arn:aws:iam::{account}:role/*",)},
        ("iam:DeleteRole", ROLE, {}),
    ),
    "a bucket that the templates do not make": (
        "OwnBuckets",
        {"resources": ("arn:aws:s3:::{stem}*",)},
        ("s3:PutBucketPolicy", "arn:aws:s3:::{mine}", {}),
    ),
    "a call of another function": (
        "InvokeCustomResourceFunctions",
        {"resources": ("arn:aws:lambda:{region}:{account}:function:ringfence-{department}-*",)},
        ("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{own}}-request", {}),
    ),
    **{
        f"{action} with a key, without a service": (
            "UseKeysViaServices",
            {"condition": {}},
            (f"kms:{action}", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/x", {}),
        )
        for action in ("Decrypt", "GenerateDataKey", "CreateGrant", "Encrypt")
    },
    "a key, through a service that needs none": (
        "UseKeysViaServices",
        {"condition": {}},
        ("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/x", {"kms:ViaService": f"ec2.{REGION}.amazonaws.com"}),
    ),
}
"""What the role may not do: the scope that keeps it from it, that scope without its limit, and the attempt."""


def refused_and_allowed(
    assembly: Assembly, loose: rights.Rights, attempt: tuple[str, str, dict[str, str]]
) -> list[bool]:
    name = "example-production"
    words = {
        "own": f"ringfence-{name}-auditor",
        "mine": f"ringfence-{name}-mine",
        "service": f"ringfence-{name}-service-boundary",
        "switch_off": f"ringfence-{name}-switch-off",
        "log_keeper": f"ringfence-{name}-log-keeper",
    }

    def arn(text: str) -> str:
        whole = text.format(**words)
        return f"arn:aws:iam::{ACCOUNT}:{whole}" if whole.startswith(("role/", "policy/")) else whole

    action, resource, context = attempt
    asked = action, arn(resource), {key: arn(value) for key, value in context.items()}
    return [Deployer(assembly, rules).decided(*asked) for rules in (rights.load(), loose)]


@pytest.mark.parametrize("attempt", NARROWED)
def test_each_limit_is_what_refuses(attempt: str, assembly_of: Callable[[str], Assembly]) -> None:
    sid, without, asked = NARROWED[attempt]
    whole = rights.load()
    loose = tuple(each.model_copy(update=without) if each.sid == sid else each for each in whole.scope)
    assert loose != whole.scope
    found = refused_and_allowed(assembly_of("example-production"), whole.model_copy(update={"scope": loose}), asked)
    assert found == [False, True]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("kms:DisableKey", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/x"),
        ("kms:EnableKey", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/x"),
        ("iam:PutRolePolicy", "role/{own}"),
        (
            "logs:PutBearerTokenAuthentication",
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ringfence/example-production/x",
        ),
        (
            "wafv2:PutPermissionPolicy",
            f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/ringfence-example-production-x/1",
        ),
    ],
)
def test_what_is_spared_is_not_granted(action: str, resource: str, assembly_of: Callable[[str], Assembly]) -> None:
    whole = rights.load()
    spared = tuple(rule for rule in whole.spared if action not in rule.actions)
    assert len(spared) == len(whole.spared) - 1
    loose = whole.model_copy(update={"spared": spared})
    assert refused_and_allowed(assembly_of("example-production"), loose, (action, resource, {})) == [False, True]


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_no_role_without_the_departments_boundary(name: str, deployer_of: Callable[[str], Deployer]) -> None:
    deployer = deployer_of(name)
    own = f"arn:aws:iam::{ACCOUNT}:role/ringfence-{name}-auditor"
    attached = f"arn:aws:iam::{ACCOUNT}:policy/ringfence-{name}-auditor-policy"
    for action in ("CreateRole", "AttachRolePolicy", "PutRolePolicy", "PutRolePermissionsBoundary"):
        assert not deployer.may(f"iam:{action}", own, iam_PolicyARN=attached), f"{action} without any boundary"
        foreign = f"arn:aws:iam::{ACCOUNT}:policy/everything"
        assert not deployer.may(f"iam:{action}", own, iam_PermissionsBoundary=foreign, iam_PolicyARN=attached)
    assert not deployer.may("iam:DeleteRolePermissionsBoundary", own)
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/ringfence-{name}-service-boundary"
    for other in (f"arn:aws:iam::{ACCOUNT}:role/administrator", ROLE, ROLE.replace("cfn-exec", "deploy")):
        for action in ("CreateRole", "AttachRolePolicy", "DetachRolePolicy", "UpdateAssumeRolePolicy", "DeleteRole"):
            assert not deployer.may(f"iam:{action}", other, iam_PermissionsBoundary=boundary, iam_PolicyARN=attached)
        assert not deployer.may("iam:PassRole", other, iam_PassedToService="lambda.amazonaws.com")


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_the_role_cannot_change_its_own_policies_or_make_people(
    name: str, assembly_of: Callable[[str], Assembly], deployer_of: Callable[[str], Deployer]
) -> None:
    deployer, place = deployer_of(name), Place.of(assembly_of(name))
    for number in range(1, len(deployer.documents) + 1):
        own = f"arn:aws:iam::{ACCOUNT}:policy/{policy_files.policy_name(place, number)}"
        for action in ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy"):
            assert not deployer.may(f"iam:{action}", own)
    for action in ("iam:CreateUser", "iam:CreateAccessKey", "iam:AttachUserPolicy", "sts:AssumeRole"):
        assert not deployer.may(action, "*")
        assert not deployer.may(action, f"arn:aws:iam::{ACCOUNT}:user/someone")


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_service_linked_roles_only_of_the_services_that_are_deployed(
    name: str, deployer_of: Callable[[str], Deployer]
) -> None:
    deployer = deployer_of(name)
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{{0}}/AWSServiceRoleForIt"
    # The preflight asks for the same roles, so one list cannot lose what the other keeps.
    roles = tomllib.loads((ROOT / "ringfence" / "live" / "data" / "service_linked_roles.toml").read_text())["role"]
    services = {role["service"] for role in roles}
    assert {"network.bedrock-agentcore.amazonaws.com", "wafv2.amazonaws.com"} < services
    for service in services:
        assert deployer.may("iam:CreateServiceLinkedRole", arn.format(service), iam_AWSServiceName=service)
    (scope,) = [each for each in RULES["scope"] if each["sid"] == "ServiceLinkedRoles"]
    assert set(scope["condition"]["StringEquals"]["iam:AWSServiceName"]) == services
    for other in ("autoscaling.amazonaws.com", "delivery.logs.amazonaws.com"):
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


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("bedrock-agentcore:DeleteGateway", "bedrock-agentcore:{}:gateway/ringfence-{}-auditor-0123456789"),
        ("bedrock-agentcore:DeletePolicyEngine", "bedrock-agentcore:{}:policy-engine/ringfence_{_}_auditor-0123456789"),
        ("bedrock-agentcore:DeleteAgentRuntime", "bedrock-agentcore:{}:runtime/ringfence_{_}__auditor_iam-0123456789"),
        ("logs:DeleteLogGroup", "logs:{}:log-group:aws-waf-logs-ringfence-{}-auditor"),
    ],
)
def test_agents_of_the_department_and_of_no_other(
    action: str, resource: str, deployer_of: Callable[[str], Deployer]
) -> None:
    deployer, reached = deployer_of("example-production"), []
    for department in ("example-production", "tax-office"):
        text = resource.replace("{_}", department.replace("-", "_"))
        arn = f"arn:aws:{text.replace('{}', f'{REGION}:{ACCOUNT}', 1).replace('{}', department)}"
        reached.append(deployer.may(action, arn))
    assert reached == [True, False]


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_each_policy_fits_iam_and_a_role_can_have_them_all(name: str, deployer_of: Callable[[str], Deployer]) -> None:
    documents = deployer_of(name).documents
    assert len(documents) <= 10
    assert all(len(re.sub(r"\s", "", json.dumps(document))) <= 6_144 for document in documents)
    sids = [statement["Sid"] for document in documents for statement in document["Statement"]]
    assert len(sids) == len(set(sids))


def test_more_policies_than_a_role_can_have_are_none(
    assembly_of: Callable[[str], Assembly], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "MOST_POLICIES", 1)
    with pytest.raises(ProblemsFound, match="a role may have 1"):
        policy.policies(assembly_of("example-production"), rights.load(), load())


def test_a_department_without_a_provider_of_its_own_gets_no_secret(deployer_of: Callable[[str], Deployer]) -> None:
    granted = {name: json.dumps(deployer_of(name).documents) for name in ("example-production", "example-sandbox")}
    assert {name: "secretsmanager:GetSecretValue" in text for name, text in granted.items()} == {
        "example-production": True,
        "example-sandbox": False,
    }


def test_the_demand_for_a_boundary_is_what_holds(assembly_of: Callable[[str], Assembly]) -> None:
    """Without the condition the same role could be made bare: the proof above is not empty."""
    whole = rights.load()
    bare = tuple(e.model_copy(update={"condition": {}}) if "Boundary" in e.sid else e for e in whole.scope)
    loose = whole.model_copy(update={"scope": bare})
    assert refused_and_allowed(assembly_of("example-production"), loose, ("iam:CreateRole", "role/{own}", {})) == [
        False,
        True,
    ]


def test_a_property_that_makes_a_handler_call_more_brings_the_right(assembly_of: Callable[[str], Assembly]) -> None:
    assembly = assembly_of("example-production")
    name = "ringfence-example-production-audit"
    template = copy.deepcopy(dict(assembly.stacks[name].template))
    indexed = [
        each["Properties"] for each in template["Resources"].values() if "FieldIndexPolicies" in each["Properties"]
    ]
    assert indexed
    for properties in indexed:
        del properties["FieldIndexPolicies"]
    index = "logs:PutIndexPolicy"
    with_index, without = (
        json.dumps(policy.policies(each, rights.load(), load()))
        for each in (assembly, assembly.edited({name: template}))
    )
    assert index in with_index and index not in without


def test_a_type_without_a_schema_is_told(assembly_of: Callable[[str], Assembly]) -> None:
    assembly = assembly_of("example-production")
    name = "ringfence-example-production-audit"
    template = copy.deepcopy(dict(assembly.stacks[name].template))
    template["Resources"]["Odd"] = {"Type": "AWS::Nowhere::Thing", "Properties": {}}
    with pytest.raises(CannotGoOn, match="AWS::Nowhere::Thing"):
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
    return [handler.get("permissions", []) for handler in schema(resource_type)["handlers"].values()]


def deploy_policy(assembly: Path, output: Path, *more: str) -> int:
    department = "--department=example-production"
    return main(["deploy-policy", department, f"--assembly={assembly}", f"--output={output}", *more])


def test_the_command_writes_the_files_and_says_how_to_use_them(
    assemblies: dict[str, Synthesised], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = assemblies["example-production"].folder
    assert deploy_policy(folder, tmp_path) == 0
    files = sorted((tmp_path / "example-production").glob("*.json"))
    said = capsys.readouterr().out
    assert files and all(json.loads(file.read_text())["Statement"] for file in files)
    assert all(f"policy/{file.stem}" in said for file in files)
    assert "cdk bootstrap aws://111122223333/eu-west-2" in said
    before = [file.read_bytes() for file in files]
    assert deploy_policy(folder, tmp_path) == 0
    assert [file.read_bytes() for file in files] == before


def test_a_bootstrap_of_another_qualifier_has_a_stack_of_its_own(
    assemblies: dict[str, Synthesised], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CDK developer guide, "Customize AWS CDK bootstrapping": two in one account are two stacks."""
    folder = tmp_path / "cdk.out"
    folder.mkdir()
    for file in assemblies["example-production"].folder.glob("*.json"):
        (folder / file.name).write_text(file.read_text().replace("hnb659fds", "landingzon"))
    assert deploy_policy(folder, tmp_path) == 0
    said = capsys.readouterr().out
    assert "eu-west-2 --qualifier landingzon --toolkit-stack-name CDKToolkit-landingzon \\" in said


@pytest.mark.parametrize(
    ("other", "account", "told"),
    [
        ("example-prison", ACCOUNT, True),  # ringfence-example-pr: as much as is surely left of both
        ("example", ACCOUNT, True),  # its names are the beginning of the other's
        ("example-prison", "444455556666", False),
        ("example-sandbox", ACCOUNT, False),
    ],
)
def test_departments_of_one_account_whose_names_begin_alike_are_refused(
    other: str,
    account: str,
    told: bool,
    assemblies: dict[str, Synthesised],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, its in (("example-production", ACCOUNT), (other, account)):
        (tmp_path / f"{name}.toml").write_text(f'account = "{its}"\n')
    out = tmp_path / "out"
    asked = deploy_policy(assemblies["example-production"].folder, out, f"--departments={tmp_path}")
    assert asked == int(told)
    said = capsys.readouterr().err
    assert ("example-production" in said and f"= {other}:" in said and "Give one of the two" in said) is told
    assert out.exists() is not told


def test_without_an_assembly_the_command_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy_policy(tmp_path, tmp_path) == 2
    assert "make synth" in capsys.readouterr().err

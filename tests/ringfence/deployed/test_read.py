"""What `known.py` says is read is what readers ask a resource for: each access is written down while they work."""

from __future__ import annotations

import copy
from collections.abc import ItemsView, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.guardrails import service_control
from ringfence.deployed.known import READ
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.registry import Case, run
from ringfence.rehearsal.aws.server import LocalAws
from ringfence.rehearsal.compute.custom_resources import RUNTIME_LOG_GROUP, event_for
from ringfence.rehearsal.template import of_assembly
from tests.ringfence.deployed.test_assembly import write
from tests.ringfence.deployed.test_guardrails import guardrail

ROOT = Path(__file__).resolve().parents[3]
PROOFS = ("entry", "round-trip", "records", "network", "trust", "callers", "boundaries")
Template = dict[str, Any]
Asked = set[tuple[str, str]]
ROLE = "ringfence-planted"
LITTLE = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}]}
TAKEN = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
RULE = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "192.0.2.0/24"}
# Types and properties that no committed department has.
ABSENT: Template = {
    "Egress": {"Type": "AWS::EC2::SecurityGroupEgress", "Properties": {"GroupId": "sg-1", **RULE}},
    "Group": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"GroupDescription": "x", "SecurityGroupEgress": [RULE], "SecurityGroupIngress": [RULE]},
    },
    "Policy": {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyName": "one", "PolicyDocument": LITTLE, "Roles": [ROLE]},
    },
    "RolePolicy": {
        "Type": "AWS::IAM::RolePolicy",
        "Properties": {"PolicyName": "two", "PolicyDocument": LITTLE, "RoleName": ROLE},
    },
    "Role": {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": ROLE,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [TAKEN]},
            "Policies": [{"PolicyName": "three", "PolicyDocument": LITTLE}],
        },
    },
    "Query": {"Type": "AWS::Logs::QueryDefinition", "Properties": {"Name": "four", "QueryString": "fields @message"}},
}


class Recorded(dict[str, Any]):
    """Properties that write down which of them somebody looks for, whether they are there or not."""

    def __init__(self, values: Mapping[str, Any], asked: Asked, kind: str, where: str = "") -> None:
        self._asked, self._kind, self._where = asked, kind, where
        super().__init__({name: self._inside(value, f"{where}{name}.") for name, value in values.items()})

    def _inside(self, value: Any, where: str) -> Any:
        if isinstance(value, dict):
            return Recorded(value, self._asked, self._kind, where)
        return [self._inside(each, where) for each in value] if isinstance(value, list) else value

    def _note(self, *names: str) -> None:
        self._asked.update((self._kind, f"{self._where}{name}") for name in names)

    def __getitem__(self, name: str) -> Any:
        self._note(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._note(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._note(name)
        return super().get(name, default)

    def items(self) -> ItemsView[str, Any]:
        self._note(*self)
        return super().items()


def with_absent(assembly: Assembly) -> Assembly:
    """The same with what no committed department has."""
    templates = {name: copy.deepcopy(dict(stack.template)) for name, stack in assembly.stacks.items()}
    network = next(template for name, template in templates.items() if name.endswith("-network"))
    network["Resources"] |= ABSENT
    for resource in (each for template in templates.values() for each in template["Resources"].values()):
        if resource["Type"] == "AWS::BedrockAgentCore::Policy":
            resource["Properties"]["Definition"] = {"Policy": resource["Properties"]["Definition"]["Cedar"]}
        if resource["Type"] == "AWS::BedrockAgentCore::Gateway":
            for claim in resource["Properties"]["AuthorizerConfiguration"]["CustomJWTAuthorizer"]["CustomClaims"]:
                match = claim["AuthorizingClaimMatchValue"]["ClaimMatchValue"]
                match["MatchValueStringList"] = [match.pop("MatchValueString")]
    return assembly.edited(templates)


@pytest.fixture(scope="module")
def asked(assemblies: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Asked:
    found: Asked = set()
    resolved: Any = Resource.__dict__["properties"].func

    @cache
    def recorded(resource: Resource) -> Recorded:
        return Recorded(resolved(resource), found, resource.type)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Resource, "properties", property(recorded))
        evidence = Evidence.load(assemblies["example-production"].folder, root=ROOT)
        for each in run(Case(evidence), PROOFS):
            assert each.outcome.holds
        absent = with_absent(evidence.assembly)
        run(Case(evidence.beside(absent)), ["network"])
        of_assembly(absent)
        for resource in absent.of_type(RUNTIME_LOG_GROUP):
            event_for(resource, request="Create", stack_id="x", request_id="x", address="x")
        aws = LocalAws(absent)
        aws.start()
        aws.stop()
        organisation = tmp_path_factory.mktemp("organisation")
        service_control(Assembly.load(write(organisation, {"Resources": {"Policy": guardrail("ou-a")}})))
    return found


def test_what_stands_under_read_is_asked_for(asked: Asked) -> None:
    """A property that the table says is read, and that no reader asks for, would be set aside without a word."""
    said = {(kind, path) for kind, known in READ.items() for path in known.read.split()}
    assert sorted(said - asked) == []

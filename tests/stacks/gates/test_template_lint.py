"""What AWS's own checkers say of the templates: cfn-lint and cloudformation-validate.

cfn-lint has CloudFormation's schemas of eu-west-2 and AWS's list of IAM actions (W3037); cloudformation-validate has
the schemas again, in another implementation, and calls a value that no schema knows (W3030) a warning only. Neither
knows a runtime's name pattern or which endpoint services there are: that is for our own rules.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cloudformation_validate import CompositeEngine, CompositeEngineConfig, ValidateConfig

from ringfence import house_rules, service_rules
from ringfence.house_rules import Residency
from ringfence.reading.template import Template

# Zones are written out on purpose: AgentCore does not run in every zone, and synthesis asks AWS nothing.
ON_PURPOSE = {"W3010"}
# Deliberate faults, a resource each, and the finding by which each checker tells it. None: it does not.
FAULTS: dict[str, tuple[dict[str, Any], str | None, str | None, str | None]] = {
    "UnknownProperty": (
        {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 731, "KmsKeyId": "x", "Colour": "blue"}},
        "E3002",
        "F3002",
        None,
    ),
    "MissingProperty": ({"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/x"}}, "E3003", "F3003", None),
    "WrongDays": (
        {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 730, "KmsKeyId": "x"}},
        "E3030",
        "W3030",
        "GOV-LOG-1",
    ),
    "MisspeltAction": (
        {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "*"}],
                }
            },
        },
        "W3037",
        None,
        None,
    ),
    "UnknownEndpointService": (
        {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcId": "vpc-0123456789abcdef0",
                "ServiceName": "com.amazonaws.eu-west-2.log",
                "PolicyDocument": {"Version": "2012-10-17", "Statement": []},
            },
        },
        None,
        None,
        "GOV-NET-2",
    ),
    "NameWithHyphen": (
        {
            "Type": "AWS::BedrockAgentCore::Runtime",
            "Properties": {
                "AgentRuntimeName": "ringfence-auditor",
                "RoleArn": "arn:aws:iam::111122223333:role/x",
                "AgentRuntimeArtifact": {
                    "CodeConfiguration": {
                        "Code": {"S3": {"Bucket": "some-bucket", "Prefix": "x.zip"}},
                        "EntryPoint": ["main.py"],
                        "Runtime": "PYTHON_3_13",
                    }
                },
                "NetworkConfiguration": {"NetworkMode": "VPC"},
            },
        },
        None,
        None,
        "AWS-NAME-1",
    ),
}


@pytest.fixture(scope="module")
def engine() -> CompositeEngine:
    return CompositeEngine(config=CompositeEngineConfig())


def cfn_lint(*templates: Path) -> list[dict[str, Any]]:
    command = [Path(sys.executable).with_name("cfn-lint"), "--regions", "eu-west-2", "--format", "json"]
    run = subprocess.run([*command, "--template", *templates], capture_output=True, text=True, check=False)
    assert run.stderr == ""
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


def test_cfn_lint_finds_nothing(assemblies: dict[str, Any]) -> None:
    templates = [path for each in assemblies.values() for path in sorted(each.folder.glob("*.template.json"))]
    assert len(templates) >= 8

    found = [(each["Rule"]["Id"], each["Message"], each["Filename"]) for each in cfn_lint(*templates)]

    assert [each for each in found if each[0] not in ON_PURPOSE] == []
    # The exemption itself must still be found, or nothing was looked at.
    assert {each[0] for each in found} == ON_PURPOSE


def test_cloudformation_validate_finds_no_fault(synthesised: Any, engine: CompositeEngine) -> None:
    for template in sorted(synthesised.folder.glob("*.template.json")):
        found = engine.validate_template(str(template), ValidateConfig()).diagnostics

        assert found, "nothing was looked at"
        faults = [each for each in found if each.rule_id[0] in "EF" or each.rule_id == "W3030"]
        assert [f"{each.rule_id} {each.entity}: {each.message}" for each in faults] == []


def test_every_deliberate_fault_is_told_by_one_of_the_checkers(tmp_path: Path, engine: CompositeEngine) -> None:
    path = tmp_path / "faulty.template.json"
    content = {"Resources": {name: resource for name, (resource, *_) in FAULTS.items()}}
    path.write_text(json.dumps(content))

    linted = {(each["Location"]["Path"][1], each["Rule"]["Id"]) for each in cfn_lint(path)}
    validated = {
        (each.entity.logical_id, each.rule_id)
        for each in engine.validate_template(str(path), ValidateConfig()).diagnostics
        if each.entity is not None
    }
    template = Template(content)
    found = [*house_rules.breaches(template, Residency()), *service_rules.breaches([template])]
    broken = {(breach.logical_id, rule.id) for rule, breach in found}

    for name, (_, lint, validate, ours) in FAULTS.items():
        assert any((lint, validate, ours)), f"nothing tells {name}"
        for told, by in ((lint, linted), (validate, validated), (ours, broken)):
            if told:
                assert (name, told) in by, f"{name}: {sorted(each for each in by if each[0] == name)}"
    # The two that AWS's checkers miss are the reason for two of our rules.
    for name in ("UnknownEndpointService", "NameWithHyphen"):
        assert not {rule for who, rule in linted | validated if who == name and rule[0] in "EF"}, name

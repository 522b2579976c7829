"""Every ordinary change of a department, as templates before and after.

Nothing that holds data goes, and CloudFormation would stop at nothing.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.deployment.changes import Change, changes
from ringfence.deployment.schemas import schema_of
from ringfence.deployment.templates import in_folder
from ringfence.service_rules.unique import IN_ACCOUNT
from tests.bench.departments import home
from tests.conftest import ROOT, Synthesised, made_once, run_app

Templates = dict[str, dict[str, Any]]
HOST = (
    '\n[[hosts]]\nkind = "custom"\nname = "second-assistant"\ncallback_urls = ["https://second.example.org/callback"]\n'
)
SERVER = """
[[enable]]
persona = "operator"
server = "aws-api"
reason = "Operators on call look at what hangs at night, and restart it once approvals exist."
"""
EDITS: dict[str, tuple[tuple[str, str], ...]] = {
    "larger": (
        ("[network]\n", "txn_token_keys = { operator = 2 }\n\n[network]\n"),
        ("END", HOST + SERVER),
        ('["eu-west-2a", "eu-west-2b"]', '["eu-west-2a", "eu-west-2b", "eu-west-2c"]'),
    ),
    "retired": (('"operator"', ""), ("[network]\n", 'retired = ["operator"]\n\n[network]\n')),
}
"""What each variant of an example changes in its file: a host, a server and a zone more, and another key that signs; a
persona retired."""

DEPARTMENTS = ["example-production", "example-sandbox"]
LARGER, RETIRED = "example-production", "example-sandbox"
"""The example that each edit is made to."""


def edited(name: str, variant: str) -> str:
    text = (ROOT / "departments" / f"{name}.toml").read_text()
    for old, new in EDITS[variant]:
        if old == "END":
            text += new
            continue
        assert old in text, f"{name}: {old}"
        text = text.replace(old, new, 1).replace("[, ", "[").replace(", ]", "]").replace(", ,", ",")
    if variant == "retired":
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("operator = "))
    return text


@pytest.fixture(scope="session")
def variants(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Templates]:
    """The edited examples, synthesised by the app with every gate."""
    found = {}
    with made_once(tmp_path_factory, "day-two") as parent:
        for name, variant in ((LARGER, "larger"), (RETIRED, "retired")):
            place, out = parent / f"{name}-{variant}", parent / f"{name}-{variant}.out"
            if not out.is_dir():
                shutil.rmtree(place, ignore_errors=True)
                home(place, {name: edited(name, variant)})
                assert run_app("--department", name, output=out, home=place) == 0, f"{name} {variant}: see stderr"
            found[name, variant] = templates(out, name)
    return found


def templates(folder: Path, name: str) -> Templates:
    return {stack: body for stack, body in in_folder(folder).items() if stack.startswith(f"ringfence-{name}-")}


@pytest.fixture
def before_and_after(
    variants: dict[tuple[str, str], Templates], assemblies: dict[str, Synthesised]
) -> Callable[[str, str, str], tuple[Templates, Templates]]:
    def pair(name: str, variant: str, way: str) -> tuple[Templates, Templates]:
        plain, other = templates(assemblies[name].folder, name), variants[name, variant]
        return (plain, other) if way == "more" else (other, plain)

    return pair


def bad(found: list[Change]) -> list[str]:
    return [str(each) for each in found if each.kind == "refused" or each.loses]


@pytest.mark.parametrize("way", ["more", "less"])
@pytest.mark.parametrize("name", [LARGER])
def test_a_host_a_zone_and_a_server_can_come_and_go(name: str, way: str, before_and_after: Any) -> None:
    before, after = before_and_after(name, "larger", way)
    larger, smaller = (after, before) if way == "more" else (before, after)
    for stack, logical_id in (
        ("identity", "HostSecondAssistant"),
        ("network", "SubnetC"),
        ("operator", "OperatorAwsApiRuntime"),
    ):
        where = f"ringfence-{name}-{stack}"
        assert logical_id in larger[where]["Resources"]
        assert logical_id not in smaller[where]["Resources"]
    assert bad(changes(before, after)) == []


@pytest.mark.parametrize("name", [LARGER])
def test_another_key_signs_under_the_same_alias(name: str, before_and_after: Any) -> None:
    before, after = before_and_after(name, "larger", "more")
    stack = f"ringfence-{name}-operator"
    assert before[stack]["Resources"]["OperatorTxnTokenAlias"]["Properties"]["TargetKeyId"] == {
        "Ref": "OperatorTxnTokenKey"
    }
    alias = after[stack]["Resources"]["OperatorTxnTokenAlias"]["Properties"]
    assert alias == {
        "AliasName": f"alias/ringfence-{name}-operator-txn-token",
        "TargetKeyId": {"Ref": "OperatorTxnTokenKey2"},
    }
    told = [(each.kind, each.logical_id, each.loses) for each in changes(before, after) if each.type == "AWS::KMS::Key"]
    assert told == [("removed", "OperatorTxnTokenKey", "")]
    assert '"OperatorTxnTokenKey"' not in json.dumps(after[stack])  # nobody refers to the old one


@pytest.mark.parametrize("name", [RETIRED])
def test_a_retired_persona_loses_everything_but_its_records(name: str, before_and_after: Any) -> None:
    before, after = before_and_after(name, "retired", "more")
    found = changes(before, after)
    stack = f"ringfence-{name}-operator"
    assert set(after[stack]["Resources"]) == {"Retired"}
    kept = {each.type for each in found if each.stack == stack and each.kind == "kept"}
    gone = {each.type for each in found if each.stack == stack and each.kind == "removed"}
    assert "AWS::Logs::LogGroup" in kept
    assert {"AWS::BedrockAgentCore::Gateway", "AWS::BedrockAgentCore::Runtime", "AWS::IAM::Role"} <= gone
    assert not [
        str(each) for each in found if each.kind == "refused" or (each.type == "AWS::Logs::LogGroup" and each.loses)
    ]


@pytest.mark.parametrize("name", [RETIRED])
def test_a_retired_persona_can_come_back(name: str, before_and_after: Any) -> None:
    before, after = before_and_after(name, "retired", "less")
    assert bad(changes(before, after)) == []
    waiting = [
        (stack, logical_id, resource["Type"])
        for stack in [f"ringfence-{name}-operator"]
        for logical_id, resource in after[stack]["Resources"].items()
        if keeps(resource) and name_of(resource)
    ]
    assert waiting
    assert all(schema_of(kind).importable for _, _, kind in waiting)


@pytest.mark.parametrize("name", [RETIRED])
def test_a_persona_that_just_leaves_the_file_is_told(name: str, before_and_after: Any) -> None:
    before, after = before_and_after(name, "retired", "more")
    without = {stack: body for stack, body in after.items() if not stack.endswith("-operator")}
    assert any("`retired`" in each.why for each in changes(before, without))


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_a_first_attempt_can_be_repeated(name: str, assemblies: dict[str, Synthesised]) -> None:
    """What a failed first attempt leaves under a fixed name can be taken over: it can be imported by that name."""
    left = [
        (f"{stack}/{logical_id}", resource)
        for stack, body in templates(assemblies[name].folder, name).items()
        for logical_id, resource in body["Resources"].items()
        if keeps(resource) and name_of(resource)
    ]
    assert len(left) > 10
    stuck = [where for where, resource in left if not schema_of(resource["Type"]).importable]
    assert stuck == []
    unnamed = [where for where, resource in left if not isinstance(name_of(resource), str)]
    assert unnamed == [], "an import needs a name that the template gives as text"


def keeps(resource: dict[str, Any]) -> bool:
    """Whether a failed creation leaves the resource in the account."""
    protected = resource.get("Properties", {}).get("DeletionProtectionEnabled") is True
    return resource.get("DeletionPolicy") == "Retain" or protected


def name_of(resource: dict[str, Any]) -> Any:
    name, *_ = IN_ACCOUNT.get(resource["Type"], ("",))
    return resource.get("Properties", {}).get(name)


@pytest.mark.parametrize("name", DEPARTMENTS)
def test_every_role_that_writes_to_a_log_group_keeps_its_right_to(
    name: str, assemblies: dict[str, Synthesised]
) -> None:
    plain = templates(assemblies[name].folder, name)
    emptied, expected = json.loads(json.dumps(plain)), set()
    for stack, body in emptied.items():
        for logical_id, resource in body["Resources"].items():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::IAM::ManagedPolicy" and '"logs:PutLogEvents"' in json.dumps(properties):
                if "Roles" in properties or logical_id == "ServiceBoundary":
                    properties["PolicyDocument"]["Statement"] = []
                    expected.add(f"{stack}/{logical_id}")
    told = changes(plain, emptied)
    assert {each.name for each in told if each.kind == "weakened" and each.loses} == expected
    kinds = {each.rpartition("-")[2].partition("/")[0] for each in expected}
    assert {"audit", "network", "identity", "operator"} <= kinds


def test_a_new_network_is_told_in_words_and_needs_a_name(assemblies: dict[str, Synthesised]) -> None:
    plain = templates(assemblies["example-production"].folder, "example-production")
    network = "ringfence-example-production-network"
    changed = {**plain, network: {**plain[network], "Resources": {**plain[network]["Resources"]}}}
    vpc = plain[network]["Resources"]["Vpc"]
    changed[network]["Resources"]["Vpc"] = {**vpc, "Properties": {**vpc["Properties"], "CidrBlock": "10.70.0.0/22"}}
    told = {each.name: each for each in changes(plain, changed)}
    assert told[f"{network}/Vpc"].loses
    assert told[f"{network}/SubnetA"].loses

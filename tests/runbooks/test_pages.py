"""The runbooks as a whole: no block escapes the checks, links lead somewhere, outputs and figures are there."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.department.department import load_department
from runtime.aws import SESSION_SECONDS
from tests.runbooks.pages import HOME, INDEX, PLACEHOLDER, ROOT, Block, blocks, commands, pages

LONGEST_PAGE = 110
CHECKED = {"sh": "test_aws_commands.py, test_commands.py", "toml": "here", "ini": "here", "text": "nothing to run"}
PAGES = pages()
BLOCKS = [block for path in PAGES for block in blocks(path)]
_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")


def text_of(name: str) -> str:
    return (HOME / name).read_text(encoding="utf-8")


def test_no_block_escapes_the_checks() -> None:
    assert BLOCKS
    assert [str(block) for block in BLOCKS if block.language not in CHECKED] == []


def test_nothing_that_is_run_hides_in_a_block_that_is_not() -> None:
    runs = re.compile(r"^\s*(aws|make|npx|git|cdk|curl|sudo|export|\$) ", re.M)
    assert [str(block) for block in BLOCKS if block.language != "sh" and runs.search(block.text)] == []
    indented = re.compile(r"^(?: {4,}|\t)(aws|make|npx|git) ", re.M)
    outside = {path.name: re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S) for path in PAGES}
    assert [name for name, text in outside.items() if indented.search(text)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_one_task_and_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    if path.name != "troubleshooting.md":
        assert len(lines) <= LONGEST_PAGE
        assert path == INDEX or "Success" in path.read_text(encoding="utf-8"), "say what success looks like"


def test_the_index_names_every_page_once() -> None:
    named = re.findall(r"^\| .+ \| .*\]\(([a-z-]+\.md)\).*\|$", text_of("README.md"), re.M)
    assert sorted(named) == sorted(path.name for path in PAGES if path != INDEX)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target, anchor in _LINK.findall(re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)):
        there = path.parent / target if target else path
        assert there.is_file(), f"{path.name}: {target}"
        if anchor:
            assert anchor in anchors(there), f"{path.name}: {target}#{anchor}"


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_placeholder_of_a_block_is_explained_and_none_is_explained_in_vain() -> None:
    used = {name for block in BLOCKS for name in PLACEHOLDER.findall(block.text)}
    glossary = text_of("README.md").partition("## What stands in")[2]
    rows = [row.split(" | ")[0] for row in glossary.splitlines() if row.startswith("| `<")]
    assert used == {name for row in rows for name in PLACEHOLDER.findall(row)}


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "toml"], ids=str)
def test_a_fragment_of_a_departments_file_is_accepted_there(block: Block, tmp_path: Path) -> None:
    given = tomllib.loads(block.text)
    whole = tomllib.loads((ROOT / "departments" / "example-production.toml").read_text(encoding="utf-8"))
    groups = given.get("identity", {}).pop("groups", None)
    if groups:
        del whole["identity"]["plain_names"]  # which not everybody can say, so that a page names groups by their ids
    whole["identity"] |= given.pop("identity", {})
    whole |= given
    held = whole["personas"]
    mapped = whole["identity"]["groups"].items()
    whole["identity"]["groups"] = groups or {name: group for name, group in mapped if name in held}
    (tmp_path / "example-production.toml").write_text(as_toml(whole), encoding="utf-8")
    department = load_department("example-production", catalogue=load_catalogue(ROOT / "catalogue"), root=tmp_path)
    for name in given:
        assert getattr(department, name)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_changed_file_is_recorded_before_it_is_deployed(path: Path) -> None:
    """Without its record the tests of whoever made it once are red from then on."""
    for section in re.split("^## ", path.read_text(encoding="utf-8"), flags=re.M):
        changes = "```toml" in section or "`availability_zones`" in section
        if changes and "make deploy DEPARTMENT=" in section:
            assert "make record DEPARTMENT=" in section.partition("make deploy DEPARTMENT=")[0], section


def as_toml(document: dict[str, Any]) -> str:
    """A document without dates as TOML; tables in a list and in a table become inline ones."""
    return "".join(f"{key} = {inline(value)}\n" for key, value in document.items())


def inline(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f'"{key}" = {inline(inner)}' for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(inline, value)) + "]"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def test_every_output_that_a_page_names_is_in_the_templates(assemblies: dict[str, Any]) -> None:
    told = {
        stack: {key for key, output in template.get("Outputs", {}).items() if "Description" in output}
        for stack, template in assemblies["example-production"].templates.items()
    }
    there = set().union(*told.values()) | {"ProviderAudience"}  # SAML's alone; tests/stacks/test_outputs.py
    spoken = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    named = set(re.findall(r"`((?:[A-Z][A-Za-z]+(?:Url|Arn|Alias|Id|Issuer|Audience|Name))|Scope)`", spoken))
    assert {"GatewayUrl", "Scope", "UserPoolId", "TxnTokenKeyAlias", "SwitchOffRoleArn", "ProviderReturnUrl"} <= named
    assert named - {"ClientId"} <= there


def test_what_is_said_to_stay_is_what_the_templates_keep(assemblies: dict[str, Any]) -> None:
    section = text_of("remove.md").partition("## What stays")[2].partition("### ")[0]
    kept = {"Custom::RuntimeLogGroup"}  # its function removes no log group
    for synthesised in assemblies.values():
        kept |= {each.type for each in synthesised.resources() if "Retain" in each.whole.get("DeletionPolicy", "")}
    assert set(re.findall(r"`((?:AWS|Custom)::[\w:]+)`", section)) == kept


def test_figures_are_those_of_code_and_templates(assemblies: dict[str, Any]) -> None:
    synthesised = assemblies["example-production"]
    keys = {
        each.properties.get("KeyUsage", ""): each.properties["PendingWindowInDays"]
        for each in synthesised.resources("AWS::KMS::Key")
    }
    assert keys == {"SIGN_VERIFY": 7, "": 30}
    groups = {each.properties["RetentionInDays"] for each in synthesised.resources("AWS::Logs::LogGroup")}
    locks = [
        each.properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
        for each in synthesised.resources("AWS::S3::Bucket")
        if "ObjectLockConfiguration" in each.properties
    ]
    assert (groups, locks) == ({731}, [{"Mode": "COMPLIANCE", "Days": 731}])
    clients = {each.properties["AccessTokenValidity"] for each in synthesised.resources("AWS::Cognito::UserPoolClient")}
    assert clients == {SESSION_SECONDS // 60} == {15}
    stays = text_of("remove.md")
    for figure in ("731 days", "then 30 days", "| 7 days", "COMPLIANCE", "8 hours"):
        assert figure in stays
    assert "**15 minutes**" in text_of("switch-off.md")


def test_the_profile_that_switches_off_names_the_role_of_the_templates(assemblies: dict[str, Any]) -> None:
    (profile,) = (block.text for block in BLOCKS if block.language == "ini")
    name = re.search(r"^role_arn = arn:aws:iam::<account>:role/(.+)$", profile, re.M)
    for department, synthesised in assemblies.items():
        role = synthesised.only("audit", "SwitchOffRole")
        assert name and name[1].replace("<department>", department) == role.properties["RoleName"]


def test_the_role_that_switches_off_may_do_what_the_page_pastes(assemblies: dict[str, Any]) -> None:
    pasted = {tuple(each.words[1:3]) for each in commands() if "ringfence-switch-off" in each.words}
    needed = {f"{service}:{operation.title().replace('-', '')}" for service, operation in pasted if service != "sts"}
    assert needed == {"kms:ListAliases", "kms:DisableKey", "kms:EnableKey", "kms:DescribeKey"}
    for synthesised in assemblies.values():
        document = synthesised.only("audit", "SwitchOffBoundary").properties["PolicyDocument"]
        given = {
            action
            for each in document["Statement"]
            for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
        }
        assert needed <= given


NAME = re.compile(r"(?<![\w-])(?:alias/|/|aws-waf-logs-)?ringfence[-/]<department>[\w<>/-]*")
SNAPSHOTS = ROOT / "tests" / "stacks" / "__snapshots__" / "test_snapshots"


def deployed_names() -> set[str]:
    """Every text in the production example's templates, and its stacks' names."""
    found: set[str] = set()

    def add(value: Any) -> None:
        if isinstance(value, dict):
            for part in value.values():
                add(part)
        elif isinstance(value, list):
            for part in value:
                add(part)
        elif isinstance(value, str):
            found.add(value)

    for path in SNAPSHOTS.glob("test_template?example-production-*.json"):
        add(json.loads(path.read_text(encoding="utf-8")))
        found.add(f"ringfence-{path.stem.removeprefix('test_template[').removesuffix(']')}")
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_name_of_ours_is_one_that_is_deployed(path: Path) -> None:
    deployed = deployed_names()
    assert len(deployed) > 1000
    for written in NAME.findall(path.read_text(encoding="utf-8")):
        name = written.removesuffix("/<logical-id>").replace("<department>", "example-production")
        name = name.replace("<persona>", "auditor")
        begun = name.endswith(("-", "/"))
        assert any(each == name or (begun and each.startswith(name)) for each in deployed), written


# What a command would still do without, but not what the page promises.
NEEDED = {
    "cdk bootstrap": "--cloudformation-execution-policies ",
    "create-policy-version": "--set-as-default",
    "list-secret-version-ids": "'AWSCURRENT'",
    "disable-key": "--profile ringfence-switch-off",
}


@pytest.mark.parametrize("words", NEEDED)
def test_a_command_has_what_it_would_not_be_refused_without(words: str) -> None:
    found = [command for command in commands() if words in command.text]
    assert found
    assert [str(command) for command in found if NEEDED[words] not in command.text] == []

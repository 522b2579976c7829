"""The table of AWS's actions, and finding the actions that a policy's pattern covers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ringfence.iam import actions
from ringfence.iam.actions import SOURCE, TABLE, load, table_text

ROOT = Path(__file__).resolve().parents[3]


def test_the_committed_table_is_what_the_pinned_package_gives() -> None:
    assert table_text(ROOT / SOURCE) == TABLE.read_text(encoding="utf-8")


def test_it_holds_every_action_with_its_level_and_arns() -> None:
    table = load()

    assert len(table) == 22_091
    assert table["iam:getuser"].level == "Read"
    assert table["iam:GetUser"].resources == ("arn:${Partition}:iam::${Account}:user/${UserNameWithPath}",)
    assert table["iam:ListUsers"].resources == ()
    assert table["iam:PassRole"].level == "Write"
    assert table["iam:PutRolePolicy"].level == "Permissions management"
    assert table["ec2:CreateTags"].level == "Tagging"
    assert len([action for action in table if action.service == "bedrock-agentcore"]) > 250
    assert "iam:GetUsr" not in table


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "iam:*",
        "IAM:get*",
        "s3:GetObject",
        "s3:GetObjekt",
        "*:List*",
        "?am:Get*",
        "ec2:Describe?ubnets",
        "iam",
    ],
)
def test_the_index_finds_what_comparing_every_action_finds(pattern: str) -> None:
    expression = re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.IGNORECASE)
    every = {action.name for action in load() if expression.fullmatch(action.name)}

    assert {action.name for action in load().matching(pattern)} == every


def test_a_line_that_is_not_understood_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "actions.txt"
    broken.write_text("[iam]\nX GetUser\n")

    with pytest.raises(ValueError, match=r"actions\.txt:2"):
        load(broken)


def test_the_command_checks_and_says_when_the_package_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert actions.write(ROOT / SOURCE, check=True) == 0
    assert actions.write(tmp_path, check=True) == 2
    assert "make setup" in capsys.readouterr().err

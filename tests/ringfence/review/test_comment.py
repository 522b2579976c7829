"""A pull request's comment: what the change means, in Markdown that nothing from the branch can steer."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from ringfence.command_line.entry import main
from ringfence.deployment.changes import changes
from ringfence.deployment.templates import CannotAsk
from ringfence.review.comment import comment_of, fenced

NAME = "ringfence-lab-audit"
BUCKET = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Delete", "Properties": {"BucketName": "one"}}
BEFORE: dict[str, Any] = {NAME: {"Resources": {"Log": BUCKET, "Old": {"Type": "AWS::SNS::Topic"}}}}
RECORD = "# What the persona auditor of lab could ever do in AWS:\n\nRead  iam:GetUser  *\n"
ATTACKS = [
    "x\n```\n![steal](https://attacker.example.org/?{)",
    "````\n# heading",
    "</code><img src=https://attacker.example.org/>",
    "@everyone #1 https://attacker.example.org",
    "~~~\n> quote",
    "<!-- ringfence: other -->",
    "\u202edne\u2028- line",
]


def after() -> dict[str, Any]:
    """Another name of the bucket, which replaces it; one topic less, one role more."""
    changed = copy.deepcopy(BEFORE)
    changed[NAME]["Resources"]["Log"]["Properties"]["BucketName"] = "two"
    del changed[NAME]["Resources"]["Old"]
    changed[NAME]["Resources"]["Worker"] = {"Type": "AWS::SQS::Queue"}
    return changed


def comment(then: Any, now: Any, *, records: tuple[dict[str, str], dict[str, str]] = ({}, {})) -> str:
    return comment_of("lab", before=then, after=now, changes=changes(then, now), records=records)


def test_it_says_what_is_replaced_which_rights_change_and_which_resources() -> None:
    more = RECORD + "Write  iam:CreateUser  *\n"
    said = comment(BEFORE, after(), records=({"lab-auditor.txt": RECORD}, {"lab-auditor.txt": more}))
    assert said.startswith("<!-- ringfence: lab -->\n\n### What this change means for `lab`\n")
    assert f"replaced  {NAME}/Log (AWS::S3::Bucket): BucketName changes" in said
    assert "It holds two years of records." in said
    assert "Lines of the record of what every role can do: 1 new, 0 gone." in said
    assert "\n@@ lab-auditor.txt @@\n+ Write  iam:CreateUser  *\n" in said
    for line in (
        f"! {NAME}/Log (AWS::S3::Bucket)",
        f"- {NAME}/Old (AWS::SNS::Topic)",
        f"+ {NAME}/Worker (AWS::SQS::Queue)",
    ):
        assert f"\n{line}\n" in said


@pytest.mark.parametrize(
    "records",
    [({}, {}), ({"lab-auditor.txt": RECORD}, {}), ({}, {"lab-auditor.txt": RECORD})],
    ids=["none is committed", "the change deletes it", "the change makes it"],
)
def test_rights_that_nothing_compares_are_never_said_to_stay(records: tuple[dict[str, str], dict[str, str]]) -> None:
    wider = copy.deepcopy(BEFORE)
    statement = {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}
    policy = {"PolicyName": "wide", "PolicyDocument": {"Statement": [statement]}, "Roles": ["one"]}
    wider[NAME]["Resources"]["Wide"] = {"Type": "AWS::IAM::Policy", "Properties": policy}
    said = comment(BEFORE, wider, records=records)
    assert "what every role can do **was not compared**" in said
    assert "**Rights were not compared:**" in said and "`make record DEPARTMENT=lab`" in said
    assert "stays" not in said and "Lines of the record" not in said
    both = {"lab-auditor.txt": RECORD}
    unrecorded = comment(BEFORE, wider, records=(both, both))
    assert "the record of what every role can do stays" in unrecorded
    assert "`make prove` fails where the record is not what the templates say." in unrecorded


def test_a_new_department_without_a_record_is_told_that_its_rights_are_not_looked_at() -> None:
    assert "**Rights were not compared:**" in comment({}, BEFORE)


def test_no_change_is_told_as_none() -> None:
    said = comment(BEFORE, BEFORE, records=({"lab-auditor.txt": RECORD}, {"lab-auditor.txt": RECORD}))
    assert "**Nothing changes** in what would be deployed." in said
    assert "```" not in said


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_from_the_branch_leaves_its_block(attack: str) -> None:
    now = copy.deepcopy(BEFORE)
    now[NAME]["Resources"][attack] = {"Type": attack}
    plain = copy.deepcopy(BEFORE)
    plain[NAME]["Resources"]["Plain"] = {"Type": "AWS::SNS::Topic"}
    records = {"lab-auditor.txt": RECORD}, {"lab-auditor.txt": RECORD + attack + "\n"}
    outside = [
        [(token.type, token.content) for token in MarkdownIt().parse(text) if token.type != "fence"]
        for text in (comment(BEFORE, now), comment(BEFORE, plain))
    ]
    assert outside[0] == outside[1]
    with_records = MarkdownIt().parse(comment(BEFORE, BEFORE, records=records))
    assert "attacker" not in "".join(token.content for token in with_records if token.type != "fence")
    assert "\u202e" not in comment(BEFORE, now)


def test_a_comment_fits_whatever_the_change() -> None:
    now = copy.deepcopy(BEFORE)
    now[NAME]["Resources"] |= {f"Queue{n}{'x' * 500}": {"Type": "AWS::SQS::Queue"} for n in range(5000)}
    record = {"lab-auditor.txt": "\n".join(f"Read  a:{n}{'`' * 400}" for n in range(5000))}
    said = comment(BEFORE, now, records=({"lab-auditor.txt": ""}, record))
    assert len(said) < 65_536
    assert "and 4940 more" in said


def test_a_wide_right_is_shown_whatever_stands_before_it() -> None:
    harmless = "".join(f"Read  s3:GetObject{n}  one\n" for n in range(70))
    said = comment(
        BEFORE, BEFORE, records=({"a.txt": ""}, {"a.txt": harmless, "z.txt": f"{harmless}admin: iam:* on *\n"})
    )
    assert "141 new, 0 gone." in said
    assert "\n@@ z.txt @@\n+ admin: iam:* on *\n" in said
    assert "\n@@ a.txt @@\n+ Read  s3:GetObject0  one\n" in said
    assert "\nand 41 more in a.txt\n" in said
    assert "\nand 42 more in z.txt\n" in said


def test_each_right_says_whose_it_is() -> None:
    """Lines alone are the same for each role: a right that moves reads as one that goes and comes back."""
    before = (
        "# All other roles.\n\n[Reader]\nRead   s3:GetObject  one\nWrite  s3:PutObject  one\n\n"
        "[Writer]\nRead   s3:GetObject  one\n"
    )
    after_ = (
        "# All other roles.\n\n[Loader]\nRead   s3:GetObject  one\n\n"
        "[Reader]\nRead   s3:GetObject  one\n\n[Writer]\nRead   s3:GetObject  one\nWrite  s3:PutObject  one\n"
    )
    said = comment(BEFORE, BEFORE, records=({"roles.txt": before}, {"roles.txt": after_}))
    assert "2 new, 1 gone." in said
    told = said.partition("@@ roles.txt @@\n")[2].partition("\n```")[0].splitlines()
    assert sorted(told) == [
        "+ [Loader] Read   s3:GetObject  one",
        "+ [Writer] Write  s3:PutObject  one",
        "- [Reader] Write  s3:PutObject  one",
    ]


def test_files_that_do_not_fit_are_named_and_the_widest_is_not_among_them() -> None:
    many = {f"{n:02}.txt": "Read  s3:GetObject  one\n" for n in range(32)} | {"z.txt": "Write  *  *\n"}
    said = comment(BEFORE, BEFORE, records=({"00.txt": ""}, many))
    assert "\n@@ z.txt @@\n+ Write  *  *\n" in said
    assert "\nand 3 more in: 29.txt, 30.txt, 31.txt\n" in said


def test_a_line_that_is_cut_says_so() -> None:
    assert fenced(["a" * 240, "b" * 241]).splitlines()[1:3] == ["a" * 240, "b" * 239 + "…"]


def test_a_fence_is_longer_than_what_it_holds() -> None:
    assert fenced(["a ```` b"]) == "`````text\na ```` b\n`````"


def test_a_name_that_no_department_has_makes_no_comment() -> None:
    with pytest.raises(CannotAsk, match="department is 'lab -->"):
        comment_of("lab --> <b>", before=BEFORE, after=BEFORE, changes=[], records=({}, {}))


def test_another_departments_templates_are_refused(
    assemblies: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (str(assemblies[name].folder) for name in ("example-production", "example-sandbox"))
    assert main(["comment", "--assembly", one, "--against", other]) == 2
    assert "holds the department example-sandbox, not example-production" in capsys.readouterr().err


def test_an_example_against_itself_with_one_right_less(assemblies: dict[str, Any], tmp_path: Path) -> None:
    folder = assemblies["example-production"].folder
    name = "example-production-auditor.txt"
    lines = (Path("tests/golden") / name).read_text().splitlines(keepends=True)
    gone = next(line for line in lines if "iam:ListUsers " in line)
    (tmp_path / name).write_text("".join(line for line in lines if line != gone))
    for other in Path("tests/golden").glob("example-production-*.txt"):
        if other.name != name:
            (tmp_path / other.name).write_text(other.read_text())
    output = tmp_path / "comment.md"
    against = ["--against", str(folder), "--records-against", str(tmp_path), "--output", str(output)]
    assert main(["comment", "--assembly", str(folder), *against]) == 0
    assert f"\n@@ {name} @@\n+ {gone}" in output.read_text()


def test_without_the_earlier_records_no_rights_are_compared(assemblies: dict[str, Any], tmp_path: Path) -> None:
    folder, output = str(assemblies["example-production"].folder), tmp_path / "comment.md"
    assert main(["comment", "--assembly", folder, "--against", folder, "--output", str(output)]) == 0
    assert "**Rights were not compared:**" in output.read_text()


def test_a_new_department_is_compared_with_nothing(assemblies: dict[str, Any], tmp_path: Path) -> None:
    output = tmp_path / "comment.md"
    folder = str(assemblies["example-production"].folder)
    assert main(["comment", "--assembly", folder, "--new", "--output", str(output)]) == 0
    said = output.read_text()
    assert "**A new department:** nothing of it was there before." in said
    assert "Nothing would be replaced, removed, weakened or refused." in said
    assert " new, 0 gone." in said and "Lines of the record of what every role can do: 0 new" not in said
    assert "\n+ ringfence-example-production-audit/" in said
    assert not any(line.startswith(("- ringfence-", "! ringfence-")) for line in said.splitlines())

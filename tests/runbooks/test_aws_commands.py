"""Each `aws` command of a runbook is one that the AWS CLI would send: service, operation, options, values, query."""

from __future__ import annotations

import shlex

import pytest

from tests.runbooks.aws_cli import faults
from tests.runbooks.pages import Command, commands

AWS = [command for command in commands() if command.text.startswith("aws ")]


@pytest.mark.parametrize("command", AWS, ids=str)
def test_the_cli_would_send_it(command: Command) -> None:
    assert faults(command.words) == []


@pytest.mark.parametrize(
    "command",
    [
        "aws kms disable-key --key-id 1",
        "aws sts get-caller-identity --query Account --output text",
        "aws ec2 describe-managed-prefix-lists --region eu-west-2 --filters Name=prefix-list-name,Values=a,b "
        "--query 'PrefixLists[0].PrefixListId'",
        "aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name x",
        "aws cloudformation wait stack-delete-complete --stack-name x",
        "aws cloudformation describe-stacks --query 'Stacks[].Outputs[].[OutputKey,OutputValue]'",
        "aws s3api list-object-versions --bucket <bucket> --max-keys 1",
        "aws kms list-aliases --query \"Aliases[?AliasName=='a'].TargetKeyId\"",
        "aws lambda update-function-code --function-name x --dry-run",
        """aws ec2 describe-vpcs --filters '[{"Name": "tag:x", "Values": ["y"]}]'""",
    ],
)
def test_a_good_command_passes(command: str) -> None:
    assert faults(shlex.split(command)) == []


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("aws kmz disable-key --key-id 1", "no service kmz"),
        ("aws kms disabel-key --key-id 1", "no operation disabel-key"),
        ("aws kms disable-key", "needs --key-id"),
        ("aws kms disable-key --key-id 1 --force", "no option --force"),
        ("aws kms disable-key --key-id", "has no value"),
        ("aws kms disable-key --key-id 1 2", "one value, not 2"),
        ("aws kms disable-key --key-id 1 --key-id 2", "given twice"),
        ("aws kms disable-key 1", "belongs to no option"),
        ("aws kms disable-key --key-id 1 --region eu-west-1", "region eu-west-1"),
        ("aws kms list-aliases --query 'Aliases[].TargetKey'", "no member TargetKey"),
        ("aws kms list-aliases --query \"Aliases[?Name=='a'].TargetKeyId\"", "no member Name"),
        ("aws kms list-aliases --query 'Aliases[.TargetKeyId'", "is no query"),
        ("aws kms disable-key --key-id 1 --query KeyId", "answers nothing"),
        ("aws kms schedule-key-deletion --key-id 1 --pending-window-in-days week", "no whole number"),
        ("aws organizations enable-policy-type --root-id r --policy-type SCP", "SCP is not one of"),
        ("aws ec2 describe-vpcs --filters Nam=a,Values=b", "no member Nam"),
        ("aws ec2 describe-vpcs --filters a", "names no member"),
        ("""aws ec2 describe-vpcs --filters '[{"Nam": "a"}]'""", "no member Nam"),
        ("""aws ec2 describe-vpcs --filters '[{"Name": ]'""", "is no JSON"),
        ("aws ec2 describe-vpcs --dry-run yes", "takes no value"),
        ("aws cloudformation wait stack-gone --stack-name x", "no waiter stack-gone"),
        ("aws cloudformation describe-stacks --output xml", "no output xml"),
        ("aws s3 ls", "command of the CLI alone"),
        ("aws logs tail --follow", "no operation tail"),
        ("aws --region eu-west-2 kms list-aliases", "write it as"),
    ],
)
def test_a_wrong_command_is_told(command: str, told: str) -> None:
    assert told in " / ".join(faults(shlex.split(command)))

"""What passes as a command of the AWS CLI: the listed commands with their listed options, and nothing dressed up."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from callpath.command_line import LONGEST, MOST_VALUES, check_command, read_commands
from callpath.refusal import Refusal

ROOT = Path(__file__).resolve().parents[2]
CALL_AWS = tomllib.loads((ROOT / "catalogue/servers/aws-api/server.toml").read_text())["tools"]["call_aws"]
REGION = {"--region": {"values": "eu-west-2"}}
COMMANDS = read_commands(
    {
        name: {**operation.get("options", {}), **REGION}
        for name, operation in CALL_AWS["operations"].items()
        if "refused" not in operation
    }
)
STATUS = "aws ec2 describe-instance-status"
ONE = f"{STATUS} --instance-ids i-0123456789abcdef0"
SERVICES = "aws ecs describe-services --cluster blue"


def check(text: object) -> str:
    return check_command(text, COMMANDS, tool="call_aws", layer="request")


def refused(text: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check(text)
    assert caught.value.layer == "request"
    return caught.value


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (STATUS, STATUS),
        (f"{STATUS} --include-all-instances", STATUS),
        (ONE, STATUS),
        (f"{ONE} i-0fedcba9876543210 i-01234567", STATUS),
        (f"{ONE} --region eu-west-2", STATUS),
        (f"{STATUS} --region eu-west-2 --instance-ids 'i-01234567'", STATUS),
        (f'{SERVICES} --services "web-1" web-2', "aws ecs describe-services"),
        ("aws ecs list-clusters", "aws ecs list-clusters"),
        ("aws ecs list-clusters  --region  eu-west-2 ", "aws ecs list-clusters"),
        (
            "aws ecs update-service --cluster blue --service web --force-new-deployment",
            "aws ecs update-service",
        ),
        (
            "aws autoscaling start-instance-refresh --auto-scaling-group-name web.blue-1",
            "aws autoscaling start-instance-refresh",
        ),
        ("aws rds reboot-db-instance --db-instance-identifier orders-1", "aws rds reboot-db-instance"),
    ],
)
def test_a_listed_command_passes(text: str, command: str) -> None:
    assert check(text) == command


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        # Another command, or none.
        ("", "unknown-operation"),
        ("aws", "unknown-operation"),
        ("aws ec2", "unknown-operation"),
        ("ec2 describe-instance-status", "unknown-operation"),
        ("aws ec2 terminate-instances --instance-ids i-01234567", "unknown-operation"),
        ("aws ec2 describe-instance-statuses", "unknown-operation"),
        ("aws lambda put-function-concurrency --function-name f", "unknown-operation"),
        ("aws s3 presign s3://bucket/key", "unknown-operation"),
        ("aws secretsmanager get-secret-value --secret-id x", "unknown-operation"),
        ("aws help", "unknown-operation"),
        ("aws configure list", "unknown-operation"),
        # The listed one, spelt so that one layer would read it differently from another.
        ("AWS ec2 describe-instance-status", "unknown-operation"),
        ("aws EC2 describe-instance-status", "unknown-operation"),
        ("aws  ec2 describe-instance-status", "unknown-operation"),
        (" aws ec2 describe-instance-status", "unknown-operation"),
        ('aws "ec2" describe-instance-status', "unknown-operation"),
        ("aws ec2 'describe-instance-status'", "unknown-operation"),
        ("aws ec2 describe-''instance-status", "unknown-operation"),
        ("/usr/bin/aws ec2 describe-instance-status", "unknown-operation"),
        ("aws --region eu-west-2 ec2 describe-instance-status", "unknown-operation"),
        ("aws --debug ec2 describe-instance-status", "unknown-operation"),
        # Options of the CLI itself, in full and abbreviated.
        (f"{STATUS} --profile admin", "unknown-option"),
        (f"{STATUS} --prof admin", "unknown-option"),
        (f"{STATUS} --endpoint-url http://127.0.0.1:8000", "unknown-option"),
        (f"{STATUS} --endpoint http://127.0.0.1:8000", "unknown-option"),
        (f"{STATUS} --debug", "unknown-option"),
        (f"{STATUS} --no-sign-request", "unknown-option"),
        (f"{STATUS} --no-verify-ssl", "unknown-option"),
        (f"{STATUS} --ca-bundle /tmp/x", "unknown-option"),
        (f"{STATUS} --query InstanceStatuses", "unknown-option"),
        (f"{STATUS} --output text", "unknown-option"),
        (f"{STATUS} --cli-input-json x", "unknown-option"),
        (f"{STATUS} --generate-cli-skeleton", "unknown-option"),
        (f"{STATUS} --reg eu-west-2", "unknown-option"),
        (f"{STATUS} --REGION eu-west-2", "unknown-option"),
        (f"{STATUS} --", "unknown-option"),
        (f"{STATUS} -h", "unknown-option"),
        # Another region, by any spelling.
        (f"{STATUS} --region us-east-1", "wrong-value"),
        (f"{STATUS} --region eu-west-2 eu-west-1", "wrong-value"),
        (f"{STATUS} --region", "wrong-value"),
        (f"{STATUS} --region ''", "wrong-value"),
        (f"{STATUS} --region *", "malformed-command"),
        (f"{STATUS} --region=eu-west-2", "unknown-option"),
        (f"{STATUS} --region eu-west-2 --region us-east-1", "malformed-command"),
        # Values that are more than a name.
        (f"{STATUS} --instance-ids", "wrong-value"),
        (f"{STATUS} --instance-ids i-01234567,i-76543210", "wrong-value"),
        (f"{STATUS} --instance-ids 'i-01234567 i-76543210'", "wrong-value"),
        (f"{STATUS} --instance-ids I-01234567", "wrong-value"),
        (f"{STATUS} --instance-ids file:///etc/passwd", "wrong-value"),
        (f"{STATUS} --instance-ids fileb://x", "wrong-value"),
        (f"{STATUS} --instance-ids http://203.0.113.7/x", "wrong-value"),
        (f"{STATUS} --instance-ids arn:aws:ec2:us-east-1:111122223333:instance/i-01234567", "wrong-value"),
        (f"{STATUS} --instance-ids=i-01234567", "unknown-option"),
        (f"{STATUS} --instance-ids i-01234567 --dry-run", "unknown-option"),
        (f"{STATUS} --include-all-instances true", "wrong-value"),
        (f"{STATUS} i-01234567", "malformed-command"),
        (f"{STATUS} help", "malformed-command"),
        (f"{SERVICES} --services help", "wrong-value"),
        (f"{SERVICES} red --services web", "wrong-value"),
        (f"{SERVICES} --cluster red --services web", "malformed-command"),
        # A restart with something more than a restart.
        ("aws ecs update-service --cluster blue --service web", "missing-option"),
        (
            "aws ecs update-service --cluster blue --service web --force-new-deployment --desired-count 0",
            "unknown-option",
        ),
        (
            "aws ecs update-service --cluster blue --service web --force-new-deployment --task-definition old",
            "unknown-option",
        ),
        ("aws rds reboot-db-instance --db-instance-identifier orders --force-failover", "unknown-option"),
        (
            "aws autoscaling start-instance-refresh --auto-scaling-group-name web --desired-configuration x",
            "unknown-option",
        ),
        # What is a shell's, and what only looks like a letter.
        (f"{STATUS} ; aws iam create-user --user-name x", "malformed-command"),
        (f"{STATUS} && id", "malformed-command"),
        (f"{STATUS} | cat", "malformed-command"),
        (f"{STATUS} > out", "malformed-command"),
        (f"{STATUS} $(id)", "malformed-command"),
        (f"{STATUS} `id`", "malformed-command"),
        (f"{STATUS} ~/x", "malformed-command"),
        (f"{STATUS} #", "malformed-command"),
        (f"{STATUS}\\ x", "malformed-command"),
        (f"{STATUS}\naws iam create-user --user-name x", "malformed-command"),
        (f"{STATUS}\t--debug", "malformed-command"),
        (f"{STATUS}\x00", "malformed-command"),
        (f"{STATUS}\u00a0--debug", "malformed-command"),
        (f"{STATUS} \u2013\u2013debug", "malformed-command"),
        ("aws e\u0441s list-clusters", "malformed-command"),  # a Cyrillic letter
        (f"{STATUS} --instance-ids 'i-01234567", "malformed-command"),
        # No text, or too much of it.
        ([ONE, ONE], "malformed-command"),
        (None, "malformed-command"),
        (f"{ONE} {'i-01234567 ' * 200}", "malformed-command"),
    ],
)
def test_everything_else_is_refused(text: object, rule: str) -> None:
    assert refused(text).rule == rule


def test_a_command_takes_so_many_values_and_so_many_characters_and_no_more() -> None:
    assert check(f"{STATUS} --instance-ids {' '.join(['i-01234567'] * MOST_VALUES)}") == STATUS
    assert refused(f"{STATUS} --instance-ids {' '.join(['i-01234567'] * (MOST_VALUES + 1))}").rule == "wrong-value"
    padded = ONE + " " * (LONGEST - len(ONE))
    assert check(padded) == STATUS
    assert refused(f"{padded} ").rule == "malformed-command"


def test_a_refusal_tells_every_problem_and_what_is_accepted_but_no_value() -> None:
    message = refused(f"{STATUS} --instance-ids s3cr3t --debug --region mars-1").message
    for told in ("an option is not accepted", "--instance-ids", "--region", "[--instance-ids <value> ...]"):
        assert told in message
    assert "s3cr3t" not in message and "mars-1" not in message and "--debug" not in message


def test_a_refusal_of_another_command_lists_those_there_are() -> None:
    message = refused("aws ec2 run-instances --image-id ami-01234567").message
    assert "aws ec2 describe-instances; aws ec2 reboot-instances" in message
    assert "put-function-concurrency" not in message and "ami-" not in message


def test_a_broken_rule_file_is_not_read() -> None:
    for broken in ({"aws ec2 x": {"--a": {"value": "x"}}}, {"aws ec2 x": {"--a": "x"}}):
        with pytest.raises((TypeError, AttributeError)):
            read_commands(broken)


def test_every_listed_command_is_wholly_classified() -> None:
    for name, operation in CALL_AWS["operations"].items():
        assert name.split(" ")[0] == "aws" and len(name.split(" ")) == 3
        checks: dict[str, Any] = operation
        assert "refused" in checks or checks["grants"]

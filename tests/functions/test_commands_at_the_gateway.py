"""The REQUEST interceptor and commands of the AWS CLI, by the rules of a department that has enabled them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from request_interceptor import handler as request_handler
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.compilers.rules import interceptor_rules, to_json
from ringfence.department.department import load_department

CALL = "aws-api___call_aws"
STATUS = "aws ec2 describe-instance-status"


@pytest.fixture(scope="module")
def enabled_rules() -> dict[str, Any]:
    catalogue = load_catalogue()
    department = load_department("example-restarts", catalogue=catalogue, root=Path("tests/departments"))
    return interceptor_rules(catalogue, department, "operator")


@pytest.fixture
def run(ask: Any, tool_call: Any, claims: Any, enabled_rules: dict[str, Any], tmp_path: Path, monkeypatch: Any) -> Any:
    claims["cognito:groups"] = ["operator"]
    claims["scope"] = "ringfence/operator"
    path = tmp_path / "rules.json"
    path.write_bytes(to_json(enabled_rules))
    monkeypatch.setattr(request_handler, "RULES_PATH", path)
    request_handler.rules.cache_clear()
    yield lambda command: ask(tool_call(CALL, cli_command=command))
    request_handler.rules.cache_clear()


def test_a_listed_command_passes_unchanged_and_is_recorded_as_the_read_that_it_is(run: Any) -> None:
    command = f"{STATUS} --instance-ids i-0123456789abcdef0"
    answered = run(command)
    assert answered.passed_on["body"]["params"]["arguments"] == {"cli_command": command}
    assert (answered.record["outcome"], answered.record["level"]) == ("allowed", "read")


@pytest.mark.parametrize(
    "command",
    [
        "aws ec2 reboot-instances --instance-ids i-0123456789abcdef0",
        "aws ecs update-service --cluster blue --force-new-deployment --service web",
        "aws rds reboot-db-instance --db-instance-identifier orders",
        "aws autoscaling start-instance-refresh --auto-scaling-group-name web",
    ],
)
def test_every_restart_needs_an_approval_and_none_is_configured(run: Any, command: str) -> None:
    answered = run(command)
    assert answered.rule == "approval-required"
    assert "needs an approval, none is configured" in answered.texts[0]
    assert (answered.record["outcome"], answered.record["layer"]) == ("refused", "request")


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (f"{STATUS} --region us-east-1", "wrong-value"),
        (f"{STATUS} --endpoint-url http://127.0.0.1:8000", "unknown-option"),
        (f"{STATUS} | tee x", "malformed-command"),
        ("aws lambda put-function-concurrency --function-name f", "wrong-value"),
        ("aws ec2 describe-instances", "wrong-value"),
        ([STATUS, STATUS], "wrong-type"),
    ],
)
def test_a_command_is_refused_with_a_reason_and_without_its_text(run: Any, command: object, rule: str) -> None:
    answered = run(command)
    assert answered.rule == rule
    assert "us-east-1" not in answered.texts[0] and "127.0.0.1" not in answered.texts[0]
    assert answered.record["outcome"] == "refused"

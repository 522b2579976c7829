"""The host holds a call to the one operation it asks for, and asks STS for that operation's session policy only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runtime.settings import StartFault, load_settings
from tests.runtime.conftest import CALL_LOG_GROUP, SCRIPTED, scripted_rules


def policy(action: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [action], "Resource": "*"}]}


OPERATIONS = {
    "argument": "n",
    "match": "exact",
    "levels": {"look": "read", "change": "write"},
    "session_policies": {"look": policy("iam:ListUsers"), "change": policy("iam:CreateUser")},
}


def operated(**fields: Any) -> dict[str, Any]:
    return scripted_rules(level="write", operations=OPERATIONS, **fields)


@pytest.fixture(scope="module")
def host(start_host: Any) -> Any:
    return start_host(operated(approval={"argument": "n", "operations": ["change"]}), server=SCRIPTED)


def call(host: Any, token: Any, **minted: Any) -> dict[str, Any]:
    arguments = {"n": minted.pop("n")} if "n" in minted else {}
    return host.call("echo", arguments, token("echo", arguments, **minted))


def test_the_session_may_do_what_the_operation_needs_and_no_more(host: Any, aws: Any, token: Any) -> None:
    assert call(host, token, n="look").get("isError") is not True
    (assumed,) = aws.of("AssumeRole")
    assert json.loads(assumed.parameters["Policy"]) == OPERATIONS["session_policies"]["look"]


def test_an_operation_that_needs_an_approval_gets_no_credentials_without_one(host: Any, aws: Any, token: Any) -> None:
    result = call(host, token, n="change")
    assert result["_meta"]["ringfence/layer"] == "runtime"
    assert result["_meta"]["ringfence/rule"] == "approval-required"
    assert "echo (change) needs an approval" in result["content"][0]["text"]
    assert not aws.of("AssumeRole")


def test_an_approval_in_the_token_lets_the_call_go_ahead_as_that_operation(host: Any, aws: Any, token: Any) -> None:
    assert call(host, token, n="change", approval="approval-1").get("isError") is not True
    (assumed,) = aws.of("AssumeRole")
    assert json.loads(assumed.parameters["Policy"]) == OPERATIONS["session_policies"]["change"]


@pytest.mark.parametrize("minted", [{"n": "delete"}, {"n": "LOOK"}, {"n": 7}, {}])
def test_any_other_operation_is_refused_before_aws_is_asked(
    host: Any, aws: Any, token: Any, minted: dict[str, Any]
) -> None:
    assert call(host, token, **minted)["_meta"]["ringfence/rule"] == "unknown-operation"
    assert not aws.of("AssumeRole")


@pytest.mark.parametrize(
    "broken",
    [
        {"session_policies": {"look": policy("iam:ListUsers")}},  # one operation would have no session policy
        {"levels": {}, "session_policies": {}},
        {"match": "prefix"},
        {"argument": None, "levels": None},
    ],
)
def test_a_host_does_not_start_with_incomplete_operations(tmp_path: Path, broken: dict[str, Any]) -> None:
    rules = operated()
    rules["tools"] = {"echo": {**rules["tools"]["echo"], "operations": {**OPERATIONS, **broken}}}
    (tmp_path / "runtime.json").write_text(json.dumps(rules))
    environ = {
        "RINGFENCE_PERSONA_ROLE_ARN": f"arn:aws:iam::{rules['account']}:role/r",
        "RINGFENCE_CALL_LOG_GROUP": CALL_LOG_GROUP,
        "RINGFENCE_TXN_KEY_ARN": f"arn:aws:kms:eu-west-2:{rules['account']}:key/k",
        "AWS_REGION": "eu-west-2",
        "AWS_DEFAULT_REGION": "eu-west-2",
    }
    with pytest.raises(StartFault, match=r"runtime\.json is not the host's rule file"):
        load_settings(tmp_path, environ)

"""A call through the host to the real awslabs iam server: whose credentials, which answer, which record."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ringfence.catalogue.iam_statements import SESSION_TAGS

IAM_ERROR = "AWS refused iam:ListUsers (AccessDenied)"


def refusal(result: dict[str, Any]) -> tuple[str, str]:
    assert result["isError"] is True
    return result["_meta"]["ringfence/layer"], result["_meta"]["ringfence/rule"]


def test_a_call_runs_with_credentials_made_for_it_alone(iam_host: Any, aws: Any, token: Any) -> None:
    result = iam_host.call("list_users", {}, token("list_users", staff_id="staff-ada"))
    assert result.get("isError") is not True, result
    assert "grace" in result["content"][0]["text"]
    [assumed] = aws.of("AssumeRole")
    [listed] = aws.of("ListUsers")
    assert aws.issued[listed.access_key] == "staff-ada"
    assert "app/ringfence-auditor" in listed.user_agent
    call_id = result["_meta"]["ringfence/call_id"]
    parameters = assumed.parameters
    assert parameters["RoleSessionName"] == call_id
    assert parameters["SourceIdentity"] == "staff-ada"
    assert parameters["DurationSeconds"] == "900"
    assert json.loads(parameters["Policy"])["Statement"][0]["Action"] == ["iam:ListUsers"]
    tags = {parameters[f"Tags.member.{n}.Key"]: parameters[f"Tags.member.{n}.Value"] for n in range(1, 5)}
    assert tags == {"persona": "auditor", "tool": "list_users", "call": call_id, "department": "test"}
    assert {parameters[f"TransitiveTagKeys.member.{n}"] for n in range(1, 5)} == set(tags)
    # A gateway's name holds department and persona together to 48 characters, MCP hosts hold a tool's name to 64.
    assert sum(map(len, tags)) + 48 + 64 + len(call_id) <= SESSION_TAGS


def test_two_calls_in_a_row_use_two_access_keys(iam_host: Any, aws: Any, token: Any) -> None:
    for _ in range(2):
        iam_host.call("list_users", {}, token("list_users"))
    first, second = aws.of("ListUsers")
    assert first.access_key != second.access_key
    assert {first.access_key, second.access_key} <= aws.issued.keys()


def test_parallel_calls_of_different_people_never_mix_credentials(iam_host: Any, aws: Any, token: Any) -> None:
    # Each tool has its own AWS action, so that a request can be laid to the person who made the call.
    people = {"list_users": "ListUsers", "list_roles": "ListRoles", "list_groups": "ListGroups"}
    aws.delay.update(dict.fromkeys(people.values(), 0.02))
    calls = [(tool, f"staff-{tool}-{n}") for n in range(4) for tool in people]
    with ThreadPoolExecutor(len(calls)) as pool:
        results = list(pool.map(lambda call: iam_host.call(call[0], {}, token(call[0], staff_id=call[1])), calls))
    assert not [result for result in results if result.get("isError")]
    for tool, action in people.items():
        owners = sorted(aws.issued[record.access_key] for record in aws.of(action))
        assert owners == [f"staff-{tool}-{n}" for n in range(4)]


def test_the_refused_action_is_named_and_the_servers_words_are_not(iam_host: Any, aws: Any, token: Any) -> None:
    aws.refuse["ListUsers"] = "AccessDenied"
    result = iam_host.call("list_users", {}, token("list_users"))
    assert refusal(result) == ("aws", "access-denied")
    assert result["content"][0]["text"].startswith(IAM_ERROR)
    assert "secret-detail" not in json.dumps(result)
    record = iam_host.records()[-1]
    assert record["cause"] == {"code": "AccessDenied", "operation": "ListUsers"}
    assert (record["outcome"], record["layer"]) == ("refused", "aws")
    assert "secret-detail" not in iam_host.stderr()


def test_a_name_that_does_not_exist_is_a_failure_and_not_a_refusal(iam_host: Any, aws: Any, token: Any) -> None:
    arguments = {"user_name": "nobody"}
    result = iam_host.call("get_user", arguments, token("get_user", arguments))
    assert refusal(result) == ("aws", "not-found")
    assert "iam:GetUser (NoSuchEntity)" in result["content"][0]["text"]
    assert iam_host.records()[-1]["outcome"] == result["_meta"]["ringfence/outcome"] == "failed"


def test_the_call_record_says_who_what_and_nothing_of_the_content(iam_host: Any, aws: Any, token: Any) -> None:
    arguments = {"path_prefix": "/very-private/"}
    result = iam_host.call("list_users", arguments, token("list_users", arguments, staff_id="staff-ada"))
    record = iam_host.records()[-1]
    assert record["record"] == "ringfence.call" and record["half"] == "runtime"
    assert record["call_id"] == record["aws_role_session"] == result["_meta"]["ringfence/call_id"]
    assert (record["staff_id"], record["tool"], record["outcome"]) == ("staff-ada", "list_users", "allowed")
    assert record["latency_ms"] > 0 and set(record["timing_ms"]) == {"verify", "start", "assume_role", "server"}
    assert "very-private" not in json.dumps(iam_host.records()) + iam_host.stderr()


@pytest.mark.parametrize(
    ("rule", "replaced"),
    [
        ("token-tool", {"tool": "get_user"}),
        ("token-audience", {"audience": "urn:ringfence:test:auditor:cloudtrail"}),
        ("token-issuer", {"issuer": "urn:ringfence:other:auditor:request-interceptor"}),
        ("token-persona", {"persona": "operator"}),
        ("token-expired", {"issued_at": int(time.time()) - 90, "expires_at": int(time.time()) - 30}),
        ("token-arguments", {"arguments_sha256": "0" * 64}),
    ],
)
def test_a_token_for_anything_else_is_refused(
    iam_host: Any, aws: Any, token: Any, rule: str, replaced: dict[str, Any]
) -> None:
    result = iam_host.call("list_users", {}, token("list_users", **replaced))
    assert refusal(result) == ("runtime", rule)
    assert not aws.of("AssumeRole") and not aws.of("ListUsers")
    assert iam_host.records()[-1]["staff_id"] is None  # nothing of an unverified token is believed


def test_a_missing_a_forged_and_a_replayed_token_are_refused(iam_host: Any, aws: Any, token: Any) -> None:
    assert refusal(iam_host.call("list_users", {}, None)) == ("runtime", "token-missing")
    minted = token("list_users")
    forged = minted[:-6] + ("AAAAAA" if not minted.endswith("AAAAAA") else "BBBBBB")
    assert refusal(iam_host.call("list_users", {}, forged)) == ("runtime", "token-signature")
    assert iam_host.call("list_users", {}, minted).get("isError") is not True
    replayed = iam_host.call("list_users", {}, minted)
    assert refusal(replayed) == ("runtime", "token-replayed")
    assert len(aws.of("ListUsers")) == 1


def test_layers_do_not_trust_each_other(iam_host: Any, aws: Any, token: Any) -> None:
    """Even with a valid token, the host checks the tool and the arguments against its own rules."""
    wrong = {"path_prefix": "/", "profile_name": "admin"}
    assert refusal(iam_host.call("list_users", wrong, token("list_users", wrong))) == ("runtime", "unknown-argument")
    hidden = {"ctx": {"content": []}}
    assert refusal(iam_host.call("list_users", hidden, token("list_users", hidden))) == ("runtime", "unknown-argument")
    assert refusal(iam_host.call("create_user", {}, token("create_user"))) == ("runtime", "unknown-tool")
    assert not aws.of("AssumeRole")


def test_no_credentials_no_call(iam_host: Any, aws: Any, token: Any) -> None:
    aws.refuse["AssumeRole"] = "AccessDenied"
    result = iam_host.call("list_users", {}, token("list_users"))
    assert refusal(result) == ("credentials", "assume-role-refused")
    assert "AccessDenied" in result["content"][0]["text"] and "secret-detail" not in json.dumps(result)
    assert not aws.of("ListUsers")
    assert iam_host.records()[-1]["aws_role_session"] is None


def test_a_key_that_cannot_be_read_refuses_and_is_asked_for_again(
    start_host: Any, aws: Any, token: Any, iam_host: Any
) -> None:
    from tests.runtime.conftest import SCRIPTED, scripted_rules

    host = start_host(scripted_rules(), server=SCRIPTED)
    aws.refuse["GetPublicKey"] = "AccessDeniedException"
    assert refusal(host.call("echo", {}, token("echo"))) == ("runtime", "key-unavailable")
    aws.refuse.clear()
    assert host.call("echo", {}, token("echo")).get("isError") is not True
    host.call("echo", {}, token("echo"))
    assert len([r for r in aws.of("GetPublicKey")]) == 2  # one refused, one answered, then kept


def test_the_servers_process_sees_only_the_allow_list(start_host: Any, aws: Any, token: Any) -> None:
    from tests.runtime.conftest import SCRIPTED, scripted_rules

    host = start_host(scripted_rules(), server=SCRIPTED, SECRET_OF_THE_HOST="1")
    seen = json.loads(host.call("spill", {}, token("spill"))["content"][0]["text"])
    assert set(seen["all"]) - {"LC_CTYPE"} == {
        "PATH", "LANG", "HOME", "TMPDIR", "COLUMNS", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "SCRIPTED_MODE",
        "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_SDK_UA_APP_ID", "AWS_ENDPOINT_URL",
    }  # fmt: skip
    assert seen["cwd"] == seen["all"]["HOME"] and seen["cwd"] not in seen["path"]
    if os.geteuid() != 0:  # root may read any process
        assert seen["parent"] is False

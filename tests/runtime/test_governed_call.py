"""A call through the host to the real awslabs iam server."""

from __future__ import annotations

from typing import Any


def test_a_call_runs_with_credentials_made_for_it_alone(iam_host: Any, aws: Any, token: Any) -> None:
    result = iam_host.call("list_users", {}, token("list_users", staff_id="staff-ada"))
    assert result.get("isError") is not True, result
    assert "grace" in result["content"][0]["text"]
    [assumed] = aws.of("AssumeRole")
    [listed] = aws.of("ListUsers")
    assert aws.issued[listed.access_key] == "staff-ada"
    call_id = result["_meta"]["ringfence/call_id"]
    assert assumed.parameters["RoleSessionName"] == call_id

"""Who may invoke a runtime."""

from __future__ import annotations

import json
from typing import Any

import pytest

from constructs.runtime.runtime_resource_policy import RuntimeResourcePolicy

RUNTIME = "arn:aws:bedrock-agentcore:eu-west-2:111122223333:runtime/ringfence_auditor_iam-abcdefghij"
ENDPOINT = f"{RUNTIME}/runtime-endpoint/DEFAULT"
GATEWAY = "arn:aws:iam::111122223333:role/gateway"


@pytest.fixture
def policies(bench: Any) -> dict[str, dict[str, Any]]:
    """Policy documents by the ARN they hang on, with their names filled in."""
    RuntimeResourcePolicy(bench.stack, "Invoker", runtime_arn=RUNTIME, role_arn=GATEWAY)
    found = {}
    for logical_id in ("InvokerOnRuntime", "InvokerOnEndpoint"):
        properties = bench.properties(logical_id)
        text, names = properties["Policy"]["Fn::Sub"]
        for name, value in names.items():
            text = text.replace(f"${{{name}}}", value)
        found[properties["ResourceArn"]] = {each["Sid"]: each for each in json.loads(text)["Statement"]}
    return found


def test_runtime_and_endpoint_each_have_their_policy_on_their_exact_arn(policies: dict[str, Any]) -> None:
    assert set(policies) == {RUNTIME, ENDPOINT}
    for arn, statements in policies.items():
        assert {statement["Resource"] for statement in statements.values()} == {arn}


@pytest.mark.parametrize("arn", [RUNTIME, ENDPOINT])
def test_the_gateway_role_is_the_only_one_allowed(policies: dict[str, Any], arn: str) -> None:
    allowing = [each for each in policies[arn].values() if each["Effect"] == "Allow"]
    assert len(allowing) == 1
    assert allowing[0]["Principal"] == {"AWS": GATEWAY}
    assert allowing[0]["Action"] == "bedrock-agentcore:InvokeAgentRuntime"


@pytest.mark.parametrize("arn", [RUNTIME, ENDPOINT])
def test_everybody_else_is_denied_even_with_a_wide_identity_policy(policies: dict[str, Any], arn: str) -> None:
    denial = policies[arn]["DenyInvokeExceptGateway"]
    assert (denial["Effect"], denial["Principal"]) == ("Deny", {"AWS": "*"})
    assert denial["Action"] == "bedrock-agentcore:InvokeAgentRuntime"
    assert denial["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": GATEWAY}}


@pytest.mark.parametrize("arn", [RUNTIME, ENDPOINT])
def test_shells_assumed_users_sockets_and_cards_are_denied_to_the_gateway_too(
    policies: dict[str, Any], arn: str
) -> None:
    denial = policies[arn]["DenyUngovernedInvocation"]
    assert (denial["Effect"], denial["Principal"]) == ("Deny", {"AWS": "*"})
    assert "Condition" not in denial
    assert set(denial["Action"]) == {
        "bedrock-agentcore:GetAgentCard",
        "bedrock-agentcore:InvokeAgentRuntimeCommand",
        "bedrock-agentcore:InvokeAgentRuntimeCommandShell",
        "bedrock-agentcore:InvokeAgentRuntimeForUser",
        "bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStream",
        "bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStreamForUser",
    }

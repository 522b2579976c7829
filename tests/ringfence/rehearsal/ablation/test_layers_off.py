"""A runtime at its own port, without what the gateway would do; the layers one by one are in test_ablation.py."""

from __future__ import annotations

import dataclasses
import json

import pytest

from callpath.digest import digest
from callpath.txn_token import HEADER
from ringfence.rehearsal.ablation.layers import Signer
from ringfence.rehearsal.scenarios.attacks import switched_off
from ringfence.rehearsal.scenarios.calls import Outcome
from ringfence.rehearsal.scenarios.granted import each_granted_tool, problems_of
from ringfence.rehearsal.scenarios.mcp_user import signed_in
from ringfence.rehearsal.scenarios.persona_scenarios import context_of
from ringfence.rehearsal.scenarios.scenario_context import ScenarioContext
from ringfence.rehearsal.serving import HttpRequest
from tests.ringfence.rehearsal.sign_in.serving import Served


@pytest.fixture(scope="module")
def context(served: Served) -> ScenarioContext:
    return context_of(served.department, tell=lambda _call: None)


@pytest.fixture(scope="module")
def headers(context) -> dict[str, str]:
    return {"content-type": "application/json", "authorization": f"Bearer {context.token()}"}


@pytest.fixture(autouse=True)
def nothing_is_changed(context):
    yield
    for call in context.department.aws.record:
        service, _, name = call.call.partition(":")
        if service == "iam" and call.decision == "allowed":
            assert name.startswith(("List", "Get", "Simulate")), call


@pytest.fixture
def ask(context, headers):
    def ask_gateway(tool: str, arguments: dict | None = None) -> Outcome:
        params = {"name": tool, "arguments": arguments or {}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        answer = context.gateway.handle(HttpRequest("POST", "/mcp", headers, body))
        return context.completed(Outcome.of_body(answer.body, status=answer.status))

    return ask_gateway


def test_the_auditor_reads_with_everything_on(ask):
    assert not ask("iam___list_users").refused


@pytest.mark.parametrize("tool", ["create_user", "list_users"])
def test_without_what_the_request_interceptor_makes_the_runtime_refuses(context, ask, tool):
    with switched_off(context, "request", "policy", "response"):
        outcome = ask(f"iam___{tool}", {"user_name": "x"})
    assert (outcome.refused, outcome.layer, outcome.rule) == (True, "runtime", "token-missing")


def test_with_the_response_interceptor_off_the_runtimes_answer_is_what_it_was(context, ask):
    with switched_off(context, "response"):
        assert not ask("iam___list_users").refused


# A Txn-Token that is not for this call, at the runtime's own port


@pytest.fixture(scope="module")
def signed(context):
    """Tokens signed with the department's real key, by the role that may."""
    signer = Signer(context)
    return lambda **changes: signer.token("iam", "list_users", {}, **changes)


def test_a_good_txn_token_works_at_the_port(context, signed):
    reply = context.post_to_runtime("iam", "list_users", {}, headers={HEADER: signed()})
    assert not reply.outcome.refused, reply.outcome


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"audience": "urn:ringfence:example-production:operator:iam"}, "token-audience"),
        ({"audience": "urn:ringfence:example-production:auditor:cloudtrail"}, "token-audience"),
        ({"audience": "urn:ringfence:other-department:auditor:iam"}, "token-audience"),
        ({"issued_at": 1000, "expires_at": 1060}, "token-expired"),
        ({"tool": "list_roles"}, "token-tool"),
        ({"arguments_sha256": digest({"max_items": 1})}, "token-arguments"),
    ],
)
def test_a_txn_token_of_another_persona_server_time_tool_or_arguments(context, signed, changes, rule):
    reply = context.post_to_runtime("iam", "list_users", {}, headers={HEADER: signed(**changes)})
    assert (reply.outcome.layer, reply.outcome.rule) == ("runtime", rule)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 400), (b'{"jsonrpc": "2.0", "id": 1, "method": 3}', 400), (b" " * 300_000, 413)],
)
def test_a_body_that_is_no_message_at_the_port(context, signed, body, status):
    runtime = context.runtime("iam")
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    response = runtime.post(headers=headers, body=body)
    assert response.status_code == status
    assert response.json()["error"]["message"]
    assert runtime.post(headers=headers, body=b"{").status_code == 400, "it still answers"


def test_the_service_keeps_a_header_from_the_container_that_is_not_on_the_runtimes_list(context, signed):
    token = signed()
    spec = context.runtime("iam").spec
    assert HEADER.lower() in spec.headers
    assert "x-amzn-bedrock-agentcore-runtime-user-id" not in spec.headers
    reply = context.post_to_runtime("iam", "list_users", {}, headers={"X-Other": "1", HEADER: token})
    assert not reply.outcome.refused


async def call_each_tool(context: ScenarioContext) -> None:
    async with signed_in(context.server.url, context.token()) as user:
        await each_granted_tool(context, user)


async def test_a_persona_whose_role_may_do_nothing_does_not_pass(context, monkeypatch):
    department = context.department
    before, after = (context_of(department, tell=lambda _: None, persona="operator") for _ in range(2))
    await call_each_tool(before)
    assert all(call.held for call in before.transcript.calls)
    assert problems_of(before) == []
    arn = next(call.role for call in reversed(department.aws.record) if call.session_policy_actions is not None)
    role = department.aws.role(arn)
    monkeypatch.setitem(department.aws._roles, arn, dataclasses.replace(role, identity=()))
    await call_each_tool(after)
    failed = {call.tool for call in after.transcript.calls if not call.held}
    assert failed == asks_aws(before)


def asks_aws(context: ScenarioContext) -> set[str]:
    """The tools that AWS was asked for."""
    return {call.tool for call in context.transcript.calls if call.aws_calls}

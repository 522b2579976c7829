"""Layers do not trust each other's work: with one switched off, the auditor still cannot change anything."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from callpath.call_record import new_call_id
from callpath.digest import digest
from callpath.txn_token import HEADER, TxnToken, mint
from rehearsal.attacks import switched_off
from rehearsal.calls import Outcome
from rehearsal.department import RunningDepartment
from rehearsal.granted import each_granted_tool, problems_of
from rehearsal.mcp_user import signed_in
from rehearsal.messages import HttpRequest
from rehearsal.play import set_stage
from rehearsal.run import load_assembly
from rehearsal.runtimes import Runtime
from rehearsal.stage import Stage

WRITES = ("create_user", "delete_user", "create_access_key", "attach_user_policy", "put_role_policy", "create_role")


@pytest.fixture(scope="module")
def stage(production: Path) -> Iterator[Stage]:
    with RunningDepartment(
        load_assembly(production), sign_in=lambda _name: None, progress=lambda _text: None
    ) as department:
        yield set_stage(department, tell=lambda _call: None)


@pytest.fixture(scope="module")
def headers(stage) -> dict[str, str]:
    return {"content-type": "application/json", "authorization": f"Bearer {stage.token()}"}


@pytest.fixture(autouse=True)
def nothing_is_changed(stage):
    yield
    for call in stage.department.aws.record:
        service, _, name = call.call.partition(":")
        if service == "iam" and call.decision == "allowed":
            assert name.startswith(("List", "Get", "Simulate")), call


@pytest.fixture
def ask(stage, headers):
    def ask_gateway(tool: str, arguments: dict | None = None) -> Outcome:
        params = {"name": tool, "arguments": arguments or {}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        answer = stage.gateway.handle(HttpRequest("POST", "/mcp", headers, body))
        return stage.completed(Outcome.of_body(answer.body, status=answer.status))

    return ask_gateway


def test_the_auditor_reads_with_everything_on(ask):
    assert not ask("iam___list_users").refused


@pytest.mark.parametrize("tool", WRITES)
def test_with_the_request_interceptor_off_policy_refuses(stage, ask, tool):
    with switched_off(stage, "request"):
        outcome = ask(f"iam___{tool}", {"user_name": "x"})
    assert (outcome.refused, outcome.layer) == (True, "policy")


@pytest.mark.parametrize("tool", WRITES)
def test_with_policy_off_the_request_interceptor_refuses(stage, ask, tool):
    with switched_off(stage, "policy"):
        outcome = ask(f"iam___{tool}", {"user_name": "x"})
    assert (outcome.refused, outcome.layer, outcome.rule) == (True, "request", "unknown-tool")


@pytest.mark.parametrize("tool", [*WRITES, "list_users"])
def test_with_both_off_the_runtime_refuses_for_want_of_a_txn_token(stage, ask, tool):
    with switched_off(stage, "request", "policy", "response"):
        outcome = ask(f"iam___{tool}", {"user_name": "x"})
    assert (outcome.refused, outcome.layer, outcome.rule) == (True, "runtime", "token-missing")


def test_with_the_response_interceptor_off_the_runtimes_answer_is_what_it_was(stage, ask):
    with switched_off(stage, "response"):
        assert not ask("iam___list_users").refused


@pytest.fixture(scope="module")
def trusting(stage) -> Runtime:
    """The IAM runtime with a host that believes every token."""
    spec = stage.runtime("iam").spec
    believing = """

def _believe(self, token, *, tool, arguments):
    return TxnToken(
        issuer=self._issuer, audience=self._audience, issued_at=0, expires_at=0, call_id="0" * 26, staff_id="anybody",
        persona="auditor", tool=tool, arguments_sha256="0" * 64, token_id="t", client_id="c",
    )


Verifier.verify = _believe
"""

    def tamper(code: Path) -> None:
        module = code / "callpath" / "txn_token.py"
        module.write_text(module.read_text() + believing)

    runtime = stage.department.start_runtime(spec, folder="trusting", tamper=tamper)
    runtime.wait()
    return runtime


@pytest.mark.parametrize("tool", WRITES)
def test_with_the_txn_token_check_off_as_well_the_tool_is_still_not_granted(stage, ask, trusting, tool):
    genuine = stage.gateway.runtimes[trusting.spec.arn]
    stage.gateway.runtimes[trusting.spec.arn] = trusting
    try:
        with switched_off(stage, "request", "policy", "response"):
            assert not ask("iam___list_users").refused, "the check is really off"
            outcome = ask(f"iam___{tool}", {"user_name": "x"})
    finally:
        stage.gateway.runtimes[trusting.spec.arn] = genuine
    assert outcome.refused
    assert outcome.layer in ("runtime", "request"), outcome


# A Txn-Token that is not for this call, at the runtime's own port


@pytest.fixture(scope="module")
def signed(stage):
    """Tokens signed with the department's real key, by the role that may."""
    function = stage.request_function
    credentials = stage.department.aws.issue_credentials(function.spec.role_arn, "trial")
    client = boto3.client(
        "kms",
        region_name="eu-west-2",
        endpoint_url=stage.department.aws.endpoint_url,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    key_id = function.spec.environment["TXN_KEY_ID"]

    def sign(message: bytes) -> bytes:
        request = {"Message": message, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
        return client.sign(KeyId=key_id, **request)["Signature"]

    def make(**changes: object) -> str:
        now = int(time.time())
        department = f"urn:ringfence:{stage.department.name}:auditor"
        fields = {
            "issuer": f"{department}:request-interceptor",
            "audience": f"{department}:iam",
            "issued_at": now,
            "expires_at": now + 60,
            "call_id": new_call_id(),
            "staff_id": stage.member.staff_id,
            "persona": "auditor",
            "tool": "list_users",
            "arguments_sha256": digest({}),
            "token_id": "t",
            "client_id": "c",
        }
        return mint(TxnToken(**{**fields, **changes}), key_id=key_id, sign=sign)

    return make


def test_a_good_txn_token_works_at_the_port(stage, signed):
    reply = stage.post_to_runtime("iam", "list_users", {}, headers={HEADER: signed()})
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
def test_a_txn_token_of_another_persona_server_time_tool_or_arguments(stage, signed, changes, rule):
    reply = stage.post_to_runtime("iam", "list_users", {}, headers={HEADER: signed(**changes)})
    assert (reply.outcome.layer, reply.outcome.rule) == ("runtime", rule)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 400), (b'{"jsonrpc": "2.0", "id": 1, "method": 3}', 400), (b" " * 300_000, 413)],
)
def test_a_body_that_is_no_message_at_the_port(stage, signed, body, status):
    runtime = stage.runtime("iam")
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    response = runtime.post(headers=headers, body=body)
    assert response.status_code == status
    assert response.json()["error"]["message"]
    assert runtime.post(headers=headers, body=b"{").status_code == 400, "it still answers"


def test_the_service_keeps_a_header_from_the_container_that_is_not_on_the_runtimes_list(stage, signed):
    token = signed()
    spec = stage.runtime("iam").spec
    assert HEADER.lower() in spec.headers
    assert "x-amzn-bedrock-agentcore-runtime-user-id" not in spec.headers
    reply = stage.post_to_runtime("iam", "list_users", {}, headers={"X-Other": "1", HEADER: token})
    assert not reply.outcome.refused


async def call_each_tool(stage: Stage) -> None:
    async with signed_in(stage.server.url, stage.token()) as user:
        await each_granted_tool(stage, user)


async def test_a_persona_whose_role_may_do_nothing_does_not_pass(stage, monkeypatch):
    department = stage.department
    before, after = (set_stage(department, tell=lambda _: None, persona="operator") for _ in range(2))
    await call_each_tool(before)
    assert all(call.held for call in before.script.calls)
    assert problems_of(before) == []
    arn = next(call.role for call in reversed(department.aws.record) if call.session_policy_actions is not None)
    role = department.aws.role(arn)
    monkeypatch.setitem(department.aws._roles, arn, dataclasses.replace(role, identity=()))
    await call_each_tool(after)
    failed = {call.tool for call in after.script.calls if not call.held}
    assert failed == asks_aws(before)


def asks_aws(stage: Stage) -> set[str]:
    """The tools that AWS was asked for."""
    return {call.tool for call in stage.script.calls if call.aws_calls}

"""Where AWS's documents are silent, the gateway takes the worse reading, and callers still get what they need.

The template's gateway with the functions' own code, in this process; runtimes are stubs.
"""

from __future__ import annotations

import functools
import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from callpath.txn_token import HEADER
from request_interceptor import handler as request_handler
from response_interceptor import handler as response_handler
from ringfence.compilers.rules import interceptor_rules, to_json
from ringfence.deployed.assembly import Assembly
from ringfence.deployed.department import DeployedDepartment
from ringfence.deployed.gateways import DeployedGateway, gateways
from ringfence.deployed.runtimes import runtimes
from ringfence.rehearsal.aws.authorization.service_roles import Permissions
from ringfence.rehearsal.compute.runtimes import Runtime
from ringfence.rehearsal.gateway.gateway import Gateway
from ringfence.rehearsal.gateway.http import GatewayServer
from ringfence.rehearsal.gateway.messages import Answer
from ringfence.rehearsal.ports import take_port
from ringfence.rehearsal.reporting.console_report import ConsoleReport, what_was_asked
from ringfence.rehearsal.serving import HttpRequest
from tests.functions.conftest import CLIENT_ID, ISSUER, KEY_ID, LocalSigner, access_token
from tests.waiting import LAST_RESORT_SECONDS

SESSION = "mcp-session-id"
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
CLAIMS = {
    "iss": ISSUER,
    "client_id": CLIENT_ID,
    "token_use": "access",
    "exp": int(time.time()) + 3_600,
    "scope": "openid ringfence/auditor",
    "cognito:groups": ["auditor"],
    "staff_id": "HO-204518",
    "jti": "0b6f1c1e-6a4b-4f0e-9a55-2f3f3a6f7a11",
    "sub": "5d0c3c0a-93b2-4b0c-8f0b-0d8ed2c0c5f1",
}


@pytest.fixture(scope="module")
def assembly(production: Path) -> Assembly:
    return Assembly.load(production)


@pytest.fixture(scope="module")
def spec(assembly: Assembly) -> DeployedGateway:
    return gateways(assembly, runtimes(assembly))["auditor"]


class StubRuntime:
    """Answers every call; `initialized` may be replaced."""

    def __init__(self) -> None:
        self.sent: list[tuple[Mapping[str, str], dict[str, Any]]] = []
        self.initialized: Callable[..., bool] = self._initialized

    def _initialized(self, *, headers: Mapping[str, str], body: bytes, seconds: float) -> bool:
        self.sent.append((headers, json.loads(body)))
        return True

    def post(self, *, headers: Mapping[str, str], body: bytes) -> Any:
        message = json.loads(body)
        self.sent.append((headers, message))
        result = {"content": [{"type": "text", "text": "found"}], "isError": False}
        return SimpleNamespace(json=lambda: {"jsonrpc": "2.0", "id": 1, "result": result})

    @property
    def methods(self) -> list[str]:
        return [message["method"] for _, message in self.sent]


class Client:
    """A client of one gateway."""

    def __init__(self, gateway: Gateway, runtime: StubRuntime, functions: dict[str, Any]) -> None:
        self.gateway, self.runtime, self.functions = gateway, runtime, functions

    def kindly(self, **readings: Any) -> None:
        self.gateway.readings = replace(self.gateway.readings, **readings)

    def without_response_interceptor(self) -> None:
        self.gateway.switched_off.add("response")

    def send(self, method: str, params: Any = None, **headers: str) -> Answer:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if not method.startswith("notifications/"):
            message["id"] = 7
        if params is not None:
            message["params"] = params
        sent = {"content-type": "application/json", "authorization": f"Bearer {access_token(CLAIMS)}", **headers}
        return self.gateway.handle(HttpRequest("POST", "/mcp", sent, json.dumps(message).encode()))

    def call(self, tool: str = "iam___list_users", **headers: str) -> Answer:
        return self.send("tools/call", {"name": tool, "arguments": {}}, **headers)


def told(answer: Answer) -> tuple[str, str]:
    """The rule and the sentence of a refused call."""
    assert answer.body["id"] == 7 and answer.body["result"]["isError"] is True, answer
    return answer.body["result"]["_meta"]["ringfence/rule"], answer.body["result"]["content"][0]["text"]


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the functions record."""
    written: list[dict[str, Any]] = []
    for module in (request_handler, response_handler):
        monkeypatch.setattr(module.LOGGER, "info", written.append)
    return written


@pytest.fixture
def client(
    monkeypatch: pytest.MonkeyPatch,
    assembly: Assembly,
    spec: DeployedGateway,
    assemblies: dict[str, Any],
    catalogue: Any,
    records: list[dict[str, Any]],
    tmp_path: Path,
) -> Iterator[Client]:
    rules = tmp_path / "rules.json"
    rules.write_bytes(to_json(interceptor_rules(catalogue, assemblies["example-production"].department, "auditor")))
    for name, value in (("ISSUER", ISSUER), ("CLIENT_IDS", CLIENT_ID), ("TXN_KEY_ID", KEY_ID)):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(request_handler, "signer", LocalSigner)
    for module in (request_handler, response_handler):
        monkeypatch.setattr(module, "RULES_PATH", rules)
        module.rules.cache_clear()
    request_handler.trusted.cache_clear()
    runtime = StubRuntime()
    functions = {
        spec.request.function_arn: SimpleNamespace(invoke=lambda event: request_handler.handler(event, None)),
        spec.response.function_arn: SimpleNamespace(invoke=lambda event: response_handler.handler(event, None)),
    }
    authorizer = SimpleNamespace(claims_of=lambda _header: CLAIMS, issuer=ISSUER, scopes=["ringfence/auditor"])
    gateway = Gateway(
        spec,
        authorizer=authorizer,
        functions=functions,
        runtimes={target.runtime_arn: runtime for target in spec.targets},
        permissions=Permissions(DeployedDepartment.read(assembly)),
    )
    yield Client(gateway, runtime, functions)
    for module in (request_handler, response_handler):
        module.rules.cache_clear()
    request_handler.trusted.cache_clear()


# --- headers of an answer


def test_the_session_id_reaches_the_client_though_headers_are_replaced(client):
    answer = client.send("initialize", INITIALIZE)
    session = answer.headers["Mcp-Session-Id"]
    assert client.send("tools/list", **{SESSION: session}).status == 200


def test_a_response_interceptor_that_names_no_headers_loses_it(client, spec):
    genuine = client.functions[spec.response.function_arn].invoke

    def forgetful(event: Any) -> Any:
        output = genuine(event)
        output["mcp"]["transformedGatewayResponse"].pop("headers", None)
        return output

    client.functions[spec.response.function_arn].invoke = forgetful
    assert client.send("initialize", INITIALIZE).headers == {}
    client.kindly(keeps_response_headers=True)
    assert "Mcp-Session-Id" in client.send("initialize", INITIALIZE).headers


# --- the list of tools

SHORTER = {
    "cloudwatch___get_logs_insight_query_results": "cloudwatch___get_insights_query_results",
    "cloudwatch___get_recommended_metric_alarms": "cloudwatch___recommend_metric_alarms",
}
"""The names that models are shown, by the gateway's."""


def test_every_tool_is_listed_as_locked_though_schemas_come_back_otherwise(client, records, spec):
    listed = {tool["name"]: tool for tool in client.send("tools/list").body["result"]["tools"]}
    published = {f"{target.name}___{tool['name']}" for target in spec.targets for tool in target.tools}
    assert listed.keys() == {SHORTER.get(name, name) for name in published}
    assert {name: tool["inputSchema"]["additionalProperties"] for name, tool in listed.items()} == dict.fromkeys(
        listed, False
    ), "which the gateway has not given back"
    record = records[-1]
    assert (record["dropped"], record["outcome"]) == (0, "allowed") and record["differs"] == len(listed)


def test_what_a_gateway_gives_back_of_a_schema_is_what_its_api_documents(client):
    client.without_response_interceptor()
    worse = client.send("tools/list").body["result"]["tools"]
    assert not any(keyword in json.dumps(worse) for keyword in ('"additionalProperties"', '"default"', '"enum"'))
    client.kindly(keeps_schemas=True)
    assert '"additionalProperties"' in json.dumps(client.send("tools/list").body["result"]["tools"])


def test_a_list_that_comes_back_as_it_was_given_to_the_targets_differs_nowhere(client, records):
    """So the rules hold the digest of what the targets publish; otherwise `differs` would tell nothing."""
    client.kindly(keeps_schemas=True)
    client.send("tools/list")
    assert (records[-1]["differs"], records[-1]["dropped"]) == (0, 0)


# --- refusals


def test_a_refusal_whose_words_are_lost_is_told_again_and_recorded(client, records):
    rule, sentence = told(client.call("iam___create_user"))
    assert rule == "unknown-tool" and "No persona of the department holds it" in sentence
    assert [(record["half"], record["layer"], record["rule"], record.get("derived")) for record in records] == [
        ("request", "request", "unknown-tool", None),
        ("response", "request", "unknown-tool", True),
    ]
    assert (client.gateway.traces[-1].layer, client.gateway.traces[-1].rule) == ("request", "unknown-tool")
    assert client.runtime.sent == []


def test_the_terminal_names_the_call_id_that_the_caller_reads_and_the_request_halfs(client, records):
    stream = io.StringIO()
    client.gateway.listener = functools.partial(ConsoleReport(stream).show_request, persona="auditor")
    read = client.call("iam___create_user").body["result"]["_meta"]["ringfence/call_id"]
    request, response = (record["call_id"] for record in records)
    assert read == response != request
    assert stream.getvalue().endswith(f"  call {read} (request half: {request})\n")
    client.kindly(keeps_refusals=True)
    kept = client.call("iam___create_user").body["result"]["_meta"]["ringfence/call_id"]
    assert stream.getvalue().endswith(f"  call {kept}\n")


def test_a_list_that_is_answered_in_the_servers_place_is_no_refusal(client):
    assert client.send("prompts/list").body["result"] == {"prompts": []}
    assert what_was_asked(client.gateway.traces[-1]) == "prompts/list → answered"


def test_what_the_gateway_itself_refuses_is_told_with_the_reason(client):
    client.send("server/discover", **{"mcp-protocol-version": "2099-01-01"})
    told = what_was_asked(client.gateway.traces[-1])
    assert told.startswith("server/discover → refused with HTTP 400: This gateway speaks MCP 20")


def test_a_refusals_own_words_reach_the_caller_where_the_event_has_them(client, records):
    client.kindly(keeps_refusals=True)
    rule, sentence = told(client.call("iam___create_user"))
    assert rule == "unknown-tool" and "(rule unknown-tool, layer " in sentence
    assert len({record["call_id"] for record in records}) == 1


@pytest.mark.parametrize(
    ("code", "message", "noted"),
    [
        ("NotImplemented", "x", True),
        ("UnmappedResource", "x", True),
        ("MalformedQueryException", "The function 'isIpv4InSubnet' is not emulated here.", True),
        ("MalformedQueryException", "unexpected symbol", False),
        ("AccessDenied", "x", False),
    ],
)
def test_what_the_rehearsal_alone_cannot_do_is_told_in_its_own_name(client, code, message, noted):
    asked: list[str] = []

    def calls_for(call_id: str) -> list[Any]:
        asked.append(call_id)
        return [SimpleNamespace(call="logs:StartQuery", error_code=code, event={"errorMessage": message})]

    client.gateway.calls_for = calls_for
    result = client.call().body["result"]
    note = "Note by the rehearsal: it does not emulate this use of logs:StartQuery; AWS would answer."
    assert (result["content"][-1]["text"] == note) is noted
    assert asked == [client.gateway.traces[-1].call_id]


@pytest.mark.parametrize("kind", [False, True])
def test_a_notification_is_accepted_without_a_body(client, kind):
    client.kindly(spares_notifications=kind)
    answer = client.send("notifications/initialized")
    assert (answer.status, answer.body) == (202, None)


def test_a_caller_cannot_choose_the_call_id_of_a_record(client, records):
    """The response interceptor is shown the request as the client sent it, so nothing there names the call."""
    forged = "e30.eyJ0eG4iOiAiMDFNODJEMUdCVjlDMjRDMk5FN0VZRjZBUjQifQ.x"
    client.send("tools/list", **{HEADER.lower(): forged})
    client.send("tools/list", {"_meta": {"ringfence/call_id": "01M82D1GBV9C24C2NE7EYF6AR4"}})
    assert "01M82D1GBV9C24C2NE7EYF6AR4" not in {record["call_id"] for record in records} and len(records) == 4


# --- headers of a request


def test_a_request_without_a_token_carries_no_empty_header(client, spec):
    assert client.send("tools/list").status == 200
    genuine = client.functions[spec.request.function_arn].invoke

    def emptying(event: Any) -> Any:
        output = genuine(event)
        output["mcp"]["transformedGatewayRequest"]["headers"] = {HEADER: ""}
        return output

    client.functions[spec.request.function_arn].invoke = emptying
    answer = client.send("tools/list")
    assert (answer.status, answer.body["error"]["message"]) == (400, "Malformed JSON-RPC request")
    client.kindly(takes_empty_headers=True)
    assert client.send("tools/list").status == 200


@pytest.mark.parametrize("value", ["x" * 4097, "caf\u00e9", "a\nb"])
def test_no_gateway_passes_on_a_header_that_the_guide_forbids(client, spec, value):
    client.kindly(takes_empty_headers=True)
    output = {"transformedGatewayRequest": {"headers": {HEADER: value}, "body": {"jsonrpc": "2.0", "method": "ping"}}}
    client.functions[spec.request.function_arn].invoke = lambda _: {"interceptorOutputVersion": "1.0", "mcp": output}
    assert client.send("ping").status == 400


# --- the session of a target


def test_a_target_is_initialized_at_the_first_call_of_a_session_and_not_again(client):
    session = {SESSION: client.send("initialize", INITIALIZE).headers["Mcp-Session-Id"]}
    for _ in range(2):
        assert not client.call(**session).body["result"]["isError"]
    assert client.runtime.methods == ["initialize", "notifications/initialized", "tools/call", "tools/call"]
    assert len({headers[SESSION] for headers, _ in client.runtime.sent}) == 1
    assert session[SESSION] not in {headers[SESSION] for headers, _ in client.runtime.sent}


def test_without_a_session_every_call_initializes_its_target(client):
    for _ in range(2):
        client.call()
    assert client.runtime.methods == ["initialize", "notifications/initialized", "tools/call"] * 2
    assert len({headers[SESSION] for headers, _ in client.runtime.sent}) == 2


def test_a_runtime_that_does_not_initialize_in_time_is_told_in_words_that_help(client):
    client.runtime.initialized = lambda **_: False
    rule, sentence = told(client.call())
    assert rule == "runtime-not-started" and "nothing has run: call again" in sentence
    client.without_response_interceptor()
    assert client.call().body["error"] == {
        "code": -32010,
        "message": "Runtime initialization time exceeded. Please make sure that initialization completes in 30s.",
    }


def test_a_second_call_while_the_first_opens_the_session_is_told_to_try_again(client):
    session = {SESSION: client.send("initialize", INITIALIZE).headers["Mcp-Session-Id"]}
    opening, go_on = threading.Event(), threading.Event()

    def slow(**_: Any) -> bool:
        opening.set()
        return go_on.wait(60)

    client.runtime.initialized = slow
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.call, **session)
        assert opening.wait(60)
        rule, sentence = told(client.call(**session))
        assert rule == "session-busy" and "wait a few seconds and call again" in sentence
        client.without_response_interceptor()
        error = client.call(**session).body["error"]
        assert error == {"code": -32005, "message": "Session operation in progress, please retry"}
        go_on.set()
        assert not first.result(60).body["result"]["isError"]
    assert not client.call(**session).body["result"]["isError"]


def test_a_host_that_does_not_listen_in_time_has_not_initialized(assembly: Assembly, tmp_path: Path) -> None:
    (spec,) = (each for each in runtimes(assembly) if each.resource.logical_id == "AuditorCloudtrailRuntime")

    def sleepy(code: Path) -> None:
        (code / "main.py").write_text("import time\ntime.sleep(600)\n")

    runtime = Runtime(
        spec, folder=tmp_path / "code", credentials={}, endpoint_url="http://127.0.0.1:9", log=lambda *_: None,
        tamper=sleepy,
    )  # fmt: skip
    try:
        assert not runtime.initialized(headers={}, body=b"{}", seconds=0.2)
    finally:
        runtime.stop()


def test_a_request_that_is_handled_when_the_gateway_ends_is_told_so_and_leaves_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, over = threading.Event(), threading.Event()

    def handle(_request: HttpRequest) -> Answer:
        begun.set()
        over.wait(LAST_RESORT_SECONDS)
        return Answer(200, {})

    server = GatewayServer(SimpleNamespace(handle=handle), bound=take_port(0, name="a gateway"))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(httpx2.post, server.url, json={}, trust_env=False, timeout=LAST_RESORT_SECONDS)
        assert begun.wait(LAST_RESORT_SECONDS)
        server.stop()
        over.set()
        told = asked.result()
    assert (told.status_code, [each for each in caplog.records if each.exc_info]) == (503, [])
    assert "The gateway ends" in told.text

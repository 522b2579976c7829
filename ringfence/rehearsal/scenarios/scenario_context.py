"""What the scenarios work with: the running department, the invented people, and the transcript."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from ringfence.deployed.user_pool import AppClient
from ringfence.iam.evaluator import EVERYTHING, Decision
from ringfence.rehearsal.compute.functions import Function
from ringfence.rehearsal.compute.runtimes import Runtime
from ringfence.rehearsal.department import RunningDepartment
from ringfence.rehearsal.gateway.gateway import Gateway
from ringfence.rehearsal.gateway.http import GatewayServer
from ringfence.rehearsal.gateway.request_trace import RequestTrace
from ringfence.rehearsal.gateway.target_calls import INVOKE_RUNTIME
from ringfence.rehearsal.identity.user_pool import User
from ringfence.rehearsal.problems import CannotStart
from ringfence.rehearsal.scenarios.calls import Outcome, Transcript
from ringfence.rehearsal.scenarios.mcp_user import Reply


@dataclass(frozen=True)
class ScenarioContext:
    """One persona's gateway and the people in front of it.

    Attributes:
        member: somebody whose groups map to the persona.
        visitor: somebody whose groups map to nothing.
    """

    department: RunningDepartment
    persona: str
    member: User
    visitor: User
    client: AppClient
    transcript: Transcript

    @property
    def server(self) -> GatewayServer:
        """The gateway's port."""
        return self.department.gateways[self.persona]

    @property
    def gateway(self) -> Gateway:
        """The gateway itself."""
        return self.server.gateway

    @property
    def published(self) -> set[str]:
        """The tools that the gateway's targets hold, by published name."""
        return set(self.gateway.spec.tools)

    def token(self, user: User | None = None, **options: Any) -> str:
        """An access token for the member, or another user (`UserPool.sign_in` says which options there are)."""
        return self.department.pool.sign_in(user or self.member, self.client, **options)

    def runtime(self, server: str) -> Runtime:
        """The persona's runtime of a server."""
        for target in self.gateway.spec.targets:
            if target.name == server:
                return self.gateway.runtimes[target.runtime_arn]
        raise CannotStart(
            f"the gateway of {self.persona} has no target {server}", "The play needs iam, cloudtrail and cloudwatch."
        )

    @property
    def request_function(self) -> Function:
        """The gateway's request interceptor."""
        spec = self.gateway.spec
        if spec.request is None:
            raise CannotStart(f"the gateway {spec.name} has no request interceptor", "Nothing mints its Txn-Tokens.")
        return self.department.functions[spec.request.function_arn]

    def completed(self, outcome: Outcome, trace: RequestTrace | None = None) -> Outcome:
        """An outcome with the layer, rule and call id that only the gateway knows.

        Cedar's refusals carry no mark, and where a refusal's answer was lost on the way, the caller knows only that.
        """
        trace = trace or self.gateway.traces[-1]
        lost = outcome.rule == "no-answer" and trace.layer is not None
        return Outcome(
            refused=outcome.refused,
            layer=trace.layer if lost or (outcome.refused and outcome.layer is None) else outcome.layer,
            rule=trace.rule if lost or (outcome.refused and outcome.rule is None) else outcome.rule,
            call_id=outcome.call_id or trace.call_id,
            text=outcome.text,
            status=outcome.status,
        )

    def minted_token(self, tool: str, arguments: dict[str, Any]) -> str:
        """A fresh Txn-Token for a call, made by the real request interceptor and not yet used.

        This is what somebody would hold who could read the gateway's traffic.
        """
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        event = {
            "interceptorInputVersion": "1.0",
            "mcp": {
                "rawGatewayRequest": {"body": json.dumps(body)},
                "gatewayRequest": {
                    "path": "/mcp",
                    "httpMethod": "POST",
                    "headers": {"Authorization": f"Bearer {self.token()}"},
                    "body": body,
                },
            },
        }
        answer = self.request_function.invoke(event)
        headers = answer["mcp"]["transformedGatewayRequest"]["headers"]
        return str(next(value for name, value in headers.items() if value))

    def invoke_as_administrator(self, server: str) -> Decision:
        """What AgentCore answers when somebody who may do anything in the account invokes a runtime by themselves."""
        someone = f"arn:aws:iam::{self.department.assembly.account}:role/SomeAdministrator"
        return self.department.permissions.decide_for_outsider(
            someone, EVERYTHING, INVOKE_RUNTIME, self.runtime(server).spec.arn
        )

    def post_to_runtime(
        self, server: str, tool: str, arguments: dict[str, Any], *, headers: dict[str, str] | None = None
    ) -> Reply:
        """A tool call straight to a runtime's port, past the gateway and past IAM."""
        started = time.perf_counter()
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        sent = {"content-type": "application/json", "accept": "application/json, text/event-stream", **(headers or {})}
        response = self.runtime(server).post(headers=sent, body=json.dumps(body).encode())
        outcome = Outcome.of_body(response.json(), status=response.status_code)
        return Reply(outcome, (time.perf_counter() - started) * 1000)

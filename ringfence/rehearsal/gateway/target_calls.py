"""Calls the runtimes behind a gateway's targets as the gateway's role, in one session of the target to each caller's.

"On the first tool call to an MCP server target within a session, the gateway initializes a connection with that target
and stores the target's session ID" (AgentCore developer guide, gateway-sessions, read 28 November 2026).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx2

from ringfence.deployed.gateways import DeployedGateway
from ringfence.deployed.targets import Target
from ringfence.rehearsal.aws.authorization.service_roles import Permissions
from ringfence.rehearsal.compute.runtimes import Runtime
from ringfence.rehearsal.gateway.messages import INTERNAL_ERROR, Answer, error_body
from ringfence.rehearsal.gateway.readings import Readings
from ringfence.rehearsal.gateway.request_trace import RequestTrace
from ringfence.rehearsal.gateway.sessions import SESSION_HEADER, SessionBusy, Sessions

VERSION_HEADER = "mcp-protocol-version"
INVOKE_RUNTIME = "bedrock-agentcore:InvokeAgentRuntime"
# The guide's table of errors ("MCP protocol contract", read 28 November 2026): these come with HTTP 200.
CONFLICT, RUNTIME_FAULT = -32005, -32010
_IN_PROGRESS = "Session operation in progress, please retry"
_RUNTIME_FAILED = "Tool execution error - Please check your CloudWatch logs for more information"
# As others report it; AWS documents neither the words nor the time.
_NOT_INITIALIZED = (
    "Runtime initialization time exceeded. Please make sure that initialization completes in {seconds:g}s."
)


class TargetCalls:
    """What stands between a gateway's decision and a runtime."""

    def __init__(
        self, spec: DeployedGateway, *, runtimes: Mapping[str, Runtime], permissions: Permissions, sessions: Sessions
    ) -> None:
        """Prepare.

        Args:
            runtimes: runtimes by ARN; looked into at each call.
        """
        self._spec = spec
        self._runtimes = runtimes
        self._permissions = permissions
        self._sessions = sessions

    def call(
        self,
        target: Target,
        id_: Any,
        params: Mapping[str, Any],
        *,
        headers: Mapping[str, str],
        readings: Readings,
        trace: RequestTrace,
    ) -> Answer:
        """The runtime's answer to a tool call, or the service's own error."""
        if not self._may_invoke(target, trace):
            return _fault(id_, INTERNAL_ERROR, "The gateway may not invoke this tool's runtime")
        session = headers.get(SESSION_HEADER)
        try:
            with self._sessions.of_target(session, target.name) as of_target:
                sent = self._sent(target, headers, of_target.id)
                if not of_target.known:
                    self._initialize(target, sent, seconds=readings.initialization_seconds)
        except _NotInitialized:
            trace.refused("runtime", "runtime-not-started")
            return _fault(id_, RUNTIME_FAULT, _NOT_INITIALIZED.format(seconds=readings.initialization_seconds))
        except SessionBusy:
            trace.refused("runtime", "session-busy")
            return _fault(id_, CONFLICT, _IN_PROGRESS)
        # The service re-serialises the body; so does the emulation, in another order than the client's.
        body = json.dumps({"params": params, "method": "tools/call", "id": id_, "jsonrpc": "2.0"}).encode()
        trace.forwarded = (sent, body)
        try:
            answered = self._runtimes[target.runtime_arn].post(headers=sent, body=body).json()
        except (httpx2.HTTPError, ValueError):
            trace.refused("runtime", "unreachable")
            return _fault(id_, RUNTIME_FAULT, _RUNTIME_FAILED)
        trace.take_metadata(answered)
        return Answer(HTTPStatus.OK, {**answered, "id": id_})

    def _sent(self, target: Target, headers: Mapping[str, str], target_session: str) -> dict[str, str]:
        return {name: value for name, value in headers.items() if name in target.headers} | {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            VERSION_HEADER: headers.get(VERSION_HEADER) or self._spec.versions[-1],
            SESSION_HEADER: target_session,
        }

    def _may_invoke(self, target: Target, trace: RequestTrace) -> bool:
        for resource in (target.runtime_arn, f"{target.runtime_arn}/runtime-endpoint/{target.qualifier}"):
            decision = self._permissions.decide(self._spec.role_arn, INVOKE_RUNTIME, resource)
            if not decision.allowed:
                trace.refused("runtime", f"invoke-{decision.policy_type}")
                return False
        return True

    def _initialize(self, target: Target, sent: Mapping[str, str], *, seconds: float) -> None:
        """Do MCP's handshake with the runtime.

        Raises:
            _NotInitialized: it has not answered in the time that the service gives it.
        """
        runtime = self._runtimes[target.runtime_arn]
        client = {"name": self._spec.name, "version": "1.0.0"}
        params = {"protocolVersion": sent[VERSION_HEADER], "capabilities": {}, "clientInfo": client}
        message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        if not runtime.initialized(headers=sent, body=json.dumps(message).encode(), seconds=seconds):
            raise _NotInitialized
        runtime.post(headers=sent, body=b'{"jsonrpc": "2.0", "method": "notifications/initialized"}')


class _NotInitialized(Exception):
    pass


def _fault(id_: Any, code: int, message: str) -> Answer:
    return Answer(HTTPStatus.OK, error_body(id_, code, message))

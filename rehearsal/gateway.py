"""An AgentCore gateway as the template describes it: authorizer, interceptors, Cedar, targets, in the service's order.

JWT authorizer, then REQUEST interceptor, then Cedar on the transformed request, then the target, then the RESPONSE
interceptor (AgentCore developer guide: gateway-interceptors, policy). Where the guide is silent, the emulation takes the
reading that is worse for us or that fails closed:

- headers of the transformed request are laid over the client's, so a header the interceptor forgets stays;
- an interceptor that fails ends the call (the guide does not say);
- a call refused by Cedar still passes the RESPONSE interceptor; one ended by the REQUEST interceptor does not.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx2

from callpath.refusal import META_CALL_ID, META_LAYER, META_RULE
from callpath.txn_token import HEADER as TXN_TOKEN_HEADER
from callpath.txn_token import peek_call_id
from rehearsal.authorizer import Authorizer, NotAuthorized
from rehearsal.cedar_engine import CedarEngine
from rehearsal.functions import Function, FunctionError
from rehearsal.gateway_spec import GatewaySpec, Interceptor, Target
from rehearsal.messages import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    NOT_AUTHORIZED,
    UNSUPPORTED_VERSION,
    Answer,
    BadMessage,
    HttpRequest,
    error_body,
    parse_message,
    result_body,
)
from rehearsal.permissions import AGENTCORE, Permissions
from rehearsal.problems import CannotStart
from rehearsal.runtimes import Runtime

SESSION_HEADER = "mcp-session-id"
VERSION_HEADER = "mcp-protocol-version"
INVOKE_RUNTIME = "bedrock-agentcore:InvokeAgentRuntime"
_METADATA_PATH = "/.well-known/oauth-protected-resource"
_SEPARATOR = "___"
_REMEMBERED = 200


@dataclass
class Passage:
    """How one request went through the gateway, for reports and attacks; never shown to clients.

    Attributes:
        claims: the verified claims, or nothing when the door stayed shut.
        call_id: the call, where the request interceptor made one.
        layer: the layer that refused, or None.
        rule: the rule it named, or None.
        forwarded: headers and body as sent to the runtime, or None.
    """

    method: str = ""
    tool: str = ""
    claims: Mapping[str, Any] | None = None
    call_id: str | None = None
    layer: str | None = None
    rule: str | None = None
    latency_ms: float = 0.0
    forwarded: tuple[dict[str, str], bytes] | None = None


class _Refused(Exception):
    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(str(answer.status))


class Gateway:
    """One gateway; `handle` may be called from many threads."""

    def __init__(
        self,
        spec: GatewaySpec,
        *,
        authorizer: Authorizer,
        functions: Mapping[str, Function],
        runtimes: Mapping[str, Runtime],
        permissions: Permissions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Check what the service would check at creation.

        Args:
            spec: the template's description.
            authorizer: the door.
            functions: functions by ARN.
            runtimes: runtimes by ARN.
            permissions: decides what the gateway's role may do.
            clock: seconds since 1970.

        Raises:
            CannotStart: a policy does not validate, a part is missing, or the role lacks a right the service needs.
        """
        self.spec = spec
        self.runtimes = dict(runtimes)
        self.address = spec.url
        self.switched_off: set[str] = set()
        self.passages: deque[Passage] = deque(maxlen=_REMEMBERED)
        self._authorizer = authorizer
        self._functions = functions
        self._permissions = permissions
        self._clock = clock
        self._sessions: dict[str, tuple[str, float]] = {}
        self._target_sessions: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()
        self._targets = {target.name: target for target in spec.targets}
        self._tools = [
            {**tool, "name": f"{target.name}{_SEPARATOR}{tool['name']}"}
            for target in spec.targets
            for tool in target.tools
        ]
        self.engine = CedarEngine(
            gateway_arn=spec.arn,
            tools=self._tools,
            policies={policy.name: policy.statement for policy in spec.policies},
        )
        self._check_parts()

    def handle(self, request: HttpRequest) -> Answer:
        """Answer one HTTP request."""
        started = time.perf_counter()
        passage = Passage()
        try:
            answer = self._handle(request, passage)
        except _Refused as refused:
            answer = refused.answer
        except BadMessage as bad:
            passage.layer, passage.rule = "door", "malformed-message"
            answer = bad.answer
        passage.latency_ms = (time.perf_counter() - started) * 1000
        self.passages.append(passage)
        return answer

    def _handle(self, request: HttpRequest, passage: Passage) -> Answer:
        if request.path in (_METADATA_PATH, f"{_METADATA_PATH}/mcp") and request.method == "GET":
            return Answer(HTTPStatus.OK, self._metadata())
        if request.path != "/mcp":
            return Answer(HTTPStatus.NOT_FOUND, error_body(None, METHOD_NOT_FOUND, "Only /mcp is served here"))
        claims = self._open_door(request, passage)
        if request.method == "DELETE":
            return self._end_session(request, claims)
        if request.method != "POST":
            # Streaming is off: there is nothing to listen to.
            return Answer(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST, DELETE"})
        _check_media_types(request)
        message = parse_message(request.body)
        passage.method = message["method"]
        passage.tool = str((message.get("params") or {}).get("name", "")) if message["method"] == "tools/call" else ""
        self._check_version(request, message)
        session = self._session(request, message, claims)
        headers, message = self._intercept_request(request, message, passage)
        answer = self._dispatch(message, headers, claims, session, passage)
        if answer.body is None:
            return answer
        return self._intercept_response(request, headers, message, answer, passage)

    # --- the door ------------------------------------------------------------------------------------------------

    def _open_door(self, request: HttpRequest, passage: Passage) -> Mapping[str, Any]:
        try:
            claims = self._authorizer.claims_of(request.headers.get("authorization"))
        except NotAuthorized as refused:
            passage.layer, passage.rule = "door", refused.rule
            challenge = f'Bearer resource_metadata="{self._origin()}{_METADATA_PATH}"'
            if refused.status is HTTPStatus.FORBIDDEN:
                challenge += f', error="insufficient_scope", scope="{" ".join(self._authorizer.scopes)}"'
            body = error_body(None, NOT_AUTHORIZED, str(refused), {"layer": "door", "rule": refused.rule})
            raise _Refused(Answer(refused.status, body, {"WWW-Authenticate": challenge})) from None
        passage.claims = claims
        return claims

    def _metadata(self) -> dict[str, Any]:
        return {
            "resource": self.address,
            "authorization_servers": [self._authorizer.issuer],
            "scopes_supported": self._authorizer.scopes,
            "bearer_methods_supported": ["header"],
        }

    def _origin(self) -> str:
        return self.address.removesuffix("/mcp")

    # --- versions and sessions ---------------------------------------------------------------------------------

    def _check_version(self, request: HttpRequest, message: Mapping[str, Any]) -> None:
        version = request.headers.get(VERSION_HEADER)
        if version is None or message["method"] == "initialize" or version in self.spec.versions:
            return
        data = {"supported": list(self.spec.versions), "requested": version}
        text = f"This gateway speaks MCP {', '.join(self.spec.versions)}"
        raise _Refused(Answer(HTTPStatus.BAD_REQUEST, error_body(message.get("id"), UNSUPPORTED_VERSION, text, data)))

    def _session(self, request: HttpRequest, message: Mapping[str, Any], claims: Mapping[str, Any]) -> str | None:
        if self.spec.session_seconds is None:
            return None
        if message["method"] == "initialize":
            session = str(uuid.uuid4())
            with self._lock:
                self._sessions[session] = (str(claims["sub"]), self._clock() + self.spec.session_seconds)
            return session
        given = request.headers.get(SESSION_HEADER)
        if given is None:
            return None
        owner, expires = self._sessions.get(given, ("", 0.0))
        if owner != claims["sub"] or expires <= self._clock():
            # The same answer for an unknown, an expired and another person's session: it gives nothing away.
            text = "This session does not exist or has ended. Initialize again"
            raise _Refused(Answer(HTTPStatus.NOT_FOUND, error_body(message.get("id"), NOT_AUTHORIZED, text)))
        return given

    def _end_session(self, request: HttpRequest, claims: Mapping[str, Any]) -> Answer:
        given = request.headers.get(SESSION_HEADER, "")
        with self._lock:
            if self._sessions.get(given, ("", 0.0))[0] != claims["sub"]:
                return Answer(HTTPStatus.NOT_FOUND)
            del self._sessions[given]
            for key in [key for key in self._target_sessions if key[0] == given]:
                del self._target_sessions[key]
        return Answer(HTTPStatus.NO_CONTENT)

    # --- interceptors ------------------------------------------------------------------------------------------

    def _intercept_request(
        self, request: HttpRequest, message: dict[str, Any], passage: Passage
    ) -> tuple[dict[str, str], dict[str, Any]]:
        headers = dict(request.headers)
        interceptor = None if "request" in self.switched_off else self.spec.request
        if interceptor is None:
            return headers, message
        event = {
            "rawGatewayRequest": {"body": request.body.decode()},
            "gatewayRequest": _request_part(headers, message),
        }
        output = self._invoke(interceptor, event, message, passage, layer="request")
        response = output.get("transformedGatewayResponse")
        if response is not None:
            passage.layer, passage.rule, call_id = _marks(response.get("body"), default="request")
            passage.call_id = call_id or passage.call_id
            raise _Refused(_answer_of(response))
        transformed = output.get("transformedGatewayRequest")
        if not isinstance(transformed, dict) or not isinstance(transformed.get("body"), dict):
            raise self._interceptor_failed(message, passage, "request", "its answer holds no request")
        for name, value in (transformed.get("headers") or {}).items():
            headers[str(name).lower()] = str(value)
        passage.call_id = (
            peek_call_id(headers[TXN_TOKEN_HEADER.lower()]) if TXN_TOKEN_HEADER.lower() in headers else None
        )
        return headers, transformed["body"]

    def _intercept_response(
        self,
        request: HttpRequest,
        headers: Mapping[str, str],
        message: Mapping[str, Any],
        answer: Answer,
        passage: Passage,
    ) -> Answer:
        interceptor = None if "response" in self.switched_off else self.spec.response
        if interceptor is None:
            return answer
        event = {
            "rawGatewayRequest": {"body": request.body.decode()},
            "gatewayRequest": _request_part(headers, message),
            "gatewayResponse": {"statusCode": answer.status, "headers": dict(answer.headers), "body": answer.body},
        }
        output = self._invoke(interceptor, event, message, passage, layer="response")
        response = output.get("transformedGatewayResponse")
        if not isinstance(response, dict):
            raise self._interceptor_failed(message, passage, "response", "its answer holds no response")
        changed = _answer_of(response)
        layer, rule, call_id = _marks(changed.body, default=None)
        if layer == "response":
            passage.layer, passage.rule = layer, rule
        passage.call_id = passage.call_id or call_id
        return Answer(changed.status, changed.body, {**answer.headers, **changed.headers})

    def _invoke(
        self,
        interceptor: Interceptor,
        event: dict[str, Any],
        message: Mapping[str, Any],
        passage: Passage,
        *,
        layer: str,
    ) -> dict[str, Any]:
        if not interceptor.pass_headers:
            event["gatewayRequest"].pop("headers")
        decision = self._permissions.decide(self.spec.role_arn, "lambda:InvokeFunction", interceptor.function_arn)
        if not decision.allowed:
            raise self._interceptor_failed(message, passage, layer, decision.reason)
        try:
            answer = self._functions[interceptor.function_arn].invoke({"interceptorInputVersion": "1.0", "mcp": event})
        except FunctionError as error:
            raise self._interceptor_failed(message, passage, layer, str(error)) from None
        output = answer.get("mcp") if isinstance(answer, dict) else None
        if not isinstance(output, dict) or answer.get("interceptorOutputVersion") != "1.0":
            raise self._interceptor_failed(message, passage, layer, "its answer is not an interceptor output 1.0")
        return output

    def _interceptor_failed(self, message: Mapping[str, Any], passage: Passage, layer: str, cause: str) -> _Refused:
        passage.layer, passage.rule = layer, "interceptor-failed"
        # The cause stays here: it may quote what the function was working on.
        passage.forwarded = None
        self.last_interceptor_failure = cause
        text = (
            f"The {layer} interceptor of this gateway failed; nothing was done. Try again, or tell your platform team"
        )
        return _Refused(Answer(HTTPStatus.INTERNAL_SERVER_ERROR, error_body(message.get("id"), INTERNAL_ERROR, text)))

    # --- methods -----------------------------------------------------------------------------------------------

    def _dispatch(
        self,
        message: Mapping[str, Any],
        headers: Mapping[str, str],
        claims: Mapping[str, Any],
        session: str | None,
        passage: Passage,
    ) -> Answer:
        id_, method, params = message.get("id"), str(message.get("method")), message.get("params") or {}
        if "id" not in message:
            return Answer(HTTPStatus.ACCEPTED)
        if method == "initialize":
            return self._initialize(id_, params, session)
        if method == "ping":
            return Answer(HTTPStatus.OK, result_body(id_, {}))
        if method == "tools/list":
            return Answer(HTTPStatus.OK, result_body(id_, {"tools": self._listed(claims)}))
        if method == "tools/call":
            return self._call_tool(id_, params, headers, claims, session, passage)
        return Answer(HTTPStatus.OK, error_body(id_, METHOD_NOT_FOUND, f"The method {method[:100]} is not served here"))

    def _initialize(self, id_: Any, params: Mapping[str, Any], session: str | None) -> Answer:
        asked = params.get("protocolVersion")
        result: dict[str, Any] = {
            "protocolVersion": asked if asked in self.spec.versions else self.spec.versions[-1],
            "capabilities": {"tools": {"listChanged": False}},
            "serverInfo": {"name": self.spec.name, "version": "1.0.0"},
        }
        if self.spec.instructions:
            result["instructions"] = self.spec.instructions
        return Answer(HTTPStatus.OK, result_body(id_, result), {"Mcp-Session-Id": session} if session else {})

    def _listed(self, claims: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        if not self._deciding:
            return list(self._tools)
        listed = self.engine.listed(claims=claims)
        return [tool for tool in self._tools if tool["name"] in listed]

    @property
    def _deciding(self) -> bool:
        return self.spec.enforce and "policy" not in self.switched_off

    def _call_tool(
        self,
        id_: Any,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        claims: Mapping[str, Any],
        session: str | None,
        passage: Passage,
    ) -> Answer:
        name, arguments = params.get("name"), params.get("arguments") or {}
        if not isinstance(name, str) or not isinstance(arguments, dict):
            text = "A tool call needs a name and an object of arguments"
            return Answer(HTTPStatus.OK, error_body(id_, INVALID_PARAMS, text))
        if self._deciding:
            verdict = self.engine.decide(claims=claims, tool=name, arguments=arguments)
            if not verdict.allowed:
                passage.layer, passage.rule = "policy", ", ".join(verdict.policies) or "no-permit"
                return Answer(HTTPStatus.OK, result_body(id_, _denial(verdict.policies)))
        target = self._targets.get(name.partition(_SEPARATOR)[0])
        if target is None or _SEPARATOR not in name:
            return Answer(HTTPStatus.OK, error_body(id_, INVALID_PARAMS, "No target of this gateway serves this tool"))
        params = {**params, "name": name.partition(_SEPARATOR)[2]}
        return self._invoke_target(target, id_, params, headers, session, passage)

    def _invoke_target(
        self,
        target: Target,
        id_: Any,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        session: str | None,
        passage: Passage,
    ) -> Answer:
        for resource in (target.runtime_arn, f"{target.runtime_arn}/runtime-endpoint/{target.qualifier}"):
            decision = self._permissions.decide(self.spec.role_arn, INVOKE_RUNTIME, resource)
            if not decision.allowed:
                passage.layer, passage.rule = "runtime", f"invoke-{decision.layer}"
                text = "The gateway may not invoke this tool's runtime"
                return Answer(HTTPStatus.OK, error_body(id_, INTERNAL_ERROR, text))
        sent = {name: value for name, value in headers.items() if name in target.headers}
        sent |= {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            VERSION_HEADER: headers.get(VERSION_HEADER) or self.spec.versions[-1],
            SESSION_HEADER: self._target_session(session, target.name),
        }
        body = json.dumps({"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": params}).encode()
        passage.forwarded = (sent, body)
        try:
            response = self.runtimes[target.runtime_arn].post(headers=sent, body=body)
            answered = response.json()
        except (httpx2.HTTPError, ValueError):
            passage.layer, passage.rule = "runtime", "unreachable"
            return Answer(
                HTTPStatus.OK, error_body(id_, INTERNAL_ERROR, "The tool's runtime did not answer. Try again")
            )
        passage.layer, passage.rule, call_id = _marks(answered, default=None)
        passage.call_id = call_id or passage.call_id
        return Answer(HTTPStatus.OK, {**answered, "id": id_})

    def _target_session(self, session: str | None, target: str) -> str:
        if session is None:
            return str(uuid.uuid4())
        with self._lock:
            return self._target_sessions.setdefault((session, target), str(uuid.uuid4()))

    # --- what the service would refuse to create -----------------------------------------------------------------

    def _check_parts(self) -> None:
        spec = self.spec
        self._permissions.check_trust(spec.role_arn, service=AGENTCORE, source_arn=spec.arn)
        for interceptor in (spec.request, spec.response):
            if interceptor is not None and interceptor.function_arn not in self._functions:
                raise CannotStart(
                    f"the gateway {spec.name} uses the function {interceptor.function_arn}, which is not in the assembly",
                    "Interceptors must be functions of the department's own stacks.",
                )
        for target in spec.targets:
            if target.runtime_arn not in self.runtimes:
                raise CannotStart(
                    f"the target {target.logical_id} names the runtime {target.runtime_arn}, which is not in the assembly",
                    "Targets must be runtimes of the department's own stacks.",
                )
        for action in ("GetPolicyEngine", "AuthorizeAction", "PartiallyAuthorizeActions"):
            for resource in (spec.engine_arn, spec.arn):
                decision = self._permissions.decide(spec.role_arn, f"bedrock-agentcore:{action}", resource)
                if not decision.allowed and not (action == "GetPolicyEngine" and resource == spec.arn):
                    raise CannotStart(
                        f"the role of the gateway {spec.name} cannot use its policy engine: {decision.reason}",
                        f"Allow bedrock-agentcore:{action} in the gateway role's policy.",
                    )


def _check_media_types(request: HttpRequest) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        text = "Send the JSON-RPC message as application/json"
        raise _Refused(Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error_body(None, INVALID_REQUEST, text)))
    accept = request.headers.get("accept", "*/*")
    if "application/json" not in accept and "*/*" not in accept and "application/*" not in accept:
        text = "This gateway answers with application/json; accept it"
        raise _Refused(Answer(HTTPStatus.NOT_ACCEPTABLE, error_body(None, INVALID_REQUEST, text)))


def _request_part(headers: Mapping[str, str], message: Mapping[str, Any]) -> dict[str, Any]:
    # The service shows the usual spelling of header names (`Authorization`, `Mcp-Session-Id`).
    spelled = {"-".join(part.capitalize() for part in name.split("-")): value for name, value in headers.items()}
    return {"path": "/mcp", "httpMethod": "POST", "headers": spelled, "body": message}


def _answer_of(response: Mapping[str, Any]) -> Answer:
    headers = {str(name): str(value) for name, value in (response.get("headers") or {}).items()}
    return Answer(int(response.get("statusCode", HTTPStatus.OK)), response.get("body"), headers)


def _marks(body: Any, *, default: str | None) -> tuple[str | None, str | None, str | None]:
    """Layer, rule and call id that our own layers write into results and errors."""
    if not isinstance(body, dict):
        return default, None, None
    data = (body.get("error") or {}).get("data") or {}
    meta = (body.get("result") or {}).get("_meta") or {}
    layer = data.get("layer") or meta.get(META_LAYER) or default
    return layer, data.get("rule") or meta.get(META_RULE), data.get("call_id") or meta.get(META_CALL_ID)


def _denial(policies: tuple[str, ...]) -> dict[str, Any]:
    cause = (
        f"Policy {', '.join(policies)} forbids it"
        if policies
        else "No policy applies to the request (denied by default)."
    )
    text = (
        f"AuthorizeActionException - Tool Execution Denied: Tool call not allowed due to policy enforcement [{cause}]"
    )
    return {"content": [{"type": "text", "text": text}], "isError": True}

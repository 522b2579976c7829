"""An AgentCore gateway as the template describes it: authorizer, interceptors, Cedar, targets, in the service's order.

JWT authorizer, then REQUEST interceptor, then Cedar on the transformed request, then the target, then the RESPONSE
interceptor (AgentCore developer guide: gateway-interceptors, policy). One ended by the REQUEST interceptor still passes
the RESPONSE interceptor (gateway-interceptors-types); so does, here, a call refused by Cedar, of which the guide says
nothing.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from ringfence.cedar.engine import CedarEngine
from ringfence.deployed.gateways import SEPARATOR, DeployedGateway
from ringfence.rehearsal.aws.authorization.record import AwsCall
from ringfence.rehearsal.aws.authorization.service_roles import Permissions
from ringfence.rehearsal.compute.functions import Function
from ringfence.rehearsal.compute.runtimes import Runtime
from ringfence.rehearsal.gateway.checks import check_parts
from ringfence.rehearsal.gateway.gaps import with_gaps
from ringfence.rehearsal.gateway.interceptors import Interception
from ringfence.rehearsal.gateway.messages import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    NOT_AUTHORIZED,
    UNSUPPORTED_VERSION,
    Answer,
    BadMessage,
    error_body,
    parse_message,
    result_body,
)
from ringfence.rehearsal.gateway.readings import Readings
from ringfence.rehearsal.gateway.request_trace import EndRequest, RequestTrace, error_words, refusal_metadata
from ringfence.rehearsal.gateway.sessions import SESSION_HEADER, Sessions
from ringfence.rehearsal.gateway.target_calls import VERSION_HEADER, TargetCalls
from ringfence.rehearsal.identity.authorizer import Authorizer, NotAuthorized, unverified_claims
from ringfence.rehearsal.serving import HttpRequest
from ringfence.rehearsal.sign_in.problems import NO_REGISTRATION

_METADATA_PATH = "/.well-known/oauth-protected-resource"
_REMEMBERED = 200
# Headers and message of a request, and the claims of its token, to the headers and the message to go on with.
InPlaceOfRequest = Callable[[dict[str, str], dict[str, Any], Mapping[str, Any]], tuple[dict[str, str], dict[str, Any]]]


class Gateway:
    """One gateway; `handle` may be called from many threads.

    Attributes:
        runtimes: runtimes by ARN; an attack may put a tampered one in the place of another.
        address: where clients reach it.
        readings: how it behaves where AWS's documents are silent; a test may change it.
        switched_off: layers that are switched off to show that the others hold: `ingress`, `request`, `policy` or
            `response`.
        in_place_of_request: stands where the request interceptor is switched off; None lets a request pass as it is.
        listener: told about each request once it is answered.
        calls_for: the requests to AWS of a call, by its id; what of them is not emulated is told beside its answer.
    """

    def __init__(
        self,
        spec: DeployedGateway,
        *,
        authorizer: Authorizer,
        functions: Mapping[str, Function],
        runtimes: Mapping[str, Runtime],
        permissions: Permissions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Check what the service would check at creation.

        Args:
            functions: functions by ARN.
            runtimes: runtimes by ARN.
            clock: seconds since 1970.

        Raises:
            CannotStart: a policy does not validate, a part is missing, or the role lacks a right the service needs.
        """
        check_parts(spec, functions=functions, runtimes=runtimes, permissions=permissions)
        self.spec = spec
        self.runtimes = dict(runtimes)
        self.address = spec.url
        self.issuer = authorizer.issuer
        self.readings = Readings()
        self.switched_off: set[str] = set()
        self.in_place_of_request: InPlaceOfRequest | None = None
        self.traces: deque[RequestTrace] = deque(maxlen=_REMEMBERED)
        self.listener: Callable[[RequestTrace], None] = lambda _trace: None
        self.calls_for: Callable[[str], Iterable[AwsCall]] = lambda _call_id: ()
        self._authorizer = authorizer
        self._permissions = permissions
        self._interception = Interception(role_arn=spec.role_arn, functions=functions, permissions=permissions)
        self._sessions = Sessions(lifetime=spec.session_seconds, clock=clock)
        self._target_calls = TargetCalls(spec, runtimes=self.runtimes, permissions=permissions, sessions=self._sessions)
        self._targets = {target.name: target for target in spec.targets}
        self._tools = list(spec.tools.values())
        self.engine = CedarEngine(
            gateway_arn=spec.arn,
            tools=self._tools,
            policies={policy.name: policy.statement for policy in spec.engine},
        )

    def handle(self, request: HttpRequest) -> Answer:
        """Answer one HTTP request."""
        started = time.perf_counter()
        trace = RequestTrace(http_method=request.method, path=request.path)
        try:
            answer = self._handle(request, trace)
        except EndRequest as stopped:
            answer = stopped.answer
        except BadMessage as bad:
            trace.refused("ingress", "malformed-message")
            answer = bad.answer
        if trace.call_id and trace.method == "tools/call":
            answer = replace(answer, body=with_gaps(answer.body, self.calls_for(trace.call_id)))
        trace.status = int(answer.status)
        trace.told_id = refusal_metadata(answer.body)[2]
        trace.words = "" if trace.rule else error_words(answer.body)
        trace.latency_ms = (time.perf_counter() - started) * 1000
        self.traces.append(trace)
        self.listener(trace)
        return answer

    def _handle(self, request: HttpRequest, trace: RequestTrace) -> Answer:
        if request.path in (_METADATA_PATH, f"{_METADATA_PATH}/mcp") and request.method == "GET":
            return Answer(HTTPStatus.OK, self._metadata())
        if request.path == "/register":  # where a host turns to that finds no other place to register
            return Answer(HTTPStatus.NOT_FOUND, error_body(None, METHOD_NOT_FOUND, NO_REGISTRATION))
        if request.path != "/mcp":
            return Answer(HTTPStatus.NOT_FOUND, error_body(None, METHOD_NOT_FOUND, "Only /mcp is served here"))
        claims = self._admitted(request, trace)
        if request.method == "DELETE":
            ended = self._sessions.end(request.headers.get(SESSION_HEADER, ""), str(claims["sub"]))
            return Answer(HTTPStatus.NO_CONTENT if ended else HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            # Streaming is off: there is nothing to listen to.
            return Answer(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST, DELETE"})
        _check_media_types(request)
        message = parse_message(request.body)
        trace.method = message["method"]
        if trace.method == "tools/call":
            trace.tool = str((message.get("params") or {}).get("name", ""))
        self._check_version(request, message)
        self._check_session(request, message, claims)
        original = passed_on = (dict(request.headers), message)
        intercepted = self._intercepted(request, message, trace)
        answer = intercepted if isinstance(intercepted, Answer) else None
        if not isinstance(intercepted, Answer):
            passed_on = intercepted
        ended = answer is not None
        answer = answer or self._dispatch(passed_on[1], passed_on[0], claims, trace)
        spared = answer.status == HTTPStatus.ACCEPTED and self.readings.spares_notifications
        if spared or self.spec.response is None or "response" in self.switched_off:
            return answer
        if ended and not self.readings.keeps_refusals:
            answer = Answer(answer.status, None, answer.headers)
        shown = passed_on if self.readings.shows_request_as_passed_on else original
        return self._interception.on_response(
            self.spec.response, request, shown, answer, readings=self.readings, trace=trace
        )

    def _intercepted(
        self, request: HttpRequest, message: dict[str, Any], trace: RequestTrace
    ) -> tuple[dict[str, str], dict[str, Any]] | Answer:
        """What the request interceptor, or what stands in its place, makes of a request."""
        if self.spec.request is not None and "request" not in self.switched_off:
            return self._interception.on_request(
                self.spec.request, request, message, readings=self.readings, trace=trace
            )
        if self.in_place_of_request is not None:
            return self.in_place_of_request(dict(request.headers), message, trace.claims or {})
        return dict(request.headers), message

    # Ingress

    def _admitted(self, request: HttpRequest, trace: RequestTrace) -> Mapping[str, Any]:
        if "ingress" in self.switched_off:
            trace.claims = unverified_claims(request.headers.get("authorization"))
            return trace.claims
        try:
            trace.claims = self._authorizer.claims_of(request.headers.get("authorization"))
        except NotAuthorized as refused:
            trace.refused("ingress", refused.rule)
            challenge = self._challenge(refused)
            body = error_body(None, NOT_AUTHORIZED, str(refused), {"layer": "ingress", "rule": refused.rule})
            raise EndRequest(Answer(refused.status, body, {"WWW-Authenticate": challenge})) from None
        return trace.claims

    def _challenge(self, refused: NotAuthorized) -> str:
        """What `WWW-Authenticate` says with 401: that scopes stand there is documented, the order of members is not.

        MCP hosts ask for the scope that stands in it (MCP 2025-11-25, authorization, scope selection).
        """
        error = "insufficient_scope" if refused.status is HTTPStatus.FORBIDDEN else "invalid_token"
        metadata = f"{self.address.removesuffix('/mcp')}{_METADATA_PATH}"
        return f'Bearer error="{error}", scope="{" ".join(self._authorizer.scopes)}", resource_metadata="{metadata}"'

    def _metadata(self) -> dict[str, Any]:
        return {
            "resource": self.address,
            "authorization_servers": [self.issuer],
            "scopes_supported": self._authorizer.scopes,
        }

    def _check_version(self, request: HttpRequest, message: Mapping[str, Any]) -> None:
        version = request.headers.get(VERSION_HEADER)
        if version is None or message["method"] == "initialize" or version in self.spec.versions:
            return
        data = {"supported": list(self.spec.versions), "requested": version}
        text = f"This gateway speaks MCP {', '.join(self.spec.versions)}"
        body = error_body(message.get("id"), UNSUPPORTED_VERSION, text, data)
        raise EndRequest(Answer(HTTPStatus.BAD_REQUEST, body))

    def _check_session(self, request: HttpRequest, message: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
        session = request.headers.get(SESSION_HEADER)
        if session is None or message["method"] == "initialize" or self.spec.session_seconds is None:
            return
        if not self._sessions.belongs(session, str(claims["sub"])):
            # The same answer for an unknown, an expired and another person's session: it gives nothing away.
            text = "This session does not exist or has ended. Initialize again"
            raise EndRequest(Answer(HTTPStatus.NOT_FOUND, error_body(message.get("id"), INVALID_REQUEST, text)))

    # Methods

    def _dispatch(
        self, message: Mapping[str, Any], headers: Mapping[str, str], claims: Mapping[str, Any], trace: RequestTrace
    ) -> Answer:
        id_, method, params = message.get("id"), str(message.get("method")), message.get("params") or {}
        if "id" not in message:
            return Answer(HTTPStatus.ACCEPTED)
        if method == "initialize":
            return self._initialize(id_, params, claims)
        if method == "ping":
            return Answer(HTTPStatus.OK, result_body(id_, {}))
        if method == "tools/list":
            return Answer(HTTPStatus.OK, result_body(id_, {"tools": self._listed(claims)}))
        if method == "tools/call":
            return self._call_tool(id_, params, headers, claims, trace)
        return Answer(HTTPStatus.OK, error_body(id_, METHOD_NOT_FOUND, f"The method {method[:100]} is not served here"))

    def _initialize(self, id_: Any, params: Mapping[str, Any], claims: Mapping[str, Any]) -> Answer:
        asked = params.get("protocolVersion")
        result: dict[str, Any] = {
            "protocolVersion": asked if asked in self.spec.versions else self.spec.versions[-1],
            "capabilities": {"tools": {"listChanged": False}},
            "serverInfo": {"name": self.spec.name, "version": "1.0.0"},
        }
        if self.spec.instructions:
            result["instructions"] = self.spec.instructions
        session = self._sessions.open(str(claims["sub"]))
        return Answer(HTTPStatus.OK, result_body(id_, result), {"Mcp-Session-Id": session} if session else {})

    @property
    def _deciding(self) -> bool:
        return self.spec.enforce and "policy" not in self.switched_off

    def _listed(self, claims: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        if not self._deciding:
            return [self.readings.listed(tool) for tool in self._tools]
        listed = self.engine.listed(claims=claims)
        return [self.readings.listed(tool) for tool in self._tools if tool["name"] in listed]

    def _call_tool(
        self,
        id_: Any,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        claims: Mapping[str, Any],
        trace: RequestTrace,
    ) -> Answer:
        name, arguments = params.get("name"), params.get("arguments") or {}
        if not isinstance(name, str) or not isinstance(arguments, dict):
            text = "A tool call needs a name and an object of arguments"
            return Answer(HTTPStatus.OK, error_body(id_, INVALID_PARAMS, text))
        if self._deciding:
            verdict = self.engine.decide(claims=claims, tool=name, arguments=arguments)
            if not verdict.allowed:
                trace.refused("policy", "policy-denied")
                return Answer(HTTPStatus.OK, result_body(id_, _denial(verdict.policies)))
        prefix, separator, bare = name.partition(SEPARATOR)
        target = self._targets.get(prefix)
        if target is None or not separator:
            return Answer(HTTPStatus.OK, error_body(id_, INVALID_PARAMS, "No target of this gateway serves this tool"))
        bare_params = {**params, "name": bare}
        return self._target_calls.call(target, id_, bare_params, headers=headers, readings=self.readings, trace=trace)


def _check_media_types(request: HttpRequest) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        text = "Send the JSON-RPC message as application/json"
        raise EndRequest(Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error_body(None, INVALID_REQUEST, text)))
    accepted = {part.partition(";")[0].strip() for part in request.headers.get("accept", "*/*").lower().split(",")}
    if not accepted & {"application/json", "application/*", "*/*"}:
        text = "This gateway answers with application/json; accept it"
        raise EndRequest(Answer(HTTPStatus.NOT_ACCEPTABLE, error_body(None, INVALID_REQUEST, text)))


def _denial(policies: tuple[str, ...]) -> dict[str, Any]:
    cause = f"Forbidden by {', '.join(policies)}" if policies else "No policy applies (denied by default)"
    text = f"AuthorizeActionException - Tool Execution Denied: not allowed due to policy enforcement [{cause}]"
    return {"content": [{"type": "text", "text": text}], "isError": True}

"""Calls a gateway's interceptors with the documented events, and applies what they answer.

Headers of the transformed request are laid over the client's ("merged", gateway-headers), so that a header that the
interceptor forgets stays. An interceptor that fails, or that the gateway's role may not invoke, ends the call: the
guide does not say what happens. What else it leaves open is in `ringfence.rehearsal.gateway.readings`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from callpath.txn_token import HEADER as TXN_TOKEN_HEADER
from callpath.txn_token import peek_call_id
from ringfence.deployed.gateways import Interceptor
from ringfence.rehearsal.aws.authorization.service_roles import Permissions
from ringfence.rehearsal.compute.function_process import FunctionError
from ringfence.rehearsal.compute.functions import Function
from ringfence.rehearsal.gateway.messages import INTERNAL_ERROR, INVALID_REQUEST, Answer, error_body
from ringfence.rehearsal.gateway.readings import Readings
from ringfence.rehearsal.gateway.request_trace import EndRequest, RequestTrace, refusal_metadata
from ringfence.rehearsal.serving import HttpRequest

_HEADER_VALUE = re.compile(r"[\x20-\x7e]{1,4096}")  # "only printable ASCII", at most 4 KB (gateway-headers)


class Interception:
    """The two interceptors of one gateway."""

    def __init__(self, *, role_arn: str, functions: Mapping[str, Function], permissions: Permissions) -> None:
        """Prepare.

        Args:
            functions: functions by ARN.
        """
        self._role_arn = role_arn
        self._functions = functions
        self._permissions = permissions

    def on_request(
        self,
        interceptor: Interceptor,
        request: HttpRequest,
        message: dict[str, Any],
        *,
        readings: Readings,
        trace: RequestTrace,
    ) -> tuple[dict[str, str], dict[str, Any]] | Answer:
        """The headers and the message to go on with, or the answer by which the interceptor ends the request.

        Raises:
            EndRequest: the interceptor failed, or set a header that no gateway passes on.
        """
        headers = dict(request.headers)
        event = {
            "rawGatewayRequest": {"body": request.body.decode()},
            "gatewayRequest": _request_part(headers, message),
        }
        output = self._invoke(interceptor, event, message, trace, layer="request")
        response = output.get("transformedGatewayResponse")
        if response is not None:  # documented: its presence ends the call, whatever else the answer holds
            trace.take_metadata(response.get("body"), default_layer="request")
            return _answer_of(response)
        transformed = output.get("transformedGatewayRequest")
        if not isinstance(transformed, dict) or not isinstance(transformed.get("body"), dict):
            raise _failed(message, trace, "request", "its answer holds no request")
        added = {str(name).lower(): str(value) for name, value in (transformed.get("headers") or {}).items()}
        if not all(
            _HEADER_VALUE.fullmatch(value) or (readings.takes_empty_headers and not value) for value in added.values()
        ):
            # Misleading, as measured by others for an illegal value.
            trace.refused("request", "illegal-header")
            body = error_body(message.get("id"), INVALID_REQUEST, "Malformed JSON-RPC request")
            raise EndRequest(Answer(HTTPStatus.BAD_REQUEST, body))
        headers |= added
        trace.call_id = peek_call_id(headers.get(TXN_TOKEN_HEADER.lower()) or None)
        return headers, transformed["body"]

    def on_response(
        self,
        interceptor: Interceptor,
        request: HttpRequest,
        shown: tuple[Mapping[str, str], Mapping[str, Any]],
        answer: Answer,
        *,
        readings: Readings,
        trace: RequestTrace,
    ) -> Answer:
        """The answer to give.

        Args:
            request: as the client sent it.
            shown: headers and message of the request, as this interceptor is to see them.
            readings: what the guide leaves open.

        Raises:
            EndRequest: the interceptor failed.
        """
        headers, message = shown
        event = {
            "rawGatewayRequest": {"body": request.body.decode()},
            "gatewayRequest": _request_part(headers, message),
            "gatewayResponse": {"statusCode": answer.status, "headers": dict(answer.headers), "body": answer.body},
        }
        output = self._invoke(interceptor, event, message, trace, layer="response")
        response = output.get("transformedGatewayResponse")
        if not isinstance(response, dict):
            raise _failed(message, trace, "response", "its answer holds no response")
        changed = _answer_of(response)
        layer, _, call_id = refusal_metadata(changed.body)
        if layer == "response" and trace.layer != "request":
            trace.take_metadata(changed.body)
        trace.call_id = trace.call_id or call_id
        kept = answer.headers if readings.keeps_response_headers else {}
        return Answer(changed.status, changed.body, {**kept, **changed.headers})

    def _invoke(
        self,
        interceptor: Interceptor,
        event: dict[str, Any],
        message: Mapping[str, Any],
        trace: RequestTrace,
        *,
        layer: str,
    ) -> dict[str, Any]:
        if not interceptor.pass_headers:
            event["gatewayRequest"].pop("headers")
        decision = self._permissions.decide(self._role_arn, "lambda:InvokeFunction", interceptor.function_arn)
        if not decision.allowed:
            raise _failed(message, trace, layer, decision.reason)
        function = self._functions[interceptor.function_arn]
        try:
            answer = function.invoke({"interceptorInputVersion": "1.0", "mcp": event})
        except FunctionError as error:
            raise _failed(message, trace, layer, str(error)) from None
        output = answer.get("mcp") if isinstance(answer, dict) else None
        if not isinstance(output, dict) or answer.get("interceptorOutputVersion") != "1.0":
            raise _failed(message, trace, layer, "its answer is not an interceptor output 1.0")
        return output


def _failed(message: Mapping[str, Any], trace: RequestTrace, layer: str, cause: str) -> EndRequest:
    trace.refused(layer, "interceptor-failed")
    trace.cause = cause
    text = (
        f"The {layer} interceptor of this gateway failed, so the call ends here. Try again, or tell your platform team"
    )
    return EndRequest(Answer(HTTPStatus.INTERNAL_SERVER_ERROR, error_body(message.get("id"), INTERNAL_ERROR, text)))


def _request_part(headers: Mapping[str, str], message: Mapping[str, Any]) -> dict[str, Any]:
    # The service shows the usual spelling of header names (`Authorization`, `Mcp-Session-Id`).
    spelled = {"-".join(part.capitalize() for part in name.split("-")): value for name, value in headers.items()}
    return {"path": "/mcp", "httpMethod": "POST", "headers": spelled, "body": message}


def _answer_of(response: Mapping[str, Any]) -> Answer:
    headers = {str(name): str(value) for name, value in (response.get("headers") or {}).items()}
    return Answer(int(response.get("statusCode", HTTPStatus.OK)), response.get("body"), headers)

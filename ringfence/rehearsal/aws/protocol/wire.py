"""Reads and writes the AWS protocols: which operation a request is, its parameters, and answers botocore understands.

The service models are botocore's; requests are parsed and results serialised with the protocol code that moto brings.
"""

from __future__ import annotations

import functools
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

from ringfence.rehearsal.aws.protocol.cbor import ERROR, decode_cbor, encode_cbor
from ringfence.rehearsal.serving import HttpRequest, HttpResponse

# Signing names that differ from botocore's name of the service.
SERVICE_OF_SIGNING_NAME = {
    "monitoring": ("cloudwatch",),
    "states": ("stepfunctions",),
    "email": ("ses",),
    "elasticmapreduce": ("emr",),
    "bedrock": ("bedrock", "bedrock-runtime"),
    "bedrock-agentcore": ("bedrock-agentcore", "bedrock-agentcore-control"),
}
# IAM's prefix where it is not the signing name.
PREFIX_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "email": "ses"}
# A VPC endpoint's name of the service where it is not the signing name.
ENDPOINT_OF_SIGNING_NAME = {"sagemaker": "sagemaker.api"}
# Services with one control plane for all regions: whatever region a client signs for, this is where the call goes.
CONTROL_PLANE = {"iam": "us-east-1"}

_CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request")
_CBOR_PATH = re.compile(r"/service/([^/]+)/operation/([^/?]+)")


class AwsError(Exception):
    """An answer with an error code, as AWS would give it.

    Attributes:
        code: error code, e.g. `AccessDenied`.
        message: the text.
        status: HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Signed:
    """What the Authorization header says about the caller."""

    access_key_id: str
    date: str
    region: str
    signing_name: str


@dataclass(frozen=True)
class Operation:
    """An AWS request, understood.

    Attributes:
        signed: what the signature names.
        service: botocore's service name.
        name: operation, e.g. `ListUsers`.
        protocol: `query`, `ec2`, `json`, `rest-json`, `rest-xml` or `cbor`.
        parameters: the operation's input.
        model: the operation's model.
        request_id: given to this request.
    """

    signed: Signed
    service: str
    name: str
    protocol: str
    parameters: Mapping[str, Any]
    model: OperationModel
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def region(self) -> str:
        """The region the call goes to."""
        return CONTROL_PLANE.get(self.signed.signing_name, self.signed.region)

    @property
    def prefix(self) -> str:
        """The service prefix of IAM actions."""
        return PREFIX_OF_SIGNING_NAME.get(self.signed.signing_name, self.signed.signing_name)

    @property
    def event_source(self) -> str:
        """The service as CloudTrail names it."""
        return f"{self.signed.signing_name}.amazonaws.com"

    @property
    def endpoint_service(self) -> str:
        """The service as VPC endpoints name it."""
        return ENDPOINT_OF_SIGNING_NAME.get(self.signed.signing_name, self.signed.signing_name)


def read_signature(request: HttpRequest) -> Signed:
    """Who signed the request, for which region and service.

    Raises:
        AwsError: there is no readable SigV4 Authorization header.
    """
    match = _CREDENTIAL.match(request.headers.get("authorization", ""))
    if not match:
        raise AwsError("MissingAuthenticationToken", "Request is missing a SigV4 Authorization header.", 403)
    return Signed(*match.groups())


def read_operation(request: HttpRequest, signed: Signed) -> Operation:
    """Which operation a request is, and its input.

    Raises:
        AwsError: the service or operation is unknown, or the input cannot be read.
    """
    for service in SERVICE_OF_SIGNING_NAME.get(signed.signing_name, (signed.signing_name,)):
        model = _service_model(service)
        protocol, name, labels = _name_of(request, model)
        if name is not None:
            operation = _operation_model(model, name)
            return Operation(
                signed, service, name, protocol, _parameters(request, operation, protocol, labels), operation
            )
    raise AwsError(
        "UnknownOperationException", f"No operation of {signed.signing_name} fits {request.method} {request.path}."
    )


@functools.cache
def _service_model(service: str) -> ServiceModel:
    try:
        return get_service_model(service)
    except UnknownServiceError:
        raise AwsError("UnknownService", f"The local AWS does not know the signing name {service!r}.") from None


def _operation_model(model: ServiceModel, name: str) -> OperationModel:
    try:
        found: OperationModel = model.operation_model(name)
    except OperationNotFoundError:
        raise AwsError("UnknownOperationException", f"{model.service_name} has no operation {name!r}.") from None
    return found


def _name_of(request: HttpRequest, model: ServiceModel) -> tuple[str, str | None, Mapping[str, Any]]:
    """Protocol, operation name and path labels."""
    content_type = request.headers.get("content-type", "")
    if cbor := _CBOR_PATH.fullmatch(request.path):
        return "cbor", cbor.group(2), {}
    if "x-amz-target" in request.headers:
        return "json", request.headers["x-amz-target"].rpartition(".")[2], {}
    if content_type.startswith("application/x-www-form-urlencoded") or model.protocol in ("query", "ec2"):
        values = dict(parse_qsl(request.body.decode("utf-8", "replace")) or parse_qsl(request.query))
        return ("ec2" if model.protocol == "ec2" else "query"), values.get("Action"), {}
    try:
        found, labels = get_service_router(model.service_name).match(_moto_request(request))
    except (HTTPException, NotImplementedError):
        return str(model.protocol), None, {}
    return str(model.protocol), str(found.name), labels


def _moto_request(request: HttpRequest) -> MotoRequest:
    return MotoRequest.from_primitives(
        request.method, f"http://127.0.0.1{request.target}", dict(request.headers), request.body
    )


def _parameters(
    request: HttpRequest, operation: OperationModel, protocol: str, labels: Mapping[str, Any]
) -> Mapping[str, Any]:
    if protocol == "cbor":
        parsed = decode_cbor(request.body)
        return parsed if isinstance(parsed, dict) else {}
    moto_request = _moto_request(request)
    parser = PROTOCOL_PARSERS[protocol](operation)
    try:
        parameters: dict[str, Any] = parser.parse(
            {
                "method": request.method,
                "values": moto_request.values,
                "headers": moto_request.headers,
                "body": request.body,
                "url_path": unquote(request.path),
                "url_params": dict(labels),
            }
        )
    except Exception as fault:
        # Whatever the parser stumbles over, the sender gets AWS's word for it, and nothing was decided or forwarded.
        raise AwsError("SerializationException", f"The body is no valid {operation.name} input.") from fault
    return {key: value for key, value in parameters.items() if value is not None}


def result_response(operation: Operation, result: Mapping[str, Any]) -> HttpResponse:
    """A successful answer in the caller's protocol."""
    if operation.protocol == "cbor":
        return _cbor_response(operation, 200, encode_cbor(result, operation.model.output_shape))
    serializer_class = get_serializer_class(operation.service, operation.protocol)
    serialized = serializer_class(operation.model, context=SerializationContext(operation.request_id)).serialize(result)
    body = serialized["body"]
    return HttpResponse(
        serialized["status_code"],
        {**serialized["headers"], "x-amzn-RequestId": operation.request_id},
        body.encode() if isinstance(body, str) else bytes(body),
    )


def _cbor_response(operation: Operation, status: int, body: bytes) -> HttpResponse:
    headers = {
        "Content-Type": "application/cbor",
        "smithy-protocol": "rpc-v2-cbor",
        "x-amzn-RequestId": operation.request_id,
    }
    return HttpResponse(status, headers, body)


def error_response(request: HttpRequest, error: AwsError, operation: Operation | None) -> HttpResponse:
    """An error in the caller's protocol; before the operation is known, the protocol is guessed from the headers."""
    request_id = operation.request_id if operation else str(uuid.uuid4())
    protocol = operation.protocol if operation else _guessed_protocol(request)
    if operation is not None and protocol == "cbor":
        document = {"__type": error.code, "message": error.message}
        return _cbor_response(operation, error.status, encode_cbor(document, ERROR))
    if protocol in ("json", "rest-json"):
        return _json_error(error, request_id)
    text = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    known = {
        "rest-xml": f"<Error>{text}<RequestId>{request_id}</RequestId></Error>",
        "ec2": f"<Response><Errors><Error>{text}</Error></Errors><RequestID>{request_id}</RequestID></Response>",
    }
    query = (
        f"<ErrorResponse><Error><Type>Sender</Type>{text}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}
    return HttpResponse(error.status, headers, known.get(protocol, query).encode())


# Errors about credentials have another name in the JSON protocols than in the query protocol.
_JSON_CODES = {"InvalidClientTokenId": "UnrecognizedClientException", "ExpiredToken": "ExpiredTokenException"}


def _json_error(error: AwsError, request_id: str) -> HttpResponse:
    code = _JSON_CODES.get(error.code, error.code)
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "x-amzn-ErrorType": code,
        "x-amzn-RequestId": request_id,
    }
    body = json.dumps({"__type": code, "message": error.message})
    return HttpResponse(error.status, headers, body.encode())


def _guessed_protocol(request: HttpRequest) -> str:
    content_type = request.headers.get("content-type", "")
    return "query" if content_type.startswith("application/x-www-form-urlencoded") else "json"

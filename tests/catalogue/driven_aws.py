"""An AWS on loopback that takes every call, notes its IAM action and gives an answer of the right shape.

It keeps nothing and decides nothing, but that who has no rights is refused: it is there to show which actions a tool
really calls, and as whom. Answers are made from the SDK's own model of the operation, one of each thing; the few that a
tool would not go on with are written down here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ringfence.rehearsal.aws.authorization.resources import iam_action
from ringfence.rehearsal.aws.protocol.http import on_loopback
from ringfence.rehearsal.aws.protocol.wire import AwsError, error_response, read_operation, read_signature
from ringfence.rehearsal.aws.protocol.wire import result_response as answered
from ringfence.rehearsal.serving import HttpRequest, HttpResponse
from runtime.server.credentials import EXPIRES_IN_SECONDS
from runtime.server.spawn import CREDENTIALS_PATH

# Names of members that would make a client ask for another page, or wait for an end.
_PAGES = {"marker", "nexttoken", "nextmarker", "continuationtoken", "nextcontinuationtoken", "encodingtype"}
_DEPTH = 6


class DrivenAws:
    """The endpoint.

    Attributes:
        actions: (IAM action, region) of each call since the last `clear`.
        signers: (access key, IAM action) of the same calls, and of those that were refused.
        lent: the access key that `/credentials` lends, as the host does for the length of a call.
        without_rights: access keys that are refused everything.
        answers: operation -> members that replace the made-up ones.
        kubernetes: path -> answer, for requests that are not signed for AWS.
    """

    def __init__(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        self.actions: list[tuple[str, str]] = []
        self.signers: list[tuple[str, str]] = []
        self.lent = ""
        self.without_rights: set[str] = set()
        self.answers = dict(answers)
        self._server = on_loopback(self._answer)
        self.url = self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def _answer(self, request: HttpRequest) -> HttpResponse:
        operation = None
        try:
            if request.path == CREDENTIALS_PATH:
                return self._lend()
            if "AWS4-HMAC" not in request.headers.get("authorization", ""):
                return _kubernetes(request)
            operation = read_operation(request, read_signature(request))
            key = operation.signed.access_key_id
            self.signers.append((key, iam_action(operation)))
            if key in self.without_rights:
                raise AwsError("AccessDenied", f"not authorized to perform: {iam_action(operation)}", 403)
            self.actions.append((iam_action(operation), operation.region))
            shape = operation.model.output_shape
            result = made_up(shape, self.url) if shape is not None else {}
            name = f"{operation.service}:{operation.name}"
            if name == "eks:DescribeCluster":
                result["cluster"]["endpoint"] = self.url
            answer = self.answers.get(name, {})
            if "error" in answer:
                raise AwsError(answer["error"], "Not found.", 404)
            return answered(operation, _merged(result, answer))
        except AwsError as error:
            return error_response(request, error, operation)

    def _lend(self) -> HttpResponse:
        soon = (datetime.now(UTC) + timedelta(seconds=EXPIRES_IN_SECONDS)).strftime("%Y-%m-%dT%H:%M:%SZ")
        lent = {"AccessKeyId": self.lent, "SecretAccessKey": "EXAMPLE", "Token": "EXAMPLE", "Expiration": soon}
        return HttpResponse(200, {"Content-Type": "application/json"}, json.dumps(lent).encode())


def _merged(made: Any, written: Any) -> Any:
    """What is written down, with what was made up where nothing is."""
    if isinstance(written, Mapping):
        base = made if isinstance(made, dict) else {}
        return {**base, **{name: _merged(base.get(name), value) for name, value in written.items()}}
    if isinstance(written, list):
        return [_merged(made[0] if made else None, value) for value in written]
    return written


def made_up(shape: Any, url: str, depth: int = _DEPTH) -> Any:
    """A value of a shape: one of each member, no further page."""
    kind = shape.type_name
    if kind == "structure":
        if depth == 0 or getattr(shape, "is_eventstream", False):
            return {}
        return {
            name: made_up(member, url, depth - 1)
            for name, member in shape.members.items()
            if name.lower() not in _PAGES and "error" not in name.lower() and "failure" not in name.lower()
        }
    if kind == "list":
        return [made_up(shape.member, url, depth - 1)] if depth > 0 else []
    if kind == "map":
        return {"key": made_up(shape.value, url, depth - 1)} if depth > 0 else {}
    if kind == "string" and "policydocument" in shape.name.lower():
        return "%7B%7D"
    if kind == "string":
        return shape.enum[0] if shape.enum else "x" * max(1, shape.metadata.get("min", 1))
    return {
        "boolean": False,
        "timestamp": datetime.now(UTC) - timedelta(minutes=1),
        "blob": b"e30=",
        "float": 1.0,
        "double": 1.0,
    }.get(kind, 1)


_NAMESPACE = "/api/v1/namespaces/default"
_SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}}
_VERBS = ["create", "delete", "get", "list", "patch", "update"]
_KINDS = [
    {"name": f"{kind.lower()}s", "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": _VERBS}
    for kind in ("Service", "Event")
]
_CLUSTER: dict[str, Any] = {
    "/version": {"major": "1", "minor": "34"},
    "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": _KINDS},
    f"{_NAMESPACE}/services": {"apiVersion": "v1", "kind": "ServiceList", "metadata": {}, "items": [_SERVICE]},
    f"{_NAMESPACE}/services/web": _SERVICE,
    f"{_NAMESPACE}/events": {"apiVersion": "v1", "kind": "EventList", "metadata": {}, "items": []},
}


def _kubernetes(request: HttpRequest) -> HttpResponse:
    path = request.path
    if path.endswith("/log"):
        return HttpResponse(200, {"Content-Type": "text/plain"}, b"a line\n")
    found = _SERVICE if request.method != "GET" else _CLUSTER.get(path.rstrip("/"))
    status = 404 if found is None else 200
    body = json.dumps(found or {"kind": "Status", "code": 404}).encode()
    return HttpResponse(status, {"Content-Type": "application/json"}, body)

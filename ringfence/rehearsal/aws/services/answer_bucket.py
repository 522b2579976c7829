"""The bucket in which CloudFormation takes the answers of custom resources, behind addresses that it signs itself.

Whoever holds an address may put one object under the name that the address says; the VPC's endpoint for S3 stands in
between. Addresses are as at AWS, the bucket's name in the host name.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from ringfence.deployed.roles import Endpoint
from ringfence.iam.evaluator import EVERYTHING, Request, decide
from ringfence.rehearsal.serving import HttpRequest, HttpResponse

_OF_AWS = "000000000000"  # the account of CloudFormation itself, which signs; nobody's


class AnswerBucket:
    """Signs addresses and takes answers.

    Args:
        region: whose bucket.
        endpoint: the VPC's endpoint for S3, which every function of the VPC passes; None when there is none.
    """

    def __init__(self, region: str, endpoint: Endpoint | None) -> None:
        self.name = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
        self.host = f"{self.name}.s3.{region}.amazonaws.com"
        self._region = region
        self._endpoint = endpoint
        self._waiting: dict[str, tuple[str, list[dict[str, Any]]]] = {}

    def address(self, stack_id: str, logical_id: str, request_id: str) -> str:
        """A presigned address for one answer."""
        key, signature = f"{stack_id}|{logical_id}|{request_id}", secrets.token_hex(32)
        self._waiting[signature] = (key, [])
        query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=7200&X-Amz-Signature={signature}"
        return f"https://{self.host}/{quote(key, safe='')}?{query}"

    def answer_at(self, address: str) -> dict[str, Any] | None:
        """The answer that was put to an address, or None as long as there is none."""
        _, answers = self._waiting[_signature(address.partition("?")[2])]
        return answers[-1] if answers else None

    def holds(self, request: HttpRequest) -> bool:
        """Whether a request is for this bucket."""
        return request.headers.get("host") == self.host

    def take(self, request: HttpRequest) -> HttpResponse:
        """Take an answer, if the endpoint lets it through and the address is one of ours."""
        key = unquote(request.path.removeprefix("/"))
        if not self._passes(key):
            return HttpResponse(403, {}, b"<Error><Code>AccessDenied</Code></Error>")
        signed_key, answers = self._waiting.get(_signature(request.query), ("", []))
        # The signature covers an empty content type, and the name of the object.
        if request.method != "PUT" or key != signed_key or request.headers.get("content-type"):
            return HttpResponse(403, {}, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        answers.append(json.loads(request.body))
        return HttpResponse(200, {}, b"")

    def _passes(self, key: str) -> bool:
        if self._endpoint is None:
            return False
        context: Mapping[str, object] = {
            "aws:PrincipalAccount": _OF_AWS,
            "aws:ResourceAccount": _OF_AWS,
            "aws:RequestedRegion": self._region,
            "aws:SourceVpce": self._endpoint.id,
            "aws:SourceVpc": self._endpoint.vpc,
        }
        signer = f"arn:aws:sts::{_OF_AWS}:assumed-role/cloudformation/signer"
        request = Request(signer, "s3:PutObject", f"arn:aws:s3:::{self.name}/{key}", context)
        endpoint = [] if self._endpoint.policy is None else [self._endpoint.policy]
        return decide(request, {"identity": [EVERYTHING], "endpoint": endpoint}).allowed


def _signature(query: str) -> str:
    return parse_qs(query).get("X-Amz-Signature", [""])[0]

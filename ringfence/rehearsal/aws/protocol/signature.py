"""Verifies SigV4 signatures, so that only the holder of the issued credentials can use them."""

from __future__ import annotations

import hmac
import re

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ringfence.rehearsal.aws.protocol.wire import AwsError, Signed
from ringfence.rehearsal.serving import HttpRequest

_SIGNATURE = re.compile(r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})")


def verify(request: HttpRequest, signed: Signed, secret: str) -> None:
    """Compare the request's signature with the one that botocore gives it with its secret.

    Raises:
        AwsError: the signature is missing or another.
    """
    match = _SIGNATURE.search(request.headers.get("authorization", ""))
    if not match:
        raise AwsError("IncompleteSignature", "The Authorization header carries no signature.", 403)
    headers = {name: request.headers.get(name, "") for name in match.group(1).split(";")}
    asked = AWSRequest(request.method, f"http://127.0.0.1{request.target}", headers, request.body)
    asked.context["timestamp"] = request.headers.get("x-amz-date", "")
    # Every service but S3 encodes the path a second time.
    signer = (S3SigV4Auth if signed.signing_name == "s3" else SigV4Auth)(
        Credentials(signed.access_key_id, secret), signed.signing_name, signed.region
    )
    expected = signer.signature(signer.string_to_sign(asked, signer.canonical_request(asked)), asked)
    if not hmac.compare_digest(expected, match.group(2)):
        raise AwsError("SignatureDoesNotMatch", "The request signature does not match the signature calculated.", 403)

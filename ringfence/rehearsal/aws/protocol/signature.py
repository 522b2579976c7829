"""Verifies SigV4 signatures, so that only the holder of the issued credentials can use them."""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import parse_qsl, quote

from ringfence.rehearsal.aws.protocol.wire import AwsError, HttpRequest, Signed

_SIGNATURE = re.compile(r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})")


def verify(request: HttpRequest, signed: Signed, secret: str) -> None:
    """Compare the request's signature with the one its secret would give.

    Raises:
        AwsError: the signature is missing or another.
    """
    match = _SIGNATURE.search(request.headers.get("authorization", ""))
    if not match:
        raise AwsError("IncompleteSignature", "The Authorization header carries no signature.", 403)
    names = match.group(1).split(";")
    payload = request.headers.get("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join(
        (
            request.method,
            _canonical_path(request, signed),
            _canonical_query(request.query),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names),
            "",
            match.group(1),
            payload,
        )
    )
    scope = f"{signed.date}/{signed.region}/{signed.signing_name}/aws4_request"
    moment = request.headers.get("x-amz-date", "")
    to_sign = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    expected = hmac.new(_key(secret, signed), to_sign.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, match.group(2)):
        raise AwsError("SignatureDoesNotMatch", "The request signature does not match the signature calculated.", 403)


def _canonical_path(request: HttpRequest, signed: Signed) -> str:
    # Every service but S3 encodes the path a second time.
    return request.path if signed.signing_name == "s3" else quote(request.path, safe="/~")


def _canonical_query(query: str) -> str:
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{key}={value}" for key, value in pairs)


def _key(secret: str, signed: Signed) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (signed.date, signed.region, signed.signing_name, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key

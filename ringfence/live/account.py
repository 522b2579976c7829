"""The account behind the credentials. One way to ask it, and one exception for every way not to be answered."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, Final

import boto3
from botocore import exceptions as sdk
from botocore.config import Config

from ringfence.live.problems import CannotAsk, Reason, withheld
from ringfence.live.reads import READS, WRITES
from ringfence.reading.region import REGION

# Standard retries: four attempts with growing pauses, also when AWS asks to slow down. Then it is told, not waited for.
_CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 4},
    user_agent_appid="ringfence",
)
_LONGEST_DETAIL: Final = 240
_CODES: Final = {
    Reason.DENIED: {"AccessDenied", "AccessDeniedException", "NotAuthorizedException", "UnauthorizedOperation", "403"}
    | {"AuthorizationErrorException", "Forbidden", "UnauthorizedException"},
    Reason.THROTTLED: {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "SlowDown", "429"}
    | {"RequestLimitExceeded", "TooManyRequestsException", "RequestThrottledException", "BandwidthLimitExceeded"},
    Reason.CREDENTIALS: {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
    | {"SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "InvalidToken", "RequestExpired"}
    | {"IncompleteSignature", "InvalidAccessKeyId", "MissingAuthenticationToken", "OptInRequired"},
}
_CREDENTIALS: Final = (
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.CredentialRetrievalError,
    sdk.ProfileNotFound,
    sdk.SSOError,
    sdk.TokenRetrievalError,
    sdk.NoAuthTokenError,
    sdk.ConfigParseError,
    sdk.ConfigNotFound,
    sdk.InvalidConfigError,
)
ClientMaker = Callable[[str, str], Any]


def client_of(service: str, region: str) -> Any:
    """Returns a client for the credentials of the environment, with bounded retries.

    Raises:
        CannotAsk: there are no credentials, or their profile does not exist.
    """
    try:
        return boto3.Session().client(service, region_name=region, config=_CONFIG)
    except _CREDENTIALS as error:
        raise CannotAsk(Reason.CREDENTIALS, f"{service}:*", _short(error)) from None


def configured_region() -> str | None:
    """Returns the region that the CDK's command line would use by itself: the variables, then the profile.

    Raises:
        CannotAsk: the named profile does not exist, or the configuration cannot be read.
    """
    try:  # botocore alone reads the second variable and the profile
        region: str | None = os.environ.get("AWS_REGION") or boto3.Session().region_name
    except _CREDENTIALS as error:
        raise CannotAsk(Reason.CREDENTIALS, "sts:GetCallerIdentity", _short(error)) from None
    return region


class Account:
    """Asks questions that only read, each by its IAM action (`reads.READS`).

    A service that cannot be reached is not tried again, so that a closed network costs seconds, not minutes.
    """

    def __init__(self, client: ClientMaker = client_of) -> None:
        """Asks nothing yet.

        Args:
            client: makes a client for the SDK's name of a service and a region.
        """
        self._make = client
        self._clients: dict[tuple[str, str], Any] = {}
        self._closed: dict[tuple[str, str], CannotAsk] = {}

    def ask(
        self, action: str, *, region: str = REGION, absent: tuple[str, ...] = (), **parameters: Any
    ) -> dict[str, Any] | None:
        """Returns AWS's answer, or None where its error code says that there is no such thing.

        Args:
            action: the IAM action, a key of `READS`.
            absent: error codes that mean "there is none".

        Raises:
            CannotAsk: there is no answer.
        """
        answers = list(self._answers(action, region, absent, parameters, paged=False))
        return answers[0] if answers else None

    def change(self, action: str, *, refused: tuple[str, ...] = (), **parameters: Any) -> dict[str, Any] | None:
        """Does what a drill does, and returns AWS's answer, or None where its error code is one that refuses.

        Args:
            action: the IAM action, a key of `WRITES`.
            refused: error codes that mean "you may not".

        Raises:
            CannotAsk: there is no answer.
        """
        answers = list(self._answers(action, REGION, refused, parameters, paged=False))
        return answers[0] if answers else None

    def pages(
        self, action: str, key: str, *, region: str = REGION, absent: tuple[str, ...] = (), **parameters: Any
    ) -> list[Any]:
        """Returns the members of a list that AWS may cut into pages; empty where there is no such thing.

        Args:
            action: the IAM action, a key of `READS`.
            key: the answer's member that holds the list.
            absent: error codes that mean "there is none".

        Raises:
            CannotAsk: a page has no answer; a part is never taken for the whole.
        """
        pages = self._answers(action, region, absent, parameters, paged=True)
        return [item for page in pages for item in page.get(key) or ()]

    def _answers(
        self, action: str, region: str, absent: tuple[str, ...], parameters: dict[str, Any], *, paged: bool
    ) -> Iterator[dict[str, Any]]:
        read = {**READS, **WRITES}[action]
        place = (read.service, region)
        if place in self._closed:
            closed = self._closed[place]
            raise CannotAsk(closed.reason, action, closed.detail)
        try:
            client = self._client(*place)
            if paged:
                yield from _pages(client, read.operation, parameters)
            else:
                yield getattr(client, read.operation)(**parameters)
        except CannotAsk as problem:
            raise CannotAsk(problem.reason, action, problem.detail) from None
        except sdk.ClientError as error:
            if _code(error) not in absent:
                raise CannotAsk(_reason_of(error), action, _short(error)) from None
        except (sdk.BotoCoreError, sdk.HTTPClientError) as error:
            unanswered = CannotAsk(_obstacle(error), action, _short(error))
            if unanswered.reason in (Reason.PROXY, Reason.UNREACHABLE):
                self._closed[place] = unanswered
            raise unanswered from None

    def _client(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = self._make(service, region)
        return self._clients[service, region]


def _pages(client: Any, operation: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if client.can_paginate(operation):
        yield from client.get_paginator(operation).paginate(**parameters)
        return
    # Without a paginator in the SDK: operations of WAF and CloudWatch Logs, which hand a marker on.
    marker: dict[str, str] = {}
    while True:
        page = getattr(client, operation)(**parameters, **marker)
        yield page
        following = {name: page[name] for name in ("NextMarker", "nextToken") if page.get(name)}
        if not following or marker == following:
            return
        marker = following


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _reason_of(error: Any) -> Reason:
    code = _code(error)
    return next((reason for reason, codes in _CODES.items() if code in codes), Reason.REFUSED)


def _obstacle(error: Exception) -> Reason:
    if isinstance(error, _CREDENTIALS):
        return Reason.CREDENTIALS
    # A proxy that opens TLS shows itself by a certificate that nobody here knows.
    if isinstance(error, sdk.ProxyConnectionError | sdk.SSLError | sdk.InvalidProxiesConfigError):
        return Reason.PROXY
    # Of two addresses the SDK reads one itself, the service's; what its HTTP library cannot read is the proxy's.
    if isinstance(error, sdk.HTTPClientError) and isinstance(error.kwargs.get("error"), ValueError):
        return Reason.PROXY
    if isinstance(error, sdk.HTTPClientError | sdk.ConnectionError):
        return Reason.UNREACHABLE
    return Reason.REFUSED


def _short(error: Exception) -> str:
    if isinstance(error, sdk.ClientError):
        told = error.response.get("Error", {})
        text = f"{told.get('Code', '')}: {told.get('Message', '')}"
    else:
        text = f"{type(error).__name__}: {error}"
    # Before it is cut, so that no half of a password is left. botocore masks one by replacing text, which a short one
    # survives.
    text = withheld(" ".join(text.split()))
    return text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…"

"""The container-credentials endpoint on loopback: the server's only way to AWS, open only while a call is in flight.

The SDK in the server asks here before every request, because the answer always claims to expire within the SDK's
mandatory refresh window (botocore: ten minutes). So a call's AWS requests are signed with that call's credentials and
no other's, with the server unmodified.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from runtime.server.spawn import CREDENTIALS_PATH, credentials_url

EXPIRES_IN_SECONDS = 60
_LONGEST_REQUEST = 16 * 2**10


@dataclass(frozen=True)
class RoleCredentials:
    """Temporary credentials of one call."""

    access_key_id: str
    secret_access_key: str
    session_token: str

    def __repr__(self) -> str:
        return "RoleCredentials(...)"  # a traceback or a log line must never show them


NOBODY = RoleCredentials("NOBODYSTARTINGUP", "none", "none")


class CredentialsEndpoint:
    """Serves the credentials on loan, if any, to whoever shows the current child's token."""

    def __init__(self, listener: socket.socket, *, token: str) -> None:
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._token = token.encode()
        self._lent: RoleCredentials | None = None
        self._starting = False

    @property
    def url(self) -> str:
        """Value of AWS_CONTAINER_CREDENTIALS_FULL_URI."""
        return credentials_url(self._listener)

    def admit(self, token: str) -> None:
        """Admit the next child, by its token. Every earlier token stops working."""
        self._token = token.encode()

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Answer with nobody's credentials for the length of the block.

        Some servers make a client when they start, and botocore then wants credentials at once, or the server ends.
        These are accepted by nothing and are replaced, as every answer is, before the first request of a call.
        """
        self._starting = True
        try:
            yield
        finally:
            self._starting = False

    @contextlib.contextmanager
    def lend(self, credentials: RoleCredentials) -> Iterator[None]:
        """Answer with these credentials for the length of the block.

        Raises:
            RuntimeError: credentials of another call are out. Mixing two calls would be the worst fault this host can
                have, so it is checked here and not only prevented by the queue.
        """
        if self._lent is not None:
            raise RuntimeError("credentials of another call are still lent")
        self._lent = credentials
        try:
            yield
        finally:
            self._lent = None

    async def serve(self) -> None:
        """Start answering on the running event loop."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Exchange(self), sock=self._listener)

    def close(self) -> None:
        """Stop answering."""
        if self._server:
            self._server.close()
        self._listener.close()

    def answer(self, head: bytes) -> tuple[int, dict[str, str]]:
        """Status and JSON body for the head of an HTTP request."""
        request_line, *lines = head.split(b"\r\n")
        headers = dict(line.split(b":", 1) for line in lines if b":" in line)
        shown = next((value.strip() for name, value in headers.items() if name.lower() == b"authorization"), b"")
        if not self._token or not hmac.compare_digest(shown, self._token):
            return 401, {"code": "Unauthorized", "message": "the token is not this server's"}
        if request_line.split(b" ")[:2] != [b"GET", CREDENTIALS_PATH.encode()]:
            return 404, {"code": "NotFound", "message": f"only GET {CREDENTIALS_PATH} exists"}
        lent = NOBODY if self._starting else self._lent
        if lent is None:
            return 403, {"code": "NoCall", "message": "no call is in flight, so there are no credentials"}
        expiry = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + EXPIRES_IN_SECONDS))
        return 200, {
            "AccessKeyId": lent.access_key_id,
            "SecretAccessKey": lent.secret_access_key,
            "Token": lent.session_token,
            "Expiration": expiry,
        }


_REASONS = {200: "OK", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


class _Exchange(asyncio.Protocol):
    """One HTTP/1.1 connection of the SDK in the server: GET requests without body, kept alive."""

    def __init__(self, endpoint: CredentialsEndpoint) -> None:
        self._endpoint = endpoint
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_server makes; narrows the type
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
            status, body = self._endpoint.answer(head)
            content = json.dumps(body).encode()
            self._transport.write(
                b"HTTP/1.1 %d %s\r\n"
                b"Content-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n%s"
                % (status, _REASONS[status].encode(), len(content), content)
            )
        if len(self._buffer) > _LONGEST_REQUEST:
            self._transport.close()

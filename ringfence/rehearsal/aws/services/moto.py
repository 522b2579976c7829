"""moto in this process: the state behind the local AWS. It decides nothing here and reaches nothing outside."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.loaders import create_loader
from botocore.session import Session
from moto.core.botocore_stubber import BotocoreStubber
from moto.moto_api._internal.models import moto_api_backend

from ringfence.rehearsal.serving import HttpRequest, HttpResponse

# moto finds the service and the region in the host name, as AWS's own addresses have them.
_GLOBAL_HOSTS = {"iam": "iam.amazonaws.com"}

_RUNNING = threading.Lock()
# The services' models, read once in this process: each local AWS needs the same ones.
_MODELS = create_loader()


@dataclass(frozen=True)
class LogEvent:
    """One event of a log group.

    Attributes:
        timestamp: milliseconds since 1970.
        ingested: milliseconds since 1970.
    """

    stream: str
    timestamp: int
    message: str
    ingested: int


class Moto:
    """moto's services for one account. Its state is global to the process, so there is one of these at a time."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self._stubber = BotocoreStubber()
        self._lock = threading.RLock()
        self._holds_state = False
        self._environment_before: str | None = None
        # moto checks no signature; these credentials mean nothing anywhere.
        core = Session()
        core.register_component("data_loader", _MODELS)
        self._session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "local", botocore_session=core)
        self._clients: dict[tuple[str, str], Any] = {}

    def start(self) -> None:
        """Empty moto's state and make it answer for the account.

        Raises:
            RuntimeError: another local AWS of this process is running.
        """
        if not _RUNNING.acquire(blocking=False):
            raise RuntimeError("only one local AWS can run in a process: moto's state is global to it; stop the other")
        self._holds_state = True
        self._environment_before = os.environ.get("MOTO_ACCOUNT_ID")
        os.environ["MOTO_ACCOUNT_ID"] = self._account
        try:
            moto_api_backend.reset()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Empty moto's state again and leave it to the next, even when emptying fails; nothing where it is not ours."""
        if not self._holds_state:
            return
        self._holds_state = False
        if self._environment_before is None:
            os.environ.pop("MOTO_ACCOUNT_ID", None)
        else:
            os.environ["MOTO_ACCOUNT_ID"] = self._environment_before
        try:
            moto_api_backend.reset()
        finally:
            _RUNNING.release()

    def forward(self, request: HttpRequest, *, signing_name: str, region: str) -> HttpResponse:
        """Hand a request to moto as it is; only its address becomes the one AWS has for the service.

        Raises:
            NotImplementedError: moto does not know the service or operation.
        """
        host = _GLOBAL_HOSTS.get(signing_name, f"{signing_name}.{region}.amazonaws.com")
        headers = {k: v for k, v in request.headers.items() if k not in ("host", "content-length", "connection")}
        return self._process(request.method, f"https://{host}{request.target}", headers, request.body)

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client that talks to moto directly, past every decision: for fixtures, never for callers."""
        key = (service, region or self._region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._new_client(*key)
            return self._clients[key]

    def _new_client(self, service: str, region: str) -> Any:
        client: Any = self._session.client(
            service,
            region_name=region,
            config=Config(retries={"total_max_attempts": 1}, ignore_configured_endpoint_urls=True),
        )
        client.meta.events.register("before-send.*", self._answer)
        return client

    def _answer(self, request: Any, **_: object) -> Any:
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body = request.body or b""
        content = body if isinstance(body, bytes) else str(body).encode()
        answered = self._process(request.method, request.url, headers, content)
        return AWSResponse(request.url, answered.status, answered.headers, _Raw(answered.body))

    def _process(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> HttpResponse:
        kept = HTTPHeaders()
        for name, value in headers.items():
            kept[name] = value
        with self._lock:
            try:
                answer = self._stubber.process_request(AWSPreparedRequest(method, url, kept, body, False))
            except ModuleNotFoundError as missing:  # a service of moto for whose needs nobody has asked yet
                raise NotImplementedError(url) from missing
        if answer is None or (answer[0] == 404 and answer[2] == "Not yet implemented"):
            # Nothing may fall through to the network.
            raise NotImplementedError(url)
        status, answer_headers, content = answer
        dropped = ("content-length", "transfer-encoding", "connection")
        passed = {str(k): str(v) for k, v in answer_headers.items() if str(k).lower() not in dropped}
        return HttpResponse(int(status), passed, content.encode() if isinstance(content, str) else bytes(content))

    def log_events(self, group: str) -> Iterator[LogEvent]:
        """Every event of a log group; nothing for a group that does not exist."""
        from moto.logs.models import logs_backends

        with self._lock:
            found = logs_backends[self._account][self._region].groups.get(group)
            streams: Mapping[str, Any] = found.streams if found else {}
            events = [
                LogEvent(name, event.timestamp, event.message, event.ingestion_time)
                for name, stream in streams.items()
                for event in stream.events
            ]
        yield from events

    def put_log_event(self, group: str, stream: str, message: str, timestamp: int) -> None:
        """Write an event to a log group past every client: each line of every process takes this way.

        Makes group and stream when they are missing.

        Args:
            timestamp: milliseconds since 1970.
        """
        from moto.logs.models import logs_backends

        with self._lock:
            backend = logs_backends[self._account][self._region]
            if group not in backend.groups:
                backend.create_log_group(group, {})
            backend.ensure_log_stream(group, stream)
            backend.put_log_events(group, stream, [{"timestamp": timestamp, "message": message}])


class _Raw(io.BytesIO):
    """The least that botocore reads an answer's body from."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.getvalue()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value

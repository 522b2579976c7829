"""An account that answers by botocore's own service models.

Each client is a real one: it checks our parameters against the model. Each answer goes through `botocore.stub.Stubber`,
which checks it against the model, before it is given. Unlike a Stubber, answers come in any order, and may be made from
the parameters. Nothing goes to the network.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ParamValidationError
from botocore.stub import Stubber

from ringfence.live.account import Account
from ringfence.live.reads import READS, WRITES

ALLOWED = {**READS, **WRITES}
_ONE_ATTEMPT = Config(retries={"mode": "standard", "total_max_attempts": 1})
Answer = dict[str, Any] | Exception | Callable[[dict[str, Any]], Any]


@cache
def _session() -> boto3.Session:
    """One session for all clients: it loads each service model once."""
    return boto3.Session(aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="example")


class Fault(Exception):
    """AWS answers with an error."""

    def __init__(self, code: str, message: str = "as AWS says it", status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


class ModelledAccount:
    """Answers by IAM action; a question without an answer fails the test."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], Answer] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.regions: set[tuple[str, str]] = set()
        self.account = Account(self._client)

    def says(self, action: str, answer: Answer) -> ModelledAccount:
        """Gives an action's answer: a dictionary, a `Fault`, an exception, or a function of the parameters."""
        operation = ALLOWED[action]
        self._answers[operation.service, operation.operation] = answer
        return self

    def _client(self, service: str, region: str) -> Any:
        client = _session().client(service, region_name=region, config=_ONE_ATTEMPT)
        methods = {client.meta.method_to_api_mapping[read.operation]: (action, read.operation)
                   for action, read in ALLOWED.items() if read.service == service}  # fmt: skip
        given: dict[str, Any] = {}

        def remember(params: dict[str, Any], **_: Any) -> None:
            given["parameters"] = dict(params)

        def answer(model: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
            action, operation = methods[model.name]
            self.asked.append((action, given["parameters"]))
            self.regions.add((service, region))
            told = self._answers[service, operation]
            told = told(given["parameters"]) if callable(told) and not isinstance(told, Exception) else told
            if isinstance(told, Fault):
                return _answer(told.status, {"Error": {"Code": told.code, "Message": told.message}})
            if isinstance(told, Exception):
                raise told
            try:
                Stubber(client).add_response(operation, told)
            except ParamValidationError as mistake:
                raise AssertionError(f"AWS never answers like this: {mistake}") from None
            return _answer(200, told)

        client.meta.events.register("provide-client-params.*.*", remember)
        client.meta.events.register("before-call.*.*", answer)
        return client


def _answer(status: int, body: dict[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
    metadata = {"HTTPStatusCode": status, "RequestId": "example", "HTTPHeaders": {}, "RetryAttempts": 0}
    return AWSResponse(None, status, {}, None), {**body, "ResponseMetadata": metadata}

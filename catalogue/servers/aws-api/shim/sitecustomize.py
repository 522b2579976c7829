"""Answers the server's one question to the internet from a file, so that it runs where there is no internet.

awslabs.aws-api-mcp-server asks https://servicereference.us-east-1.amazonaws.com/ which operations only read, and does
not start without an answer. Python imports this module before the server, which stays as it was published.
`service_reference.json` beside it is made from open data by `make generate`.

Whatever is not in that file has no classification, and the server treats an operation without one as a write. Nothing
here ever opens a connection, and `requests.get` opens none elsewhere either: the server has no other use for it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests

HOST = "https://servicereference.us-east-1.amazonaws.com/"
FILE = Path(__file__).with_name("service_reference.json")


class _Answer:
    """As much of an HTTP answer as the server reads."""

    def __init__(self, content: Any) -> None:
        self._content = content

    def json(self) -> Any:
        return self._content


def _from_file(url: str, *_positional: object, **_named: object) -> _Answer:
    """Take the place of `requests.get`.

    Raises:
        requests.exceptions.ConnectionError: the file has no such page; the server refuses the call, or to start.
    """
    services = json.loads(FILE.read_text(encoding="utf-8"))["services"]
    if url == HOST:
        return _Answer([{"service": name, "url": f"{HOST}v1/{name}/{name}.json"} for name in sorted(services)])
    name = url.rpartition("/")[2].removesuffix(".json")
    if name not in services or url != f"{HOST}v1/{name}/{name}.json":
        raise requests.exceptions.ConnectionError("Ringfence: this server reaches AWS's own APIs and nothing else")
    # What is not listed is a write to the server.
    read = {"Annotations": {"Properties": {"IsWrite": False}}}
    return _Answer({"Name": name, "Actions": [{"Name": action, **read} for action in services[name]]})


requests.get = _from_file  # type: ignore[assignment]

"""The real aws-api server, with no way to the internet: each listed command makes the one AWS call it is granted."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import threading
import tomllib
import urllib.parse
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from callpath.command_line import check_command, read_commands
from callpath.refusal import Refusal
from ringfence.assets.local import packages
from ringfence.assets.service_reference import SERVER, reference_text, services_of
from ringfence.iam.actions import load

CATALOGUE = Path(__file__).resolve().parents[2] / "catalogue"
WRITTEN: dict[str, Any] = tomllib.loads((CATALOGUE / "servers/aws-api/server.toml").read_text())
OPERATIONS: dict[str, Any] = WRITTEN["tools"]["call_aws"]["operations"]
COMMANDS = read_commands({name: operation.get("options", {}) for name, operation in OPERATIONS.items()})
VALUES = {"--instance-ids": "i-0123456789abcdef0"}
HERE = "http://here"  # stands for the address of the endpoint
LAMBDA = {"concurrency": "GetFunctionConcurrency", "event-source-mappings": "ListEventSourceMappings"}


class Aws(ThreadingHTTPServer):
    """Answers every call with nothing, and notes its action and signed region."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[tuple[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Aws

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        found = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", self.headers["Authorization"])
        assert found is not None
        region, service = found.groups()
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if service == "lambda":
            action = LAMBDA[urllib.parse.urlsplit(self.path).path.rstrip("/").rpartition("/")[2]]
        else:
            action = target or urllib.parse.parse_qs(body)["Action"][0]
        self.server.calls.append((f"{service}:{action}", region))
        xml = f"<{action}Response><{action}Result></{action}Result></{action}Response>"
        content = ("{}" if target or service == "lambda" else xml).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served() -> Iterator[Aws]:
    with Aws() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def listener() -> Iterator[socket.socket]:
    """A proxy that every library would take to the internet; nobody may connect."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@asynccontextmanager
async def session(home: Path, aws: Aws, way_out: socket.socket, **environment: str) -> Any:
    proxy = f"http://127.0.0.1:{way_out.getsockname()[1]}"
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-s", "-P", "-m", WRITTEN["module"]],
        cwd=home,
        env={
            **WRITTEN["environment"],
            "HOME": str(home),
            "TMPDIR": str(home),
            "PYTHONPATH": str(packages("aws-api").resolve()),
            "AWS_REGION": "eu-west-2",
            "AWS_DEFAULT_REGION": "eu-west-2",
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "EXAMPLE",
            "HTTP_PROXY": proxy,
            "HTTPS_PROXY": proxy,
            "NO_PROXY": "127.0.0.1",
            **environment,
        },
    )
    with (home / "stderr").open("w") as stderr:
        async with stdio_client(parameters, errlog=stderr) as (read, write), ClientSession(read, write) as client:
            await client.initialize()
            yield client


def fullest(name: str, *, region: bool) -> str:
    """A command with every option that it may be given."""
    words = [name]
    for key, option in COMMANDS[name].items():
        value = VALUES.get(key, "web-1")
        assert not option.values or option.form.fullmatch(value), f"{name} {key}"
        words += [key, *([value] * (2 if option.many else 1) if option.values else [])]
    return " ".join([*words, *(["--region eu-west-2"] if region else [])])


def declared(name: str) -> set[tuple[str, str]]:
    return {(action, "eu-west-2") for grant in OPERATIONS[name]["grants"] for action in grant["actions"]}


READS = [name for name, operation in OPERATIONS.items() if operation["level"] == "read"]
RESTARTS = [name for name, operation in OPERATIONS.items() if operation.get("approval")]
WRITES = [
    "aws ec2 terminate-instances --instance-ids i-0123456789abcdef0",
    "aws lambda delete-function --function-name x",
    *(fullest(name, region=False) for name in RESTARTS),
]
LEFT_OUT = ["aws secretsmanager get-secret-value --secret-id x", "aws iam create-user --user-name x"]
STATUS = "aws ec2 describe-instance-status"
ELSEWHERE = [
    f"{STATUS} {words}"
    for words in ("--region us-east-1", "--regi us-east-1", f"--endpoint-url {HERE} --region us-east-1")
]


@dataclass(frozen=True)
class Ran:
    """What one command asked of AWS, and the server's answer."""

    calls: list[tuple[str, str]]
    answer: dict[str, Any]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Every command of this file, run by one server; none went out."""
    reads = [fullest(name, region=region) for name in READS for region in (False, True)]

    async def run_all(home: Path, aws: Aws, way_out: socket.socket) -> dict[str, Ran]:
        found = {}
        async with session(home, aws, way_out) as client:
            for command in (*reads, *WRITES, *LEFT_OUT, *ELSEWHERE):
                aws.calls.clear()
                result = await client.call_tool("call_aws", {"cli_command": command.replace(HERE, aws.url)})
                (answer,) = result.structured_content["result"]
                found[command] = Ran(list(aws.calls), dict(answer))
        return found

    with served() as aws, listener() as way_out:
        found = asyncio.run(run_all(tmp_path_factory.mktemp("aws-api"), aws, way_out))
        with pytest.raises(BlockingIOError):
            way_out.accept()
    return found


@pytest.mark.parametrize("region", [False, True])
def test_every_read_makes_exactly_its_call_in_london(ran: dict[str, Ran], region: bool) -> None:
    for name in READS:
        command = ran[fullest(name, region=region)]
        assert set(command.calls) == declared(name), command.answer
        assert not command.answer.get("error"), command.answer


def test_the_server_itself_refuses_what_writes_and_knows_no_service_that_is_left_out(ran: dict[str, Ran]) -> None:
    assert RESTARTS
    for commands, told in ((WRITES, "denied by security policy"), (LEFT_OUT, "The given service name does not exist")):
        for command in commands:
            assert told in ran[command].answer["error"], command
            assert ran[command].calls == [], command


def test_the_server_obeys_what_the_parser_refuses(ran: dict[str, Ran]) -> None:
    """Why there is a parser: to the server these are another region or another place to send the call."""
    for command in ELSEWHERE:
        with pytest.raises(Refusal):
            check_command(command, COMMANDS, tool="call_aws", layer="request")
        assert ran[command].calls == [("ec2:DescribeInstanceStatus", "us-east-1")], command


async def test_without_its_reference_the_server_does_not_start(tmp_path: Path) -> None:
    """What the shim prevents: the server's own fetch, which here reaches nobody."""
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in packages("aws-api").resolve().iterdir():
        if path.name not in ("sitecustomize.py", "__pycache__"):
            (bare / path.name).symlink_to(path)
    with served() as aws, listener() as way_out, pytest.raises(ExceptionGroup):
        async with session(tmp_path, aws, way_out, PYTHONPATH=str(bare), HTTPS_PROXY="http://127.0.0.1:9"):
            pass
    assert "Error retrieving the service reference document" in (tmp_path / "stderr").read_text()


def test_the_reference_is_what_the_action_table_says_of_the_services_with_an_endpoint() -> None:
    services = services_of(CATALOGUE.parent / SERVER)
    assert services == ["autoscaling", "ec2", "ecs", "lambda", "rds"]
    committed = (CATALOGUE / "servers/aws-api/shim/service_reference.json").read_text()
    assert committed == reference_text(load(), services), "run `make actions`"
    with pytest.raises(ValueError, match="no action of nosuch is known"):
        reference_text(load(), ["ec2", "nosuch"])

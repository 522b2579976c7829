"""A recorded AWS on loopback, Txn-Tokens signed by its KMS, and hosts started as the zip starts them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import httpx
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from moto.core.botocore_stubber import BotocoreStubber
from moto.kms.models import kms_backends

from callpath.call_record import new_call_id
from callpath.digest import digest
from callpath.txn_token import HEADER, TxnToken, mint
from ringfence.assets.local import packages
from ringfence.rehearsal.compute.child_process import LIFELINE, ending_with_parent
from tests.waiting import LAST_RESORT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "111122223333"
REGION = "eu-west-2"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/ringfence-test-auditor"
CALL_LOG_GROUP = "/ringfence/test/calls/auditor"
ISSUER = "urn:ringfence:test:auditor:request-interceptor"
AUDIENCE = "urn:ringfence:test:auditor:iam"
MCP_HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


@dataclass
class Recorded:
    """One AWS request as it arrived."""

    service: str
    action: str
    access_key: str
    parameters: dict[str, str]
    user_agent: str
    body: bytes = b""


@dataclass
class RecordedAws:
    """moto behind a recorder that can delay and refuse actions.

    Attributes:
        refuse: action -> AWS error code.
        together: action -> how many requests must have arrived before any is answered.
        refuse_once: the same, for the next request only.
        answer: action -> an answer with status 200 that is given instead of moto's.
        delay: action -> seconds.
        hold: action -> set when its requests may go on; until then they get a byte a second, so that nobody who waits
            for the answer is told that it does not come.
        issued: access key -> source identity it was issued for.
    """

    url: str = ""
    records: list[Recorded] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    delay: dict[str, float] = field(default_factory=dict)
    together: dict[str, int] = field(default_factory=dict)
    refuse_once: dict[str, str] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    hold: dict[str, threading.Event] = field(default_factory=dict)
    issued: dict[str, str] = field(default_factory=dict)

    def of(self, action: str) -> list[Recorded]:
        return [record for record in self.records if record.action == action]

    def role_credentials(self) -> dict[str, str]:
        """Credentials of a role in the test's account, for the host and the set-up."""
        root = {"aws_access_key_id": "AKIAROOT", "aws_secret_access_key": "x"}
        sts = boto3.client("sts", region_name=REGION, endpoint_url=self.url, **root)
        granted = sts.assume_role(RoleArn=ROLE_ARN.replace("auditor", "host"), RoleSessionName="host")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": granted["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": granted["SecretAccessKey"],
            "AWS_SESSION_TOKEN": granted["SessionToken"],
        }

    def make_log_group(self, name: str) -> None:
        logs = self.client("logs")
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=name)

    def call_log(self) -> list[dict[str, Any]]:
        """The records in the log group, of every host of this run, in the order in which they arrived."""
        return [
            json.loads(event["message"])
            for record in self.of("PutLogEvents")
            for event in json.loads(record.body)["logEvents"]
        ]

    def client(self, service: str) -> Any:
        credentials = {name.lower(): value for name, value in self.role_credentials().items()}
        return boto3.client(service, region_name=REGION, endpoint_url=self.url, **credentials)


HOSTS = {"iam": "iam.amazonaws.com", **{each: f"{each}.eu-west-2.amazonaws.com" for each in ("kms", "logs", "sts")}}


class Recorder(BaseHTTPRequestHandler):
    """Writes every request down, and has moto answer it unless the test does."""

    aws: RecordedAws
    moto: BotocoreStubber
    one_at_a_time: threading.Lock
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _stands_in(self, service: str, action: str) -> bool:
        """Whether the test has an answer of its own, given here."""
        time.sleep(self.aws.delay.get(action, 0))
        while len(self.aws.of(action)) < self.aws.together.get(action, 0):
            time.sleep(0.005)
        if held := self.aws.hold.get(action):
            self._keep_waiting(held)
        elif code := self.aws.refuse_once.pop(action, "") or self.aws.refuse.get(action):
            self._answer(403, _refusal(service, action, code))
        elif action in self.aws.answer:
            self._answer(200, json.dumps(self.aws.answer[action]).encode())
        else:
            return False
        return True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = re.search(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/", self.headers.get("Authorization", ""))
        access_key, service = found.groups() if found else ("", "")
        parameters = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        action = parameters.get("Action") or self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        agent = self.headers.get("User-Agent", "")
        self.aws.records.append(Recorded(service, action, access_key, parameters, agent, body))
        if self._stands_in(service, action):
            return
        request = AWSPreparedRequest("POST", f"https://{HOSTS[service]}/", HTTPHeaders(), body, False)
        for name, value in self.headers.items():
            request.headers[name] = value
        request.headers["Host"] = HOSTS[service]
        with self.one_at_a_time:
            status, _, content = self.moto.process_request(request)
        if issued := re.search(r"<AccessKeyId>(\w+)<", str(content)):
            self.aws.issued[issued[1]] = parameters.get("SourceIdentity", "")
        self._answer(status, content if isinstance(content, bytes) else str(content).encode())

    def _keep_waiting(self, held: threading.Event) -> None:
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Wait: ")
            while not held.wait(1):
                self.wfile.write(b".")

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _recorder(aws: RecordedAws) -> type[Recorder]:
    parts = {"aws": aws, "moto": BotocoreStubber(), "one_at_a_time": threading.Lock()}
    return type("RecorderOfThisRun", (Recorder,), parts)


def _refusal(service: str, action: str, code: str) -> bytes:
    message = f"User: {ROLE_ARN}/secret-detail is not authorized to perform: {service}:{action} on resource: *"
    if service in ("kms", "logs"):
        return json.dumps({"__type": code, "message": message}).encode()
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>".encode()


@pytest.fixture(scope="session")
def recorded_aws() -> Any:
    aws = RecordedAws()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _recorder(aws))
    server.daemon_threads = True
    aws.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    iam = aws.client("iam")
    for name in ("ada", "grace"):
        iam.create_user(UserName=name)
    aws.make_log_group(CALL_LOG_GROUP)
    yield aws
    server.shutdown()


@pytest.fixture()
def aws(recorded_aws: RecordedAws) -> Any:
    recorded_aws.records.clear()
    recorded_aws.refuse.clear()
    recorded_aws.delay.clear()
    recorded_aws.together.clear()
    recorded_aws.refuse_once.clear()
    recorded_aws.answer.clear()
    yield recorded_aws
    for held in recorded_aws.hold.values():
        held.set()
    recorded_aws.hold.clear()


@pytest.fixture(scope="session")
def key(recorded_aws: RecordedAws) -> Any:
    """The Txn-Token key, in the local KMS."""
    arn = recorded_aws.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    # Signed with moto's own key object, because moto 5.2.5 hashes a message of type DIGEST a second time.
    return kms_backends[ACCOUNT][REGION].keys[arn.rpartition("/")[2]].private_key.private_key, arn


@pytest.fixture(scope="session")
def token(key: Any) -> Any:
    """Mint a Txn-Token; any field can be replaced."""
    private_key, arn = key

    def sign(hashed: bytes) -> bytes:
        return private_key.sign(hashed, ec.ECDSA(utils.Prehashed(hashes.SHA256())))

    def make(tool: str, arguments: dict[str, Any] | None = None, /, **replaced: Any) -> str:
        now = int(time.time())
        fields: dict[str, Any] = {
            "issuer": ISSUER,
            "audience": AUDIENCE,
            "issued_at": now,
            "expires_at": now + 60,
            "call_id": new_call_id(),
            "staff_id": "staff-1001",
            "persona": "auditor",
            "tool": tool,
            "arguments_sha256": digest(arguments or {}),
            "token_id": "jti-1",
            "client_id": "client-1",
        }
        return mint(TxnToken(**{**fields, **replaced}), key_id=arn, sign=sign)

    return make


IAM_TOOLS = {
    "list_users": ("ListUsers", {"path_prefix": {"type": "string"}, "max_items": {"type": "integer"}}, True),
    "get_user": ("GetUser", {"user_name": {"type": "string"}}, True),
    "list_roles": ("ListRoles", {"path_prefix": {"type": "string"}}, False),
    "list_groups": ("ListGroups", {"path_prefix": {"type": "string"}}, False),
}


def iam_rules() -> dict[str, Any]:
    """runtime.json for the real iam server, with the committed lock."""
    return {
        "version": 1,
        "department": "test",
        "persona": "auditor",
        "server": "iam",
        "account": ACCOUNT,
        "region": REGION,
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "module": "awslabs.iam_mcp_server.server",
        "flags": [],
        "environment": {},
        "lock": _iam_lock(),
        "tools": {
            name: {
                "level": "read",
                "definition": {
                    "name": name,
                    "description": f"{name} as published",
                    "inputSchema": {"type": "object", "properties": properties, "additionalProperties": False},
                },
                "forced": {},
                "filled": {"ctx": {"content": []}} if ctx else {},
                "session_policy": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": [f"iam:{action}"], "Resource": "*"}],
                },
                "timeout_seconds": 30,
            }
            for name, (action, properties, ctx) in IAM_TOOLS.items()
        },
    }


SCRIPTED = Path(__file__).parent / "scripted"
SCRIPTED_TOOLS = (
    *("echo", "hang", "gated", "die", "flood", "garbage", "late", "spill", "huge", "masked", "soft_failure", "answer"),
)


def scripted_rules(mode: str = "", **tool_fields: Any) -> dict[str, Any]:
    """runtime.json for the scripted server of the failure tests. Two tools never answer, and only they are given up."""
    from callpath.definition import definition_digest

    listed = {
        name: {"name": name, "description": name, "inputSchema": {"type": "object", "properties": {"n": {}}}}
        for name in SCRIPTED_TOOLS
    }
    tool = {
        "level": "read",
        "forced": {},
        "filled": {},
        "session_policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["iam:ListUsers"]}]},
        **tool_fields,
    }
    patience = {"hang": 1.0, "late": 1.0}
    return {
        **{name: value for name, value in iam_rules().items() if name not in ("lock", "tools")},
        "server": "scripted",
        "module": "scripted_server",
        "environment": {"SCRIPTED_MODE": mode},
        "lock": {name: definition_digest(definition) for name, definition in listed.items()},
        "tools": {
            name: {"timeout_seconds": patience.get(name, 300.0), **tool, "definition": definition}
            for name, definition in listed.items()
        },
    }


def _iam_lock() -> dict[str, str]:
    lock = json.loads((ROOT / "catalogue" / "servers" / "iam" / "tools.lock.json").read_bytes())
    return {tool["name"]: tool["sha256"] for tool in lock["tools"]}


_RESERVED: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody else is given: it stays bound here, and the host sets SO_REUSEADDR too."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    _RESERVED.append(held)
    return int(held.getsockname()[1])


class Host:
    """A host process started the way the zip starts it."""

    def __init__(self, folder: Path, environ: dict[str, str], port: int, *, main: str = "main.py") -> None:
        self.url = f"http://127.0.0.1:{port}/mcp"
        self.port = port
        self.folder = folder
        self._output = folder / "stdout"
        self._errors = folder / "stderr"
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                ending_with_parent(str(folder / main), safe_path=False),
                env={"PYTHONNOUSERSITE": "1", **environ},
                pass_fds=[LIFELINE],
                stdout=output,
                stderr=errors,
                cwd=folder,
            )
        self.http = httpx.Client(headers=MCP_HEADERS, timeout=LAST_RESORT_SECONDS)

    def ping(self) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}/ping", timeout=LAST_RESORT_SECONDS)

    def wait_ready(self) -> Host:
        """Wait until calls can run."""
        return self.wait_for("ready")

    def wait_for(self, state: str) -> Host:
        """Wait until the server is in this state, as /ping tells it."""
        wait_until(lambda: self._is(state) or self.ended(), what=lambda: f"{state}: {self.stderr()}")
        assert not self.ended(), f"the server is not {state}: {self.stderr()}"
        return self

    def _is(self, state: str) -> bool:
        try:
            return self.ping().headers["ringfence-server"] == state
        except httpx.TransportError:
            return False

    def ended(self) -> bool:
        return self.process.poll() is not None

    def exit_code(self) -> int:
        """Wait for its end."""
        return self.process.wait(LAST_RESORT_SECONDS)

    def rpc(self, method: str, params: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        return self.http.post(self.url, json=body, headers=headers)

    def call(self, tool: str, arguments: dict[str, Any], token: str | None) -> dict[str, Any]:
        answer = self.rpc("tools/call", {"name": tool, "arguments": arguments}, **({HEADER: token} if token else {}))
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def records(self) -> list[dict[str, Any]]:
        """What the host printed: the copy of its records."""
        return [json.loads(line) for line in self._output.read_text().splitlines()]

    def stderr(self) -> str:
        return self._errors.read_text()

    def told(self) -> list[dict[str, Any]]:
        """What the host wrote about itself."""
        return [json.loads(line) for line in self.stderr().splitlines()]

    def stop(self) -> int:
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.exit_code()
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def lay_out(folder: Path, *, rules: dict[str, Any] | None, server: Path) -> Path:
    """The zip's layout, with this machine's packages."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "runtime" / "main.py", folder / "main.py")
    shutil.copy(Path(__file__).with_name("patient_main.py"), folder)
    (folder / "packages").mkdir()
    for name, target in (("runtime", ROOT / "runtime"), ("callpath", ROOT / "callpath")):
        (folder / name).symlink_to(target)
    (folder / "packages" / "host").symlink_to(packages("host"))
    (folder / "packages" / "server").symlink_to(server)
    if rules is not None:
        (folder / "runtime.json").write_text(json.dumps(rules))
    return folder


@pytest.fixture(scope="session")
def start_host(recorded_aws: RecordedAws, key: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Start hosts, with the deployed limits for AWS where they are not `patient`; all are stopped at the end."""
    hosts: list[Host] = []

    def start(
        rules: dict[str, Any] | None,
        *,
        server: Path,
        ready: bool = True,
        without: tuple[str, ...] = (),
        patient: bool = True,
        **environ: str,
    ) -> Host:
        port = free_port()
        group = f"/ringfence/{rules['department']}/calls/{rules['persona']}" if rules else CALL_LOG_GROUP
        recorded_aws.make_log_group(group)
        full = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            **recorded_aws.role_credentials(),
            "AWS_ENDPOINT_URL": recorded_aws.url,
            "RINGFENCE_PERSONA_ROLE_ARN": ROLE_ARN,
            "RINGFENCE_TXN_KEY_ARN": key[1],
            "RINGFENCE_CALL_LOG_GROUP": group,
            "RINGFENCE_BIND": f"127.0.0.1:{port}",
            **environ,
        }
        for name in without:
            del full[name]
        folder = lay_out(tmp_path_factory.mktemp("host"), rules=rules, server=server)
        host = Host(folder, full, port, main="patient_main.py" if patient else "main.py")
        hosts.append(host)
        return host.wait_ready() if ready else host

    yield start
    for host in hosts:
        host.stop()


@pytest.fixture(scope="session")
def iam_host(start_host: Any) -> Host:
    """One host with the real iam server, shared by the tests that leave it as it is."""
    return start_host(iam_rules(), server=packages("iam"))

"""What one call costs in our own code: the host against the bare server, and the interceptors without AWS."""

from __future__ import annotations

import http.client
import json
import os
import socketserver
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from callpath.txn_token import HEADER
from ringfence.assets.local import packages
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.compilers.rules import interceptor_rules, to_json
from ringfence.department.department import load_department
from tests.bench import starts
from tests.bench.processes import ROOT
from tests.bench.table import Row, median_ms

CALLS = 150
WARM_UP = 15
STARTS = 5


def host_rows() -> list[Row]:
    """One `list_roles` through the host and directly over stdio, in turn, against the same local AWS."""
    from tests.runtime import conftest as stage

    aws, key, mint = local_aws()
    direct, via_host = [], []
    with (
        tempfile.TemporaryDirectory() as scratch,
        starts.bare_server(stage.iam_rules(), packages("iam"), aws, stage) as (rpc, _),
        starts.host(_lay_out(stage, Path(scratch)), aws, key, stage) as host,
    ):
        connection = http.client.HTTPConnection("127.0.0.1", host.wait_ready().port)

        def through_host() -> float:
            body, token = json.dumps(_call("list_roles")), mint("list_roles")  # minting is the interceptor's work
            start = time.perf_counter()
            connection.request("POST", "/mcp", body, {**stage.MCP_HEADERS, HEADER: token})
            answer = json.loads(connection.getresponse().read())
            taken = (time.perf_counter() - start) * 1000
            if answer["result"].get("isError"):
                raise RuntimeError(f"the call failed: {answer}")
            return taken

        for _ in range(CALLS + WARM_UP):
            direct.append(_timed(lambda: rpc("tools/call", _call("list_roles")["params"])))
            via_host.append(through_host())
        connection.close()
        assume = [record["timing_ms"]["assume_role"] for record in host.records()][WARM_UP:]
    direct, via_host = direct[WARM_UP:], via_host[WARM_UP:]
    record = _record_ms(stage, aws)
    added = [through - alone - role - record for through, alone, role in zip(via_host, direct, assume, strict=True)]
    note = f"host {statistics.median(via_host):.1f} ms, stdio {statistics.median(direct):.1f} ms"
    return [
        Row("a call through the MCP host, added to stdio", statistics.median(added), "ms", 4.0, note),
        Row("  AssumeRole, apart (local STS)", statistics.median(assume), "ms"),
        Row("  PutLogEvents of its record, apart (local Logs)", record, "ms"),
    ]


_RECORD = """
import statistics, time
from types import SimpleNamespace
from runtime.aws import HostAws
aws, place = HostAws(SimpleNamespace(region="eu-west-2", aws_patience=1)), ("%s", "bench/stream")
aws.create_log_stream(*place)
taken = []
for _ in range(%d):
    start = time.perf_counter()
    aws.put_log_event(*place, "x" * 700)
    taken.append((time.perf_counter() - start) * 1000)
print(statistics.median(taken[%d:]))
"""


def _record_ms(stage: Any, aws: Any) -> float:
    """What one record of 700 bytes costs, by the host's own client in a process of its own."""
    path = os.pathsep.join([str(ROOT), str(packages("host"))])
    environment = {"PYTHONPATH": path, "AWS_ENDPOINT_URL": aws.url, **aws.role_credentials()}
    code = _RECORD % (stage.CALL_LOG_GROUP, CALLS + WARM_UP, WARM_UP)
    return float(subprocess.check_output([sys.executable, "-c", code], env=environment, cwd="/", text=True))


def interceptor_rows() -> list[Row]:
    """The interceptors' handlers without AWS: KMS is replaced by a local key, which is not counted."""
    with tempfile.TemporaryDirectory() as scratch:
        catalogue = load_catalogue(ROOT / "catalogue")
        department = load_department("example-production", catalogue=catalogue, root=ROOT / "departments")
        path = Path(scratch) / "rules.json"
        path.write_bytes(to_json(interceptor_rules(catalogue, department, "auditor")))
        with open(os.devnull, "w") as nowhere:
            return [_request_row(path, nowhere)]


def _request_row(rules: Path, nowhere: Any) -> Row:
    sys.path.insert(0, str(ROOT / "lambda"))
    from callpath.call_record import new_call_id
    from callpath.request.rules import read_rules
    from request_interceptor.caller import TrustedIssuer
    from request_interceptor.decision import CallContext, decide
    from tests.functions import conftest as stage

    read = read_rules(rules)
    trusted = TrustedIssuer(issuer=stage.ISSUER, client_ids=frozenset({stage.CLIENT_ID}))
    now = time.time()
    claims = {
        "iss": stage.ISSUER, "client_id": stage.CLIENT_ID, "token_use": "access", "exp": int(now) + 900,
        "scope": "openid ringfence/auditor", "cognito:groups": ["auditor"], "staff_id": "HO-204518", "jti": "j",
        "sub": "s",
    }  # fmt: skip
    arguments = {"log_group_names": ["/example/" + "a" * 60] * 10, "start_time": "2026-11-01T00:00:00Z",
                 "end_time": "2026-11-02T00:00:00Z", "query_string": "fields @message", "limit": 20}  # fmt: skip
    event = _plain(stage.request_event)(claims)(
        params={"name": "cloudwatch___execute_log_insights_query", "arguments": arguments}
    )

    def work() -> None:
        context = CallContext(call_id=new_call_id(), now=now)
        decide(event, context=context, rules=read, trusted=trusted, mint=lambda token: "x")
        json.dump(context.record(read), nowhere)

    size = len(json.dumps(event["mcp"]["gatewayRequest"]["body"]))
    return Row("request interceptor, without KMS", median_ms(work, runs=400), "ms", 1.0, f"{size:,} bytes of request")


def import_rows() -> list[Row]:
    """Cold import of each function's handler in a new interpreter, from its own packages."""
    made = []
    for name in ("request_interceptor", "response_interceptor", "pre_token"):
        code = f"import time; s = time.perf_counter(); import {name}.handler; print(time.perf_counter() - s)"
        path = os.pathsep.join((str(packages(name)), str(ROOT / "lambda"), str(ROOT)))
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        taken = [
            float(subprocess.check_output([sys.executable, "-c", code], env=environment, cwd="/", text=True))
            for _ in range(STARTS)
        ]
        made.append(Row(f"cold import of {name}", statistics.median(taken), "s", 0.3))
    return made


@cache
def local_aws() -> tuple[Any, Any, Callable[..., str]]:
    """The recorded AWS of the runtime's tests, with a token key and a minter; it ends with this process."""
    from tests.runtime import conftest as stage

    # One packet an answer. Python's http.server writes head and body apart under Nagle's algorithm: the body waits for
    # the client's delayed ACK (44 ms against 0.8 ms back to back; 3.9 to 4.1 ms against 3.0 in this figure).
    socketserver.StreamRequestHandler.wbufsize = -1
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    aws = next(_plain(stage.recorded_aws)())
    key = _plain(stage.key)(aws)
    return aws, key, _plain(stage.token)(key)


def _plain(fixture: Any) -> Any:
    """The function behind a pytest fixture."""
    return fixture.__wrapped__ if hasattr(fixture, "__wrapped__") else fixture.__pytest_wrapped__.obj


def _lay_out(stage: Any, scratch: Path) -> Path:
    folder: Path = stage.lay_out(scratch / "zip", rules=stage.iam_rules(), server=packages("iam"))
    return folder


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _call(tool: str) -> dict[str, Any]:
    return {**starts.message("tools/call", {"name": tool, "arguments": {}}), "id": 1}

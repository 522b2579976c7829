"""The response interceptor on text as tools answer it, made anew for each figure: nothing is looked at twice."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.compilers.rules import LIMITS, interceptor_rules, to_json
from ringfence.department.department import load_department
from tests.bench.processes import ROOT
from tests.bench.table import Row

SIZES = {2_000: 1.0, 100_000: 10.0, 1_000_000: 80.0}
"""Bytes of an answer, and the milliseconds that it may take."""
_DENSE = 2
"""In how many lines of dense text a value stands once."""


def rows() -> list[Row]:
    """Speed on mixed and on dense text, and what answers of three sizes take, in processor time."""
    with tempfile.TemporaryDirectory() as scratch:
        work = _interceptor(Path(scratch) / "rules.json")
        chance = random.Random(20261129)  # noqa: S311 - repeatable, not secret
        made = [
            Row("mixed log text, for a megabyte", _per_megabyte(work, chance, every=200), "ms", 1000 / 60, "60 MB/s"),
            Row("dense text, for a megabyte", _per_megabyte(work, chance, every=_DENSE), "ms", 1000 / 12, "12 MB/s"),
        ]
        for size, goal in SIZES.items():
            runs = 400 if size < 10_000 else 60 if size < 1_000_000 else 12
            taken = sorted(_milliseconds(work, text(chance, size, every=200)) for _ in range(runs))
            note = f"99th of a hundred of {runs} answers; half take {taken[len(taken) // 2]:.2f} ms"
            made.append(
                Row(f"an answer of {size:,} bytes", taken[min(len(taken) - 1, runs * 99 // 100)], "ms", goal, note)
            )
        return made


def text(chance: random.Random, size: int, *, every: int) -> str:
    """Return lines of logs, JSON, CloudTrail, prose and traces; in one of `every` lines stands a value."""
    lines, length = [], 0
    while length < size:
        line = _line(chance)
        if chance.randrange(every) == 0:
            line += f" {chance.choice(_VALUES)(chance)}"
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines)[:size]


def _per_megabyte(work: Callable[[str], None], chance: random.Random, *, every: int) -> float:
    texts = [text(chance, 100_000, every=every) for _ in range(30)]
    _milliseconds(work, texts[0])
    return sum(_milliseconds(work, each) for each in texts) / sum(len(each) for each in texts) * 1_000_000


def _milliseconds(work: Callable[[str], None], answer: str) -> float:
    start = time.process_time()
    work(answer)
    return (time.process_time() - start) * 1000


def _interceptor(path: Path) -> Callable[[str], None]:
    """Return the whole of the function but the writing of its record, on the rules of the example department."""
    sys.path.insert(0, str(ROOT / "lambda"))
    from callpath.call_record import new_call_id
    from response_interceptor.answer_context import AnswerContext
    from response_interceptor.decision import decide
    from response_interceptor.redaction import Marks
    from response_interceptor.rules import read_rules

    catalogue = load_catalogue(ROOT / "catalogue")
    department = load_department("example-production", catalogue=catalogue, root=ROOT / "departments")
    rules = interceptor_rules(catalogue, department, "auditor")
    rules["limits"] = LIMITS  # the most that a department may choose: nothing is cut
    path.write_bytes(to_json(rules))
    read = read_rules(path)
    asked = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "cloudwatch___get_logs_insight_query_results", "arguments": {}},
    }

    def work(answer: str) -> None:
        result = {"content": [{"type": "text", "text": answer}]}
        event: dict[str, Any] = {
            "mcp": {
                "gatewayRequest": {"headers": {}, "body": asked},
                "gatewayResponse": {"statusCode": 200, "body": {"jsonrpc": "2.0", "id": 1, "result": result}},
            }
        }
        context = AnswerContext(call_id=new_call_id(), now=time.time())
        shown = decide(
            event, context=context, rules=read, marks=Marks(b"key", "one"), new_nonce=lambda: "0123456789abcdef"
        )
        json.dumps(context.record(read, answer=shown or {}))

    return work


def _line(chance: random.Random) -> str:
    kind, moment, number = chance.random(), _moment(chance), chance.randrange(10_000)
    request = "-".join(f"{chance.getrandbits(16 * words):0{4 * words}x}" for words in (2, 1, 1, 1, 3))
    if kind < 0.4:
        did = chance.choice(("request completed", "cache refreshed", "retrying in", "connection opened"))
        return f"{moment} INFO [{request}] {did} path=/api/v1/cases/{number} status=200 ms={number} bytes={number}12"
    if kind < 0.65:
        return json.dumps(
            {"timestamp": moment, "level": "info", "requestId": request, "latency": number, "host": "ip-10-0-3-7"}
        )
    if kind < 0.85:
        caller = {"type": "AssumedRole", "arn": f"arn:aws:sts::111122223333:assumed-role/Reader/{request[:8]}"}
        event = {"eventTime": moment, "eventSource": "ec2.amazonaws.com", "eventName": "DescribeInstances"}
        return json.dumps({"eventVersion": "1.09", "userIdentity": caller, **event, "sourceIPAddress": "192.0.2.7"})
    if kind < 0.95:
        return "The service recovered after the second restart, and no further errors were seen in the hour after it."
    return f'  File "/var/task/app/main.py", line {number}, in handler'


def _moment(chance: random.Random) -> str:
    day, hour, minute = chance.randint(1, 28), chance.randrange(24), chance.randrange(60)
    return f"2026-11-{day:02}T{hour:02}:{minute:02}:{chance.randrange(60):02}.{chance.randrange(1000):03}Z"


_VALUES: tuple[Callable[[random.Random], str], ...] = (
    lambda chance: f"user{chance.randrange(10_000)}@example.org",
    lambda chance: f"AB{chance.randrange(100_000, 1_000_000)}C",
    lambda chance: f"password=x{chance.getrandbits(40):x}",
    lambda chance: f"dob: {chance.randint(1, 28):02}/11/1980",
    lambda chance: f"tel 01632 960{chance.randrange(1000):03}",
)

"""The gateway waits for these functions at every call, and a person waits when one starts cold.

Limits are for this code on one busy core: processor time, several times what was measured on an idle machine.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINE = (
    "2026-11-22T19:51:59.611Z INFO request 8f14e45f-ceea-4676-8c1e-12ab34cd56ef user "
    'arn:aws:iam::111122223333:role/App took 1234 ms at 1700000000 part AB1234567 "ok": true\n'
)


def median_ms(function, event, times: int = 15) -> float:
    spent = []
    for _ in range(times):
        start = time.thread_time()
        function.module.handler(event, None)
        spent.append(time.thread_time() - start)
    return statistics.median(spent) * 1000


@pytest.mark.parametrize("module", ["request_interceptor.handler", "response_interceptor.handler", "pre_token.handler"])
def test_a_cold_import_takes_less_than_three_tenths_of_a_second(module):
    code = f"import time; s = time.process_time(); import {module}; print(time.process_time() - s)"
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda'}", "POWERTOOLS_SERVICE_NAME": "x"}
    command = [sys.executable, "-c", code]
    fastest = min(
        float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
        for _ in range(3)
    )
    assert fastest < 0.3


@pytest.mark.parametrize("module", ["request_interceptor.handler", "response_interceptor.handler"])
def test_what_is_slow_to_load_is_not_loaded_to_answer_a_list(module):
    slow = ("botocore.session", "boto3", "joserfc", "cryptography")
    code = f"import sys, {module}; print([name for name in {slow} if name in sys.modules])"
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda'}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_call_of_two_kilobytes_is_decided_within_a_millisecond(ask, tool_call):
    # A real signature costs KMS ten milliseconds and this processor almost none; it is part of what is measured.
    event = tool_call(
        "cloudwatch___execute_log_insights_query",
        log_group_names=["/aws/lambda/example"] * 10,
        start_time="2026-01-01T00:00:00+00:00",
        end_time="2026-01-01T01:00:00+00:00",
        query_string="fields @timestamp, @message | filter @message like /ERROR/ | sort @timestamp desc " * 20,
    )
    assert len(json.dumps(event["mcp"]["gatewayRequest"]["body"])) > 1900
    assert "transformedGatewayRequest" in ask(event).content
    assert median_ms(ask, event, times=60) < 3  # measured: 0.3


@pytest.mark.parametrize("kind", ["text", "text beyond ASCII", "JSON", "JSON and structured content"])
def test_a_result_of_a_hundred_kilobytes_is_clean_within_twenty_milliseconds(show, tool_result, kind):
    rows = [
        [{"field": "@timestamp", "value": "2026-11-22 19:51:59.611"}, {"field": "@message", "value": LINE}]
        for _ in range(390)
    ]
    written = json.dumps({"results": rows})
    event = {
        "text": lambda: tool_result(LINE * 620),
        "text beyond ASCII": lambda: tool_result(("é" + LINE) * 620),
        "JSON": lambda: tool_result(written),
        "JSON and structured content": lambda: tool_result(
            written[: len(written)], structuredContent={"results": rows}
        ),
    }[kind]()
    assert len(json.dumps(event)) > 100_000
    assert show(event).record["redactions"] == {}
    assert median_ms(show, event) < 60  # measured: 2, 3, 9 and 16

"""The gateway waits for these functions at every call, and a person waits when one starts cold.

How long they take is measured by `make bench` (imports, interceptors). Here is what holds on any machine: what is not
loaded, and that a larger message costs no more than in proportion.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import growth

ROOT = Path(__file__).parents[2]
LINE = (
    "2026-11-22T19:51:59.611Z INFO request 8f14e45f-ceea-4676-8c1e-12ab34cd56ef user "
    'arn:aws:iam::111122223333:role/App took 1234 ms at 1700000000 part AB1234567 "ok": true\n'
)


@pytest.mark.parametrize("module", ["request_interceptor.handler", "response_interceptor.handler"])
def test_what_is_slow_to_load_is_not_loaded_to_answer_a_list(module):
    slow = ("botocore.session", "boto3", "joserfc", "cryptography")
    code = f"import sys, {module}; print([name for name in {slow} if name in sys.modules])"
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda'}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_eight_times_the_arguments_take_about_eight_times_as_long(ask, tool_call):
    def event(times: int):
        return tool_call(
            "cloudwatch___execute_log_insights_query",
            log_group_names=["/aws/lambda/example"] * 2 * times,
            start_time="2026-01-01T00:00:00+00:00",
            end_time="2026-01-01T01:00:00+00:00",
            query_string="fields @timestamp, @message | filter @message like /ERROR/ | sort @timestamp desc "
            * 3
            * times,
        )

    assert "transformedGatewayRequest" in ask(event(8)).content
    events = {times: event(times) for times in (1, 8)}
    assert growth(lambda times: ask.module.handler(events[times], None), times=8) < 3 * 8


@pytest.mark.parametrize("kind", ["text", "text beyond ASCII", "JSON", "JSON and structured content"])
def test_eight_times_the_result_takes_about_eight_times_as_long(show, tool_result, kind):
    def event(times: int):
        fields = [{"field": "@timestamp", "value": "2026-11-22 19:51:59.611"}, {"field": "@message", "value": LINE}]
        rows = [fields] * 50 * times
        written = json.dumps({"results": rows})
        if kind == "text":
            return tool_result(LINE * 80 * times)
        if kind == "text beyond ASCII":
            return tool_result(("é" + LINE) * 80 * times)
        return tool_result(written, **({} if kind == "JSON" else {"structuredContent": {"results": rows}}))

    events = {times: event(times) for times in (1, 8)}
    assert len(json.dumps(events[8])) > 100_000
    assert show(events[8]).record["redactions"] == {}
    assert growth(lambda times: show.module.handler(events[times], None), times=8) < 3 * 8

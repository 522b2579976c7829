"""The custom resource `Custom::RuntimeLogGroup`: the log group that AgentCore writes a runtime's output to.

Nobody says whether AgentCore makes that group before CloudFormation could, so neither making it nor adopting it alone
would deploy everywhere; this does whichever is needed. It stays when the resource goes: records are kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from runtime_log_group.answer import ANSWER_MS, Answer, answer_address, send
from runtime_log_group.keeping import KeepingFailed, keep, logs_client
from runtime_log_group.order import Duty, OrderRefused, ordered_group

_NONE = "no-log-group"


@cache
def _logs() -> Any:
    return logs_client(os.environ["AWS_REGION"])


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Do what CloudFormation asks for, and answer it in every case, also after a fault of our own.

    Raises:
        NotAnswered: CloudFormation could not be told, and Lambda runs the event again; or the event is not
            CloudFormation's, and nothing was done.
    """
    address = answer_address(event)
    answer = answer_to(
        event,
        environment=os.environ,
        logs=_logs,
        remaining_ms=lambda: context.get_remaining_time_in_millis() - ANSWER_MS,
    )
    line = {"record": "ringfence.log_group", "request": event.get("RequestType"), "stack": event.get("StackId")}
    print(
        json.dumps({**line, "group": answer.physical_id, "status": answer.status, "reason": answer.reason}), flush=True
    )
    send(answer, event, address)


def answer_to(
    event: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    logs: Callable[[], Any],
    remaining_ms: Callable[[], int],
) -> Answer:
    """Do what an event asks for and return what became of it. Never raises.

    Args:
        event: CloudFormation's.
        environment: the function's settings.
        logs: gives CloudWatch Logs.
        remaining_ms: how long the work may still take, in milliseconds.
    """
    known = str(event.get("PhysicalResourceId") or _NONE)
    try:
        if event.get("RequestType") == "Delete":
            # Whatever the properties say: a rollback deletes what was refused, and must not be refused in turn.
            return Answer("SUCCESS", known, "The log group stays: its records are kept.")
        duty = Duty.from_environment(environment)
        name = ordered_group(event.get("ResourceProperties") or {}, duty)
        adopted = keep(name, duty, logs=logs(), remaining_ms=remaining_ms)
        how = "was there already and was adopted" if adopted else "was made"
        return Answer("SUCCESS", name, f"The log group {how}: {duty.retention_days} days, own key, masked, protected.")
    except OrderRefused as refusal:
        return Answer("FAILED", known, f"Refused: {refusal}")
    except KeepingFailed as failure:
        return Answer(
            "FAILED", known, f"The log group is not as it must be: {failure}. Deploy again once that is mended."
        )
    except Exception as fault:
        return Answer("FAILED", known, f"The function failed inside ({type(fault).__name__}); see its log.")

"""Where the functions write call records: one JSON line each, the record's fields at the top, so that one query
joins the three halves."""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

_LIFTED = ("record", "_aws")
"""A field that a record has, and one that CloudWatch's embedded metric format has, at the top."""


class RecordFormatter(LambdaPowertoolsFormatter):
    """Lifts a record, or a line of metrics, out of the log line's `message`.

    Powertools' own way, `extra=`, would drop fields that are null and a field called `level`, which a record has.
    """

    def serialize(self, log: Any) -> str:
        """Return the line: the record with the trace id, or the log line as it is when it holds none."""
        message = log.get("message")
        if not isinstance(message, dict) or message.keys().isdisjoint(_LIFTED):
            return super().serialize(log)
        trace = {"xray_trace_id": log["xray_trace_id"]} if "xray_trace_id" in log else {}
        return self.json_serializer({**message, **trace})


class RecordHandler(logging.StreamHandler[Any]):
    """Raises when a record cannot be written: a call that leaves no record must not go ahead.

    Python's own handlers print the fault and carry on.
    """

    def handleError(self, record: logging.LogRecord) -> None:
        """Pass the fault on to whoever wrote the record."""
        raise


def record_logger(service: str) -> Logger:
    """Return the logger of one function. `logger.info(record)` writes a record.

    Service name and level are fixed here, because a record must not depend on a variable that may be missing or be set
    to another level. Lambda's own log level alone comes before them (Powertools' Logger 3, source read 28 November
    2026); the template has that, and `make changes` tells when it rises.
    """
    return Logger(
        service=service, level="INFO", logger_handler=RecordHandler(sys.stdout), logger_formatter=RecordFormatter()
    )


def log_fault(logger: Logger, exception: Exception, *, call_id: str) -> None:
    """Log which kind of fault happened where, but not the exception's text: that may quote an argument or a result.

    Never raises: whoever logs a fault is refusing the call already.
    """
    place = traceback.extract_tb(exception.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    with contextlib.suppress(Exception):
        logger.error("internal error", extra={"call_id": call_id, "error": type(exception).__name__, "where": where})

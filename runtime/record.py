"""Where the host writes its half of the call record: the persona's own log group, before a call is answered.

AgentCore carries a runtime's standard output to CloudWatch Logs too, but nobody promises that every line arrives, so
what is printed is a copy.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from runtime.aws import HostAws, error_code
from runtime.settings import Settings

RECORD_SECONDS = 8.0
"""How long a call waits for its record; the client gives up before, after two tries."""

_WRITERS = 8  # threads of their own, so that slow records hold up no AssumeRole; below botocore's ten connections


class NotRecorded(Exception):
    """A record is not in the log group. The text is AWS's code, or what kind of failure it was."""


class CallLog:
    """Writes records, one event each, to one log stream of this process.

    There is a process in each microVM, so no stream has two writers. What waits to be written is bounded by the calls
    that wait for it: nothing is kept for later.

    Args:
        settings: the host's settings.
        aws: the host's own AWS calls.
    """

    def __init__(self, settings: Settings, aws: HostAws) -> None:
        self._aws = aws
        self._group = settings.call_log_group
        # The role may write to streams of its own server alone; the rest is as Lambda names its streams.
        self._stream = f"{settings.server}/{time.strftime('%Y/%m/%d', time.gmtime())}/{uuid.uuid4().hex}"
        self._stream_made = False
        self._making = threading.Lock()
        self._threads = ThreadPoolExecutor(_WRITERS, thread_name_prefix="record")

    async def write(self, line: str) -> None:
        """Return once CloudWatch Logs has taken the line.

        Raises:
            NotRecorded: it has not, or not in time.
        """
        with contextlib.suppress(OSError, ValueError):
            print(line, flush=True)
        loop = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(loop.run_in_executor(self._threads, self._put, line), RECORD_SECONDS)
        except NotRecorded:
            raise
        except Exception as fault:
            raise NotRecorded(error_code(fault)) from fault

    def _put(self, line: str) -> None:
        self._make_stream()
        try:
            answer = self._aws.put_log_event(self._group, self._stream, line)
        except Exception as fault:
            self._stream_made = error_code(fault) != "ResourceNotFoundException"  # a lost stream is made again
            raise
        if rejected := answer.get("rejectedLogEventsInfo"):
            # The API answers with success all the same; a machine's wrong clock is enough.
            raise NotRecorded(f"rejected: {', '.join(sorted(rejected))}")

    def _make_stream(self) -> None:
        with self._making:
            if not self._stream_made:
                self._aws.create_log_stream(self._group, self._stream)
                self._stream_made = True

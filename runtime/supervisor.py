"""Keeps one trustworthy child running and lets one call at a time use it.

One call at a time is what keeps credentials apart: the child asks for credentials without saying for which call. The
awslabs servers serialise their AWS requests anyway (synchronous boto3 on one event loop).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from callpath.refusal import Refusal
from runtime.child import Child, ChildError, ChildGone
from runtime.credentials import CredentialsEndpoint, RoleCredentials
from runtime.settings import EXIT_SERVER, Settings, StartFault
from runtime.spawn import Spawned, new_token
from runtime.tools import lock_differences

START_SECONDS = 120.0  # from start to the tool list; cloudwatch needs 5 s on a cold laptop, minutes under emulation
QUEUE_LENGTH = 16  # calls that may wait
QUEUE_SECONDS = 45.0  # how long one waits; less than a gateway's patience
RESTART_WAIT_SECONDS = 10.0  # how long a call waits for a restart under way
LONGEST_PAUSE_WAITED_FOR = 2.0  # seconds; a call is told to come back instead
LONGEST_BACKOFF_SECONDS = 30.0
_FORGET_DEATHS_SECONDS = 120.0
_STDERR_GRACE_SECONDS = 0.1
_STDERR_LINES_TOLD = 20


class Supervisor:
    """Starts, checks, watches and restarts the child.

    Attributes:
        failed: done when the child cannot be trusted any more; holds the StartFault. The host ends then.
    """

    def __init__(self, settings: Settings, endpoint: CredentialsEndpoint) -> None:
        self.failed: asyncio.Future[StartFault] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._endpoint = endpoint
        self._child: Child | None = None
        self._ready = asyncio.Event()
        self._turn = asyncio.Lock()  # first come, first served
        self._waiting = 0
        self._deaths: deque[float] = deque(maxlen=16)
        self._not_before = 0.0
        self._watch: asyncio.Task[None] | None = None

    async def start(self, spawned: Spawned) -> None:
        """Take over the first child, started before the event loop.

        Raises:
            StartFault: it does not start, or its tools are not the locked ones.
        """
        await self._adopt(spawned)
        self._watch = asyncio.create_task(self._keep_running())

    async def stop(self) -> None:
        """End the child for good."""
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if self._child:
            self._child.kill()

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place in the queue, for as long as the call lasts.

        Raises:
            Refusal: the queue is full.
        """
        if self._waiting > QUEUE_LENGTH:
            raise _busy("too many calls are waiting")
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def call(
        self, tool: str, arguments: dict[str, object], *, credentials: RoleCredentials, timeout_seconds: float
    ) -> tuple[dict[str, Any], str]:
        """Run one tool with one call's credentials. To be used inside `place`.

        Returns:
            The tool's result and, if it is an error, what the child wrote to stderr meanwhile.

        Raises:
            Refusal: no turn in time, child hung, child died, child restarting.
        """
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise _busy(f"no turn within {QUEUE_SECONDS:.0f} seconds") from None
        try:
            child = await self._running_child()
            mark = child.stderr_mark()
            with self._endpoint.lend(credentials):
                result = await self._ask(child, tool, arguments, timeout_seconds)
            if result.get("isError") is True:
                # stdout and stderr are two pipes: the reason may arrive a moment after the answer.
                await asyncio.sleep(0 if child.stderr_since(mark) else _STDERR_GRACE_SECONDS)
                return result, child.stderr_since(mark)
            return result, ""
        finally:
            self._turn.release()

    async def _ask(self, child: Child, tool: str, arguments: dict[str, object], timeout: float) -> dict[str, Any]:
        params = {"name": tool, "arguments": arguments}
        server = self._settings.server
        try:
            async with asyncio.timeout(timeout):
                return await child.request("tools/call", params)
        except TimeoutError:
            # A call that is given up might still ask for credentials, and would then get the next call's: end it.
            self._end(child)
            raise Refusal(
                "server",
                "server-timeout",
                f"The {server} server did not answer {tool} within {timeout:g} seconds and is being restarted; ask "
                "for less, or call again",
            ) from None
        except ChildGone:
            self._end(child)
            raise Refusal(
                "server",
                "server-died",
                f"The {server} server ended while running {tool} and is being restarted; the call may have taken "
                "effect, so check before calling again",
            ) from None
        except ChildError as fault:
            raise Refusal(
                "server", "server-error", f"The {server} server refused {tool} with JSON-RPC error {fault.code}"
            ) from None

    def _end(self, child: Child) -> None:
        self._ready.clear()
        child.kill()

    async def _running_child(self) -> Child:
        server = self._settings.server
        if self._child is None or self._child.gone.done():
            self._ready.clear()  # it ended just now, and the watch has not yet noticed
        if not self._ready.is_set() and (pause := self._not_before - time.monotonic()) > LONGEST_PAUSE_WAITED_FOR:
            raise Refusal(
                "server",
                "server-unavailable",
                f"The {server} server keeps ending and is started again in {pause:.0f} seconds; call again then",
            )
        try:
            async with asyncio.timeout(RESTART_WAIT_SECONDS):
                await self._ready.wait()
        except TimeoutError:
            raise Refusal(
                "server", "server-unavailable", f"The {server} server is still starting; call again in a moment"
            ) from None
        assert self._child is not None  # noqa: S101 - ready says so; narrows the type
        return self._child

    async def _keep_running(self) -> None:
        while True:
            assert self._child is not None  # noqa: S101 - adopted before this task; narrows the type
            await self._child.gone
            self._end(self._child)
            self._report_death(self._child)
            await self._back_off()
            while True:
                try:
                    await self._adopt(self._spawn())
                    break
                except StartFault as fault:
                    if self._ends_the_host(fault):
                        return
                    await self._back_off()

    def _spawn(self) -> Spawned:
        token = new_token()
        self._endpoint.admit(token)
        return Spawned(self._settings, credentials_url=self._endpoint.url, token=token)

    async def _adopt(self, spawned: Spawned) -> None:
        """Speak to a new child and check its tools."""
        self._child = child = Child(spawned)
        try:
            await child.attach()
            async with asyncio.timeout(START_SECONDS):
                with self._endpoint.starting():
                    await child.initialize()
                listed = await child.list_tools()
        except (ChildGone, ChildError, TimeoutError) as fault:
            await asyncio.sleep(_STDERR_GRACE_SECONDS)
            child.kill()
            raise _not_started(self._settings, child, fault) from None
        except BaseException:
            child.kill()
            raise
        if differences := lock_differences(self._settings.lock, listed):
            child.kill()
            raise LockBroken(self._settings.server, differences)
        self._ready.set()

    def _ends_the_host(self, fault: StartFault) -> bool:
        """A changed server is not tried again. One that does not start is, after a pause."""
        if isinstance(fault, LockBroken):
            self.failed.set_result(fault)
            return True
        _event({"event": "server-not-started", "server": self._settings.server})
        return False

    def _report_death(self, child: Child) -> None:
        # No stderr here: after the first call it may hold what users asked for and got.
        _event(
            {
                "event": "server-ended",
                "server": self._settings.server,
                "exit_code": child.exit_code,
                "garbage_lines": child.garbage_lines,
                "unasked_answers": child.unasked_answers,
            }
        )

    async def _back_off(self) -> None:
        """Wait before a restart: not at all the first time, then ever longer while the child keeps ending."""
        now = time.monotonic()
        while self._deaths and now - self._deaths[0] > _FORGET_DEATHS_SECONDS:
            self._deaths.popleft()
        pause = min(0.5 * 2 ** len(self._deaths), LONGEST_BACKOFF_SECONDS) if self._deaths else 0.0
        self._deaths.append(now)
        self._not_before = now + pause
        await asyncio.sleep(pause)


class LockBroken(StartFault):
    """The server's tools are not the locked ones."""

    def __init__(self, server: str, differences: list[str]) -> None:
        super().__init__(
            EXIT_SERVER,
            f"The {server} server's tools differ from the lock, so nothing is served:",
            *(f"  {difference}" for difference in differences),
            "Deploy the version the lock was made from, or review the change and run `make lock`.",
        )


def _not_started(settings: Settings, child: Child, fault: BaseException) -> StartFault:
    """Tell why, with the end of stderr: before the first call it holds nothing of a user's."""
    if isinstance(fault, TimeoutError):
        why = f"did not list its tools within {START_SECONDS:.0f} seconds"
    elif isinstance(fault, ChildError):
        why = f"answered the handshake with {fault}"
    else:
        why = f"ended with exit code {child.exit_code} before it listed its tools"
    told = child.stderr_since(0).splitlines()[-_STDERR_LINES_TOLD:]
    return StartFault(
        EXIT_SERVER,
        f"The {settings.server} server (python -m {settings.module}) {why}. Check packages/server in the zip. It said:",
        *(f"  {line}" for line in told),
    )


def _busy(why: str) -> Refusal:
    return Refusal("runtime", "busy", f"The runtime is busy: {why}; wait a little and call again")


def _event(fields: dict[str, object]) -> None:
    print(json.dumps({"record": "ringfence.host", **fields}), file=sys.stderr, flush=True)

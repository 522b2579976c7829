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
from typing import Any, Literal

from callpath.refusal import Refusal
from runtime.server.child import Child, ChildError, ChildGone, ChildUnreadable
from runtime.server.credentials import CredentialsEndpoint, RoleCredentials
from runtime.server.spawn import Spawned, new_token
from runtime.server.start import STDERR_GRACE_SECONDS, NotStarted, start_child
from runtime.settings import Settings

# How long a call waits for the server: less than the 30 seconds that AgentCore gives a runtime to initialize, and long
# before the call's Txn-Token expires (60 seconds).
START_WAIT_SECONDS = 25.0
QUEUE_LENGTH = 16  # calls that may wait
QUEUE_SECONDS = 45.0  # how long one waits; less than a gateway's patience
RESTART_WAIT_SECONDS = 10.0  # how long a call whose turn it is waits for a restart under way
LONGEST_PAUSE_WAITED_FOR = 2.0  # seconds; a call is told to come back instead
LONGEST_BACKOFF_SECONDS = 30.0
_FORGET_DEATHS_SECONDS = 120.0

NOT_GIVEN = ("busy", "server-unavailable", "server-changed")  # the rules by which a call does not reach the server

State = Literal["starting", "ready", "failed", "changed"]


class Supervisor:
    """Starts, checks, watches and restarts the child."""

    def __init__(self, settings: Settings, endpoint: CredentialsEndpoint) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._start = self._new_start()  # the start under way, or the last one
        self._failed = False  # the last start that came to an end did not succeed
        self._turn = asyncio.Lock()  # first come, first served
        self._waiting = 0
        self._deaths: deque[float] = deque(maxlen=16)
        self._not_before = 0.0
        self._watch: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """Whether calls can run: `failed` until a start succeeds again, `changed` when none ever will."""
        if not self._start.done():
            return "failed" if self._failed else "starting"
        outcome = self._start.result()
        if isinstance(outcome, Child):
            return "starting" if outcome.gone.done() else "ready"
        return "changed" if outcome.changed else "failed"

    def begin(self, spawned: Spawned) -> None:
        """Take over the first child, started before the event loop, and keep one running from here on."""
        self._watch = asyncio.create_task(self._keep_running(spawned))

    async def stop(self) -> None:
        """End the child for good."""
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if self._start.done() and isinstance(child := self._start.result(), Child):
            child.kill()

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

    async def ready(self, *, within: float) -> None:
        """Wait until calls can run, so that no credentials are made for a call that cannot.

        Raises:
            Refusal: not within that many seconds, or the server does not start, or is not the locked one.
        """
        await self._running_child(within)

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
            child = await self._running_child(RESTART_WAIT_SECONDS)
            mark = child.stderr_mark()
            with self._endpoint.lend(credentials):
                result = await self._ask(child, tool, arguments, timeout_seconds)
            if result.get("isError") is True:
                # stdout and stderr are two pipes: the reason may arrive a moment after the answer.
                await asyncio.sleep(0 if child.stderr_since(mark) else STDERR_GRACE_SECONDS)
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
        except asyncio.CancelledError:
            self._end(child)  # nobody waits for it any more, and the next call's credentials are not its own
            raise
        except ChildGone:
            self._end(child)
            raise Refusal(
                "server",
                "server-died",
                f"The {server} server ended while running {tool} and is being restarted; the call may have taken "
                "effect, so check before calling again",
            ) from None
        except ChildUnreadable:
            self._end(child)  # it may not have been the answer, and the call still run
            raise Refusal(
                "server",
                "server-error",
                f"The {server} server's answer to {tool} cannot be read, and it is being restarted; the call may have "
                "taken effect, so check before calling again",
            ) from None
        except ChildError as fault:
            raise Refusal(
                "server", "server-error", f"The {server} server refused {tool} with JSON-RPC error {fault.code}"
            ) from None

    def _end(self, child: Child) -> None:
        child.kill()
        if self._start.done() and self._start.result() is child:
            self._start = self._new_start()

    @staticmethod
    def _new_start() -> asyncio.Future[Child | NotStarted]:
        return asyncio.get_running_loop().create_future()

    async def _running_child(self, seconds: float) -> Child:
        server = self._settings.server
        if self._start.done() and isinstance(child := self._start.result(), Child) and child.gone.done():
            self._end(child)  # it ended just now, and the watch has not yet noticed
        if not self._start.done() and (pause := self._not_before - time.monotonic()) > LONGEST_PAUSE_WAITED_FOR:
            raise _unavailable(
                f"The {server} server keeps ending and is started again in {pause:.0f} seconds; call again then"
            )
        try:
            async with asyncio.timeout(seconds):
                outcome = await asyncio.shield(self._start)
        except TimeoutError:
            raise _unavailable(
                f"The {server} server is still starting after {seconds:.3g} seconds; call again in a moment"
            ) from None
        if isinstance(outcome, Child):
            return outcome
        if outcome.changed:
            raise Refusal(
                "server",
                "server-changed",
                f"The {server} server's tools are not the ones that were reviewed, so none of them is run; tell your "
                "platform team",
            )
        raise _unavailable(
            f"The {server} server does not start and is tried again; call again in a minute, and if it stays so, tell "
            "your platform team"
        )

    async def _keep_running(self, spawned: Spawned) -> None:
        first: Spawned | None = spawned
        while True:
            try:
                outcome = await start_child(first or self._spawn(), settings=self._settings, endpoint=self._endpoint)
            except OSError as fault:
                outcome = NotStarted((f"No process could be started ({type(fault).__name__}: {fault}).",))
            first, self._failed = None, isinstance(outcome, NotStarted)
            self._start.set_result(outcome)
            if isinstance(outcome, NotStarted):
                event = "server-changed" if outcome.changed else "server-not-started"
                _event({"event": event, "server": self._settings.server, "why": outcome.why})
                if outcome.changed:
                    return  # a changed server is not tried again; one that does not start is, after a pause
            else:
                await outcome.gone
                self._end(outcome)
                self._report_death(outcome)
            await self._back_off()
            if self._start.done():
                self._start = self._new_start()

    def _spawn(self) -> Spawned:
        token = new_token()
        self._endpoint.admit(token)
        return Spawned(self._settings, credentials_url=self._endpoint.url, token=token)

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


def _unavailable(message: str) -> Refusal:
    return Refusal("server", "server-unavailable", message)


def _busy(why: str) -> Refusal:
    return Refusal("runtime", "busy", f"The runtime is busy: {why}; wait a little and call again")


def _event(fields: dict[str, object]) -> None:
    print(json.dumps({"record": "ringfence.host", **fields}), file=sys.stderr, flush=True)

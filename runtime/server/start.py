"""A child's first seconds: the handshake, and its tools held to the lock before any call reaches it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from runtime.server.child import Child, ChildError, ChildGone, ChildUnreadable
from runtime.server.credentials import CredentialsEndpoint
from runtime.server.spawn import Spawned
from runtime.server.tools import lock_differences
from runtime.settings import Settings

# A child that has not listed its tools by then hangs, and is ended and started again. Nobody waits for it: AgentCore
# gives a runtime 30 seconds to initialize ("Runtime initialization time exceeded. Please make sure that initialization
# completes in 30s.", seen by many with -32010 and not configurable), but the host answers that from the lock, and a
# call gives up sooner. A sound server may need this long when it is emulated or its machine is busy.
START_SECONDS = 120.0
STDERR_GRACE_SECONDS = 0.1  # stderr is a pipe of its own: the reason may arrive a moment after the end
_STDERR_LINES_TOLD = 20


@dataclass(frozen=True)
class NotStarted:
    """Why a start came to nothing.

    Attributes:
        why: for whoever reads the host's log, one line each.
        changed: the server's tools differ from the lock; it is never started again.
    """

    why: tuple[str, ...]
    changed: bool = False


async def start_child(spawned: Spawned, *, settings: Settings, endpoint: CredentialsEndpoint) -> Child | NotStarted:
    """Speak to a new child and check its tools.

    Args:
        spawned: its process.
        settings: the host's settings, with the lock.
        endpoint: where the child will ask for credentials; it gets none before its first call.
    """
    child = Child(spawned)
    try:
        await child.attach()
        async with asyncio.timeout(START_SECONDS):
            with endpoint.starting():
                await child.initialize()
            listed = await child.list_tools()
    except (ChildGone, ChildError, ChildUnreadable, TimeoutError) as fault:
        await asyncio.sleep(STDERR_GRACE_SECONDS)
        child.kill()
        return _not_started(settings, child, fault)
    except BaseException:
        child.kill()
        raise
    if differences := lock_differences(settings.lock, listed):
        child.kill()
        return _changed(settings.server, differences)
    return child


def _changed(server: str, differences: list[str]) -> NotStarted:
    return NotStarted(
        (
            f"The {server} server's tools differ from the lock, so no call is made:",
            *(f"  {difference}" for difference in differences),
            "Deploy the version the lock was made from, or review the change and run `make lock`.",
        ),
        changed=True,
    )


def _not_started(settings: Settings, child: Child, fault: BaseException) -> NotStarted:
    """Tell why, with the end of stderr: before the first call it holds nothing of a user's."""
    if isinstance(fault, TimeoutError):
        why = f"did not list its tools within {START_SECONDS:.0f} seconds"
    elif isinstance(fault, ChildError):
        why = f"answered the handshake with {fault}"
    elif isinstance(fault, ChildUnreadable):
        why = "answered the handshake with JSON that cannot be read"
    else:
        why = f"ended with exit code {child.exit_code} before it listed its tools"
    told = child.stderr_since(0).splitlines()[-_STDERR_LINES_TOLD:]
    return NotStarted(
        (
            f"The {settings.server} server (python -m {settings.module}) {why}. Check packages/server in the zip. It "
            "said:",
            *(f"  {line}" for line in told),
        )
    )

"""MCP sessions of a gateway: bound to the person who opened them, and gone after the template's time."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SESSION_HEADER = "mcp-session-id"


class SessionBusy(Exception):
    """Another request is just opening the same session of a target."""


@dataclass(frozen=True)
class TargetSession:
    """A target's session.

    Attributes:
        id: what the target sees.
        known: whether the target has been initialized in it.
    """

    id: str
    known: bool


class Sessions:
    """Sessions by id, and the id under which the gateway keeps each target's own session."""

    def __init__(self, *, lifetime: int | None, clock: Callable[[], float]) -> None:
        """Start empty.

        Args:
            lifetime: seconds a session lives, or None where the template has no sessions.
            clock: seconds since 1970.
        """
        self._lifetime = lifetime
        self._clock = clock
        self._owners: dict[str, tuple[str, float]] = {}
        self._of_targets: dict[tuple[str, str], str] = {}
        self._opening: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def open(self, subject: str) -> str | None:
        """A new session for a person, or None where sessions are off."""
        if self._lifetime is None:
            return None
        session = str(uuid.uuid4())
        with self._lock:
            self._owners[session] = (subject, self._clock() + self._lifetime)
        return session

    def belongs(self, session: str, subject: str) -> bool:
        """Whether a session is this person's and still lives."""
        owner, expires = self._owners.get(session, ("", 0.0))
        return owner == subject and expires > self._clock()

    def end(self, session: str, subject: str) -> bool:
        """End a person's session; False when it is not theirs."""
        with self._lock:
            if self._owners.get(session, ("", 0.0))[0] != subject:
                return False
            del self._owners[session]
            for key in [key for key in self._of_targets if key[0] == session]:
                del self._of_targets[key]
        return True

    @contextmanager
    def of_target(self, session: str | None, target: str) -> Iterator[TargetSession]:
        """The session that a target sees: the same for one person's session, never the person's own id.

        The caller initializes the target within the block if it is not known; it is from then on, unless the block
        raises. Without a session of the person, every call gets a new one.

        Raises:
            SessionBusy: another request is within such a block.
        """
        if session is None:
            yield TargetSession(str(uuid.uuid4()), known=False)
            return
        key = (session, target)
        with self._lock:
            if key in self._opening:
                raise SessionBusy
            found = self._of_targets.get(key)
            if found is None:
                self._opening.add(key)
        if found is not None:
            yield TargetSession(found, known=True)
            return
        try:
            opened = TargetSession(str(uuid.uuid4()), known=False)
            yield opened
            with self._lock:
                self._of_targets[key] = opened.id
        finally:
            with self._lock:
                self._opening.discard(key)

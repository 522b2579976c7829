"""What is to be said of each user's credentials at a moment: pure, and to the second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from account_inspector.report import Key, User


def findings_of(user: User, *, now: datetime, days: int, root: bool = False) -> list[str]:
    """Returns what an auditor asks about, in words; nothing for a user with whom all is well.

    Args:
        now: The moment of asking.
        days: Older, or longer unused, than this many times 24 hours is too old.
        root: Whether this is the account's root user, which should have no key at all.
    """
    return [
        *_password(user, root=root),
        *_keys(user.keys, now=now, days=days, root=root),
        *_unused(user, now=now, days=days, root=root),
    ]


def _password(user: User, *, root: bool) -> Iterator[str]:
    if root and user.mfa == "none":
        yield "the root user has no MFA device"
    elif user.password and user.mfa == "none":
        yield "can sign in to the console without MFA"


def _keys(keys: Iterable[Key], *, now: datetime, days: int, root: bool) -> Iterator[str]:
    for number, key in enumerate(keys, start=1):
        name = f"key {key.id or number}"
        if root and key.active:
            yield f"the root user has an active access {name}"
        if key.active and key.created is not None and older(key.created, now, days):
            yield f"active access {name} is older than {days} days"
        if key.active and key.created is None:
            yield f"nobody knows how old active access {name} is"


def _unused(user: User, *, now: datetime, days: int, root: bool) -> Iterator[str]:
    can = user.password or any(key.active for key in user.keys)
    since = user.used or user.created
    if can and not root and since is not None and older(since, now, days):
        yield f"nothing of it was used for more than {days} days"


def older(moment: datetime, now: datetime, days: int) -> bool:
    """Whether a moment lies more than so many times 24 hours back, to the second."""
    return now - moment > timedelta(days=days)


def age(moment: datetime, now: datetime) -> int:
    """Returns whole days from a moment until now; 0 for a clock that is ahead."""
    return max(0, (now - moment).days)

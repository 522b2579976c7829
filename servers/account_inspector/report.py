"""IAM's credential report, read strictly: one line a user, and one for the account's root user."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

ROOT: Final = "<root_account>"
_ABSENT: Final = frozenset({"N/A", "no_information", "not_supported", ""})
_KEYS: Final = ("access_key_1", "access_key_2")
_COLUMNS: Final = (
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "mfa_active",
    *(f"{key}_{part}" for key in _KEYS for part in ("active", "last_rotated", "last_used_date", "last_used_service")),
)  # fmt: skip
"""What is read of it (IAM user guide, "Getting credential reports", read 29 November 2026)."""


class ReportUnreadable(Exception):
    """The report is not of the form that IAM documents."""


@dataclass(frozen=True)
class Key:
    """An access key.

    Attributes:
        created: When it was made; None where IAM does not say.
        used: When it was last used; None for never, and for before IAM kept it.
        service: What it was last used for.
        id: Its id, which the report does not hold.
    """

    active: bool
    created: datetime | None
    used: datetime | None
    service: str = ""
    id: str = ""


@dataclass(frozen=True)
class User:
    """A user and its long-term credentials.

    Attributes:
        password: Whether it can sign in to the console; None where IAM does not say.
        mfa: `none`, `virtual`, or `hardware` for whatever else there is: a key fob, a security key, a passkey.
    """

    name: str
    arn: str
    created: datetime | None
    password: bool | None
    password_used: datetime | None
    mfa: str
    keys: tuple[Key, ...] = ()

    @property
    def used(self) -> datetime | None:
        """When any of its credentials was last used."""
        moments = [moment for moment in (self.password_used, *(key.used for key in self.keys)) if moment]
        return max(moments, default=None)


def users_of(content: bytes, virtual: frozenset[str]) -> tuple[User | None, dict[str, User]]:
    """Returns the root user, if the report has a line for it, and the others by name in the report's order.

    Args:
        content: The report, as IAM hands it out.
        virtual: ARNs of those to whom a virtual device is assigned.

    Raises:
        ReportUnreadable: a column is missing, or a moment or a yes is none.
    """
    try:
        lines = csv.DictReader(io.StringIO(content.decode("utf-8")), strict=True)
        missing = [column for column in _COLUMNS if column not in (lines.fieldnames or ())]
        found = [_user(line, virtual) for line in lines] if not missing else []
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise ReportUnreadable(f"The credential report cannot be read: {type(error).__name__}.") from error
    if missing:
        raise ReportUnreadable(f"The credential report lacks {', '.join(missing)}.")
    users = {user.name: user for user in found}
    return users.pop(ROOT, None), users


def _user(line: Mapping[str, str], virtual: frozenset[str]) -> User:
    device = "virtual" if line["arn"] in virtual else "hardware"
    return User(
        name=line["user"],
        arn=line["arn"],
        created=_moment(line["user_creation_time"]),
        password=_yes(line["password_enabled"]),
        password_used=_moment(line["password_last_used"]),
        mfa=device if _yes(line["mfa_active"]) else "none",
        keys=tuple(
            _key(line, key) for key in _KEYS if _moment(line[f"{key}_last_rotated"]) or _yes(line[f"{key}_active"])
        ),
    )


def _key(line: Mapping[str, str], key: str) -> Key:
    service = line[f"{key}_last_used_service"]
    return Key(
        active=bool(_yes(line[f"{key}_active"])),
        created=_moment(line[f"{key}_last_rotated"]),
        used=_moment(line[f"{key}_last_used_date"]),
        service="" if service in _ABSENT else service,
    )


def _yes(text: str) -> bool | None:
    known = {"true": True, "false": False}
    if text.lower() in known:
        return known[text.lower()]
    if text in _ABSENT:
        return None
    raise ValueError(text)


def _moment(text: str) -> datetime | None:
    return None if text in _ABSENT else datetime.fromisoformat(text).astimezone(UTC)

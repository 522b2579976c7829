"""Asks IAM for the credential report and for the lists that are newer than it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from account_inspector.report import Key, User, users_of

MOST_NEW_USERS: Final = 50
"""Users whom the report does not know yet, each asked about with up to five calls."""
_WAIT_SECONDS: Final = 25.0
_PAUSE_SECONDS: Final = 0.5
_AT_ONCE: Final = 8
_NO_REPORT: Final = frozenset({"ReportNotPresent", "ReportExpired"})
_GONE: Final = "NoSuchEntity"
_SLOW: Final = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "ServiceFailure"})


class NoAnswer(Exception):
    """IAM gives nothing of which an answer could be made; the message says what to do."""


@dataclass
class Identities:
    """What IAM says.

    Attributes:
        generated: When the report was made.
        root: The account's root user, where the report tells of it.
        users: The others, by name.
        notes: What the reader has to know: where report and lists disagree, and what is missing.
        complete: Whether everything was looked at that the question is about.
    """

    generated: datetime
    root: User | None
    users: dict[str, User]
    notes: list[str] = field(default_factory=list)
    complete: bool = True

    def lacks(self, note: str) -> None:
        """Notes that something is missing."""
        self.notes.append(note)
        self.complete = False


class Iam:
    """IAM, asked with the credentials of this call and no other's."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        patient = Config(retries={"mode": "standard", "max_attempts": 6}, user_agent_extra="md/account-inspector")
        self._client: Any = boto3.Session().client("iam", config=patient)
        self._sleep = sleep

    def identities(self, *, now: datetime, fresh_hours: int) -> Identities:
        """Returns everybody, from a report that is made anew where it is older than asked.

        Raises:
            NoAnswer: there is no report, and IAM did not make one in time.
            ClientError: IAM refuses.
            ReportUnreadable: IAM's report is not of the form that it documents.
        """
        report = self._report(older_than=now - timedelta(hours=fresh_hours))
        virtual = frozenset(
            str(device["User"]["Arn"])
            for device in self._pages("list_virtual_mfa_devices", "VirtualMFADevices", AssignmentStatus="Assigned")
        )
        root, users = users_of(report["Content"], virtual)
        found = Identities(report["GeneratedTime"].astimezone(UTC), root, users)
        if root is None:
            found.lacks("The credential report has no line for the root user.")
        if now - found.generated > timedelta(hours=fresh_hours):
            found.lacks(
                "IAM did not make a newer credential report in time: what changed since is not here. Ask again."
            )
        self._brought_up_to_date(found)
        return found

    def with_ids(self, users: Iterable[User], found: Identities) -> list[User]:
        """Returns users with the ids of their keys, as IAM lists these now."""
        named = list(users)
        try:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                return list(pool.map(self._with_ids, named))
        except ClientError as error:
            _only_slow(error)
            found.lacks("IAM slowed the questions down: keys are told without their ids and as the report has them.")
            return named

    def _with_ids(self, user: User) -> User:
        try:
            live = list(self._pages("list_access_keys", "AccessKeyMetadata", UserName=user.name))
        except ClientError as error:
            if _code(error) == _GONE:
                return replace(user, keys=())
            raise
        return replace(user, keys=tuple(_known(key, user.keys) for key in live))

    def _report(self, *, older_than: datetime) -> dict[str, Any]:
        """Returns the report that there is, after asking for a newer one where it is too old."""
        there_is = self._existing()
        if there_is and there_is["GeneratedTime"] >= older_than:
            return there_is
        for _ in range(int(_WAIT_SECONDS / _PAUSE_SECONDS)):
            if self._client.generate_credential_report()["State"] == "COMPLETE":
                break
            self._sleep(_PAUSE_SECONDS)
        newer = self._existing() or there_is
        if newer is None:
            message = "IAM has no credential report yet and did not finish one in time."
            raise NoAnswer(f"{message} It is being made: ask again in a minute.")
        return newer

    def _existing(self) -> dict[str, Any] | None:
        try:
            report: dict[str, Any] = self._client.get_credential_report()
        except ClientError as error:
            if _code(error) in _NO_REPORT | {"ReportInProgress"}:
                return None
            raise
        return report

    def _brought_up_to_date(self, found: Identities) -> None:
        try:
            live = {str(user["UserName"]): user for user in self._pages("list_users", "Users")}
        except ClientError as error:
            _only_slow(error)
            found.lacks("IAM slowed the questions down before its list of users was read: the report alone is told.")
            return
        for name in [name for name in found.users if name not in live]:
            del found.users[name]
            found.notes.append(f"{name} was deleted since the report was made.")
        new = [user for name, user in live.items() if name not in found.users]
        for user in new[:MOST_NEW_USERS]:
            found.users[str(user["UserName"])] = self._new(user)
            found.notes.append(f"{user['UserName']} was made since the report was, and is told from IAM's lists.")
        if len(new) > MOST_NEW_USERS:
            found.lacks(f"{len(new) - MOST_NEW_USERS} users are newer than the report and are missing here. Ask again.")

    def _new(self, live: dict[str, Any]) -> User:
        name = str(live["UserName"])
        devices = list(self._pages("list_mfa_devices", "MFADevices", UserName=name))
        serials = [str(device["SerialNumber"]) for device in devices]
        virtual = any(":mfa/" in serial for serial in serials)
        keys = self._pages("list_access_keys", "AccessKeyMetadata", UserName=name)
        return User(
            name=name,
            arn=str(live["Arn"]),
            created=live["CreateDate"].astimezone(UTC),
            password=self._signs_in(name),
            password_used=live["PasswordLastUsed"].astimezone(UTC) if "PasswordLastUsed" in live else None,
            mfa="virtual" if virtual else "hardware" if serials else "none",
            keys=tuple(self._last_used(_known(key, ())) for key in keys),
        )

    def _signs_in(self, name: str) -> bool:
        try:
            self._client.get_login_profile(UserName=name)
        except ClientError as error:
            if _code(error) == _GONE:
                return False
            raise
        return True

    def _last_used(self, key: Key) -> Key:
        used = self._client.get_access_key_last_used(AccessKeyId=key.id)["AccessKeyLastUsed"]
        moment = used.get("LastUsedDate")
        return replace(key, used=moment.astimezone(UTC), service=used.get("ServiceName", "")) if moment else key

    def _pages(self, operation: str, items: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        for page in self._client.get_paginator(operation).paginate(**arguments):
            yield from page[items]


def _known(live: dict[str, Any], told: Iterable[Key]) -> Key:
    """Returns a key as IAM lists it now, with what the report says of its use: the one that was made in that second."""
    created = live["CreateDate"].astimezone(UTC)
    same = [key for key in told if key.created is not None and abs((key.created - created).total_seconds()) < 1]
    key = same[0] if same else Key(active=False, created=created, used=None)
    return replace(key, active=live["Status"] == "Active", created=created, id=str(live["AccessKeyId"]))


def _only_slow(error: ClientError) -> None:
    """Raises the error again, unless IAM only asks for patience."""
    if _code(error) not in _SLOW:
        raise error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))

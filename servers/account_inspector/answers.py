"""The answers' shapes, each as data and as a table that a person reads."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, Field

from account_inspector.audit import age, findings_of
from account_inspector.identities import Identities
from account_inspector.report import Key, User
from account_inspector.tables import table

NOT_HERE = (
    "Long-term credentials of IAM users of this account alone: people who sign in through a provider have none here, "
    "and their MFA is the provider's to tell. AWS keeps last uses for a limited time and notes them hours later."
)


class AccessKey(BaseModel):
    """An access key, never its secret."""

    id: str = Field(description="Empty where only the report was read")
    active: bool
    created: datetime | None
    age_days: int | None
    last_used: datetime | None = Field(description="None: never, or before AWS kept it")
    last_used_service: str


class Audited(BaseModel):
    """A user with its credentials and what there is to say of them."""

    user: str
    arn: str
    created: datetime | None
    console_access: bool | None
    console_last_used: datetime | None
    mfa: str = Field(description="none, virtual, hardware (whatever else there is: fobs, security keys, passkeys)")
    access_keys: list[AccessKey]
    findings: list[str]


class CredentialAudit(BaseModel):
    """All IAM users' credentials at a moment; a page of them."""

    asked: datetime
    report_generated: datetime
    days: int
    users: int = Field(description="Of the account")
    users_with_findings: int
    without_mfa: int = Field(description="Users who can sign in to the console without MFA")
    with_old_keys: int = Field(description="Users with an active key older than `days`")
    root: Audited | None
    page: int
    pages: int
    found: list[Audited]
    complete: bool
    notes: list[str]
    covers: str

    def as_text(self) -> str:
        """Returns the page as a table, with what it does not cover."""
        partial = "" if self.complete else " PARTIAL: see the notes."
        head = (
            f"{self.users} IAM users at {_at(self.asked)}; {self.users_with_findings} with findings, "
            f"{self.without_mfa} with console access and no MFA, "
            f"{self.with_old_keys} with an active key older than {self.days} days.{partial}\n"
            f"Root user: {_root(self.root)}.\n"
            f"Page {self.page} of {self.pages}; credential report of {_at(self.report_generated)}."
        )
        rows = [
            [each.user, _console(each), each.mfa, _keys(each.access_keys), "; ".join(each.findings) or "-"]
            for each in self.found
        ]
        body = table(["user", "console", "MFA", "access keys", "findings"], rows) if rows else "No user on this page."
        return "\n\n".join([head, body, *(f"Note: {note}" for note in self.notes), self.covers])


class KeyIds(Protocol):
    """Whoever knows the ids of keys; `Iam` does."""

    def with_ids(self, users: list[User], found: Identities) -> list[User]:
        """Returns users with the ids of their keys."""


def credential_audit_of(
    found: Identities, ids: KeyIds, *, now: datetime, days: int, show: str, page: int, page_size: int
) -> CredentialAudit:
    """Returns a page of everybody's credentials.

    Args:
        ids: Asked for the ids of the keys on this page alone.
        show: `findings` for users with one, `all` for all.
        page: From 1; a page behind the last is empty.
    """
    said = {name: findings_of(user, now=now, days=days) for name, user in found.users.items()}
    names = sorted(name for name in found.users if said[name] or show == "all")
    here = names[(page - 1) * page_size : page * page_size]
    named = ids.with_ids([found.users[name] for name in here], found)
    root = found.root
    return CredentialAudit(
        asked=now,
        report_generated=found.generated,
        days=days,
        users=len(found.users),
        users_with_findings=sum(map(bool, said.values())),
        without_mfa=sum(bool(user.password) and user.mfa == "none" for user in found.users.values()),
        with_old_keys=sum(any("older than" in finding for finding in each) for each in said.values()),
        root=_audited(root, findings_of(root, now=now, days=days, root=True), now) if root else None,
        page=page,
        pages=max(1, -(-len(names) // page_size)),
        found=[_audited(user, findings_of(user, now=now, days=days), now) for user in named],
        complete=found.complete,
        notes=list(found.notes),
        covers=NOT_HERE,
    )


def _audited(user: User, findings: list[str], now: datetime) -> Audited:
    return Audited(
        user=user.name,
        arn=user.arn,
        created=user.created,
        console_access=user.password,
        console_last_used=user.password_used,
        mfa=user.mfa,
        access_keys=[_key(key, now) for key in user.keys],
        findings=findings,
    )


def _key(key: Key, now: datetime) -> AccessKey:
    return AccessKey(
        id=key.id,
        active=key.active,
        created=key.created,
        age_days=None if key.created is None else age(key.created, now),
        last_used=key.used,
        last_used_service=key.service,
    )


def _root(root: Audited | None) -> str:
    return f"MFA {root.mfa}; {'; '.join(root.findings) or 'nothing to say'}" if root else "not in the report"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _console(each: Audited) -> str:
    if each.console_access is None:
        return "unknown"
    last = f", last {each.console_last_used:%Y-%m-%d}" if each.console_last_used else ", never used"
    return f"yes{last}" if each.console_access else "no"


def _keys(keys: list[AccessKey]) -> str:
    return (
        "; ".join(
            f"{key.id or 'key'} {'active' if key.active else 'inactive'}, {_days(key)}, "
            + (
                f"last used {key.last_used:%Y-%m-%d} ({key.last_used_service or 'unknown'})"
                if key.last_used
                else "never used"
            )
            for key in keys
        )
        or "-"
    )


def _days(key: AccessKey) -> str:
    return "age unknown" if key.age_days is None else f"{key.age_days} days old"

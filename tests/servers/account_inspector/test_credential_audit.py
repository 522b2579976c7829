"""The credential audit of an account whose truth is planted: exact around the ninetieth day, and on every page."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from account_inspector.answers import CredentialAudit, credential_audit_of
from account_inspector.audit import findings_of
from account_inspector.identities import Iam, Identities
from account_inspector.report import Key, ReportUnreadable, User, users_of

NOW = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)
ACCOUNT = "111122223333"
HEADS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
NO_KEY = "false,N/A,N/A,N/A,N/A"


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def line(name: str, *, console: str = "false", used: str = "N/A", mfa: str = "false", keys: Iterable[str] = ()) -> str:
    both = [*keys, NO_KEY, NO_KEY][:2]
    owner = f"arn:aws:iam::{ACCOUNT}:root" if name == "<root_account>" else arn(name)
    return (
        f"{name},{owner},2024-01-01T00:00:00+00:00,{console},{used},N/A,N/A,{mfa},{','.join(both)},false,N/A,false,N/A"
    )


def report(*lines: str) -> bytes:
    return "\n".join([HEADS, *lines]).encode()


def key(days: float, *, active: bool = True, used: float | None = None, **more: Any) -> Key:
    last = None if used is None else NOW - timedelta(days=used)
    return Key(active=active, created=NOW - timedelta(days=days), used=last, **more)


def user(name: str = "alex", **more: Any) -> User:
    told: dict[str, Any] = {
        "created": NOW - timedelta(days=1000),
        "password": False,
        "password_used": None,
        "mfa": "none",
    }
    return User(name=name, arn=arn(name), **{**told, **more})


def test_a_report_is_read_as_iam_writes_it() -> None:
    root, users = users_of(
        report(
            line("<root_account>", console="not_supported", used="2025-02-03T04:05:06+00:00", mfa="true"),
            line("alex", console="true", used="no_information", mfa="true"),
            line("ben", keys=["true,2026-08-01T10:00:00Z,2026-11-28T09:00:00+00:00,eu-west-2,s3"]),
            line("cleo", console="TRUE", mfa="true", keys=["false,2020-01-01T00:00:00+00:00,N/A,N/A,N/A"]),
        ),
        virtual=frozenset({arn("alex")}),
    )

    assert root is not None and (root.mfa, root.password, root.used) == (
        "hardware",
        None,
        datetime(2025, 2, 3, 4, 5, 6, tzinfo=UTC),
    )
    assert (users["alex"].mfa, users["alex"].password, users["alex"].password_used) == ("virtual", True, None)
    (one,) = users["ben"].keys
    assert (one.active, one.created, one.service) == (True, datetime(2026, 8, 1, 10, tzinfo=UTC), "s3")
    assert users["ben"].used == datetime(2026, 11, 28, 9, tzinfo=UTC)
    assert (users["cleo"].mfa, users["cleo"].keys[0].active, users["cleo"].used) == ("hardware", False, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "lacks user, arn,"),
        (report(line("alex")).replace(b"mfa_active", b"mfa"), "lacks mfa_active"),
        (report(line("alex", mfa="perhaps")), "cannot be read: ValueError"),
        (report(line("alex", used="yesterday", console="true")), "cannot be read: ValueError"),
        (b"\xff\xfe", "cannot be read: UnicodeDecodeError"),
    ],
)
def test_what_is_no_report_is_told(content: bytes, said: str) -> None:
    with pytest.raises(ReportUnreadable, match=said):
        users_of(content, frozenset())


SECOND = 1 / 86400


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (user(password=True, password_used=NOW), ["can sign in to the console without MFA"]),
        (user(password=True, password_used=NOW, mfa="virtual"), []),
        (user(password=None), []),
        (user(keys=(key(90, used=0),)), []),
        (user(keys=(key(90 + SECOND, used=0),)), ["active access key 1 is older than 90 days"]),
        (
            user(keys=(key(90 + SECOND, used=0, id="AKIAEXAMPLE"),)),
            ["active access key AKIAEXAMPLE is older than 90 days"],
        ),
        (user(keys=(key(400, active=False, used=300),)), []),
        (user(keys=(Key(active=True, created=None, used=NOW),)), ["nobody knows how old active access key 1 is"]),
        (user(password=True, password_used=NOW - timedelta(days=90), mfa="hardware"), []),
        (
            user(password=True, password_used=NOW - timedelta(days=90, seconds=1), mfa="hardware"),
            ["nothing of it was used for more than 90 days"],
        ),
        (user(created=NOW - timedelta(days=90), keys=(key(1),)), []),
        (
            user(created=NOW - timedelta(days=91), password=True, mfa="virtual"),
            ["nothing of it was used for more than 90 days"],
        ),
        (user(keys=(key(10, used=200), key(10, used=5))), []),
    ],
)
def test_what_is_to_be_said_of_a_user(who: User, expected: list[str]) -> None:
    assert findings_of(who, now=NOW, days=90) == expected


def test_what_is_to_be_said_of_the_root_user() -> None:
    bare = findings_of(user(keys=(key(1),), password=None), now=NOW, days=90, root=True)
    sound = findings_of(user(mfa="hardware", keys=(key(400, active=False),)), now=NOW, days=90, root=True)

    assert bare == ["the root user has no MFA device", "the root user has an active access key 1"]
    assert sound == []


class Ids:
    """Knows the ids of keys, and who was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def with_ids(self, users: list[User], found: Identities) -> list[User]:
        self.asked += [each.name for each in users]
        return users


def planted(count: int) -> tuple[dict[str, User], set[str], set[str], set[str]]:
    """Users of every kind, and of whom which of three things is to be said, by the numbers they were made from."""
    chance = random.Random(20261129)  # noqa: S311 - repeatable, not secret
    users, bare, old, idle = {}, set(), set(), set()
    for number in range(count):
        name = f"user-{number:05}"
        password, mfa = chance.random() < 0.5, chance.choice(["none", "virtual", "hardware"])
        seconds = [
            chance.choice([89 * 86400, 90 * 86400, 90 * 86400 + 1, 91 * 86400]) for _ in range(chance.randrange(3))
        ]
        active = [chance.random() < 0.7 for _ in seconds]
        unused = chance.choice([0, 90 * 86400, 90 * 86400 + 1])
        keys = tuple(
            Key(active=on, created=NOW - timedelta(seconds=age), used=NOW - timedelta(seconds=unused))
            for age, on in zip(seconds, active, strict=True)
        )
        signed = NOW - timedelta(seconds=unused) if password else None
        users[name] = user(name, password=password, password_used=signed, mfa=mfa, keys=keys)
        if password and mfa == "none":
            bare.add(name)
        if any(on and age > 90 * 86400 for age, on in zip(seconds, active, strict=True)):
            old.add(name)
        if (password or any(active)) and unused > 90 * 86400:
            idle.add(name)
    return users, bare, old, idle


def test_the_table_of_five_thousand_users_is_the_planted_truth() -> None:
    users, bare, old, idle = planted(5000)
    found, ids = Identities(NOW, user("root"), users), Ids()
    pages: list[CredentialAudit] = []
    while not pages or pages[-1].page < pages[-1].pages:
        pages.append(
            credential_audit_of(found, ids, now=NOW, days=90, show="findings", page=len(pages) + 1, page_size=100)
        )

    told = [each for page in pages for each in page.found]
    by_word = {
        word: {each.user for each in told if any(word in finding for finding in each.findings)}
        for word in ("without MFA", "older than", "was used")
    }
    assert by_word == {"without MFA": bare, "older than": old, "was used": idle}
    assert [each.user for each in told] == sorted(bare | old | idle) == ids.asked
    assert {(page.users, page.without_mfa, page.with_old_keys) for page in pages} == {(5000, len(bare), len(old))}
    everybody = credential_audit_of(found, Ids(), now=NOW, days=90, show="all", page=50, page_size=100)
    assert (everybody.pages, len(everybody.found), everybody.found[-1].user) == (50, 100, "user-04999")


def test_a_name_cannot_break_the_table_that_a_person_reads() -> None:
    nasty = user("a|b\n| root | yes", password=True)
    text = credential_audit_of(
        Identities(NOW, None, {nasty.name: nasty}), Ids(), now=NOW, days=90, show="all", page=1, page_size=10
    ).as_text()

    rows = [each for each in text.splitlines() if each.startswith("|")]
    assert len(rows) == 3
    assert "a\\|b \\| root \\| yes" in rows[2]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "eu-west-2"),
    ):
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield boto3.client("iam")


def asked(account: Any, **more: Any) -> CredentialAudit:
    iam = Iam(sleep=lambda seconds: None)
    now = datetime.now(UTC)
    found = iam.identities(now=now, fresh_hours=4)
    return credential_audit_of(found, iam, now=now, days=90, show="all", page=1, page_size=100, **more)


def test_a_report_is_made_where_there_is_none_and_keys_have_their_ids(account: Any) -> None:
    account.create_user(UserName="alex")
    account.create_login_profile(UserName="alex", Password="Correct-Horse-7-Battery")
    made = account.create_access_key(UserName="alex")["AccessKey"]["AccessKeyId"]
    device = account.create_virtual_mfa_device(VirtualMFADeviceName="alex")["VirtualMFADevice"]["SerialNumber"]
    account.enable_mfa_device(
        UserName="alex", SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    account.create_user(UserName="ben")

    answer = asked(account)

    assert [(each.user, each.console_access, each.mfa) for each in answer.found] == [
        ("alex", True, "virtual"),
        ("ben", False, "none"),
    ]
    assert [key.id for each in answer.found for key in each.access_keys] == [made]
    assert answer.notes[0] == "The credential report has no line for the root user.", "moto has none"
    assert not answer.complete


def test_who_came_and_went_since_the_report_is_told(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("alex", "gone"):
        account.create_user(UserName=name)
    account.generate_credential_report()
    old = account.get_credential_report()
    account.delete_user(UserName="gone")
    account.create_user(UserName="new")
    account.create_access_key(UserName="new")
    monkeypatch.setattr(Iam, "_report", lambda self, older_than: {**old, "GeneratedTime": datetime.now(UTC)})

    answer = asked(account)

    assert [each.user for each in answer.found] == ["alex", "new"]
    assert len(answer.found[1].access_keys) == 1
    assert {note.split(" was ")[0] for note in answer.notes[1:]} == {"gone", "new"}

"""Role sessions: the credentials the local AWS has issued and what is bound to them."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ringfence.deployed.roles import Role
from ringfence.iam.evaluator import Policy
from ringfence.rehearsal.aws.protocol.wire import AwsError

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Session:
    """One role session.

    Attributes:
        access_key_id: `ASIA…`; later requests are found by it.
        source_identity: the human, once set; it survives chaining and cannot change.
        transitive: keys of the tags that survive chaining.
        policy: session policy as given, or None.
        chained: whether a role session assumed this role.
        inside_vpc: whether its requests leave from the VPC, so that they need an endpoint.
    """

    access_key_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    role: Role
    name: str
    source_identity: str | None
    tags: Mapping[str, str]
    transitive: tuple[str, ...]
    policy: Mapping[str, Any] | None
    chained: bool
    inside_vpc: bool
    issued_at: datetime
    expires_at: datetime

    @property
    def arn(self) -> str:
        """The assumed-role ARN (without the role's path, as AWS has it)."""
        account = self.role.arn.split(":")[4]
        return f"arn:aws:sts::{account}:assumed-role/{self.role.name}/{self.name}"

    @property
    def user_id(self) -> str:
        """`<role id>:<session name>`."""
        return f"{self.role.role_id}:{self.name}"

    def by_type(self) -> dict[str, list[Policy]]:
        """The policies that this session carries, by type, for `decide`."""
        by_type = self.role.by_type()
        if self.policy is not None:
            by_type["session"] = [Policy.parse(self.policy)]
        return by_type

    def policy_actions(self) -> list[str] | None:
        """The actions the session policy allows, or None without one."""
        if self.policy is None:
            return None
        return sorted(
            {a for s in Policy.parse(self.policy).statements if s.allows for a in (s.actions or ("all but a few",))}
        )

    def credentials(self) -> dict[str, str]:
        """The credentials as STS and the container protocol name them."""
        return {
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret,
            "SessionToken": self.token,
            "Expiration": self.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


class Sessions:
    """All sessions issued, by access key id. Safe to use from several threads."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(
        self,
        role: Role,
        name: str,
        *,
        seconds: int,
        inside_vpc: bool,
        source_identity: str | None = None,
        tags: Mapping[str, str] | None = None,
        transitive: tuple[str, ...] = (),
        policy: Mapping[str, Any] | None = None,
        chained: bool = False,
    ) -> Session:
        """Issue credentials for a new session."""
        now = datetime.now(UTC)
        session = Session(
            access_key_id="ASIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16)),
            secret=secrets.token_urlsafe(30),
            token=secrets.token_urlsafe(120),
            role=role,
            name=name,
            source_identity=source_identity,
            tags={**role.tags, **(tags or {})},
            transitive=transitive,
            policy=policy,
            chained=chained,
            inside_vpc=inside_vpc,
            issued_at=now,
            expires_at=now + timedelta(seconds=seconds),
        )
        with self._lock:
            self._sessions[session.access_key_id] = session
        return session

    def find(self, access_key_id: str, token: str | None) -> Session:
        """The session behind an access key id.

        Raises:
            AwsError: the key is unknown, the session token is missing or another, or the session has expired.
        """
        session = self._sessions.get(access_key_id)
        if session is None or not secrets.compare_digest(session.token, token or ""):
            raise AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
        if datetime.now(UTC) >= session.expires_at:
            raise AwsError("ExpiredToken", "The security token included in the request is expired.", 403)
        return session

    def named(self, name: str) -> Session | None:
        """The last session that was opened under a name."""
        with self._lock:
            return next((found for found in reversed(self._sessions.values()) if found.name == name), None)

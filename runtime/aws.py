"""The host's own AWS calls: the public half of the Txn-Token key, the persona role for one call, and its record.

botocore is imported on first use, away from the host's start. The clients use the host's own credentials (the runtime's
execution role), which may do these three things and little else.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from callpath.refusal import Refusal
from callpath.txn_token import TxnToken
from runtime.server.credentials import RoleCredentials
from runtime.settings import GrantedCall, Settings

SESSION_SECONDS = 900  # the least STS grants
_TIMEOUTS = {
    "logs": (1, 2)
}  # connecting and reading, in seconds; CloudWatch Logs answers in milliseconds or not at all
_USUAL_TIMEOUTS = (3, 5)


class HostAws:
    """The AWS calls of the host. Thread safe; clients are made lazily, because a start must not wait for them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def prepare(self) -> None:
        """Make the clients ahead of the first call. Sends nothing."""
        for service in ("sts", "kms", "logs"):
            self._client(service)

    def verification_key(self) -> bytes:
        """The DER public key that Txn-Tokens are verified with.

        Raises:
            Refusal: KMS did not answer.
        """
        try:
            answer = self._client("kms").get_public_key(KeyId=self._settings.key_arn)
        except Exception as fault:
            raise Refusal(
                "runtime",
                "key-unavailable",
                f"the key that verifies Txn-Tokens could not be read from KMS ({error_code(fault)}), so no call can be "
                "accepted; try again, and check the key's policy and the runtime's role if it persists",
            ) from fault
        return bytes(answer["PublicKey"])

    def assume_persona(self, token: TxnToken, call: GrantedCall) -> RoleCredentials:
        """Assume the persona role for this one call, in this user's name, with only its own actions.

        Raises:
            Refusal: STS did not grant the session.
        """
        tags = {
            "persona": self._settings.persona,
            "tool": call.tool,
            "call": token.call_id,
            "department": self._settings.department,
        }
        try:
            answer = self._client("sts").assume_role(
                RoleArn=self._settings.role_arn,
                RoleSessionName=token.call_id,
                SourceIdentity=token.staff_id,
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
                TransitiveTagKeys=list(tags),
                Policy=call.session_policy,
                DurationSeconds=SESSION_SECONDS,
            )
        except Exception as fault:
            raise Refusal(
                "credentials",
                "assume-role-refused",
                f"AWS gave no credentials for this call (sts:AssumeRole: {error_code(fault)}); ask the platform team "
                "to check the persona role's trust",
            ) from fault
        granted = answer["Credentials"]
        return RoleCredentials(granted["AccessKeyId"], granted["SecretAccessKey"], granted["SessionToken"])

    def create_log_stream(self, group: str, stream: str) -> None:
        """Make a log stream; one that is there already is as good.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: CloudWatch Logs did not make it.
        """
        logs = self._client("logs")
        try:
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        except logs.exceptions.ResourceAlreadyExistsException:
            pass  # the answer to an earlier try was lost

    def put_log_event(self, group: str, stream: str, message: str) -> dict[str, Any]:
        """Write one event of now, and return what CloudWatch Logs says about it.

        Writers need no sequence token and may write side by side (PutLogEvents, CloudWatch Logs API reference).

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: CloudWatch Logs did not take it.
        """
        event = {"timestamp": int(time.time() * 1000), "message": message}
        answer = self._client("logs").put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
        return dict(answer)

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                settings = self._settings
                self._clients[service] = _make_client(service, settings.region, patience=settings.aws_patience)
            return self._clients[service]


def error_code(fault: BaseException) -> str:
    """AWS's error code, or the kind of failure. Never the message: it may name resources or people."""
    response = getattr(fault, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code or type(fault).__name__)


def _make_client(service: str, region: str, *, patience: int) -> Any:
    from botocore.config import Config
    from botocore.session import Session

    connecting, reading = _TIMEOUTS.get(service, _USUAL_TIMEOUTS)
    config = Config(
        connect_timeout=connecting * patience,
        read_timeout=reading * patience,
        retries={"mode": "standard", "total_max_attempts": 2},
        user_agent_extra="md/ringfence-host",
    )
    session = Session()
    # The global STS endpoint lies in us-east-1; nothing but IAM's control plane may leave the region.
    session.set_config_variable("sts_regional_endpoints", "regional")
    return session.create_client(service, region_name=region, config=config)

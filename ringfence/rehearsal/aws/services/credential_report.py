"""IAM's credential report: moto's lines, with the root user's and the moment that it was made, which moto lacks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ringfence.rehearsal.aws.protocol.wire import AwsError
from ringfence.rehearsal.aws.services.moto import Moto

KEPT: Final = timedelta(hours=4)
"""How long IAM hands out one report (IAM user guide, "Getting credential reports", read 29 November 2026)."""


class CredentialReport:
    """The account's report, made when somebody asks, and the same until it is four hours old."""

    def __init__(self, account: str, moto: Moto) -> None:
        self._account = account
        self._moto = moto
        self._made: tuple[datetime, bytes] | None = None

    def make(self) -> Mapping[str, Any]:
        """Answers `GenerateCredentialReport`."""
        if self._made is None or datetime.now(UTC) - self._made[0] > KEPT:
            self._made = datetime.now(UTC).replace(microsecond=0), self._lines()
            return {"State": "STARTED", "Description": "No report exists. Starting a new report generation task"}
        return {"State": "COMPLETE"}

    def get(self) -> Mapping[str, Any]:
        """Answers `GetCredentialReport`.

        Raises:
            AwsError: nobody asked for one yet.
        """
        if self._made is None:
            raise AwsError("ReportNotPresent", "The report has not been generated.", status=410)
        generated, content = self._made
        return {"Content": content, "ReportFormat": "text/csv", "GeneratedTime": generated}

    def _lines(self) -> bytes:
        client = self._moto.client("iam", "us-east-1")
        while client.generate_credential_report()["State"] != "COMPLETE":
            pass
        heads, *users = client.get_credential_report()["Content"].decode().splitlines()
        root = dict.fromkeys(heads.split(","), "N/A") | {
            "user": "<root_account>",
            "arn": f"arn:aws:iam::{self._account}:root",
            "user_creation_time": "2020-01-01T00:00:00+00:00",
            "password_enabled": "not_supported",
            "password_last_used": "no_information",
            "mfa_active": "true",
            "access_key_1_active": "false",
            "access_key_2_active": "false",
            "cert_1_active": "false",
            "cert_2_active": "false",
        }
        return "\n".join([heads, ",".join(root.values()), *users]).encode()

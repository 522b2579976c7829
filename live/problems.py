"""Why a question about an account has no answer. Each reason is told apart, and none of them is taken for an answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """What stood between a question and its answer."""

    CREDENTIALS = "credentials"
    DENIED = "denied"
    THROTTLED = "throttled"
    PROXY = "proxy"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


_REMEDIES: Final = {
    Reason.CREDENTIALS: "Sign in again, or name other credentials with AWS_PROFILE, then run this again.",
    Reason.DENIED: "Allow these credentials {action} (ARGS=--policy prints what is needed), or ask somebody who may.",
    Reason.THROTTLED: "AWS asks to slow down: run this again in a few minutes.",
    Reason.PROXY: "Correct HTTPS_PROXY and NO_PROXY; where the proxy opens TLS, name its certificate: AWS_CA_BUNDLE.",
    Reason.UNREACHABLE: "Check the network, or name the way out with HTTPS_PROXY, then run this again.",
    Reason.REFUSED: "AWS did not accept the question: look its code up, and report it if the file is in order.",
}


class CannotAsk(Exception):
    """A question could not be asked, or was not answered.

    Attributes:
        reason: which kind of obstacle.
        action: the IAM action of the question.
        detail: what AWS or the network said, shortened.
    """

    def __init__(self, reason: Reason, action: str, detail: str) -> None:
        super().__init__(f"{action}: {reason}: {detail}")
        self.reason = reason
        self.action = action
        self.detail = detail

    @property
    def remedy(self) -> str:
        """What to do about it, as a sentence."""
        return _REMEDIES[self.reason].format(action=self.action)


class CannotStart(Exception):
    """Something on this machine is missing.

    Attributes:
        what: what is missing, in words.
        remedy: what to do, as a sentence.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}. {remedy}")
        self.what = what
        self.remedy = remedy

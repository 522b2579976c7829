"""Why a question about an account has no answer. Each reason is told apart, and none of them is taken for an answer."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from ringfence import CannotGoOn

_WITHHELD: Final = "(withheld)"
_SECRET_IN_URL: Final = re.compile(r"//[^/@\s]*@")


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
    Reason.DENIED: "Allow these credentials {action} (make preflight ARGS=--policy prints the rights), or ask who may.",
    Reason.THROTTLED: "AWS asks to slow down: run this again in a few minutes.",
    Reason.PROXY: "Correct HTTPS_PROXY and NO_PROXY; where the proxy opens TLS, name its certificate: AWS_CA_BUNDLE.",
    Reason.UNREACHABLE: "Check the network, or name the way out with HTTPS_PROXY, then run this again.",
    Reason.REFUSED: "AWS did not accept the question: look its code up, and report it if the file is in order.",
}


class CannotAsk(CannotGoOn):
    """A question could not be asked, or was not answered.

    Attributes:
        detail: what AWS or the network said, shortened.
    """

    def __init__(self, reason: Reason, action: str, detail: str) -> None:
        self.reason = reason
        self.action = action
        self.detail = withheld(detail)
        super().__init__(f"{action}: {reason}: {self.detail}", _REMEDIES[reason].format(action=action))


class CannotStart(CannotGoOn):
    """Something on this machine is missing."""


def withheld(text: str) -> str:
    """Returns a text without credentials in addresses: its own, and those of this machine's proxy settings.

    A proxy's setting may have no scheme, and a library that cannot read it tells a piece of it: each piece of the
    password is withheld wherever it stands as a word.
    """
    text = _SECRET_IN_URL.sub(f"//{_WITHHELD}@", text)
    for secret in sorted(set(_secrets()), key=lambda each: (-len(each), each)):
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])", _WITHHELD, text)
    return text


def _secrets() -> Iterator[str]:
    """The name with password of each proxy and endpoint that the environment names, then the password's pieces."""
    for name, value in os.environ.items():
        if name.lower().endswith("_proxy") or name.startswith("AWS_ENDPOINT_URL"):
            both = value.rpartition("@")[0].rpartition("//")[2]
            _, _, password = both.partition(":")
            pieces = re.split(r"[^A-Za-z0-9]+", password)
            for secret in (both, unquote(both), password, unquote(password), *pieces):
                if secret:
                    yield secret

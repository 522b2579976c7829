"""What goes wrong at sign-in, and what to do about it: told on a page, to the host, or to its user through the host."""

from __future__ import annotations

from typing import Final

NO_REGISTRATION: Final = (
    "No host can register itself here, as with Cognito. Give the host the client id of its entry under [[hosts]]: "
    "make connect HOST=<host> PERSONA=<persona> prints it."
)


class Refused(Exception):
    """The browser sees a page: the request cannot be trusted far enough to send anything back to a host.

    Attributes:
        title: what is wrong, as a heading.
    """

    def __init__(self, title: str, text: str, remedy: str) -> None:
        self.title, self.text, self.remedy = title, text, remedy
        super().__init__(f"{title}. {text} {remedy}")


class OAuthError(Exception):
    """An error of RFC 6749, for the host: in JSON, or in the address that the browser is sent to.

    Attributes:
        error: the code that the protocol has for it.
        description: what is wrong and what to do, in ASCII without quotation marks (RFC 6749, section 5.2).
    """

    def __init__(self, error: str, description: str) -> None:
        self.error, self.description = error, description
        super().__init__(f"{error}: {description}")

    @property
    def document(self) -> dict[str, str]:
        """As JSON."""
        return {"error": self.error, "error_description": self.description}

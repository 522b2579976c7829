"""The kinds of MCP host that a department may name, as `catalogue/hosts.toml` describes them."""

from __future__ import annotations

from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from ringfence.reading.documents import Strict, each_once, fault
from ringfence.reading.values import CallbackUrl, HostName

CUSTOM: Final = "custom"
"""The kind of a host that the catalogue does not know: its name and callbacks stand in the department's file."""

Sentence = Annotated[str, Field(min_length=20)]
CallbackHost = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]


class HostSource(Strict):
    """Where a fact about a host was read, and when."""

    url: Annotated[str, Field(pattern=r"^https://")]
    read: Annotated[str, Field(pattern=r"^20\d\d-[01]\d-[0-3]\d$")]


class HostKind(Strict):
    """A host whose sign-in and settings are known.

    Attributes:
        callback_urls: Where it receives the sign-in code; Cognito compares them to the letter.
        callback_port: The port that it is told to listen at, where it would take any.
        managed: Of `make hosts`, each file, and where the host looks for it.
        asks: Which setting has it ask a person before each call.
        cannot: What it cannot be held to.
        lacks: What Cognito lacks for it, with the thread and the way around; empty where nothing is known.
        runs: Where its command comes from and what it needs to run; empty where its maker's page suffices.
    """

    title: Annotated[str, Field(min_length=3)]
    callback_urls: Annotated[tuple[CallbackUrl, ...], Field(strict=False, min_length=1), AfterValidator(each_once)]
    callback_port: Annotated[int, Field(ge=1024, le=65535)] | None = None
    managed: dict[str, str]
    asks: Sentence
    cannot: Annotated[tuple[Sentence, ...], Field(strict=False, min_length=1)]
    lacks: str = ""
    runs: str = ""
    sources: Annotated[tuple[HostSource, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _port_is_in_a_callback(self) -> Self:
        if self.callback_port and not any(f":{self.callback_port}/" in str(url) for url in self.callback_urls):
            raise fault(
                f"No callback of {self.title} has the port {self.callback_port}.", "Write the port into callback_urls."
            )
        return self


class RefusedHost(Strict):
    """A host that no department can have.

    Attributes:
        callback_hosts: Where it receives the sign-in code. No kind has a callback at them or below.
    """

    because: Annotated[Sentence, AfterValidator(str.strip)]
    callback_hosts: Annotated[tuple[CallbackHost, ...], Field(strict=False, min_length=1), AfterValidator(each_once)]
    sources: Annotated[tuple[HostSource, ...], Field(strict=False, min_length=1)]

    def receives(self, url: str) -> bool:
        """Returns whether the code would go to it; an address that cannot be read is told of elsewhere."""
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            return False
        return any(host == each or host.endswith(f".{each}") for each in self.callback_hosts)


class HostsFile(Strict):
    """`hosts.toml`."""

    kinds: Annotated[dict[HostName, HostKind], Field(min_length=1)]
    refused: dict[HostName, RefusedHost] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _no_kind_is_refused(self) -> Self:
        for kind in self.kinds.values():
            for name, refused in self.refused.items():
                if found := [url for url in kind.callback_urls if refused.receives(url)]:
                    raise fault(
                        f"{found[0]} of {kind.title} is a callback of {name}, which is refused.", "Take it out of one."
                    )
        return self

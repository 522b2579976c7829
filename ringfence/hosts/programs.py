"""Programs that sign in by themselves, and what each is told: `catalogue/programs.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from ringfence.catalogue.hosts import CUSTOM, Sentence
from ringfence.reading.documents import Strict, read_checked
from ringfence.reading.values import CallbackUrl, HostName

DATA: Final = Path(__file__).resolve().parents[2] / "catalogue" / "programs.toml"


class Program(Strict):
    """A library or a bridge, which a department names as a host of the kind `custom`.

    Attributes:
        version: With which the tests run it.
        about: What it is, and what it leaves to others.
        text: What it is told, with `<url>`, `<client_id>` and `<scope>` where `make connect` has the values.
    """

    name: HostName
    version: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)+$")]
    callback_url: CallbackUrl
    about: Sentence
    language: Literal["python", "json"]
    text: Annotated[str, Field(min_length=20)]

    @property
    def entry(self) -> str:
        """Its entry in a department's file."""
        return f'[[hosts]]\nkind = "{CUSTOM}"\nname = "{self.name}"\ncallback_urls = ["{self.callback_url}"]\n'


class _Programs(Strict):
    program: Annotated[tuple[Program, ...], Field(strict=False, min_length=1)]


def programs(path: Path = DATA) -> tuple[Program, ...]:
    """Returns the programs of the catalogue; raises as `read_checked`."""
    return read_checked(path, _Programs, distinct={"program": ("name",)}).program

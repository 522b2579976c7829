"""Cognito's awkward traits, each with its source: data that a test may switch off one by one."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).with_name("traits.toml")


@dataclass(frozen=True)
class Trait:
    """One trait as its source tells it.

    Attributes:
        says: what Cognito does, in a sentence.
    """

    says: str
    source: str
    read: datetime.date


@dataclass(frozen=True, kw_only=True)
class Traits:
    """Which traits are on. `traits.toml` says what each means; by themselves all are, as with Cognito."""

    registers_nobody: bool = True
    tells_no_challenge_method: bool = True
    asks_for_no_challenge: bool = True
    publishes_openid_only: bool = True
    compares_callbacks_exactly: bool = True
    takes_any_resource: bool = True
    binds_on_request_only: bool = True
    remembers_the_browser: bool = True
    sign_out_leaves_refresh_tokens: bool = True
    claims_without_openid: bool = True
    grants_all_without_scope: bool = True

    def without(self, *names: str) -> Traits:
        """The same with some traits switched off.

        Raises:
            TypeError: there is no such trait.
        """
        return replace(self, **dict.fromkeys(names, False))


def described(path: Path = _DATA) -> Mapping[str, Trait]:
    """What each trait is, by name.

    Raises:
        ValueError: the file tells of other traits than there are, or of one otherwise than by sentence, source and day.
    """
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    names = {field.name for field in fields(Traits)}
    if set(found) != names:
        raise ValueError(f"{path.name} and Traits differ in {', '.join(sorted(set(found) ^ names))}")
    traits = {}
    for name, told in found.items():
        shape = {key: type(value) for key, value in told.items()}
        if shape != {"says": str, "source": str, "read": datetime.date}:
            raise ValueError(f"{path.name}: {name} must have says, source (text) and read (a date)")
        traits[name] = Trait(**told)
    return traits

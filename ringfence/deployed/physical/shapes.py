"""What a physical id is made from, and how a resource type answers `Ref` and `Fn::GetAtt`.

Ids are derived from the stack name and the logical id, so the same assembly always gives the same ids. Names that the
template fixes are used as they are.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_BASE36 = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Naming:
    """What a physical id may be made from.

    Attributes:
        stack: stack name.
        logical_id: logical id of the resource.
        type: CloudFormation type.
        account: twelve digits.
        region: region of the stack.
        partition: `aws`.
        property: gives the resolved value of a top-level property, or None when the template does not set it.
    """

    stack: str
    logical_id: str
    type: str
    account: str
    region: str
    partition: str
    property: Callable[[str], Any]

    def _digest(self, purpose: str) -> bytes:
        return hashlib.sha256(f"{self.stack}/{self.logical_id}/{purpose}".encode()).digest()

    def letters(self, count: int, purpose: str = "id") -> str:
        """`count` lower-case letters."""
        return "".join(chr(ord("a") + byte % 26) for byte in self._digest(purpose)[:count])

    def hex(self, count: int, purpose: str = "id") -> str:
        """`count` hexadecimal digits (at most 64)."""
        return self._digest(purpose).hex()[:count]

    def capitals(self, count: int, purpose: str = "id") -> str:
        """`count` capital letters and digits, as in IAM unique ids (at most 52)."""
        return base64.b32encode(self._digest(purpose)).decode()[:count]

    def alphanumeric(self, count: int, purpose: str = "id") -> str:
        """`count` lower-case letters and digits, starting with a letter (at most 32)."""
        return "".join(_BASE36[byte % (26 if i == 0 else 36)] for i, byte in enumerate(self._digest(purpose)[:count]))

    def uuid(self, purpose: str = "id") -> str:
        """A version 4 shaped UUID."""
        return str(uuid.UUID(bytes=self._digest(purpose)[:16], version=4))

    def text(self, name: str, default: str = "") -> str:
        """A string property, or the default."""
        value = self.property(name)
        return default if value is None else str(value)

    def name(self, property_name: str, *, lower: bool = False, limit: int = 64) -> str:
        """The name the template gives, else CloudFormation's `<stack>-<logical id>-<random>`.

        One that is too long is cut as the names of accounts show it, which AWS documents nowhere: stack and logical id
        get half of the room each (three names in github.com/KensioSoftware/yulin, issue 1113, August 2026).
        """
        given = self.property(property_name)
        if given is not None:
            return str(given)
        suffix = self.capitals(12, "name")
        room = limit - len(suffix) - 2
        stack, logical_id = self.stack, self.logical_id
        if len(stack) + len(logical_id) > room:
            stack, logical_id = stack[: (room + 1) // 2], logical_id[: room // 2]
        made = f"{stack}-{logical_id}-{suffix}"
        return made.lower() if lower else made

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """An ARN in the stack's account and region; global services pass `region=False`."""
        return ":".join(
            ("arn", self.partition, service, self.region if region else "", self.account if account else "", resource)
        )


Maker = Callable[[Naming], Any]


@dataclass(frozen=True)
class Shape:
    """How one resource type answers `Ref` and `Fn::GetAtt`."""

    ref: Maker
    attributes: Mapping[str, Maker] = field(default_factory=dict)

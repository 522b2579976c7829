"""What the tests of real clients, and the measurements, work with: a served department and a host of their own."""

from __future__ import annotations

import copy
import socket
from dataclasses import dataclass
from typing import Any

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.user_pool import AppClient
from ringfence.rehearsal.department import RunningDepartment

HOST = "claude-code"


@dataclass(frozen=True)
class Served:
    """What the tests of real clients work with.

    Attributes:
        department: what runs.
        client: the client of the host that the tests play.
        callback_port: where that host listens; `http://localhost:<port>/callback` and `/oauth/callback` are registered.
    """

    department: RunningDepartment
    client: AppClient
    callback_port: int

    @property
    def auditor(self) -> str:
        """The address of the auditor's gateway."""
        return self.department.gateways["auditor"].url

    @property
    def base(self) -> str:
        """The address of the sign-in page."""
        return self.department.sign_in.authorization.base

    @property
    def callback(self) -> str:
        """The first registered callback."""
        return f"http://localhost:{self.callback_port}/callback"


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def with_callbacks(assembly: Assembly, *callbacks: str) -> Assembly:
    """The assembly with other callbacks of the host that the tests play."""
    name, stack = next((name, stack) for name, stack in assembly.stacks.items() if name.endswith("-identity"))
    template: dict[str, Any] = copy.deepcopy(dict(stack.template))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Cognito::UserPoolClient" and resource["Properties"]["ClientName"] == HOST:
            resource["Properties"]["CallbackURLs"] = list(callbacks)
    return assembly.edited({name: template})

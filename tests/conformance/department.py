"""A copy of the project with the suite's server in its catalogue, and a department whose one persona holds its tools.

Added as docs/adding.md says a server is, so that locks, policies, rules and zips are what the compilers make of it.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.adding.copied import Made, copy, wheel
from tests.conformance import suite_server
from tests.conformance.suite import ROOT
from tests.ringfence.rehearsal.conftest import Rehearsal, free_ports, start_rehearsal
from tests.waiting import LAST_RESORT_SECONDS

SERVER: Final = "mcp"  # a longer one leaves the suite's names no room
_DEPARTMENT: Final = "example-suite"
_PACKAGE: Final = "example-suite-mcp-server"
_CLASSIFIED: Final = f"""
name = "{SERVER}"
title = "The conformance suite's server"
description = "What the public conformance suite asks a server for."
package = "{_PACKAGE}"
version = "1.0.0"
module = "suite_server"

[[endpoints]]
service = "sqs"
prefixes = ["sqs"]
"""
_PERSONA: Final = """
[personas.tester]
title = "Tester"
description = "Calls the tools of the conformance suite. Changes nothing."
levels = ["read"]
"""


@contextmanager
def served(folder: Path) -> Iterator[Rehearsal]:
    """The department, synthesised and served by the rehearsal of the copy; ends with the block.

    Args:
        folder: an empty one.
    """
    home, wheels = folder / "home", folder / "wheels"
    copy(home)
    wheel(wheels, Path(suite_server.__file__), package=_PACKAGE, version="1.0.0")
    _add(home)
    made, department = Made(home, wheels), f"DEPARTMENT={_DEPARTMENT}"
    made.make("lock", f"SERVER={SERVER}")
    made.make("assets")
    made.make("synth", department)
    arguments = ("--keep", "--token", *free_ports())
    rehearsal = start_rehearsal(home / "cdk.out", folder / "report.json", folder / "scratch", *arguments, home=home)
    try:
        rehearsal.wait_for("Requests from here on")
        yield rehearsal
    finally:
        if rehearsal.process.poll() is None:
            rehearsal.process.send_signal(signal.SIGINT)
        rehearsal.process.wait(LAST_RESORT_SECONDS)


def _add(home: Path) -> None:
    """Write what docs/adding.md has somebody write by hand."""
    server = home / "catalogue" / "servers" / SERVER
    server.mkdir()
    (server / "requirements.in").write_text(f"{_PACKAGE}==1.0.0\n")
    (server / "server.toml").write_text(_CLASSIFIED + "".join(map(_tool, suite_server.TOOLS)))
    with (home / "catalogue" / "personas.toml").open("a") as personas:
        personas.write(f"{_PERSONA}\n[personas.tester.servers]\n{SERVER} = {json.dumps([*suite_server.TOOLS])}\n")
    text = (ROOT / "departments" / "example-saml.toml").read_text(encoding="utf-8").replace("example-saml", _DEPARTMENT)
    text = re.sub(
        r"^personas = .*$", 'personas = ["tester"]', re.sub(r"^auditor =", "tester =", text, flags=re.M), flags=re.M
    )
    (home / "departments" / f"{_DEPARTMENT}.toml").write_text(text)


def _tool(name: str) -> str:
    argument = suite_server.ARGUMENTS.get(name)
    example = f'examples = [{{ {argument} = "A word" }}]\n' if argument else ""
    return f'\n[tools.{name}]\nlevel = "read"\ngrants = [{{ actions = ["sqs:ListQueues"] }}]\n{example}'

"""What the aws-api server would fetch from the internet at start: which operations only read.

`ringfence actions` writes it from the committed table of AWS's actions, for the services
that the server's endpoints carry and no others. `catalogue/servers/aws-api/shim/sitecustomize.py` gives it to the
server, which treats every operation of another service as a write.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Final

from ringfence.iam.actions import ActionTable, load

SERVER: Final = Path("catalogue/servers/aws-api")
_READING: Final = ("List", "Read")


def reference_text(table: ActionTable, services: list[str]) -> str:
    """The file's content: the actions of each service that read, by service.

    Raises:
        ValueError: AWS has no such service.
    """
    reads = {
        service: sorted(
            action.name.partition(":")[2] for action in table if action.service == service and action.level in _READING
        )
        for service in sorted(services)
    }
    unknown = [service for service, actions in reads.items() if not actions]
    if unknown:
        raise ValueError(f"no action of {', '.join(unknown)} is known; correct the endpoints' prefixes in server.toml")
    made = "make generate, from ringfence/iam/actions.txt"
    return json.dumps({"made_by": made, "services": reads}, indent=1) + "\n"


def services_of(server: Path) -> list[str]:
    """The services whose endpoints a server of the catalogue has.

    Raises:
        OSError, KeyError, ValueError: `server.toml` cannot be read, or has no endpoints.
    """
    content = tomllib.loads((server / "server.toml").read_text(encoding="utf-8"))
    return sorted({prefix for endpoint in content["endpoints"] for prefix in endpoint["prefixes"]})


def write(*, check: bool) -> int:
    """Writes the file; with `check` only says whether the committed one is current, and returns 1 where it is not."""
    file = SERVER / "shim" / "service_reference.json"
    text = reference_text(load(), services_of(SERVER))
    if check:
        same = file.is_file() and file.read_text(encoding="utf-8") == text
        print(f"{file} is current" if same else f"{file} differs; run `make actions`")
        return 0 if same else 1
    file.write_text(text, encoding="utf-8")
    print(f"{file}: {len(text)} bytes")
    return 0

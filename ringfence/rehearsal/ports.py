"""Where the rehearsal listens on 127.0.0.1: one port for the sign-in page, and one for each persona that never changes.

A host's configuration names ports, so they must be the same tomorrow and whichever personas a department has: a
persona's port follows from its place in the catalogue.
"""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ringfence.rehearsal.problems import CannotStart

SIGN_IN: Final = 8710
"""The sign-in page's port, unless another is asked for; the personas' follow it."""

SIGN_IN_NAME: Final = "the sign-in page"
_PERSONAS: Final = Path(__file__).parents[2] / "catalogue" / "personas.toml"
_HIGHEST: Final = 65535


def ports(personas: Iterable[str], *, first: int) -> dict[str, int]:
    """The port of the sign-in page and of each persona, by name.

    Args:
        personas: those that the department has.
        first: the sign-in page's port; 0 gives 0 for each, which takes free ones.

    Raises:
        CannotStart: there is no room for them below 65536.
    """
    asked = list(personas)
    if not first:
        return dict.fromkeys([SIGN_IN_NAME, *asked], 0)
    order = [*tomllib.loads(_PERSONAS.read_text(encoding="utf-8"))["personas"]]
    order += sorted(set(asked) - set(order))
    found = {SIGN_IN_NAME: first} | {name: first + 1 + order.index(name) for name in asked}
    if max(found.values()) > _HIGHEST:
        raise CannotStart(
            f"port {first} leaves no room for {len(asked)} personas: ports end at {_HIGHEST}",
            f"Choose one of at most {_HIGHEST - len(order)}, as in make rehearse KEEP=1 PORT={SIGN_IN}.",
        )
    return found


def take_port(port: int, *, name: str) -> socket.socket:
    """A socket bound to a port of 127.0.0.1; 0 takes a free one.

    Args:
        port: which.
        name: what will be served there, for the error.

    Raises:
        CannotStart: the port is taken.
    """
    bound = socket.socket()
    # On Linux a port that another program listens on fails all the same; connections that linger do not.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        raise CannotStart(
            f"port {port} of 127.0.0.1, for {name}, cannot be used: {error.strerror}",
            "Perhaps another rehearsal is serving: end it, or move all ports of this one with PORT=9000 "
            "(ringfence rehearse --port 9000), which takes that port and those after it.",
        ) from None
    return bound

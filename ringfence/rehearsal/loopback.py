"""Who may speak to a server on loopback: programs of this machine, and no web page; and one that lets them hang up.

A page of any site can make a browser send requests to 127.0.0.1, and by rebinding its own name to that address read the
answers too. Such a request names the page's host. MCP asks servers to check (transports, "Security Warning", revision
2025-11-25).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_LOG = logging.getLogger(__name__)
NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
REFUSED = "Only programs on this computer are answered here: call 127.0.0.1, and not from a web page of another site"


class PatientServer(ThreadingHTTPServer):
    """A threaded server to which a client that hangs up is no fault."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave alone a client that hung up, as one does whose time is over; tell of any other fault."""
        if isinstance(fault := sys.exception(), ConnectionError):
            _LOG.debug("a client hung up: %s", fault)
            return
        super().handle_error(request, client_address)


def is_from_here(headers: Mapping[str, str]) -> bool:
    """Say whether a request names this machine as its host, and as its origin if it has one.

    A page's pictures and links come without an origin: see `is_from_another_site`.

    Args:
        headers: names in lower case.
    """
    origin = headers.get("origin")
    return _is_loopback(f"//{headers.get('host', '')}") and (origin is None or _is_loopback(origin))


def is_from_another_site(headers: Mapping[str, str]) -> bool:
    """Say whether a browser sends a request for a page of another site (W3C, Fetch Metadata Request Headers).

    Args:
        headers: names in lower case.
    """
    return headers.get("sec-fetch-site") == "cross-site"


def _is_loopback(address: str) -> bool:
    try:
        return urlsplit(address).hostname in NAMES
    except ValueError:
        return False

"""Who may speak to a server on loopback: programs of this machine, and no web page.

A page of any site can make a browser send requests to 127.0.0.1, and by rebinding its own name to that address read the
answers too. Such a request names the page's host. MCP asks servers to check (transports, "Security Warning", revision
2025-11-25).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
REFUSED = "Only programs on this computer are answered here: call 127.0.0.1, and not from a web page of another site"


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

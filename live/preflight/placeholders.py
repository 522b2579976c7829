"""Values of the committed examples that nobody can really have."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, Final

from live.before import Before
from live.results import Result, right, wrong

# Reserved for documentation: RFC 5737, RFC 3849, RFC 2606 and 6761; the account of AWS's own examples; our prefix list.
_NETWORKS: Final = tuple(
    ipaddress.ip_network(network) for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
_HOSTS: Final = re.compile(r"(^|[./@])example\.(org|com|net)\b|\.(example|test|invalid)\b")
_MADE_UP: Final = ("111122223333", "123456789012", "pl-0123456789abcdef0")
_NAMED_AFTER: Final = re.compile(r"\bexample-(production|sandbox)\b")


def placeholders(before: Before) -> Iterator[Result]:
    """Looks for made-up values in the department's file."""
    found = [(field, value) for field, value in _values(before.needs.file) if is_made_up(value)]
    for field, value in found:
        yield wrong(field, f'"{value}" is the example\'s.', "Replace it with the department's own.")
    if not found:
        yield right("placeholders", "The file holds no made-up value of the examples.")


def is_made_up(value: str) -> bool:
    """Says whether a value is reserved for documentation, or copied from an example department."""
    if value in _MADE_UP or _HOSTS.search(value) or _NAMED_AFTER.search(value):
        return True
    try:
        network = ipaddress.ip_network(value)
    except ValueError:
        return False
    return any(network.version == each.version and network.subnet_of(each) for each in _NETWORKS)  # type: ignore[arg-type]


def _values(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(inner, f"{field}.{key}" if field else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _values(inner, f"{field}[{index}]")
    elif isinstance(value, str):
        yield field, value

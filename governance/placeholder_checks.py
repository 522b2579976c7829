"""Made-up values in a department's file: fine in an example, refused in production.

An example is a file whose name says so. Its values let everybody synthesise and test; none of its stacks can be
deployed (`stacks.department_stack`), so a real department cannot hide behind the name. Every other production file must
hold values of its own: here each made-up one is named, so that a copied example does not half deploy.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from governance.problems import Problem, shown

_EXAMPLE: Final = re.compile(r"example(-|$)")
_ACCOUNTS: Final = frozenset({"111122223333", "123456789012", "444455556666", "777788889999"})
"""Account ids of AWS's documentation."""
_PREFIX_LIST: Final = re.compile(r"pl-(?:(.)\1+|0?123456789?(?:abcdef0?)?|01234567|abcdef01)")
_DOCUMENTATION: Final = {
    "192.0.2.0/24": "RFC 5737",
    "198.51.100.0/24": "RFC 5737",
    "203.0.113.0/24": "RFC 5737",
    "2001:db8::/32": "RFC 3849",
    "3fff::/20": "RFC 9637",
}
_RESERVED: Final = re.compile(
    r"(?:.+\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)", re.IGNORECASE | re.ASCII
)
"""Host names that nobody can own (RFC 2606, RFC 6761)."""
_HERE: Final = "localhost"
_NAMED_AFTER_A_DEPARTMENT: Final = ("domain_prefix", "client_id", "client_secret_name")


def is_example(name: str) -> bool:
    """Returns whether a department's name says that it is an example, which is never deployed."""
    return _EXAMPLE.match(name) is not None


def problems(data: dict[str, Any], *, others: Iterable[str] = ()) -> list[Problem]:
    """Returns the made-up values of a production file that is no example.

    Args:
        data: The parsed file.
        others: Names of the department files beside it.
    """
    name = data.get("name")
    if data.get("environment") != "production" or (isinstance(name, str) and is_example(name)):
        return []
    own = name if isinstance(name, str) else ""
    return [
        *_account(data),
        *_network(data),
        *_secret(data),
        *_addresses(data),
        *_networks(data),
        *_names(data, own, others),
    ]


def _account(data: dict[str, Any]) -> Iterator[Problem]:
    account = data.get("account")
    if isinstance(account, str) and (account in _ACCOUNTS or re.fullmatch(r"(\d)\1{11}", account)):
        yield Problem(
            "account", shown(account), "This account id is made up.", "Write the id of the department's own account."
        )


def _network(data: dict[str, Any]) -> Iterator[Problem]:
    prefix_list = _table(data, "network").get("s3_prefix_list")
    if isinstance(prefix_list, str) and _PREFIX_LIST.fullmatch(prefix_list):
        remedy = "Look yours up; departments/example-production.toml has the command."
        yield Problem("network.s3_prefix_list", shown(prefix_list), "This prefix list is made up.", remedy)


def _secret(data: dict[str, Any]) -> Iterator[Problem]:
    version = _table(data, "identity").get("client_secret_version")
    if isinstance(version, str) and not version.replace("-", "").replace("0", "").strip("48"):
        field = "identity.client_secret_version"
        remedy = "Look yours up; departments/example-production.toml has the command."
        yield Problem(field, shown(version, field=field), "This version of the secret is made up.", remedy)


def _addresses(data: dict[str, Any]) -> Iterator[Problem]:
    identity = _table(data, "identity")
    named = [(f"identity.{key}", identity.get(key)) for key in ("issuer", "metadata_url")]
    hosts = data.get("hosts")
    for index, host in enumerate(hosts if isinstance(hosts, list) else []):
        urls = host.get("callback_urls") if isinstance(host, dict) else None
        listed = urls if isinstance(urls, list) else []
        # A callback to the person's own computer is what a desktop host has.
        named += [(f"hosts[{index}].callback_urls[{at}]", url) for at, url in enumerate(listed) if _host(url) != _HERE]
    for field, url in named:
        if _RESERVED.fullmatch(_host(url)):
            message = "This address is reserved for examples: nobody can own it."
            yield Problem(field, shown(url), message, "Write the address that your provider or host has.")


def _networks(data: dict[str, Any]) -> Iterator[Problem]:
    networks = _table(data, "door").get("allowed_networks")
    for index, text in enumerate(networks if isinstance(networks, list) else []):
        for block, rfc in _DOCUMENTATION.items():
            if _overlap(text, block):
                message = f"This network is reserved for documentation ({rfc}): nobody calls from there."
                remedy = "Name the public networks that your staff's traffic comes from."
                yield Problem(f"door.allowed_networks[{index}]", shown(text), message, remedy)


def _names(data: dict[str, Any], own: str, others: Iterable[str]) -> Iterator[Problem]:
    identity = _table(data, "identity")
    for key in _NAMED_AFTER_A_DEPARTMENT:
        value = identity.get(key)
        if not isinstance(value, str):
            continue
        rest = _without(value, own)
        # The longest first, so that a name is not told by a part of it; "example" last, for a file since renamed.
        foreign = [*sorted({*others} - {own}, key=lambda each: (-len(each), each)), "example"]
        found = next((other for other in foreign if _stands_in(other, value if _stands_in(own, other) else rest)), None)
        if found:
            field = f"identity.{key}"
            message = f'This carries the name of another department, "{found}".'
            yield Problem(field, shown(value, field=field), message, f"Write the one made for {own or 'this one'}.")


def _stands_in(name: str, text: str) -> bool:
    return _without(text, name) != text


def _without(text: str, name: str) -> str:
    """Returns a text without a name that stands in it as words of its own."""
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "", text) if name else text


def _overlap(text: object, block: str) -> bool:
    try:
        network = ipaddress.ip_network(text, strict=False) if isinstance(text, str) else None
    except ValueError:
        return False
    other = ipaddress.ip_network(block)
    return network is not None and network.version == other.version and network.overlaps(other)


def _host(url: object) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".") if isinstance(url, str) else ""
    except ValueError:
        return ""


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}

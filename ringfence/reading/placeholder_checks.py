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

from ringfence.reading.documents import path_text, strings_in
from ringfence.reading.problems import Problem, shown
from ringfence.reading.values import reached_at

_EXAMPLE: Final = re.compile(r"example(-|$)")
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
_EXAMPLE_IN_THE_UK: Final = re.compile(r"(?:.+\.)?example(?:\.[a-z]+)?\.uk", re.IGNORECASE | re.ASCII)
"""No RFC reserves example.gov.uk and its like, but guidance for departments is full of them."""
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_PROVIDERS: Final = ("identity.issuer", "identity.metadata_url")
_NAMED_AFTER_A_DEPARTMENT: Final = ("domain_prefix", "client_id", "client_secret_name")

_UUID: Final = re.compile(r"(?<![0-9a-z])[0-9a-z]{8}-(?:[0-9a-z]{4}-){3}[0-9a-z]{12}(?![0-9a-z])", re.IGNORECASE)
_OF_AN_EXAMPLE: Final = "3f2c8a51-9b7e-4d06-8c1f-5e0a7d94b236"
"""The object id of a group in example-saml.toml, which looks like any other."""
_SAME: Final = re.compile(
    r"(?:(.)\1{2,})+|(.{1,4})\2{2,}|(..)\3+|(.{5,6})\4|(.)\5{6,}.|.(.)\6{6,}.?"
    r"|(?:dead|beef|cafe|babe|c0ffee|f00d|face|feed|ead|eef)+0*.?"
)
"""Runs of three or more, such as 111122223333; one piece over and over, such as 1212; one digit but at the ends, such
as 000000000001; or words in hexadecimal, such as deadbeef, in a UUID without their first letter."""
_FILL_IN: Final = re.compile(
    r"(?:change|replace|fill|fix)[-_ ]?(?:me|in|this)|to[-_ ]?do|tb[cd]|x{3,}|placeholder|dummy|<.*>|\$?\{.*\}"
    r"|your[-_ ].+|your(?:app|client|company|department|domain|organi[sz]ation|provider|tenant)[a-z]*"
    r"|(?-i:APP|APPLICATION|CLIENT|DIRECTORY|TENANT)_(?-i:ID)",
    re.IGNORECASE,
)
"""What a form says where something has to be filled in."""
_ENTRA: Final = ("login.microsoftonline.com", "login.microsoftonline.us", "login.windows.net", "sts.windows.net")
_ANY_TENANT: Final = re.compile(r"/+(?:common|organizations|consumers)(?:/|\Z)", re.IGNORECASE)
"""Microsoft Entra's authorities of no tenant in particular, at which strangers sign in too."""
_COUNTED: Final = tuple(
    text[::step]
    for text in ("0123456789" * 3, "0123456789abcdef" * 3, "1234567890abcdef0", "abcdef1234567890", "abcdef" * 3)
    for step in (1, -1)
)


def is_example(name: str) -> bool:
    """Returns whether a department's name says that it is an example, which is never deployed."""
    return _EXAMPLE.match(name) is not None


def problems(data: dict[str, Any], *, file_name: str, others: Iterable[str] = ()) -> list[Problem]:
    """Returns the made-up values of a production file that is no example.

    The file's name decides, so that a copy whose `name` is still the example's is told all the rest as well.

    Args:
        file_name: The file's name without `.toml`.
        others: Names of the department files beside it.
    """
    if is_example(file_name) or data.get("environment") == "sandbox":
        return []
    return list(made_up(data, own=file_name, others=others))


def made_up(data: dict[str, Any], *, own: str, others: Iterable[str] = ()) -> Iterator[Problem]:
    """Yields each value that nobody can really have.

    Args:
        own: The department's own name, which its values may carry; empty for an example.
        others: Names of the department files beside it.
    """
    for location, text in strings_in(data):
        field = path_text(location)
        if location[-1] == "reason":
            continue  # prose for the reviewer
        yield from _account(field, text)
        yield from _ids(field, text)
        for address in reached_at(text) if field == "contact" else (text,):
            yield from _filled_in(field, address)
            yield from _address(field, address)
        yield from _network(field, text)
    yield from _names(data, own, others)


def _account(field: str, text: str) -> Iterator[Problem]:
    parts = text.split(":")
    account = text if field == "account" else parts[4] if parts[0] == "arn" and len(parts) > 4 else ""
    if re.fullmatch(r"\d{12}", account) and _no_accident(account):
        remedy = "Write the id of the department's own account."
        yield Problem(field, shown(text, field=field), "This account id is made up.", remedy)


def _ids(field: str, text: str) -> Iterator[Problem]:
    look = "Look yours up; departments/example-production.toml has the command."
    if re.match(r"pl-[0-9a-f]+\Z", text, re.IGNORECASE) and _no_accident(text[3:]):
        yield Problem(field, shown(text, field=field), "This prefix list is made up.", look)
    if field == "identity.client_secret_version":
        if any(map(_made_up_uuid, _UUID.findall(text))) or "example" in text.lower():
            yield Problem(field, shown(text, field=field), "This version of the secret is made up.", look)
    elif any(map(_made_up_uuid, _UUID.findall(text))):
        yield Problem(field, shown(text, field=field), "This id is made up.", "Write the id that the real thing has.")


def _filled_in(field: str, text: str) -> Iterator[Problem]:
    host = _host(text)
    path = urlsplit(text).path if host and "//" in text else ""
    if any(map(_FILL_IN.fullmatch, (text, *host.split("."), *path.split("/")))):
        yield Problem(field, shown(text, field=field), "This is still to be filled in.", "Write the real value.")
    elif host in _ENTRA and _ANY_TENANT.match(path):
        message = "This is the address of every tenant, not of yours: anybody could sign in."
        yield Problem(field, shown(text, field=field), message, "Write the address with your tenant's id.")


def _address(field: str, text: str) -> Iterator[Problem]:
    host = _host(text)
    if ".callback_urls[" in field and host in _HERE:
        return  # a callback to the person's own computer is what a desktop host has
    remedy = "Write the address that your provider or host has."
    if field == "contact":
        remedy = "Write an address at which whoever is refused reaches your team."
    if host in _HERE or (field in _PROVIDERS and host.endswith(".local")):
        # RFC 6762 keeps .local for one link; Cognito asks from AWS's network.
        yield Problem(field, shown(text, field=field), "Cognito cannot reach a provider there.", remedy)
    elif _RESERVED.fullmatch(host):
        message = "This address is reserved for examples: nobody can own it."
        yield Problem(field, shown(text, field=field), message, remedy)
    elif _EXAMPLE_IN_THE_UK.fullmatch(host):
        yield Problem(field, shown(text, field=field), "This is an address that guidance gives as an example.", remedy)


def _network(field: str, text: str) -> Iterator[Problem]:
    for block, rfc in _DOCUMENTATION.items():
        if _lies_in(text, block) or _lies_in(_host(text), block):
            message = f"This network is reserved for documentation ({rfc}): nobody calls from there."
            remedy = "Name the public networks that your staff's traffic comes from."
            yield Problem(field, shown(text, field=field), message, remedy)


def _names(data: dict[str, Any], own: str, others: Iterable[str]) -> Iterator[Problem]:
    identity = data.get("identity")
    for key in _NAMED_AFTER_A_DEPARTMENT:
        value = identity.get(key) if isinstance(identity, dict) else None
        if not isinstance(value, str):
            continue
        rest = _without(value, own)
        # The longest first, so that a name is not told by a part of it; "example" last, for a file since renamed.
        foreign = [*sorted({*others} - {own}, key=lambda each: (-len(each), each)), "example"]
        found = next((other for other in foreign if _stands_in(other, value if _stands_in(own, other) else rest)), None)
        if found:
            field = f"identity.{key}"
            message = f'This carries the name of another department, "{found}".'
            yield Problem(
                field, shown(value, field=field), message, f"Write the one made for {own or 'your department'}."
            )


def _no_accident(digits: str) -> bool:
    """Returns whether digits repeat or count as those of no real id do: 111122223333, 0123456789abcdef0, abcdabcd."""
    digits = digits.lower()
    if _SAME.fullmatch(digits) or _counts(digits):
        return True
    half = len(digits) // 2
    pairs = (digits[::2], digits[1::2]), (digits[:half], digits[half:])
    return len(digits) > 3 and any(_counts(first) and _counts(second) for first, second in pairs)


def _counts(digits: str) -> bool:
    return any(digits in row for row in _COUNTED)


def _made_up_uuid(text: str) -> bool:
    """Returns whether each group of a UUID is made up; the digits of version and variant may be anything."""
    if text.lower() == _OF_AN_EXAMPLE:
        return True
    groups = text.lower().split("-")
    groups[2:4] = groups[2][1:], groups[3][1:]
    return "example" in text.lower() or all(map(_no_accident, groups))


def _stands_in(name: str, text: str) -> bool:
    return _without(text, name) != text


def _without(text: str, name: str) -> str:
    """Returns a text without a name that stands in it as words of its own, in whatever letters."""
    pattern = rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])"
    return re.sub(pattern, "", text, flags=re.IGNORECASE) if name else text


def _lies_in(text: str, block: str) -> bool:
    """Whether a network is a part of a block: a wider one holds real addresses too."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    if network.version == 6 and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        network = ipaddress.ip_network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    other = ipaddress.ip_network(block)
    if isinstance(network, ipaddress.IPv4Network) and isinstance(other, ipaddress.IPv4Network):
        return network.subnet_of(other)
    return (
        isinstance(network, ipaddress.IPv6Network)
        and isinstance(other, ipaddress.IPv6Network)
        and network.subnet_of(other)
    )


def _host(text: str) -> str:
    """Returns the host of a web address, or the domain of an e-mail address; empty for any other text."""
    try:
        host = (urlsplit(text if "//" in text else f"//{text}").hostname or "").rstrip(".")
    except ValueError:
        return ""
    return host if "//" in text or "@" in text else ""

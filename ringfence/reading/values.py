"""The kinds of value a department file may hold, each with its own check, message and remedy."""

from __future__ import annotations

import difflib
import ipaddress
import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator

from ringfence.reading.documents import fault
from ringfence.reading.region import ZONES

SHORTEST_REASON: Final = 20
"""Characters below which a text explains nothing to the reviewer who reads it in a template."""

_PRIVATE: Final = tuple(
    ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
"""What no host of the internet has: RFC 1918, and RFC 6598, which landing zones give to networks without a route. The
VPC User Guide recommends the former and admits blocks outside it ("VPC CIDR blocks", read 2026-11-29); that a VPC may
begin with the latter is not verified live (LIVE-81)."""
_NOT_A_CALLER: Final = {
    "10.0.0.0/8": "private (RFC 1918)",
    "172.16.0.0/12": "private (RFC 1918)",
    "192.168.0.0/16": "private (RFC 1918)",
    "100.64.0.0/10": "shared address space (RFC 6598)",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local",
    "198.18.0.0/15": "for measurements (RFC 2544)",
    "0.0.0.0/8": "not an address of any host",
    "224.0.0.0/3": "multicast or reserved",
}
_DOMAIN: Final = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]"
_REACHED: Final = re.compile(
    rf"(?<![\w.'+@/-])[\w.'+-]+@{_DOMAIN}(?![\w@-])"
    rf"|\bhttps://{_DOMAIN}(?![\w@-])(?::[0-9]+)?(?:/[\w.,'@+/:()-]*)?"
    r"|(?<![\w.,/+-])(?:\+|\(?0)(?:[ ()-]*[0-9]){9,14}(?![\w@/])",
    re.IGNORECASE | re.ASCII,
)
"""How somebody is reached. A telephone number is whole, with its area code: 10 to 15 digits behind 0 or +."""
_NO_REPLY: Final = re.compile(r"(?:no|do[-_.]?not)[-_.]?reply\b[^@]*@", re.IGNORECASE)
_ASK: Final = re.compile(r"ask\b", re.IGNORECASE)
_WIDEST_CALLER: Final = 16
_LARGEST_VPC: Final = 20
_SMALLEST_VPC: Final = 24
_LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
_PLAIN_HOST: Final = re.compile(r"[a-z0-9.:-]*[a-z0-9:]")
_NO_APPS_SCHEME: Final = frozenset(
    "about blob chrome content data file filesystem ftp ftps gopher http https imap intent jar javascript ldap ldaps "
    "mailto res sftp smb ssh tel telnet urn vbscript view-source ws wss".split()
)
"""Schemes that a browser or system handles itself: none names an app that could hold the code's verifier. Any other is
private to an app (RFC 8252, section 7.1), and the client is public with PKCE, as that section asks."""


def parse_network(text: str) -> ipaddress.IPv4Network:
    """Returns an IPv4 network written in CIDR form.

    Raises:
        PydanticCustomError: not CIDR, not IPv4, or host bits are set.
    """
    if "/" not in text:
        raise fault("This is not a network in CIDR form.", "Write it as `203.0.113.0/24`; one address is `/32`.")
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise fault("This is not a network in CIDR form.", "Write it as `203.0.113.0/24`.") from error
    if not isinstance(network, ipaddress.IPv4Network):
        raise fault("Only IPv4 networks are supported here.", "Name the IPv4 network.")
    if str(network) != text:
        raise fault("Address bits are set behind the prefix, or the form is unusual.", f"Write `{network}`.")
    return network


def _vpc_network(text: str) -> str:
    network = parse_network(text)
    if not any(network.subnet_of(private) for private in _PRIVATE):
        raise fault(
            "The network of the VPC must be private.", "Use a part of 10/8, 172.16/12, 192.168/16 or 100.64/10."
        )
    if network.prefixlen > _SMALLEST_VPC:
        raise fault("The network is too small for subnets in two zones.", "Use a prefix from /20 to /24.")
    if network.prefixlen < _LARGEST_VPC:
        raise fault("The network is larger than Ringfence needs.", "Use a prefix from /20 to /24.")
    return text


def _caller_network(text: str) -> str:
    if text in {"0.0.0.0/0", "::/0"}:
        raise fault("This admits the whole internet.", "Name the networks your staff's traffic comes from.")
    network = parse_network(text)
    for block, what in _NOT_A_CALLER.items():
        if network.overlaps(ipaddress.IPv4Network(block)):
            raise fault(
                f"This network is {what}: the gateway never sees such a source address.",
                "Name the public addresses that your staff's traffic leaves from.",
            )
    if network.prefixlen < _WIDEST_CALLER:
        raise fault(
            "This network is wider than a department's own.", f"Name networks of /{_WIDEST_CALLER} or narrower."
        )
    return text


def _any_network(text: str) -> str:
    if ":" in text:
        raise fault("A network of IPv6 cannot overlap this one, which is of IPv4.", "Leave it out.")
    parse_network(text)
    return text


def _https_url(text: str) -> str:
    parts = _split_url(text)
    if parts[0] != "https":
        raise fault("This is not an https address.", "Use the https address.")
    return text


def _issuer(text: str) -> str:
    discovery = "/.well-known/openid-configuration"
    if text.rstrip("/").endswith(discovery):
        raise fault("This is where an issuer's settings are found, and not the issuer.", f"Leave `{discovery}` out.")
    return _https_url(text)


def _callback_url(text: str) -> str:
    scheme, host = _split_url(text, bare=True)
    if scheme in ("http", "https") and not _PLAIN_HOST.fullmatch(host):
        # A browser reads some other characters as these, so the host that we compare would not be the one it goes to.
        raise fault(
            "A callback's host has letters, digits, dots and hyphens, and ends in none of the last two.",
            "Write it in ASCII, an international name in its `xn--` form.",
        )
    if scheme == "https" or (scheme == "http" and host in _LOOPBACK_HOSTS):
        return text
    if near := difflib.get_close_matches(scheme, ("https", "http"), n=1, cutoff=0.75):
        if scheme not in near:
            raise fault(f"No app has a scheme so near to {near[0]}.", f"Did you mean `{near[0]}://…`?")
    elif scheme not in _NO_APPS_SCHEME:
        return text
    raise fault(
        "A callback must be https, http to this computer (localhost, 127.0.0.1, [::1]), or an app's own scheme "
        "(`cursor://…`).",
        "Use the address in the MCP host's documentation.",
    )


def _split_url(text: str, *, bare: bool = False) -> tuple[str, str]:
    """Returns scheme and host; `bare` admits an app's own scheme with a path alone, which has no host."""
    remedy = "Write a complete address such as `https://login.example.org/path`."
    if any(character.isspace() or not character.isprintable() for character in text) or "*" in text:
        raise fault("An address cannot hold spaces, control characters or `*`.", remedy)
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise fault("This is not a web address.", remedy) from error
    if not parts.scheme or not (host or (bare and parts.path.startswith("/") and parts.scheme not in _NO_APPS_SCHEME)):
        raise fault("This is not a web address.", remedy)
    if parts.username is not None or parts.fragment:
        raise fault("An address here has no user name and no `#` part.", remedy)
    return parts.scheme, host or ""


def _zone(text: str) -> str:
    if text in ZONES:
        return text
    if text.startswith("euw2-az"):
        raise fault(
            "This is a zone id, which is not what CloudFormation takes.",
            "Name the zone that has this id in your account (`aws ec2 describe-availability-zones`).",
        )
    raise fault("This is not a zone of eu-west-2.", f"Use two or three of {', '.join(ZONES)}.")


def shaped(pattern: str, message: str, remedy: str) -> AfterValidator:
    """Returns a validator that wants a text of a certain form, and says what is wrong and what to do otherwise."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise fault(message, remedy)
        return text

    return AfterValidator(check)


def _domain_prefix(text: str) -> str:
    reserved = [word for word in ("aws", "amazon", "cognito") if word in text]
    if reserved:
        raise fault(f'Cognito refuses a domain prefix that holds "{reserved[0]}".', "Choose another prefix.")
    return text


Name = Annotated[
    str,
    shaped(
        r"(?=.{3,28}\Z)[a-z](?:-?[a-z0-9])+",
        "A department's name has 3 to 28 lower-case letters, digits and single hyphens, and starts with a letter.",
        "Rename the department and its file; the name becomes part of every resource's name.",
    ),
]
Account = Annotated[
    str,
    shaped(r"[0-9]{12}", "An AWS account id has exactly 12 digits.", 'Write it in quotes, as `"111122223333"`.'),
]
Zone = Annotated[str, AfterValidator(_zone)]
VpcNetwork = Annotated[str, AfterValidator(_vpc_network)]
CallerNetwork = Annotated[str, AfterValidator(_caller_network)]
Network = Annotated[str, AfterValidator(_any_network)]
PrefixList = Annotated[
    str,
    shaped(
        r"pl-(?:[0-9a-f]{8}|[0-9a-f]{17})",
        "This is not the id of a prefix list.",
        "Look it up with `aws ec2 describe-managed-prefix-lists`; departments/example-production.toml shows how.",
    ),
]
HttpsUrl = Annotated[str, AfterValidator(_https_url)]
Issuer = Annotated[str, AfterValidator(_issuer)]
CallbackUrl = Annotated[str, AfterValidator(_callback_url)]
DomainPrefix = Annotated[
    str,
    shaped(
        r"(?=.{3,63}\Z)[a-z0-9](?:-?[a-z0-9])+",
        "A domain prefix has 3 to 63 lower-case letters, digits and single hyphens.",
        "Choose a prefix that is unique in eu-west-2, such as `ringfence-<department>`.",
    ),
    AfterValidator(_domain_prefix),
]
SecretName = Annotated[
    str,
    shaped(
        r"[A-Za-z0-9/_+=.@-]{1,512}",
        "This is not the name of a Secrets Manager secret.",
        "Give the secret's name, not its ARN and never its value.",
    ),
]
SecretVersion = Annotated[
    str,
    shaped(
        r"[A-Za-z0-9-]{32,64}",
        "This is not the id of a secret's version.",
        "Copy the one with AWSCURRENT: aws secretsmanager list-secret-version-ids --secret-id <name>.",
    ),
]
RoleName = Annotated[
    str,
    shaped(
        r"(?!ringfence-|role/)(?:(?:[A-Za-z0-9+=,.@_-]+/)*[A-Za-z0-9+=,.@_-]{1,64}"
        r"|aws-reserved/sso\.amazonaws\.com/(?:[a-z0-9-]+/)?AWSReservedSSO_[A-Za-z0-9+=,.@-]+_\*)",
        "This is not the name of a role of the account, or it is one of Ringfence's own.",
        "Write what stands after `role/` in the role's ARN, its path included, as `security/on-call`; or "
        "`aws-reserved/sso.amazonaws.com/<region>/AWSReservedSSO_<permission set>_*`, with Identity Center's home "
        "region, and without a region where that is us-east-1.",
    ),
]
Claim = Annotated[
    str,
    shaped(
        r"[A-Za-z0-9_:./-]{1,256}",
        "This is not the name of a claim or attribute.",
        "Use the name your identity provider sends.",
    ),
]
ClientId = Annotated[
    str,
    shaped(r"[A-Za-z0-9._:@/-]{1,255}", "This is not a client id.", "Copy it from your identity provider."),
]
GroupName = Annotated[
    str,
    shaped(
        r'[^",\[\]\x00-\x1f\x7f]{1,128}',
        "A group name has 1 to 128 characters without quotes, commas and square brackets.",
        "Use the name or object id that your identity provider sends in the groups claim.",
    ),
]
LogGroups = Annotated[
    str,
    shaped(
        r"[A-Za-z0-9_./#-]{0,127}[A-Za-z0-9_./#*-]",
        "This is not the name of a log group, or the beginning of names with `*` behind it.",
        "Write it as `/fisheries/*`.",
    ),
]


def reached_at(text: str) -> list[str]:
    """Returns the e-mail addresses, https addresses and telephone numbers within a contact."""
    return [found[0] for found in _REACHED.finditer(text)]


def _seen_through(text: str) -> str:
    if re.search("//[^ /]*@", text):
        raise fault(
            "What stands before the @ of a web address is a name, and the host behind it is another one.",
            "Write the address as https://<host>/<path>; write an e-mail address with no // before it.",
        )
    return text


def _reachable(text: str) -> str:
    if not reached_at(text):
        raise fault(
            "Nobody can be reached by this: it holds no e-mail address, https address or whole telephone number.",
            "Write whom refused callers may ask and how, as `the platform team, platform@<your domain>`.",
        )
    unusable = next(filter(_nobody_answers, reached_at(text)), None)
    if unusable:
        raise fault(f"Nobody answers at {unusable}.", "Name an address or number that whoever is refused can use.")
    if _ASK.match(text):
        raise fault("Refused callers read this behind the word `Ask`.", "Begin with whom: `the platform team, …`.")
    return text


def _nobody_answers(address: str) -> bool:
    digits = re.sub(r"\D", "", address)
    return bool(_NO_REPLY.match(address)) or ("@" not in address and "/" not in address and len(set(digits)) == 1)


Contact = Annotated[
    str,
    shaped(
        r"[A-Za-z0-9+][A-Za-z0-9 .,'@+_/:()-]{4,118}[A-Za-z0-9)/]",
        "A contact is one line of 6 to 120 letters, digits and plain signs; refused callers read it.",
        "Write whom they may ask, as `the platform team, platform@<your domain>`.",
    ),
    AfterValidator(_seen_through),
    AfterValidator(_reachable),
]
HostName = Annotated[
    str,
    shaped(
        r"(?=.{2,32}\Z)[a-z](?:-?[a-z0-9])+",
        "An MCP host's name has 2 to 32 lower-case letters, digits and single hyphens.",
        "Choose a short name such as `claude-code`.",
    ),
]


def _reason(text: str) -> str:
    if len(text.strip()) < SHORTEST_REASON or not text.isprintable():
        raise fault(
            f"A reason is one line of at least {SHORTEST_REASON} characters; it goes into the template.",
            "Say why the department needs this, in a sentence.",
        )
    return text.strip()


Reason = Annotated[str, AfterValidator(_reason)]

"""Secrets that open nothing: values in the forms that their issuers document (kinds.toml has the sources)."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable
from random import Random
from typing import Final

Make = Callable[[Random], str]
WORD: Final = string.ascii_letters + string.digits
URL_SAFE: Final = WORD + "-_"
HEX: Final = "0123456789abcdef"
_LOWER: Final = string.ascii_lowercase + string.digits


def some(rng: Random, count: int, of: str = WORD) -> str:
    """So many characters by chance."""
    return "".join(rng.choices(of, k=count))


def encoded(rng: Random, count: int) -> str:
    """So many bytes by chance, in base64."""
    return base64.b64encode(rng.randbytes(count)).decode()


def in_url(text: str) -> str:
    """In base64 as tokens have it."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def aws_access_key(rng: Random) -> str:
    """Of a user or of a session."""
    return rng.choice(("AKIA", "ASIA")) + some(rng, 16, string.ascii_uppercase + "234567")


def aws_secret_key(rng: Random) -> str:
    """Thirty bytes in base64."""
    return encoded(rng, 30)


def aws_session_token(rng: Random) -> str:
    """As the token service hands them out."""
    return rng.choice(("IQoJb3JpZ2luX2Vj", "FwoGZXIvYXdzE")) + encoded(rng, 3 * rng.randint(90, 200))


def cognito_secret(rng: Random) -> str:
    """Of an app client."""
    return some(rng, rng.randint(50, 52), _LOWER)


def jwt(rng: Random) -> str:
    """Signed by nobody."""
    head = {"alg": rng.choice(("RS256", "ES256", "HS256")), "kid": some(rng, 43) + "=", "typ": "JWT"}
    body = {
        "sub": some(rng, 12, HEX),
        "iss": "https://issuer.example.org/pool",
        "iat": rng.randint(1764000000, 1764999999),
    }
    signature = base64.urlsafe_b64encode(rng.randbytes(64)).decode().rstrip("=")
    return f"{in_url(json.dumps(head))}.{in_url(json.dumps(body))}.{signature}"


def private_key(rng: Random) -> str:
    """In PEM, with its frame."""
    kind = rng.choice(("RSA ", "EC ", "", "OPENSSH "))
    body = encoded(rng, rng.choice((120, 300, 600)))
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {kind}PRIVATE KEY-----", *lines, f"-----END {kind}PRIVATE KEY-----"])


def bearer(rng: Random) -> str:
    """An opaque token."""
    return rng.choice((some(rng, 40, HEX), some(rng, 43, URL_SAFE), some(rng, 64), encoded(rng, 36)))


def basic(rng: Random) -> str:
    """User and password in base64."""
    return base64.b64encode(f"svc-{some(rng, 6, _LOWER)}:{password(rng)}".encode()).decode()


def password(rng: Random) -> str:
    """As people choose them, and as machines do."""
    words = "Winter Otter Harbour Thistle Bramble Copper Falcon Meadow Pebble Saffron".split()
    one, two = rng.sample(words, 2)
    ways = [f"{one}{rng.randint(10, 2999)}!", f"{one}-{two}-{rng.randint(10, 99)}", some(rng, 20), f"{one}{two}#7"]
    return rng.choice([*ways, some(rng, 14, WORD + "!$%*_"), f"P@{one.lower()}{rng.randint(100, 999)}"])


def azure(rng: Random) -> str:
    """A storage account's key, or a client secret."""
    return rng.choice((encoded(rng, 64), f"{some(rng, 3)}8Q~{some(rng, 34, WORD + '-_.~')}"))


def github(rng: Random) -> str:
    """Of each kind of token."""
    prefix = rng.choice(("ghp", "ghp", "gho", "ghu", "ghs", "github_pat"))
    return f"github_pat_{some(rng, 22)}_{some(rng, 59)}" if prefix == "github_pat" else f"{prefix}_{some(rng, 36)}"


def gitlab(rng: Random) -> str:
    """Personal, routable, runner and deploy tokens."""
    ways = [f"glpat-{some(rng, 20, URL_SAFE)}", f"glrt-{some(rng, 20, URL_SAFE)}", f"gldt-{some(rng, 20, URL_SAFE)}"]
    return rng.choice([*ways, ways[0], f"glpat-{some(rng, 27, URL_SAFE)}.01.{some(rng, 9, _LOWER)}"])


def slack(rng: Random) -> str:
    """Of bots, users and apps."""
    one, two = (some(rng, 12, "123456789") for _ in range(2))
    ways = [f"xoxb-{one}-{two}3-{some(rng, 24)}", f"xoxp-{one}-{two}-{one}-{some(rng, 32, HEX)}"]
    return rng.choice([*ways, ways[0], f"xapp-1-A0{some(rng, 9, _LOWER).upper()}-{two}7-{some(rng, 64, HEX)}"])


def stripe(rng: Random) -> str:
    """Secret, restricted and webhook keys."""
    ways = [f"sk_live_{some(rng, 24)}", f"sk_live_{51}{some(rng, 97)}", f"rk_live_{some(rng, 99)}"]
    return rng.choice([*ways, f"sk_test_{some(rng, 24)}", f"whsec_{some(rng, 32)}"])


def google(rng: Random) -> str:
    """API keys, client secrets, access tokens."""
    ways = [f"AIza{some(rng, 35, URL_SAFE)}", f"GOCSPX-{some(rng, 28, URL_SAFE)}"]
    return rng.choice([*ways, ways[0], f"ya29.a0{some(rng, 160, URL_SAFE)}"])


def npm(rng: Random) -> str:
    """Of the registry."""
    return f"npm_{some(rng, 36)}"


def pypi(rng: Random) -> str:
    """A macaroon of the Python Package Index."""
    return f"pypi-AgEIcHlwaS5vcmc{some(rng, rng.randint(130, 170), URL_SAFE)}"


def twilio(rng: Random) -> str:
    """An API key."""
    return f"SK{some(rng, 32, HEX)}"


def sendgrid(rng: Random) -> str:
    """An API key."""
    return f"SG.{some(rng, 22, URL_SAFE)}.{some(rng, 43, URL_SAFE)}"


def vault(rng: Random) -> str:
    """Service and batch tokens."""
    return rng.choice((f"hvs.CAESI{some(rng, 86, URL_SAFE)}", f"hvs.{some(rng, 24)}", f"hvb.AAAAAQ{some(rng, 130)}"))


CREDENTIALS: Final[dict[str, Make]] = {
    "aws_access_key": aws_access_key,
    "aws_secret_key": aws_secret_key,
    "aws_session_token": aws_session_token,
    "presigned_url": lambda rng: some(rng, 64, HEX),
    "cognito_secret": cognito_secret,
    "jwt": jwt,
    "private_key": private_key,
    "bearer": bearer,
    "basic": basic,
    "password": password,
    "github": github,
    "gitlab": gitlab,
    "slack": slack,
    "stripe": stripe,
    "google": google,
    "azure": azure,
    "npm": npm,
    "pypi": pypi,
    "twilio": twilio,
    "sendgrid": sendgrid,
    "vault": vault,
}

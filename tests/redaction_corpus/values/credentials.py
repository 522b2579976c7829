"""Secret-shaped values, made from the seed when they are needed: none is written in any file.

The forms are those that each provider documents, or that its own scanner partners publish (GitHub, "Supported secret
scanning patterns"; AWS IAM User Guide, "Understanding unique ID prefixes" and "Manage access keys").
"""

from __future__ import annotations

import base64
import json
import string
from random import Random

LOWER, HEX = string.ascii_lowercase + string.digits, "0123456789abcdef"
WORD, URLSAFE = string.ascii_letters + string.digits, string.ascii_letters + string.digits + "-_"
BASE32, BASE64 = string.ascii_uppercase + "234567", string.ascii_letters + string.digits + "+/"
WORDS = "harbour copper violet thunder maple orbit candle river saffron pepper".split()


def chars(rng: Random, among: str, count: int) -> str:
    """So many random characters."""
    return "".join(rng.choices(among, k=count))


def _base64(rng: Random, size: int) -> str:
    return base64.b64encode(rng.randbytes(size)).decode()


def aws_access_key(rng: Random) -> str:
    prefix = rng.choice(("AKIA", "ASIA"))
    return prefix + (chars(rng, BASE32, 9) + "EXAMPLE" if rng.random() < 0.2 else chars(rng, BASE32, 16))


def aws_secret_key(rng: Random) -> str:
    return chars(rng, BASE64, 40)


def aws_session_token(rng: Random) -> str:
    return "IQoJb3JpZ2luX2Vj" + _base64(rng, 3 * rng.randint(90, 160))


def presigned_url(rng: Random) -> str:
    """The signature in a presigned URL's query: version 4 of AWS (64 hexadecimal digits)."""
    return chars(rng, HEX, 64)


def cognito_secret(rng: Random) -> str:
    return chars(rng, LOWER, rng.choice((51, 52)))


def jwt(rng: Random) -> str:
    """Three parts in base64url (RFC 7519, JWS compact serialisation)."""
    head = {"alg": rng.choice(("RS256", "ES256", "HS256")), "typ": "JWT"} | ({"kid": chars(rng, WORD, 12)})
    body = {
        "sub": chars(rng, HEX, 12),
        "iss": "https://issuer.example.org",
        "exp": rng.randint(1_790_000_000, 1_800_000_000),
    }
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (head, body)]
    made = [
        base64.urlsafe_b64encode(part).rstrip(b"=").decode()
        for part in (*parts, rng.randbytes(rng.choice((32, 64, 256))))
    ]
    return ".".join(made)


def private_key(rng: Random) -> str:
    """A block as RFC 7468 and OpenSSH frame it."""
    title = rng.choice(("RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED ")) + "PRIVATE KEY"
    body = _base64(rng, rng.choice((118, 384, 600)))
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {title}-----", *lines, f"-----END {title}-----"])


def bearer(rng: Random) -> str:
    return chars(rng, URLSAFE, rng.randint(32, 72))


def basic(rng: Random) -> str:
    """User and password as RFC 7617 joins them."""
    return base64.b64encode(f"svc-{rng.choice(WORDS)}:{password(rng)}".encode()).decode()


def password(rng: Random) -> str:
    first, second = rng.sample(WORDS, 2)
    mark, number = rng.choice("!$#*^%?-_.~"), rng.randint(10, 9999)
    return rng.choice(
        (
            f"{first.title()}{mark}{second.title()}{number}", chars(rng, WORD, rng.randint(12, 24)),
            chars(rng, WORD + "!$#*^?-_.~", 16), f"{first}{number}", f"{number}{mark}{first}{mark}{second}",
        )
    )  # fmt: skip


def github(rng: Random) -> str:
    if rng.random() < 0.25:
        return f"github_pat_{chars(rng, WORD, 22)}_{chars(rng, WORD, 59)}"
    return rng.choice(("ghp_", "gho_", "ghu_", "ghs_", "ghr_")) + chars(rng, WORD, 36)


def gitlab(rng: Random) -> str:
    return rng.choice(("glpat-", "gldt-", "glptt-")) + chars(rng, URLSAFE, 20)


def slack(rng: Random) -> str:
    first, second = rng.randint(10**10, 10**12), rng.randint(10**10, 10**12)
    return f"{rng.choice(('xoxb', 'xoxp'))}-{first}-{second}-{chars(rng, WORD, 24)}"


def stripe(rng: Random) -> str:
    return f"{rng.choice(('sk', 'rk'))}_{rng.choice(('live', 'test'))}_{chars(rng, WORD, rng.choice((24, 99)))}"


def google(rng: Random) -> str:
    return rng.choice(
        ("AIza" + chars(rng, URLSAFE, 35), "GOCSPX-" + chars(rng, URLSAFE, 28), "ya29.a0" + chars(rng, URLSAFE, 120))
    )


def azure(rng: Random) -> str:
    """A storage account's key, which is 64 bytes, or an application's secret."""
    if rng.random() < 0.5:
        return _base64(rng, 64)
    return f"{chars(rng, WORD, 3)}8Q~{chars(rng, URLSAFE + '.~', 34)}"


def npm(rng: Random) -> str:
    return "npm_" + chars(rng, WORD, 36)


def pypi(rng: Random) -> str:
    return "pypi-AgEIcHlwaS5vcmc" + chars(rng, URLSAFE, 150)


def twilio(rng: Random) -> str:
    return "SK" + chars(rng, HEX, 32)


def sendgrid(rng: Random) -> str:
    return f"SG.{chars(rng, URLSAFE, 22)}.{chars(rng, URLSAFE, 43)}"


def vault(rng: Random) -> str:
    return "hvs." + chars(rng, URLSAFE, 95)


CREDENTIALS = {
    make.__name__: make
    for make in (
        aws_access_key, aws_secret_key, aws_session_token, presigned_url, cognito_secret, jwt, private_key, bearer,
        basic,
        password, github, gitlab, slack, stripe, google, azure, npm, pypi, twilio, sendgrid, vault,
    )
}  # fmt: skip
"""What makes a value of each kind of secret."""

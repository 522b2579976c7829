"""Values in the disguises that text goes through on its way, one or two at once, beside a key that says what it is."""

from __future__ import annotations

import base64
import html
import quopri
from collections.abc import Callable
from random import Random
from typing import Final
from urllib.parse import quote

from tests.redaction_corpus.model import LAYERED, PLAIN
from tests.redaction_corpus.second import noise
from tests.redaction_corpus.second.ink import Ink

Hide = Callable[[str, Random], str]
KINDS: Final = (
    "nino nhs iban card email phone postcode driving_licence utr passport aws_access_key aws_secret_key jwt github "
    "stripe password gitlab slack sort_code account date_of_birth vat chi vehicle"
).split()
# Letters of other alphabets that look the same: Unicode's confusables.txt (unicode.org/Public/security), 2026-11-29.
# Cyrillic letters that look like the Latin ones, written as escapes so that a reader sees which are which.
_CYRILLIC: Final = (
    "\u0410\u0412\u0421\u0415\u041d\u041a\u041c\u041e\u0420\u0422\u0425\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456"
)
_ALIKE: Final = dict(zip("ABCEHKMOPTXaceopxyi", _CYRILLIC, strict=True))
_NAMED: Final = {
    "@": "&commat;",
    ".": "&period;",
    "-": "&hyphen;",
    " ": "&nbsp;",
    "/": "&sol;",
    "+": "&plus;",
    "_": "&lowbar;",
    "=": "&equals;",
    "#": "&num;",
    "!": "&excl;",
}
_INVISIBLE: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad"


def _wide(text: str, _: Random) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _bold(text: str, _: Random) -> str:
    return "".join(chr(0x1D7CE + int(char)) if char.isdecimal() else char for char in text)


def _alike(text: str, _: Random) -> str:
    return "".join(_ALIKE.get(char, char) for char in text)


def _invisible(text: str, rng: Random) -> str:
    return "".join(char + (rng.choice(_INVISIBLE) if rng.random() < 0.4 else "") for char in text[:-1]) + text[-1]


def _combining(text: str, rng: Random) -> str:
    return "".join(char + ("\u0332" if char.isalnum() and rng.random() < 0.6 else "") for char in text)


def _spaces(text: str, rng: Random) -> str:
    space, dash = rng.choice("\u00a0\u2009\u202f"), rng.choice("\u2010\u2011\u2013\u2212")
    return "".join({" ": space, "-": dash}.get(char, char) for char in text)


def _escaped(text: str, rng: Random) -> str:
    share = rng.choice((1.0, 1.0, 0.4))
    return "".join(f"\\u{ord(char):04x}" if rng.random() < share else char for char in text)


def _percent(text: str, rng: Random) -> str:
    share = rng.choice((1.0, 0.5))
    return "".join(f"%{ord(char):02X}" if rng.random() < share or char in "% +&" else char for char in text)


def _entities(text: str, rng: Random) -> str:
    form = rng.choice(("&#{};", "&#x{:x};", "&#x{:X};"))
    return "".join(form.format(ord(char)) if rng.random() < 0.8 else html.escape(char) for char in text)


def _named(text: str, _: Random) -> str:
    return "".join(_NAMED.get(char, char) for char in text)


def _quoted(text: str, rng: Random) -> str:
    if rng.random() < 0.5:
        return "".join(f"={ord(char):02X}" for char in text)
    cut = len(text) // 2
    return quopri.encodestring(text[:cut].encode()).decode() + "=\n" + quopri.encodestring(text[cut:].encode()).decode()


def _base64(text: str, _: Random) -> str:
    return base64.b64encode(text.encode()).decode()


def _base64_url(text: str, _: Random) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _hex(text: str, rng: Random) -> str:
    return rng.choice((text.encode().hex(), text.encode().hex().upper()))


def _broken(text: str, rng: Random) -> str:
    cut = rng.randint(2, len(text) - 2)
    return text[:cut] + rng.choice(("\t", "\n", "\n  ", "\r\n")) + text[cut:]


def _utf8_percent(text: str, rng: Random) -> str:
    return quote(_wide(text, rng), safe="")


SINGLE: Final[dict[str, Hide]] = {
    "full width": _wide,
    "mathematical digits": _bold,
    "confusables": _alike,
    "invisible characters": _invisible,
    "combining characters": _combining,
    "spaces and dashes of Unicode": _spaces,
    "JSON escapes": _escaped,
    "percent": _percent,
    "HTML entities": _entities,
    "named HTML entities": _named,
    "quoted-printable": _quoted,
    "base64": _base64,
    "base64 for URLs": _base64_url,
    "hex": _hex,
    "tab or line break inside": _broken,
}
_PAIRS: Final = (
    ("base64", "base64"),
    ("hex", "base64"),
    ("base64", "hex"),
    ("base64", "percent"),
    ("percent", "percent"),
    ("percent", "HTML entities"),
    ("HTML entities", "percent"),
    ("full width", "base64"),
    ("invisible characters", "percent of UTF-8"),
    ("full width", "percent of UTF-8"),
    ("confusables", "invisible characters"),
    ("HTML entities", "quoted-printable"),
    ("JSON escapes", "base64"),
    ("percent", "JSON escapes"),
    ("base64", "JSON escapes"),
)
_SECOND: Final[dict[str, Hide]] = {**SINGLE, "percent of UTF-8": lambda text, _: quote(text, safe="")}
LAYERS: Final[dict[str, tuple[Hide, Hide]]] = {f"{one}, then {two}": (SINGLE[one], _SECOND[two]) for one, two in _PAIRS}


def _changes(ink: Ink, kind: str, hide: Hide) -> tuple[str, str]:
    """A kind's value that the disguise changes, and what becomes of it; another kind's where this one has none."""
    for _ in range(40):
        value = ink.value(kind)
        hidden = hide(value, ink.rng)
        if hidden != value:
            return kind, hidden
    return _changes(ink, "email", hide) if kind != "email" else _changes(ink, "iban", hide)


def disguised(ink: Ink, name: str, kind: str) -> str:
    """A document with one value of a kind in a disguise, beside its key."""
    layers = LAYERED if name in LAYERS else PLAIN
    hide = SINGLE[name] if layers == PLAIN else _both(*LAYERS[name])
    kind, hidden = _changes(ink, kind, hide)
    value = ink.put(kind, "keyed", hidden, layers=layers, disguise=name)
    return _around(ink, kind, value, name, multiline="\n" in hidden or "\r" in hidden)


def _both(first: Hide, second: Hide) -> Hide:
    return lambda text, rng: second(first(text, rng), rng)


def _around(ink: Ink, kind: str, value: str, name: str, *, multiline: bool) -> str:
    rng, key = ink.rng, ink.key(kind, ink.pick(["camel", "snake"]))
    quiet = noise.quiet_lines(rng, 2)
    if "break" in name:
        return f"{ink.key(kind, 'title')}: {value}\nStatus: open\n\n{quiet[0]}"
    if multiline or "quoted-printable" in name:
        return (
            f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
            f"{ink.key(kind, 'title')}: {value}\n\nPlease confirm.\n"
        )
    json_line = (
        f'{{"ts":"{noise.iso(rng)}","requestId":"{noise.uuid(rng)}","{key}":"{value}","size":{rng.randint(1, 10**9)}}}'
    )
    if name.endswith("JSON escapes") or name == "JSON escapes":
        return json_line
    if name.split(", then ")[-1].startswith("percent"):
        url = f"https://api.example.org/v2/check?page=2&{key}={value}&lang=en"
        return ink.pick([f"{noise.head(rng)} GET {url} 200 {rng.randint(1, 900)}ms", json_line, f"Referer: {url}"])
    if "entities" in name:
        page = f"<dl><dt>{ink.key(kind, 'title')}</dt><dd>{value}</dd></dl>"
        return ink.pick(
            [page, f"<{key}>{value}</{key}>", json_line, f'<input name="{key}" value="{value}" maxlength="40">']
        )
    return ink.pick([json_line, f"{quiet[0]}\n{noise.head(rng)} {key}={value} stored\n{quiet[1]}", f"{key}: {value}\n"])

"""One digest for one value, whoever serialised it: SHA-256 over the RFC 8785 canonical form of JSON."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from importlib import import_module
from typing import Any

import rfc8785

try:
    orjson: Any = import_module("orjson")
except ImportError:  # only the response interceptor digests megabytes, and brings it
    orjson = None

LARGEST_INTEGER = 2**53 - 1


def canonical(value: object) -> bytes:
    """Return the RFC 8785 canonical form of a JSON value.

    Raises:
        ValueError: the value cannot be written as exact JSON (NaN, an infinity, an integer beyond 2^53-1, half of a
            surrogate pair, a key that is not a string, nesting beyond Python's stack). The message never repeats it.
    """
    try:
        if _is_plain(value):
            return _plain(value)
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        raise ValueError(
            "a value cannot be written as exact JSON: check for NaN, infinities, integers beyond 2^53-1, broken "
            "characters and keys that are not text"
        ) from None


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical form, as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def canonical_digest(value: object) -> tuple[str | None, int | None]:
    """Return digest and size in bytes of any value, or twice None when it cannot be written as exact JSON."""
    try:
        written = canonical(value)
    except ValueError:
        return None, None
    return hashlib.sha256(written).hexdigest(), len(written)


def _plain(value: object) -> bytes:
    """Return what RFC 8785 writes of a plain value, ten times as fast as its package or more; tests hold them equal."""
    if orjson is not None:
        with suppress(TypeError):  # for orjson nested too deeply, or not Unicode: the other way has the last word
            written: bytes = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
            return written
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8")


def _is_plain(value: object) -> bool:
    """Say whether nothing in the value is written differently by RFC 8785 and by Python's encoder.

    Floats are written differently, and keys sort by UTF-16 unit instead of code point, which shows beyond ASCII.
    """
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if item is None or type(item) is str or type(item) is bool:
            continue
        if type(item) is int:
            if not -LARGEST_INTEGER <= item <= LARGEST_INTEGER:
                return False
        elif type(item) is list:
            waiting.extend(item)
        elif type(item) is dict:
            if not all(type(key) is str and key.isascii() for key in item):
                return False
            waiting.extend(item.values())
        else:
            return False
    return True

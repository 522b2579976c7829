"""CBOR (RFC 8949), as much as the Smithy RPC v2 protocol needs.

Reading is botocore's own parser. Writing covers the types that occur in answers: null, booleans, integers, floats,
text, bytes, timestamps (tag 1), lists and maps.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.parsers import BaseCBORParser


def decode_cbor(body: bytes) -> Any:
    """The value a CBOR document holds; an empty body is an empty map."""
    if not body:
        return {}
    parser = BaseCBORParser()
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))


def encode_cbor(value: Any) -> bytes:
    """A value as CBOR.

    Raises:
        TypeError: the value has no CBOR form here.
    """
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return b"\xc1" + encode_cbor(moment.timestamp())
    return _encode_sized(value)


def _encode_sized(value: Any) -> bytes:
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        encoded = value.encode()
        return _head(3, len(encoded)) + encoded
    if isinstance(value, list | tuple):
        return _head(4, len(value)) + b"".join(encode_cbor(item) for item in value)
    if isinstance(value, Mapping):
        pairs = (encode_cbor(str(key)) + encode_cbor(item) for key, item in value.items())
        return _head(5, len(value)) + b"".join(pairs)
    raise TypeError(f"{type(value).__name__} has no CBOR form here")


def _head(major: int, count: int) -> bytes:
    if count < 24:
        return bytes([major << 5 | count])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if count < 1 << (8 * size):
            return bytes([major << 5 | code]) + count.to_bytes(size, "big")
    raise TypeError("an integer is too large for CBOR")

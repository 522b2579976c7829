"""CBOR (RFC 8949), as the Smithy RPC v2 protocol needs it: botocore's own parser, and its own serialiser turned about.

A client reads answers and writes requests; here requests are read and answers written, by the same two classes.
"""

from __future__ import annotations

from typing import Any, Final

from botocore.model import DenormalizedStructureBuilder, Shape
from botocore.parsers import BaseCBORParser
from botocore.serialize import RpcV2CBORSerializer

_TEXT: Final = {"type": "string"}
_NOTHING: Final = DenormalizedStructureBuilder().with_members({}).build_model()
ERROR: Final = DenormalizedStructureBuilder().with_members({"__type": _TEXT, "message": _TEXT}).build_model()
"""The shape of an error."""


def decode_cbor(body: bytes) -> Any:
    """The value a CBOR document holds; an empty body is an empty map."""
    if not body:
        return {}
    parser = BaseCBORParser()
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))


def encode_cbor(value: Any, shape: Shape | None) -> bytes:
    """A value of a shape as CBOR; without a shape the value must be an empty map.

    Raises:
        KeyError: it has a member that its shape does not know.
    """
    document = bytearray()
    RpcV2CBORSerializer()._serialize_data_item(document, value, shape or _NOTHING)
    return bytes(document)

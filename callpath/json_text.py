"""JSON as it is written where megabytes are: without blanks, and by orjson where it is at hand."""

from __future__ import annotations

import json
from contextlib import suppress
from importlib import import_module
from typing import Any

try:
    orjson: Any = import_module("orjson")
except ImportError:  # only the response interceptor writes megabytes, and brings it
    orjson = None


def written(value: object, *, sort_keys: bool = False) -> bytes:
    """Return a value as JSON in UTF-8 without blanks; half a surrogate pair is written as it is.

    Args:
        value: what `json` can write.
        sort_keys: whether fields are written in the order of their names.

    Raises:
        TypeError, ValueError, RecursionError: it cannot be written.
    """
    if orjson is not None:
        with suppress(TypeError):  # nested too deeply for it, beyond 64 bits, or not Unicode: json has the last word
            text: bytes = orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else 0)
            return text
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys).encode(
        "utf-8", "surrogatepass"
    )

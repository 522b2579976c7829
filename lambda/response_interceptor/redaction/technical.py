"""Numbers that machines write: sizes, times, counts and ids stay, whatever their digits add up to."""

from __future__ import annotations

import re

_BEFORE = 64
_AFTER = 12
# A name whose value is a machine's: the last word of what stands before the number.
_NAME = re.compile(
    rb"(?:bytes?|size|length|count|total|sum|avg|average|min|max|minimum|maximum|limit|offset|position|time|timestamp"
    rb"|epoch|created|modified|updated|expires|expiry|duration|elapsed|latency|took|ms|millis|nanos|ttl|seq|sequence"
    rb"|version|revision|build|release|commit|sha|hash|digest|checksum|crc|etag|md5|nonce|seed|memory|heap|rss|disk"
    rb"|used|free|capacity|throughput|rate|iops|cpu|metric|gauge|counter|samples?|score|lsn|xid|oid|inode|cursor|marker"
    rb"|pid|tid|port|shard|partition|block|sector|timeout|interval|uptime|generation"
    rb"|(?:request|trace|span|correlation|event|message|job|run|execution|task|transaction|process|thread|session|object"
    rb"|resource|key|account|owner|instance|volume|snapshot|image|cluster|pod|container|invocation|batch|log)[ ._-]?id"
    rb"|gtin|ean|isbn|imei|barcode|sku|serial)"
    rb"[\s\"'\\]{0,4}[:=#(\[\s]?[\s\"'\\(\[#]{0,4}$",
    re.I,
)
_UNIT = re.compile(
    rb"\s?(?:[kmgtp]i?b|bytes?|bits?|ms|ns|us|seconds?|secs?|millis\w*|hz|rows?)\b|[-:][0-9]|\.[0-9]*[1-9]", re.I
)
_PART = re.compile(rb"(?:[A-Za-z0-9][._#-]|[0-9]:|arn:[^\s\"']{0,60}[:/])$")


def is_technical(text: bytearray, start: int, end: int) -> bool:
    """Say whether a number is a machine's, by the name before it, the unit after it, or what it is a part of."""
    before = bytes(text[max(0, start - _BEFORE) : start])
    if _PART.search(before[-_BEFORE:]):
        return True
    found = _NAME.search(before)
    if found and (not before[: found.start()][-1:].isalpha() or before[found.start() : found.start() + 1].isupper()):
        return True
    return _UNIT.match(bytes(text[end : end + _AFTER])) is not None

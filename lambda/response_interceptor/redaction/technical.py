"""Numbers that machines write: sizes, times, counts and ids stay, whatever their digits add up to."""

from __future__ import annotations

import re

_BEFORE = 128
_AFTER = 12
_BETWEEN = b" \t\r\n\"'\\:=#(["
_WORDS = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+")  # of a name in any of the ways in which names are joined
_TAG = re.compile(rb"<([A-Za-z][A-Za-z0-9_:.-]{0,60})[^<>]{0,60}>$")
_LONGEST_NAME = 32
# The last word of a name whose value is a machine's.
_MEASURES = frozenset(
    b"byte bytes size length count total sum avg average min max minimum maximum limit offset position time timestamp"
    b" epoch created modified updated expires expiry duration elapsed latency took ms millis nanos ttl seq sequence"
    b" version revision build release commit sha hash digest checksum crc etag nonce seed memory heap rss disk used"
    b" free capacity throughput rate iops cpu metric gauge counter sample samples score lsn xid oid inode cursor marker"
    b" pid tid port shard partition block sector timeout interval uptime generation gtin ean isbn imei barcode sku"
    b" serial sec nano micro micros usec nsec us ns start end since until rx tx read written sent"
    b" received allocated reserved pending tick ticks cycles rows records items entries hits misses requests errors"
    b" keys pages blocks usage available remaining quota load weight".split()
)
# What has an id that a machine gave.
_NAMED_BY_MACHINES = frozenset(
    b"request trace span correlation event message job run execution task transaction process thread session object"
    b" resource key account owner instance volume snapshot image cluster pod container invocation batch log".split()
)
_NUMBERED_BY_MACHINES = frozenset(b"sequence version build shard line page serial revision batch block part".split())
_NUMBERED_BY_OTHERS = frozenset(
    b"reference ref order invoice tracking parcel consignment voucher ticket receipt case job meter asset product item"
    b" article part stock isbn issn ean gtin upc imei iccid sim device licence member membership loyalty policy claim"
    b" customer client transaction txn session request trace id uid guid number no nr num nos code permit document doc"
    b" form tag kit unit barcode certificate registration booking docket waybill shipment container pallet".split()
)
_UNIT = re.compile(
    rb"\s?(?:[kmgtp]i?b|bytes?|bits?|ms|ns|us|seconds?|secs?|millis\w*|hz|rows?)\b|[-:][0-9]|\.[0-9]*[1-9]", re.I
)


def is_technical(text: bytearray, start: int, end: int) -> bool:
    """Say whether a number is a machine's, by the name before it, the unit after it, or what it is a part of."""
    before = bytes(text[max(0, start - _BEFORE) : start])
    return (
        _is_part(before)
        or _is_measure(_name(before)[-_LONGEST_NAME:])
        or _UNIT.match(bytes(text[end : end + _AFTER])) is not None
    )


def is_of_something_else(text: bytearray, start: int) -> bool:
    """Say whether the name before a number says that it is a reference, an order's or a product's number."""
    words = [
        word.lower() for word in _WORDS.findall(_name(bytes(text[max(0, start - _BEFORE) : start]))[-_LONGEST_NAME:])
    ]
    return any(word in _NUMBERED_BY_OTHERS or word in _MEASURES for word in words[-2:])


def _is_part(before: bytes) -> bool:
    """Say whether what stands before a number makes it part of a decimal, a name, a time of day or an ARN."""
    last, one_before = before[-1:], before[-2:-1]
    if last in (b".", b"_", b"#", b"-") and one_before.isalnum():
        return True
    return last in (b":", b"/") and (one_before.isdigit() or b"arn:" in before.split()[-1])


def _name(before: bytes) -> bytes:
    """Return what ends in the name of a number, also where labels stand between: `size_bytes{device="a"} 12`."""
    name = before.rstrip(_BETWEEN)
    if name.endswith(b">") and (tag := _TAG.search(name)) is not None:
        return tag[1]
    return name[: name.rfind(b"{")] if name.endswith(b"}") else name


def _is_measure(name: bytes) -> bool:
    words = [word.lower() for word in _WORDS.findall(name)] if name[-1:].isalpha() else []
    if not words:
        return False
    if words[-1] == b"number" and len(words) > 1:
        return words[-2] in _NUMBERED_BY_MACHINES
    owner = words[-2] if words[-1] == b"id" and len(words) > 1 else words[-1].removesuffix(b"id")
    return words[-1] in _MEASURES or (words[-1].endswith(b"id") and owner in _NAMED_BY_MACHINES)

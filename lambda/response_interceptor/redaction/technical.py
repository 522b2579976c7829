"""Numbers that machines write: sizes, times, counts and ids stay, whatever their digits add up to."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_BEFORE = 128
_AFTER = 24
_BETWEEN = b" \t\r\n\"'\\:=#(["
_WORDS = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+")  # of a name in any of the ways in which names are joined
_TAG = re.compile(rb"<([A-Za-z][A-Za-z0-9_:.-]{0,60})[^<>]{0,60}>$")
_LONGEST_NAME = 32
_DIGITS = b"0123456789"
# The last word of a name whose value is a machine's.
_MEASURES = frozenset(
    b"byte bytes size length count total sum avg average min max minimum maximum limit offset position time timestamp"
    b" epoch created modified updated expires expiry duration elapsed latency took ms millis nanos ttl seq sequence"
    b" version revision build release commit sha hash digest checksum crc etag nonce seed memory heap rss disk used"
    b" free capacity throughput rate iops cpu metric gauge counter sample samples score lsn xid oid inode cursor marker"
    b" pid tid port shard partition block sector timeout interval uptime generation gtin ean isbn imei barcode sku"
    b" serial sec nano micro micros usec nsec us ns start end since until rx tx read written sent"
    b" received allocated reserved pending tick ticks cycles rows records items entries hits misses requests errors"
    b" keys pages blocks usage available remaining quota load weight precision scale percentile pct stddev median"
    b" estimate estimated amount quantity cost price balance transferred".split()
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
# The last word of a name that says something about values and holds none: PASSWORD_MIN_LENGTH, sort.code.cache.ttl
_ABOUT = _MEASURES | frozenset(
    b"policy rule rules enabled disabled required optional rotation rotated attempts attempt retries valid invalid"
    b" validation validator check checks checked checker regex pattern format formats formatter mask masked masking"
    b" type types arn path file filename field fields column columns label placeholder hint help url uri endpoint"
    b" status state days hours minutes seconds age changed change reset forgotten exists present missing strength"
    b" complexity history provider service handler manager parser lookup cache index table schema api parameter param"
    b" env failed failures succeeded declined accepted rejected verified unverified duplicates lastused".split()
)
# A name of its own that says no more than that a value follows: {"type": "passport", "number": "…"}
_NAMES_NOTHING = frozenset(
    b"value values val number num no nr id identifier ref reference content text data code string str s n v raw"
    b" original current new old previous line digits home work mobile main primary secondary office personal date day"
    b" full complete document doc first last area local national part plate mark registration key entered given".split()
)
# Of the measures, those that sentences have between a keyword and its value: "the sort code used 12-34-56"
_ALSO_SAID = frozenset(
    b"used read written sent received start end since until updated modified created available".split()
)
_OWN_NAME = re.compile(rb"[\"'{,&;|\s(?]([A-Za-z_][A-Za-z0-9_.-]{0,40})(?:\s?\\*[\"']\s*:|=)[\s\\\"'\[{(]*$")
_PAIR = re.compile(rb"\\?[\"']\s{0,2},\s{0,40}\\?[\"'](?:[A-Za-z]{0,10}[vV]alue)$")
_SENTENCE = re.compile(rb"[a-z0-9][.!?]\s+[A-Z][a-z]+ ")
_REST_OF_NAME = re.compile(rb"[A-Za-z0-9]{0,40}(?:[_.-]{1,2}[A-Za-z0-9]{1,40}){0,8}")
_GOES_ON_AS_NAME = frozenset(code for code in range(0x7F) if chr(code).isalnum() or chr(code) in "_.-")
_COLLECTION = re.compile(rb"s[\"'`]?(?:[ \t]*\||,|\t| {2})")  # phone_numbers | 3406102463
_UNIT = re.compile(
    rb"(?:\.0+)?\s?(?:[kmgtp]i?b|bytes?|bits?|ms|ns|us|seconds?|secs?|millis\w*|hz|rows?|records?|items?|requests?)\b",
    re.I,
)
_GOES_ON = re.compile(rb"[-:][0-9]|\.[0-9]*[1-9]")
_UUID_OR_TIME = re.compile(rb"-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}|:[0-9]{2}(?![0-9])")
_IN_UUID = re.compile(rb"[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-$")
_UUID = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-fA-F])")
_REST_OF_UUID = re.compile(rb"(?:[0-9a-fA-F]{4}(?:[0-9a-fA-F]{4})?-){0,4}[0-9a-fA-F]{12}(?![0-9a-fA-F])")
_LENGTH_OF_UUID = 36
_DOTTED = re.compile(rb"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_LISTING = re.compile(rb"(?:^|\n)[bcdlps-][rwxsStT-]{9}[^\n]{0,100}$")  # of files: the number is a size
_CALLING_CODE = re.compile(rb"\+[0-9]{1,3}[ .-]?$")
_NUMBER_BEFORE = re.compile(rb"(?:^|[\s,;|\[(])([0-9][0-9.]{0,20})(?:[ ,;|\t]{1,4}|,\s{1,60})$")
_NUMBER_AFTER = re.compile(rb"(?:\.0+)?(?:[ ;|\t]{1,4}|,\s{0,60})([0-9][0-9.]{0,20})(?=[\s,;|\])]|$)")
_TEN_DIGITS = re.compile(rb"(?<![A-Za-z0-9.])(?:[4-7][0-9]{9}|3[2-9][0-9]{8}|9[0-9]{9})(?![A-Za-z0-9])")
_CELL_BEGINS = re.compile(rb"(?:[,;|\t\n\[]|^| )[ \"']?$")
_CELL_ENDS = re.compile(rb"(?:\.0+)?[\"']?(?:[ ]?[,;|\]]|[\t\r\n]|$|  )")
_TAKEN = (b"\0", b"\1")  # what stands where a value was found, or a mark is (rules.MARKED)
_AROUND = 160  # bytes in which other numbers tell what kind of numbers they are


def is_technical(text: bytearray, start: int, end: int) -> bool:
    """Say whether a number is a machine's, by the name before it, the unit after it, or what it is a part of."""
    before, after = bytes(text[max(0, start - _BEFORE) : start]), bytes(text[end : end + _AFTER])
    return (
        _is_part(before)
        or _is_measure(_name(before)[-_LONGEST_NAME:])
        or _UNIT.match(after) is not None
        or _GOES_ON.match(after) is not None
        or _LISTING.search(before) is not None
    )


def is_of_something_else(text: bytearray, start: int) -> bool:
    """Say whether the name before a number says that it is a reference, an order's or a product's number."""
    words = _words(_name(bytes(text[max(0, start - _BEFORE) : start])))
    return any(word in _NUMBERED_BY_OTHERS for word in words[-2:]) or bool(words and words[-1] in _MEASURES)


def is_by_chance(text: bytearray, start: int, end: int, validate: Callable[[str], str | None]) -> bool:
    """Say whether a check digit is right by chance: among other numbers, none of which has a right one.

    One of eleven numbers has it. What stands in a row of numbers, or among others as long that have it not, is a count.
    """
    before = _NUMBER_BEFORE.search(bytes(text[max(0, start - 90) : start]))
    after = _NUMBER_AFTER.match(bytes(text[end : end + 90]))
    beside = [each for each in (before, after) if each]
    in_row = len(beside) == 2 or (beside and text[end : end + 2] == b".0")  # a sample among others
    if in_row and not any(_is_right(each[1], validate) for each in beside):
        return True
    if end - start != 10 or not _CELL_BEGINS.search(text, max(0, start - 3), start) or not _CELL_ENDS.match(text, end):
        return False
    around = bytes(text[max(0, start - _AROUND) : start]) + b" " + bytes(text[end : end + _AROUND])
    return any(not _is_right(each, validate) for each in _TEN_DIGITS.findall(around))


@lru_cache(maxsize=4_096)
def _is_right(number: bytes, validate: Callable[[str], str | None]) -> bool:
    return len(number) == 10 and number.isdigit() and validate(number.decode()) is not None


def is_about(text: bytearray, end: int) -> bool:
    """Say whether a keyword is part of a name that says something about such values: SORT_CODE_CACHE_SIZE."""
    if end >= len(text) or text[end] not in _GOES_ON_AS_NAME:
        return False
    rest = _REST_OF_NAME.match(text, end, end + _BEFORE)
    words = _words(rest[0]) if rest else []
    return bool(words) and words[-1] in _ABOUT


def is_collection(text: bytearray, end: int) -> bool:
    """Say whether a keyword is in the plural before another cell: a table's name, and what follows are its figures."""
    return text[end : end + 1] == b"s" and _COLLECTION.match(text, end) is not None


def is_named_otherwise(between: bytes) -> bool:
    """Say whether what stands between a keyword and a value gives the value another name, or begins a new sentence."""
    if (own := _OWN_NAME.search(between)) is not None and not _NAMES_NOTHING.intersection(_words(own[1])[-2:]):
        return True
    name = _name(between)[-_LONGEST_NAME:]
    return _SENTENCE.search(between) is not None or (_is_measure(name) and _words(name)[-1] not in _ALSO_SAID)


def begins_in_uuid(text: bytearray, start: int) -> bool:
    """Say whether what begins with a word, or a sign before it, is a UUID or the rest of one."""
    first = start if text[start : start + 1].isalnum() else start + 1
    rest = _REST_OF_UUID.match(text, first)
    return rest is not None and _UUID.match(text, max(0, rest.end() - _LENGTH_OF_UUID)) is not None


def is_part_of_id(text: bytearray, start: int, end: int) -> bool:
    """Say whether a number is part of a UUID, of a time or of an address of a machine, or has a unit."""
    after = bytes(text[end : end + _AFTER])
    return (
        _UUID_OR_TIME.match(after) is not None
        or _UNIT.match(after) is not None
        or _IN_UUID.search(bytes(text[max(0, start - 10) : start])) is not None
        or _DOTTED.fullmatch(text, start, end) is not None
    )


def _is_part(before: bytes) -> bool:
    """Say whether what stands before a number makes it part of a decimal, a name, a time of day or an ARN."""
    last, one_before = before[-1:], before[-2:-1]
    if last in (b".", b"_", b"#", b"-") and (one_before.isalnum() or one_before in _TAKEN):
        return True
    if _CALLING_CODE.search(before) is not None:
        return True
    return last in (b":", b"/") and (one_before.isdigit() or b"arn:" in before.split()[-1])


def _name(before: bytes) -> bytes:
    """Return what ends in the name of a number, also where labels stand between: `size_bytes{device="a"} 12`."""
    name = before.rstrip(_BETWEEN)
    if name.endswith(b"alue") and (pair := _PAIR.search(name)) is not None:  # {"field": "count(*)", "value": …}
        name = name[: pair.start()]
    if name.endswith(b">") and (tag := _TAG.search(name)) is not None:
        return tag[1]
    if name.endswith(b")"):
        return name[: max(0, name.rfind(b"("))]
    return name[: name.rfind(b"{")] if name.endswith(b"}") else name


def _words(name: bytes) -> list[bytes]:
    return [word.lower() for word in _WORDS.findall(name[-_LONGEST_NAME:])]


def _is_measure(name: bytes) -> bool:
    name = name.rstrip(_DIGITS)
    words = _words(name) if name[-1:].isalpha() else []
    if not words:
        return False
    if words[-1] == b"number" and len(words) > 1:
        return words[-2] in _NUMBERED_BY_MACHINES
    owner = words[-2] if words[-1] == b"id" and len(words) > 1 else words[-1].removesuffix(b"id")
    return (
        b"bytes" in words  # bytesTransferredIn
        or words[-1] in _MEASURES
        or (words[-1].endswith(b"id") and owner in _NAMED_BY_MACHINES)
        or (words[-1].endswith(b"ed") and len(words) > 1 and words[-2] in _MEASURES)  # recordsScanned
    )

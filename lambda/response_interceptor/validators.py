"""Checks that a pattern cannot express: allocation rules and check digits.

Each takes a candidate and returns its bare form, by which equal values are recognised, or None for a look-alike.
"""

from __future__ import annotations

from collections.abc import Callable

# HMRC, National Insurance Manual NIM39110: prefixes that are not used, besides the letters excluded by the pattern.
_UNUSED_PREFIXES = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})


def nino(candidate: str) -> str | None:
    """A National Insurance number with an allocated prefix. The suffix does not tell two people apart."""
    bare = _without(candidate, " -.").upper()
    return None if bare[:2] in _UNUSED_PREFIXES else bare[:8]


def nhs(candidate: str) -> str | None:
    """An NHS number: ten digits, the last one a modulus 11 check digit (NHS Data Dictionary, "NHS NUMBER")."""
    bare = _without(candidate, " -")
    check = 11 - sum(int(digit) * weight for digit, weight in zip(bare, range(10, 1, -1), strict=False)) % 11
    if check == 10 or int(bare[9]) != check % 11 or len(set(bare)) == 1:
        return None
    return bare


def mixed_base64(candidate: str) -> str | None:
    """Random-looking base64: upper case, lower case and digits. A file path, a word or a SHA-1 in hex is not."""
    kinds = (str.isupper, str.islower, str.isdigit)
    mixed = all(any(kind(character) for character in candidate) for kind in kinds)
    return candidate if mixed and candidate.count("/") <= 6 else None


VALIDATORS: dict[str, Callable[[str], str | None]] = {"nino": nino, "nhs": nhs, "mixed_base64": mixed_base64}


def _without(text: str, characters: str) -> str:
    return text.translate(dict.fromkeys(map(ord, characters)))

"""The check digits of the kinds that have them, each as its issuer defines it."""

from __future__ import annotations

from collections.abc import Sequence

_VAT_WEIGHTS = (8, 7, 6, 5, 4, 3, 2)
_UTR_WEIGHTS = (6, 7, 8, 9, 10, 5, 4, 3, 2)
_MRZ_WEIGHTS = (7, 3, 1)


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def nhs(nine: str) -> str | None:
    """The tenth digit of an NHS or CHI number, None where there is none (NHS Data Dictionary, modulus 11)."""
    check = -_weighted(nine, range(10, 1, -1)) % 11
    return None if check == 10 else str(check)


def utr(nine: str) -> str:
    """The first digit of a Unique Taxpayer Reference, which stands before the other nine (HMRC, modulus 11)."""
    return "21987654321"[_weighted(nine, _UTR_WEIGHTS) % 11]


def vat(seven: str, *, shifted: bool) -> str:
    """The last two digits of a UK VAT number: modulus 97, or for numbers since 2010 `shifted` by 55 (HMRC)."""
    return f"{97 - (_weighted(seven, _VAT_WEIGHTS) + (55 if shifted else 0)) % 97:02}"


def luhn(digits: str) -> str:
    """The last digit of a card number whose others are these (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def iban(country: str, account: str) -> str:
    """The two check digits of an IBAN (ISO 13616, ISO 7064 MOD 97-10)."""
    digits = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    return f"{98 - int(digits) % 97:02}"


def mrz(field: str) -> str:
    """The check digit of a field of a machine-readable zone (ICAO Doc 9303 part 3, 4.9)."""
    values = (0 if character == "<" else int(character, 36) for character in field)
    return str(sum(value * _MRZ_WEIGHTS[place % 3] for place, value in enumerate(values)) % 10)

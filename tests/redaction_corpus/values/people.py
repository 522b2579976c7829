"""Invented personal data, in every writing that people and systems really use.

Where numbers are reserved for tests or for fiction, these are used: NHS numbers from 999, Ofcom's numbers for drama,
test ranges of the card schemes, example domains. No range is reserved for the other kinds: their values are drawn at
random.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from tests.redaction_corpus.values import check_digits

FIRST = (
    "Aisha Alan Amelia Bronwen Callum Chidi Deepa Dilys Eilidh Farah Gareth Graham Hamza Imogen Ines Jakub Kwame Leila "
    "Magdalena Nkechi Oluwaseun Priya Rhiannon Ruaridh Sanjay Sinead Tomasz Ursula Yusuf Zainab"
).split()
LAST = (
    "Adeyemi Ahmed Baxter Begum Campbell Chowdhury Davies Eze Fairclough Ferguson Gallagher Hargreaves Iqbal Jenkinson "
    "Kowalczyk Lancaster MacDonald Mbeki Nowak O'Connor Okonkwo Patel Pritchard Quigley Rahman Sutherland Thistlewood "
    "Underhill Venkataraman Whitcombe Lloyd-Hughes Yeo Li"
).split()
STREETS = "Station Church Victoria Mill Orchard Castle Harbour Chestnut Albert Meadow Quarry Tanner's".split()
ROADS = "Road Street Lane Avenue Close Drive Crescent Terrace Way Gardens Place Grove".split()
TOWNS = "Leeds Cardiff Inverness Lisburn Truro Norwich Swansea Perth Carlisle Reading Exeter Derby".split()
AREAS = "AB B BN BS BT CF CH DE E EH EX G HU IV LE LS M N NE NR OX PL RG S SA SW TR W YO".split()
# Ofcom, "Telephone numbers for use in TV and radio drama programmes": area code, and the digits before the last three.
DRAMA = (
    ("020", "7946 0"), ("0113", "496 0"), ("0121", "496 0"), ("0131", "496 0"), ("0141", "496 0"), ("0161", "496 0"),
    ("0191", "498 0"), ("028", "9649 6"), ("029", "2018 0"), ("01632", "960"), ("03069", "990"), ("08081", "570"),
)  # fmt: skip
TEST_BINS = ("400000", "424242", "411111", "555555", "510510", "222300", "378282", "371449", "601111")
_PREFIXES = [
    first + second
    for first in "ABCEGHJKLMNOPRSTWXYZ"
    for second in "ABCEGHJKLMNPRSTWXYZ"
    if first + second not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}
]
"""HMRC, National Insurance Manual, NIM39110."""
_INWARD = "ABDEFGHJLNPQRSTUWXYZ"
"""The letters of a postcode's second half (Royal Mail, PAF programmers' guide)."""
_PLATE = "ABCDEFGHJKLMNOPRSTUVWXYZ"
"""The letters of a registration mark's random part (DVLA, INF104)."""


def digits(rng: Random, count: int) -> str:
    """So many random digits, of which the first is not 0."""
    return str(rng.randint(10 ** (count - 1), 10**count - 1))


def letters(rng: Random, count: int, among: str = _INWARD) -> str:
    """So many random letters."""
    return "".join(rng.choices(among, k=count))


def grouped(rng: Random, text: str, sizes: tuple[int, ...], separators: str = " -") -> str:
    """The text as one word or, as often, in groups with one of the separators between them."""
    if rng.random() < 0.5:
        return text
    parts, rest = [], text
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    return rng.choice(separators).join([*parts, rest] if rest else parts)


def nino(rng: Random) -> str:
    text = f"{rng.choice(_PREFIXES)}{rng.randint(0, 999_999):06}{rng.choice('ABCD')}"
    if rng.random() < 0.15:
        return f"{text[:2]} {text[2:8]} {text[8]}"
    written = grouped(rng, text, (2, 2, 2, 2), " -./")
    return written.lower() if rng.random() < 0.1 else written


def nhs(rng: Random) -> str:
    while True:
        nine = f"999{rng.randint(0, 999_999):06}"
        if check := check_digits.nhs(nine):
            return grouped(rng, nine + check, (3, 3), " -.")


def chi(rng: Random) -> str:
    while True:
        nine = f"{born(rng):%d%m%y}{rng.randint(0, 999):03}"
        if check := check_digits.nhs(nine):
            return grouped(rng, nine + check, rng.choice(((6,), (3, 3))), " -")


def utr(rng: Random) -> str:
    nine = f"{rng.randint(0, 999_999_999):09}"
    text = check_digits.utr(nine) + nine
    if rng.random() < 0.1:
        return rng.choice((f"{text}K", f"K{text}"))
    return grouped(rng, text, rng.choice(((5,), (3, 3), (4, 3))), " ")


def passport(rng: Random) -> str:
    return grouped(rng, digits(rng, 9), (3, 3), " -")


def mrz(rng: Random) -> str:
    """The two lines of a passport (ICAO Doc 9303 part 4) or the three of a card (part 5)."""
    state = rng.choice(("GBR", "UTO"))
    names = f"{_of_mrz(rng.choice(LAST))}<<{_of_mrz(rng.choice(FIRST))}<{_of_mrz(rng.choice(FIRST))}"
    number, sex = digits(rng, 9), rng.choice("FM<")
    birth = f"{born(rng):%y%m%d}"
    expiry = f"{rng.randint(27, 36)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    numbered, dated = number + check_digits.mrz(number), birth + check_digits.mrz(birth)
    ends = expiry + check_digits.mrz(expiry)
    if rng.random() < 0.6:
        rest = "<" * 14 + rng.choice("0<")
        whole = check_digits.mrz(numbered + dated + ends + rest)
        return f"{f'P<{state}{names}':<<44.44}\n{numbered}{state}{dated}{sex}{ends}{rest}{whole}"
    first = f"{f'I<{state}{numbered}':<<30}"
    filler = "<" * 11
    whole = check_digits.mrz(first[5:] + dated + ends + filler)
    return f"{first}\n{dated}{sex}{ends}{state}{filler}{whole}\n{names:<<30.30}"


def _of_mrz(name: str) -> str:
    return name.upper().replace("'", "").replace("-", "<")


def driving_licence(rng: Random) -> str:
    """As DVLA makes driver numbers: surname, birth, initials, and three characters of the computer's."""
    birth, surname = born(rng), _of_mrz(rng.choice(LAST)).replace("<", "")
    month = birth.month + rng.choice((0, 50))
    dated = f"{birth.year // 10 % 10}{month:02}{birth.day:02}{birth.year % 10}"
    initials = rng.choice(FIRST)[0] + rng.choice((rng.choice(FIRST)[0], "9"))
    text = f"{surname[:5]:9<5}{dated}{initials}9{letters(rng, 2)}"
    written = grouped(rng, text, (5, 6), " -")
    return f"{written} {rng.randint(10, 89)}" if rng.random() < 0.15 else written


def vehicle(rng: Random) -> str:
    space = rng.choice(("", " ", " "))
    year = rng.choice((f"{rng.randint(2, 26):02}", str(rng.randint(51, 76))))
    return rng.choice(
        (
            f"{letters(rng, 2, _PLATE)}{year}{space}{letters(rng, 3, _PLATE)}",
            f"{letters(rng, 2, _PLATE)}{year}{space}{letters(rng, 3, _PLATE)}",
            f"{letters(rng, 1, 'ABCDEFGHJKLMNPRSTVWXY')}{digits(rng, 3)}{space}{letters(rng, 3, _PLATE)}",
            f"{letters(rng, 3, _PLATE)}{space}{digits(rng, 3)}{letters(rng, 1, 'ABCDEFGHJKLMNPRSTVWXY')}",
        )
    )


def phone(rng: Random) -> str:
    area, local = rng.choice(DRAMA) if rng.random() < 0.5 else ("07700", "900")
    local += f"{rng.randint(0, 999):03}"
    joined = local.replace(" ", "")
    return rng.choice(
        (
            f"{area} {local}", f"{area}{joined}", f"({area}) {local}", f"+44 {area[1:]} {local}",
            f"+44{area[1:]}{joined}",
            f"+44 (0){area[1:]} {local}", f"0044 {area[1:]} {local}", f"{area}-{local.replace(' ', '-')}",
            f"{area}.{local.replace(' ', '.')}", f"{area} {joined[:3]} {joined[3:]}", f"+44-{area[1:]}-{joined}",
        )
    )  # fmt: skip


def postcode(rng: Random) -> str:
    area, space = rng.choice(AREAS), rng.choice(("", " ", " "))
    outward = rng.choice(("SW1A", "EC1A", "W1T", "N1C")) if rng.random() < 0.15 else f"{area}{rng.randint(1, 28)}"
    text = f"{outward}{space}{rng.randint(0, 9)}{letters(rng, 2)}"
    return text.lower() if rng.random() < 0.1 else text


def address(rng: Random) -> str:
    number = f"{rng.randint(1, 240)}{rng.choice(('', '', '', 'A', 'b'))}"
    line = f"{number} {rng.choice(STREETS)} {rng.choice(ROADS)}"
    if rng.random() < 0.25:
        line = f"{rng.choice(('Flat', 'Unit', 'Apartment'))} {rng.randint(1, 40)}, {line}"
    return f"{line}, {rng.choice(TOWNS)}" if rng.random() < 0.6 else line


def sort_code(rng: Random) -> str:
    text = f"{rng.randint(10, 99)}{rng.randint(0, 9999):04}"
    return rng.choice((f"{text[:2]}-{text[2:4]}-{text[4:]}", f"{text[:2]} {text[2:4]} {text[4:]}", text))


def account(rng: Random) -> str:
    return grouped(rng, digits(rng, 8), (4,), " ") if rng.random() < 0.4 else digits(rng, 8)


def iban(rng: Random) -> str:
    country, bank, length = rng.choice(
        (("GB", 4, 14), ("GB", 4, 14), ("GB", 4, 14), ("DE", 0, 18), ("IE", 4, 14), ("NL", 4, 10), ("ES", 0, 20))
    )
    rest = letters(rng, bank, "BCDFGHJKLMNPRSTVWXYZ") + digits(rng, length)
    text = country + check_digits.iban(country, rest) + rest
    written = grouped(rng, text, (4,) * ((len(text) - 1) // 4), " -")
    return written.lower() if rng.random() < 0.08 else written


def card(rng: Random) -> str:
    start = rng.choice(TEST_BINS)
    text = start + f"{rng.randint(0, 99_999_999):08}"[: 14 - len(start) if start[0] == "3" else 8]
    text = text.ljust(14 if start[0] == "3" else 15, rng.choice("0123456789"))
    text += check_digits.luhn(text)
    return grouped(rng, text, (4, 6) if start[0] == "3" else (4, 4, 4), " -.")


def vat(rng: Random) -> str:
    seven = digits(rng, 7)
    text = seven + check_digits.vat(seven, shifted=rng.random() < 0.5)
    branch = f" {rng.randint(1, 999):03}" if rng.random() < 0.1 else ""
    return rng.choice(
        (
            f"GB{text}",
            f"GB {text[:3]} {text[3:7]} {text[7:]}{branch}",
            f"GB-{text[:3]}-{text[3:7]}-{text[7:]}",
            f"XI{text}",
        )
    )


def born(rng: Random) -> date:
    """A day in the lifetime of a grown person."""
    return date(1938, 1, 1) + timedelta(days=rng.randint(0, 24_800))


def date_of_birth(rng: Random) -> str:
    day, forms = born(rng), "%Y-%m-%d,%d/%m/%Y,%d-%m-%Y,%d.%m.%Y,%d %B %Y,%d %b %Y,%d/%m/%y,%Y%m%d,%Y/%m/%d,%d-%b-%Y"
    return f"{day:{rng.choice(forms.split(','))}}"


def name(rng: Random) -> str:
    first, last = rng.choice(FIRST), rng.choice(LAST)
    title = rng.choice(("Mr", "Mrs", "Ms", "Dr", "Miss"))
    return rng.choice(
        (f"{first} {last}", f"{first} {last}", f"{title} {first} {last}", f"{first} {rng.choice(FIRST)[0]}. {last}")
    )


def email(rng: Random) -> str:
    first, last = rng.choice(FIRST).lower(), rng.choice(LAST).lower().replace("'", "")
    local = rng.choice((f"{first}.{last}", f"{first[0]}{last}", f"{first}_{last}{rng.randint(1, 99)}", f"{first}+gov"))
    host = rng.choice(("example.org", "example.com", "mail.example.net", "dept.example.org"))
    return f"{local}@{host}".title() if rng.random() < 0.07 else f"{local}@{host}"


PEOPLE = {
    make.__name__: make
    for make in (
        nino, nhs, chi, utr, passport, mrz, driving_licence, vehicle, phone, postcode, address, sort_code, account,
        iban,
        card, vat, date_of_birth, name, email,
    )
}  # fmt: skip
"""What makes a value of each kind of personal data."""

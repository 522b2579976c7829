"""Personal data of nobody: values by the forms that kinds.toml gives the sources of, in the ways people write them."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

Make = Callable[[Random], str]
GIVEN: Final = (
    "Amara Bronwen Callum Dilys Euan Farida Gareth Harpreet Imogen Jasper Kwame Leila Morag Nadia Owen".split()
)
GIVEN2: Final = "Priya Rhys Sinead Tomasz Ursula Vikram Wendy Yusuf Zofia Alistair Bethan Chidi Declan Elspeth".split()
FAMILY: Final = "Abernathy Bhatt Carruthers Dlamini Entwistle Fairweather Gunn Hollingworth Iqbal Jellicoe".split()
FAMILY2: Final = "Kowalczyk Llewellyn McAllister Nwosu O'Shea Pettigrew Quigley Ramsbottom Sutcliffe Thorne Lee".split()
STREETS: Final = (
    "Larkspur Close",
    "Station Road",
    "Mill Lane",
    "Old Tannery Way",
    "St Cuthbert's Terrace",
    "The Green",
)
STREETS2: Final = ("Victoria Avenue", "Priory Gardens", "Heol y Bont", "Kirkgate", "Cedar Drive", "Marsh Street")
_AREAS: Final = (
    "AB B BD BN BS BT CF CH CV DE E EH EX G GL HU IP KT L LE LS M N NE NG NR OX PL PR RG S SE SW WF YO".split()
)
_PLATE: Final = "ABCDEFGHJKLMNOPRSTUVWXY"
_MONTHS: Final = "January February March April May June July August September October November December".split()
CARDS: Final = (
    "4242424242424242 4000056655665556 4111111111111111 4012888888881881 5555555555554444 5105105105105100 "
    "5200828282828210 2223003122003222 378282246310005 371449635398431 6011111111111117 6011000990139424 "
    "30569309025904 36227206271667 3566002020360505 4000000000000002 4000008260000000 5454545454545454"
).split()


def _digits(rng: Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def _letters(rng: Random, count: int, of: str = string.ascii_uppercase) -> str:
    return "".join(rng.choices(of, k=count))


def _grouped(text: str, sizes: Sequence[int], between: str) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return between.join(filter(None, [*parts, text[at:]]))


def _written(rng: Random, text: str, sizes: Sequence[int], plain: float = 0.5, between: str = "  -") -> str:
    """As one word, or in groups."""
    return text if rng.random() < plain else _grouped(text, sizes, rng.choice(between))


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def _born(rng: Random) -> tuple[int, int, int]:
    return rng.randint(1, 28), rng.randint(1, 12), rng.randint(1936, 2006)


def nino(rng: Random) -> str:
    """Two letters of those in use, six digits, A to D."""
    prefix = "BG"
    while prefix in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}:
        prefix = _letters(rng, 1, "ABCEGHJKLMNOPRSTWXYZ") + _letters(rng, 1, "ABCEGHJKLMNPRSTWXYZ")
    body, suffix = _digits(rng, 6), _letters(rng, 1, "ABCD")
    pairs = _grouped(body, (2, 2, 2), " ")
    ways = [f"{prefix}{body}{suffix}"] * 5 + [f"{prefix} {pairs} {suffix}"] * 4
    ways += [f"{prefix}{body} {suffix}", f"{prefix} {body} {suffix}", f"{prefix}{body}{suffix}".lower()]
    return rng.choice([*ways, f"{prefix} {pairs} {suffix}".replace(" ", "-")])


def _modulus_11(rng: Random, stem: Callable[[], str]) -> str:
    while True:
        digits = stem()
        check = 11 - _weighted(digits, range(10, 1, -1)) % 11
        if check != 10:
            return f"{digits}{check % 11}"


def nhs(rng: Random) -> str:
    """Ten digits of the range for tests."""
    return _written(rng, _modulus_11(rng, lambda: "999" + _digits(rng, 6)), (3, 3, 4))


def chi(rng: Random) -> str:
    """Day, month and year of birth, two digits, one for the sex, a check digit."""

    def stem() -> str:
        day, month, year = _born(rng)
        return f"{day:02}{month:02}{year % 100:02}{_digits(rng, 3)}"

    return _written(rng, _modulus_11(rng, stem), (6,), 0.75, " ")


def utr(rng: Random) -> str:
    """A check digit and nine more."""
    stem = _digits(rng, 9)
    check = "21987654321"[_weighted(stem, (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11]
    return rng.choice((f"{check}{stem}", f"{check}{stem}", _grouped(check + stem, (5,), " "), f"{check}{stem}K"))


def passport(rng: Random) -> str:
    """Nine digits."""
    return str(rng.randint(1, 5)) + _digits(rng, 8)


def _mrz_check(text: str) -> str:
    values = [0 if char == "<" else int(char, 36) for char in text]
    return str(sum(value * (7, 3, 1)[at % 3] for at, value in enumerate(values)) % 10)


def mrz(rng: Random) -> str:
    """Both lines of a passport."""
    family = rng.choice(FAMILY + FAMILY2).upper().replace("'", "")
    first = f"P<GBR{family}<<{rng.choice(GIVEN).upper()}<{rng.choice(GIVEN2).upper()}".ljust(44, "<")
    day, month, year = _born(rng)
    number, born = passport(rng), f"{year % 100:02}{month:02}{day:02}"
    expiry = f"{rng.randint(27, 36)}{month:02}{rng.randint(1, 28):02}"
    number, born, expiry = (part + _mrz_check(part) for part in (number, born, expiry))
    rest = "<" * 14
    whole = _mrz_check(number + born + expiry + rest + "<")
    return f"{first}\n{number}GBR{born}{rng.choice('MF')}{expiry}{rest}<{whole}"


def driving_licence(rng: Random) -> str:
    """Surname, date of birth (fifty added to a woman's month), initials, check."""
    day, month, year = _born(rng)
    family = rng.choice(FAMILY + FAMILY2).upper().replace("'", "")[:5].ljust(5, "9")
    born = f"{year // 10 % 10}{month + rng.choice((0, 50)):02}{day:02}{year % 10}"
    tail = f"{rng.choice(GIVEN)[0]}{rng.choice('9ABEJMR')}9{_letters(rng, 2, 'ABCDEFGHJKLMNPRSTUVWXYZ')}"
    return _written(rng, family + born + tail, (5, 6), 0.8, " ")


def vehicle(rng: Random) -> str:
    """The form since 2001, prefix and suffix forms, and that of Northern Ireland."""
    year = rng.choice((rng.randint(2, 26), rng.randint(51, 75)))
    three = _letters(rng, 3, _PLATE)
    plates = [(f"{_letters(rng, 2, _PLATE)}{year:02}", three)] * 5
    plates += [(f"{_letters(rng, 1, 'ABCDEFGHJKLMNPRSTVWXY')}{rng.randint(21, 999)}", three)]
    plates += [(three, f"{rng.randint(21, 999)}{_letters(rng, 1, 'KLMNPRSTVWXY')}")]
    plates += [(f"{_letters(rng, 1, _PLATE)}{_letters(rng, 1, 'AFHJKR')}Z", str(rng.randint(1000, 9999)))]
    return rng.choice((" ", " ", "")).join(rng.choice(plates))


def phone(rng: Random) -> str:
    """Numbers that Ofcom keeps for drama, in the country's form or the international one."""
    last = _digits(rng, 3)
    areas = ["07700 900"] * 5 + ["020 7946 0", "020 7946 0", "0113 496 0", "0121 496 0", "0131 496 0", "0141 496 0"]
    area = rng.choice([*areas, "0161 496 0", "0191 498 0", "028 9649 6", "029 2018 0", "01632 960", "03069 990"])
    number = area + last
    code, _, rest = number.partition(" ")
    abroad = f"+44 {number[1:]}"
    ways = [number, number, number.replace(" ", ""), abroad, abroad.replace(" ", "")]
    ways += [number if code.startswith("07") else f"({code}) {rest}"]
    ways += [f"+44 (0){number[1:]}", number.replace(" ", "-"), f"00{abroad[1:]}", number.replace(" ", "")]
    return rng.choice(ways)


def postcode(rng: Random) -> str:
    """A district of an area, a sector, two letters."""
    area = rng.choice(_AREAS)
    outward = f"{area}{rng.randint(1, 9)}" if rng.random() < 0.5 else f"{area}{rng.randint(10, 29)}"
    outward = rng.choice([outward] * 8 + ["EC1A", "W1T", "SW1H", "WC2N"])
    return f"{outward}{rng.choice((' ', ' ', ' ', ''))}{rng.randint(1, 9)}{_letters(rng, 2, 'ABDEFGHJLNPQRSTUWXYZ')}"


def address(rng: Random) -> str:
    """A line with number and street."""
    line = f"{rng.randint(1, 240)}{rng.choice(('', '', '', 'A', 'b'))} {rng.choice(STREETS + STREETS2)}"
    return rng.choice((line, line, line, f"Flat {rng.randint(1, 30)}, {line}"))


def sort_code(rng: Random) -> str:
    """Six digits, mostly in pairs."""
    return _written(rng, f"{rng.randint(1, 99):02}{_digits(rng, 4)}", (2, 2, 2), 0.3, "--- ")


def account(rng: Random) -> str:
    """Eight digits."""
    return _written(rng, _digits(rng, 8), (4, 4), 0.9, " ")


def iban(rng: Random) -> str:
    """Of the United Kingdom and some neighbours."""
    country, bank = rng.choice((("GB", 4),) * 6 + (("IE", 4), ("DE", 0), ("NL", 4), ("FR", 0)))
    body = _letters(rng, bank) + _digits(rng, {"GB": 14, "IE": 14, "DE": 18, "NL": 10, "FR": 23}[country])
    number = int("".join(str(int(char, 36)) for char in f"{body}{country}00"))
    return _written(rng, f"{country}{98 - number % 97:02}{body}", (4,) * 8, 0.55, "   -")


def card(rng: Random) -> str:
    """A scheme's or a provider's test card."""
    number = rng.choice(CARDS)
    return _written(rng, number, (4, 4, 4, 4) if len(number) == 16 else (4, 6), 0.5)


def vat(rng: Random) -> str:
    """Nine digits by the older or the newer check."""
    stem = str(rng.randint(1, 9)) + _digits(rng, 6)
    total = _weighted(stem, range(8, 1, -1)) + rng.choice((0, 55))
    number = f"{stem}{-total % 97:02}"
    spaced = _grouped(number, (3, 4, 2), " ")
    return rng.choice((f"GB{number}", f"GB{number}", f"GB {spaced}", f"XI{number}", f"GB{spaced}", number, spaced))


def date_of_birth(rng: Random) -> str:
    """A date in the ways of forms, of databases and of letters."""
    day, month, year = _born(rng)
    name = _MONTHS[month - 1]
    ways = [f"{day:02}/{month:02}/{year}", f"{year}-{month:02}-{day:02}", f"{day} {name} {year}"]
    ways += [f"{day:02}-{month:02}-{year}", f"{day:02} {name[:3]} {year}", f"{day}/{month}/{year % 100:02}"]
    return rng.choice([*ways, f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}"])


def name(rng: Random) -> str:
    """Given name and surname, now and then with a title or the surname first."""
    given, family = rng.choice(GIVEN + GIVEN2), rng.choice(FAMILY + FAMILY2)
    ways = [f"{given} {family}"] * 6 + [f"{rng.choice(('Mrs', 'Mr', 'Dr', 'Ms'))} {given} {family}"]
    return rng.choice([*ways, f"{given} {rng.choice(FAMILY)}-{family}", f"{family.upper()}, {given}"])


def email(rng: Random) -> str:
    """An address at a domain that is kept for examples."""
    given, family = rng.choice(GIVEN + GIVEN2).lower(), rng.choice(FAMILY).lower()
    local = rng.choice((f"{given}.{family}", f"{given[0]}{family}{rng.randint(1, 99)}", f"{given}_{family}"))
    local = rng.choice((local, local, local.title(), f"{local}+claims"))
    return f"{local}@{rng.choice(('example.org', 'example.com', 'mail.example.net', 'council.example.org'))}"


PEOPLE: Final[dict[str, Make]] = {
    "nino": nino,
    "nhs": nhs,
    "chi": chi,
    "utr": utr,
    "passport": passport,
    "mrz": mrz,
    "driving_licence": driving_licence,
    "vehicle": vehicle,
    "phone": phone,
    "postcode": postcode,
    "address": address,
    "sort_code": sort_code,
    "account": account,
    "iban": iban,
    "card": card,
    "vat": vat,
    "date_of_birth": date_of_birth,
    "name": name,
    "email": email,
}

"""Checks that a pattern cannot express: allocation rules and check digits.

Each takes a candidate and returns its bare form, by which equal values are recognised, or None for a look-alike.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

# HMRC, National Insurance Manual NIM39110: prefixes that are not used, besides the letters excluded by the pattern.
_UNUSED_PREFIXES = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})
_PREPOSITION = re.compile(r"(?:[Aa][nst]|[Bb][ey]|he|[Mm][ey]|[Nn]o|[Oo][nr]|[Ww]e)\s")  # "on 00 44 29 20"
_NO_DIGIT, _DIGITS = re.compile(r"\D"), re.compile(r"[0-9]+")
_NO_WORD, _YEARS = re.compile(r"\W+"), re.compile(r"(?:18|19|20)[0-9]{2}")
_TRUNK = re.compile(r"^(?:0044|44|0)0?")
_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]+")
# Royal Mail's postcode areas, and the Crown dependencies'.
_AREAS = frozenset(
    (
        "AB AL B BA BB BD BF BH BL BN BR BS BT BX CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH"
        " EN EX FK FY G GL GU GX GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME"
        " MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA"
        " TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
    ).split()
)
_UNITS_OF_MEMORY = re.compile(r"[0-9](?:GB|TB|PB|EB)")
# How seconds since 1970 begin from January to June 2027, when they read as a date of birth.
_TIMES_OF_TODAY = frozenset(f"18{month:02}" for month in range(1, 13))
_MRZ_WEIGHTS = (7, 3, 1)
# National significant numbers by Ofcom's National Telephone Numbering Plan: after the leading 0.
_UK_PHONE = re.compile(
    r"1[1-9][0-9]{7,8}|2[03489][0-9]{8}|3[0347][0-9]{8}|5[56][0-9]{8}|7[0-9]{9}|8(?:[0-9]{9}|0[0-9]{7})|9[018][0-9]{8}"
)
# The IBAN Registry (SWIFT), lengths by country as skwasjer/IbanNet has them from it, read 29 November 2026.
_IBAN_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "PT ST",
    26: "IS TR",
    27: "BI FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
    32: "LC",
}
IBAN_LENGTHS = {country: length for length, countries in _IBAN_COUNTRIES.items() for country in countries.split()}
_CARD_RANGES = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"
    r"|3[47][0-9]{13}|3(?:0[0-59]|[689][0-9])[0-9]{11}|35(?:2[89]|[3-8][0-9])[0-9]{12,15}"
    r"|6(?:011|22[0-9]|4[4-9][0-9]|5[0-9]{2})[0-9]{12,15}|(?:50|5[6-9]|6[0-9])[0-9]{14}"
)
_LUHN = bytes.maketrans(b"0123456789", b"0246813579")  # a digit doubled, and its digits added
# Words as sentences have them, also joined, and figures: 12-character, 2026-11-29, user's, (optional
_WORDS_OR_NUMBERS = re.compile(
    r"[(\"']*[A-Za-z]?[a-z]+(?:['\u2019/-][A-Za-z]?[a-z]+)*|[0-9.,:/-]+[a-zA-Z]{0,3}|[0-9]+-[a-z]+"
)
_NO_VALUE = re.compile(
    r"(?:n?varchar.*|char\(.*|bytea|blob|uuid|hash.*|bcrypt.*|argon.*|object|number|integer|boolean|any|see|n/a|tb[cd]|unknown"
    r"|same|usual|below|above|attached|unchanged|only|never|you|your|we|if|can|will|should|at|in|on|with|from|by|minimum"
    r"|true|false|null|none|nil|undefined|yes|no|on|off|set|unset|required|optional|string|str|text|secret|password"
    r"|hidden|redacted|masked|changed|expired|invalid|incorrect|wrong|missing|empty|is|was|has|must|for|and|or|the|to"
    r"|not|policy|reset|success|succeeded|failed|failure|enabled|disabled|encrypted|plain|basic|bearer|default"
    r"|(?:bearer|basic|token)(?:%20|\+).*|[*x.•#_-]+|<[^>]*>|\$?\{.*|\$\(.*|\$[A-Z_]+|%[sdr]"
    r"|!(?:Ref|Sub|GetAtt|ImportValue|FindInMap|Join|If|vault|env|secret|reference|include)\b.*|\([A-Za-z ]+\)?"
    r"|\?+|\[.*|arn:aws.*|[a-z+]{2,12}:/.*|/[a-z].*|(?:ssm|vault|secretsmanager|resolve):.*|[0-9]{1,3})",
    re.I,
)

# Code that fetches a value: os.environ['X'], secret(settings.arn), var.db_password, process.env.PASSWORD, data["x"]
_EXPRESSION = re.compile(
    r"[A-Za-z_]+(?:(?:\.|::|->)[A-Za-z_]+)*(?:\([^()]*\)?$|\[(?:[\"'A-Za-z_]|$))"
    r"|(?:os|self|this|cls|settings?|config|conf|cfg|env|process|request|args?|options?|params?|var|local|data|module|secrets?"
    r"|ctx|context|app|each|props|ctx|event|input|values)(?:\.[A-Za-z_]\w*)+$"
    r"|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\.\w*(?:password|passwd|secret|token|key|arn)$"
)


def nino(candidate: str) -> str | None:
    """A National Insurance number with an allocated prefix. The suffix does not tell two people apart."""
    bare = _bare(candidate)
    if _PREPOSITION.match(candidate):
        return None
    joined = {" " if part.isspace() else part for part in _NOT_ALPHANUMERIC.findall(candidate)}
    # People keep to one way of writing: "on 12-11-26 a report" holds a date.
    return bare[:8] if bare[:2] not in _UNUSED_PREFIXES and len(joined) <= 1 else None


def nhs(candidate: str) -> str | None:
    """An NHS number: ten digits, the last one a modulus 11 check digit (NHS Data Dictionary, "NHS NUMBER")."""
    bare = _bare(candidate).zfill(10)
    check = 11 - sum(int(digit) * weight for digit, weight in zip(bare, range(10, 1, -1), strict=False)) % 11
    if check == 10 or int(bare[9]) != check % 11 or len(set(bare)) == 1:
        return None
    return bare


def mixed_base64(candidate: str) -> str | None:
    """Random-looking base64: upper case, lower case and digits. A file path, a word or a SHA-1 in hex is not."""
    kinds = (str.isupper, str.islower, str.isdigit)
    mixed = all(any(kind(character) for character in candidate) for kind in kinds)
    return candidate if mixed and candidate.count("/") <= 6 else None


def card(candidate: str) -> str | None:
    """A payment card's number: a length its issuer uses (ISO/IEC 7812 ranges) and a right Luhn digit."""
    bare = _bare(candidate)
    if _CARD_RANGES.fullmatch(bare) is None or len(set(bare)) == 1:
        return None
    digits = bare[::-1].encode()
    total = sum(digits[0::2]) + sum(digits[1::2].translate(_LUHN)) - len(digits) * ord("0")
    return bare if total % 10 == 0 else None


def iban(candidate: str) -> str | None:
    """An IBAN: its country's length, and modulus 97 leaves 1 (ISO 13616, 6.1)."""
    if (length := IBAN_LENGTHS.get(candidate[:2].upper())) is None or len(bare := _bare(candidate)) != length:
        return None
    return bare if int("".join(str(int(character, 36)) for character in bare[4:] + bare[:4])) % 97 == 1 else None


def vat(candidate: str) -> str | None:
    """A VAT registration number: modulus 97, or the same with 55 added (HMRC, VATREG)."""
    bare = _NO_DIGIT.sub("", candidate)
    total = sum(int(digit) * weight for digit, weight in zip(bare[:7], range(8, 1, -1), strict=True)) + int(bare[7:9])
    return bare[:9] if total % 97 in (0, 42) and len(set(bare)) > 2 else None


def phone(candidate: str) -> str | None:
    """A number of the United Kingdom's numbering plan (Ofcom), with a leading 0 or +44."""
    bare = _NO_DIGIT.sub("", candidate.replace("(0)", ""))
    national = _TRUNK.sub("", bare)
    groups = _DIGITS.findall(candidate)
    joined = set(candidate) & set("./-")
    if candidate[0] == "0" and (len(groups[0]) < 3 or len(joined) > 1 or len(groups) > 5):
        return None  # digits that happen to stand in a row: a list, a date
    return national if _UK_PHONE.fullmatch(national) and len(set(national)) > 2 else None


def phone_named(candidate: str) -> str | None:
    """A number that is called a telephone number: also of another country, or without its leading 0."""
    bare = _NO_DIGIT.sub("", candidate)
    return phone(candidate) or (bare if 9 <= len(bare) <= 15 and len(set(bare)) > 2 else None)


def foreign_phone(candidate: str) -> str | None:
    """A number in international form (ITU-T E.164): a plus sign and up to fifteen digits."""
    bare = _NO_DIGIT.sub("", candidate)
    return bare if 8 <= len(bare) <= 15 and len(set(bare)) > 2 else None


def postcode(candidate: str) -> str | None:
    """A postcode of an area that there is. "M5 4GB" is more often a machine and its memory."""
    bare = _bare(candidate)
    area = re.match(r"[A-Z]{1,2}", bare)
    return bare if area and (area[0] in _AREAS or bare == "GIR0AA") else None


def bare_postcode(candidate: str) -> str | None:
    """A postcode, but not what is written like a machine with its memory."""
    bare = postcode(candidate)
    return None if bare is None or _UNITS_OF_MEMORY.fullmatch(bare[-3:]) else bare


def licence(candidate: str) -> str | None:
    """A driving licence of Great Britain: what its digits say is a date of birth (DVLA, "INF" 16 characters)."""
    bare = _bare(candidate)
    surname = re.fullmatch(r"[A-Z]{1,5}9{0,4}", bare[:5])
    month, day = int(bare[6:8]), int(bare[8:10])
    return bare[:16] if surname and (1 <= month <= 12 or 51 <= month <= 62) and 1 <= day <= 31 else None


def mrz(candidate: str) -> str | None:
    """The line of numbers in a machine-readable zone (ICAO 9303, parts 4 to 7): right check digits of its fields."""
    parts: tuple[tuple[int, int], ...] = ((0, 9), (13, 19), (21, 27))
    if candidate[:7].isdigit() and candidate[7] in "MFX<":
        parts = ((0, 6), (8, 14))  # a card's second line: birth and expiry
    elif candidate[0] in "IAC" and len(candidate) == 30 and candidate[2:5].isalpha():
        parts = ((5, 14),)  # its first line: the document's number
    right = all(_mrz_digit(candidate[first:last]) == candidate[last].replace("<", "0") for first, last in parts)
    return candidate[:14] if right else None


def mrz_line(candidate: str) -> str | None:
    """A line of a machine-readable zone by its length and fillers."""
    return candidate if len(candidate) in range(28, 46) and candidate.count("<") > 1 else None


def chi(candidate: str) -> str | None:
    """A CHI number: a date of birth, and the check digit of an NHS number. A time of these years is none."""
    bare = _bare(candidate)
    return None if candidate == bare and bare[:4] in _TIMES_OF_TODAY else nhs(candidate)


def ten_digits(candidate: str) -> str | None:
    """Ten digits that are called what they are, or nine where a number lost its leading 0."""
    bare = _NO_DIGIT.sub("", candidate)
    return bare if len(set(bare)) > 1 else None


def date(candidate: str) -> str | None:
    """A date on which somebody living may be born."""
    years = _YEARS.findall(candidate)
    digits = _DIGITS.findall(candidate)
    plausible = all(int(part) <= 31 for part in digits if len(part) <= 2 and part not in {year[2:] for year in years})
    return _NO_WORD.sub("-", candidate).lower() if plausible or not years else None


def assigned(candidate: str) -> str | None:
    """What is given as a secret's value, but not a word that says something about it, nor a place it is put into."""
    is_name = (len(candidate) % 4 and re.fullmatch(r"[A-Za-z_.-]+[:=]", candidate)) or len(candidate.split()) > 3
    return None if is_name or _NO_VALUE.fullmatch(candidate) or _EXPRESSION.match(candidate) else candidate


def told(candidate: str) -> str | None:
    """What a sentence gives as a password: no plain word, number, date or address."""
    candidate = candidate.rstrip(".,;:!?)]")
    kinds = (str.isupper, str.islower, str.isdigit, lambda character: not character.isalnum())
    mixed = sum(any(kind(character) for character in candidate) for kind in kinds)
    if mixed < 2 or _WORDS_OR_NUMBERS.fullmatch(candidate) or len(candidate) < 4:
        return None
    return assigned(candidate)


def opaque(candidate: str) -> str | None:
    """What is given as a secret or a token and looks like one: not a word, a name, an address or a plain number."""
    digits = sum(map(str.isdigit, candidate))
    words = re.fullmatch(r"[A-Za-z]+(?:[-_./:][A-Za-z]+)*|[a-z]+(?:[-/][a-z0-9]+)*|[0-9.]+", candidate)
    dated = re.fullmatch(r"[a-z][a-z0-9]*(?:[-./:][A-Za-z0-9]+)+", candidate)  # a name, as things are named
    if len(candidate) < 12 or words or dated or "://" in candidate or " " in candidate or not digits:
        return None
    return assigned(candidate)


def bearer(candidate: str) -> str | None:
    """A token after the word Bearer: no plain words, as in "bearer authentication"."""
    return assigned(candidate) if len(candidate) > 15 and any(map(str.isdigit, candidate)) else None


def basic_auth(candidate: str) -> str | None:
    """Base64 of a user's name, a colon and a password."""
    try:
        text = base64.b64decode(candidate + "=" * (-len(candidate) % 4))
    except ValueError:
        return None
    return candidate if b":" in text and len(candidate) >= 8 else None


def credentials(candidate: str) -> str | None:
    """What a field of authorization holds: a user and a password in base64, or a token."""
    return basic_auth(candidate) or (opaque(candidate) if len(candidate) > 15 else None)


def address(candidate: str) -> str | None:
    """A postal address: words that begin with capitals, most often with a number or a comma; no machine's."""
    candidate = candidate.replace("+", " ")
    if _NO_ADDRESS.search(candidate) or not re.search(r"[ ,]", candidate):
        return None
    capitals = len(re.findall(r"\b[A-Z][a-z']+", candidate))
    return candidate if capitals > 1 or (capitals and re.search(r"[0-9,]", candidate)) else None


def person(candidate: str) -> str | None:
    """A name, but not a word that follows a greeting or a title in other senses."""
    words = re.split(r"[ ,]+", candidate)
    return None if words[0] in _NO_NAMES or words[-1] in _NO_NAMES else candidate


def vehicle(candidate: str) -> str | None:
    """A registration mark: letters and digits, in capitals or as one word."""
    bare = _bare(candidate)
    return bare if 4 <= len(bare) <= 7 and (candidate.upper() == candidate or " " not in candidate) else None


def telling(candidate: str) -> str | None:
    """A password inside an address: no place it is put into, and no port with a path."""
    return None if re.fullmatch(r"[0-9]{1,5}/.*|[*x]+|\$?\{.*|<.*|%[sdr]", candidate) else candidate


def email(candidate: str) -> str | None:
    """An e-mail address, but not an instance of a systemd unit, a package's version or the account of a repository."""
    local, _, domain = candidate.lower().rpartition("@")
    ending = domain.rpartition(".")[2]
    if (
        ending in _NO_DOMAINS
        or re.fullmatch(r"[0-9a-f-]{32,}", local)
        or local in ("git", "ssh", "svn", "hg")
        or not domain[:1].isalnum()
    ):
        return None
    return f"{local}@{domain}"


_NO_NAMES = frozenset(
    "Sir Madam All Team Colleague Colleagues Customer Customers User Users Everyone Both Applicant Resident Rate Ratio"
    " Count Percentage Latency Error Errors The This That Service Services Support Admin Group Role System Unknown None"
    " String Text Varchar Null True False For From And Mayor".split()
)
_NO_ADDRESS = re.compile(r"://|@|^[0-9a-fA-F:./, ]+$|^arn:|[a-z]\.[a-z]|[{}=]")
_NO_DOMAINS = frozenset(
    "service socket timer target mount slice scope device path swap service js ts py go rs rb jar zip tgz gz tar json"
    " yaml yml toml xml html css txt md log conf cfg sh so dll exe png jpg jpeg gif svg pdf whl".split()
)
VALIDATORS: dict[str, Callable[[str], str | None]] = {
    "address": address,
    "assigned": assigned,
    "bare_postcode": bare_postcode,
    "basic_auth": basic_auth,
    "bearer": bearer,
    "chi": chi,
    "card": card,
    "credentials": credentials,
    "date": date,
    "email": email,
    "foreign_phone": foreign_phone,
    "iban": iban,
    "licence": licence,
    "mixed_base64": mixed_base64,
    "mrz": mrz,
    "mrz_line": mrz_line,
    "nhs": nhs,
    "nino": nino,
    "opaque": opaque,
    "person": person,
    "phone": phone,
    "phone_named": phone_named,
    "postcode": postcode,
    "telling": telling,
    "told": told,
    "ten_digits": ten_digits,
    "vat": vat,
    "vehicle": vehicle,
}


def _bare(candidate: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", candidate).upper()


def _mrz_digit(field: str) -> str:
    values = (0 if character == "<" else int(character, 36) for character in field)
    return str(sum(value * weight for value, weight in zip(values, _MRZ_WEIGHTS * 3, strict=False)) % 10)

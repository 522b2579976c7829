"""A value in a line of text: as a field, a sentence, a header, a query, a connection string."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from tests.redaction_corpus import ordinary
from tests.redaction_corpus.page import Page
from tests.redaction_corpus.values.credentials import HEX, LOWER, chars
from tests.redaction_corpus.values.kinds import Cell

KEYED: Final = (
    "{key}={value}", "{key}: {value}", '{key}="{value}"', "{label}: {value}", "'{key}': '{value}'", '"{key}":"{value}"',
    "{key} = {value}", "{key}={value};", "[{key}={value}]", "{label} = {value}",
)  # fmt: skip
"""How log lines and forms write a field."""
CONNECTIONS: Final = (
    "Driver={{ODBC Driver 18 for SQL Server}};Server=tcp:db.example.org,"
    "1433;Database=cases;Uid=svc_cases;Pwd={};Encrypt=yes;",
    "Server=db.example.org;Database=cases;User Id=svc_cases;Password={};MultipleActiveResultSets=true",
    "jdbc:postgresql://db.example.org:5432/cases?user=svc_cases&password={}&ssl=true",
    "jdbc:sqlserver://db.example.org:1433;databaseName=cases;user=svc_cases;password={};encrypt=true",
    "jdbc:oracle:thin:svc_cases/{}@//db.example.org:1521/CASES",
    "jdbc:oracle:thin:svc_cases/{}@db.example.org:1521:CASES",
    "host=db.example.org port=5432 dbname=cases user=svc_cases password={} sslmode=require",
    "sqlplus svc_cases/{}@CASES",
    "mysql -h db.example.org -u svc_cases -p{} cases",
)
"""Connection strings in which a password stands as it is."""
CONNECTION_URLS: Final = (
    "postgres://svc_cases:{}@db.example.org:5432/cases",
    "mysql+pymysql://svc_cases:{}@db.example.org/cases",
    "redis://:{}@cache.example.org:6379/0",
    "amqps://svc_cases:{}@mq.example.org:5671/cases",
    "mongodb+srv://svc_cases:{}@cluster.example.org/cases?retryWrites=true",
    "https://svc_cases:{}@repo.example.org/simple/",
)
"""Connection strings in which it is in percent, where it must be (RFC 3986, userinfo)."""
STORAGE: Final = "DefaultEndpointsProtocol=https;AccountName=exports;AccountKey={};EndpointSuffix=core.windows.net"


def keyed(page: Page, placed: Cell) -> str:
    """A field and its value in a line."""
    value = placed.kind.wrap.format(page.slot(placed))
    return page.rng.choice(KEYED).format(key=placed.key, label=placed.label, value=value)


def header(page: Page, placed: Cell) -> str:
    """A line of a request's head."""
    separator = " " if ":" in placed.header else ": "
    return f"{placed.header}{separator}{page.slot(placed)}"


def connection(page: Page, placed: Cell) -> str:
    """A connection string of some driver."""
    if placed.kind.name == "azure":
        return STORAGE.format(page.slot(placed))
    if page.rng.random() < 0.4:
        return page.rng.choice(CONNECTION_URLS).format(page.slot(placed, _in_userinfo))
    return page.rng.choice(CONNECTIONS).format(page.slot(placed))


def _in_userinfo(text: str) -> str:
    return quote(text, safe="")


def query(page: Page, placed: Cell) -> str:
    """An address with the value in its query."""
    other = f"page={page.rng.randint(1, 40)}"
    field = f"{placed.key}={page.query_slot(placed)}"
    joined = "&".join(page.rng.sample([field, other, "sort=desc"], 3))
    return f"https://{page.rng.choice(ordinary.SERVICES)}.example.org/v1/search?{joined}"


def signature(page: Page, placed: Cell) -> str:
    """A presigned URL, which is a secret as long as it is valid: its parts are labelled, not its address."""
    rng, day = page.rng, f"{ordinary.moment(page.rng):%Y%m%d}"
    key = page.slot(page.more("aws_access_key", "query"))
    session = (
        f"&X-Amz-Security-Token={page.query_slot(page.more('aws_session_token', 'query'))}"
        if rng.random() < 0.4
        else ""
    )
    return (
        f"https://{rng.choice(ordinary.SERVICES)}.s3.eu-west-2.amazonaws.com/reports/{rng.randint(1, 900)}.pdf"
        f"?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}%2F{day}%2Feu-west-2%2Fs3%2Faws4_request"
        f"&X-Amz-Date={day}T101500Z&X-Amz-Expires=900{session}&X-Amz-SignedHeaders=host&X-Amz-Signature={page.slot(placed)}"
    )


def sentence(page: Page, placed: Cell) -> str:
    """A sentence with the value in it."""
    return placed.sentence(page.rng, page.slot(placed))


def number(page: Page, placed: Cell) -> str:
    """A fragment of JSON with the value as a number."""
    return f'"{placed.key}":{page.slot(placed)}'


WRITERS: Final = {
    "keyed": keyed, "prose": sentence, "bare": sentence, "header": header, "connection": connection, "query": query,
    "signature": signature, "number": number, "mrz": sentence,
}  # fmt: skip


def line(page: Page, placed: Cell) -> str:
    """The value in a line, in the manner of its context."""
    return WRITERS[placed.context](page, placed)


def noise(page: Page, fewest: int = 2, most: int = 5) -> list[str]:
    """Lines of ordinary text."""
    return [ordinary.line(page.rng) for _ in range(page.rng.randint(fewest, most))]


def mixed(page: Page, lines: list[str], others: list[str]) -> list[str]:
    """The lines and the others in an order of chance."""
    both = [*lines, *others]
    page.rng.shuffle(both)
    return both


def words(page: Page, count: int) -> str:
    """Letters and digits that name nothing."""
    return chars(page.rng, LOWER, count)


def hexadecimal(page: Page, count: int) -> str:
    """So many hexadecimal digits."""
    return chars(page.rng, HEX, count)

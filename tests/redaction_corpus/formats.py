"""The formats: each writes ordinary text in its manner, and the given values in it.

Every format takes no values too: what it writes then is all ordinary, and must stay as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

from tests.redaction_corpus import lines, ordinary
from tests.redaction_corpus.page import Page, in_json, in_sql, in_xml
from tests.redaction_corpus.values.kinds import Cell

Format = Callable[[Page, Sequence[Cell]], str]
_COUNT: Final = "SELECT count(*) FROM events WHERE created_at > {} AND size < {};"


def log(page: Page, cells: Sequence[Cell]) -> str:
    """Lines of a program's log."""
    made = [
        f"{ordinary.moment(page.rng):%Y-%m-%d %H:%M:%S},123 INFO [worker-3] {lines.line(page, each)}" for each in cells
    ]
    return "\n".join(lines.mixed(page, made, lines.noise(page, 3, 8)))


def _fields(page: Page, cells: Sequence[Cell], facts: int) -> dict[str, object]:
    """Fields of an object: the values as their contexts have them, among facts."""
    found: list[tuple[str, object]] = list(ordinary.facts(page.rng, facts))
    for place, each in enumerate(cells):
        if each.context == "number":
            found.append((each.key, page.number(each)))
        elif each.context == "keyed":
            found.append((each.key, each.kind.wrap.format(page.slot(each))))
        else:
            found.append((("message", "note", "detail", "url", "text")[place % 5], lines.line(page, each)))
    page.rng.shuffle(found)
    fields: dict[str, object] = {}
    for key, value in found:
        fields[key if key not in fields else f"{key}{len(fields)}"] = value
    return fields


def _dumped(page: Page, value: object) -> str:
    page.escape = in_json
    indent, separators = page.rng.choice(((None, (",", ":")), (None, (", ", ": ")), (2, (",", ": "))))
    return json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)


def cloudtrail(page: Page, cells: Sequence[Cell]) -> str:
    """Events as CloudTrail's LookupEvents tells them (CloudTrail User Guide, record contents)."""
    rng, split = page.rng, len(cells) // 2

    def event(inside: Sequence[Cell]) -> dict[str, object]:
        began = f"{ordinary.moment(rng):%Y-%m-%dT%H:%M:%SZ}"
        return {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": f"AROA{lines.words(page, 17).upper()}:session-{rng.randint(10**8, 10**9)}",
                "arn": ordinary.arn(rng), "accountId": ordinary.ACCOUNT,
                "sessionContext": {"attributes": {"creationDate": began, "mfaAuthenticated": "true"}},
            },
            "eventTime": f"{ordinary.moment(rng):%Y-%m-%dT%H:%M:%SZ}", "eventSource": "ssm.amazonaws.com",
            "eventName": rng.choice(ordinary.EVENTS), "awsRegion": ordinary.REGION,
            "sourceIPAddress": f"198.51.100.{rng.randint(1, 254)}",
            "userAgent": "aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/linux",
            "requestParameters": _fields(page, inside, 4),
            "responseElements": None, "requestID": ordinary.request_id(rng), "eventID": ordinary.request_id(rng),
            "readOnly": rng.random() < 0.5, "recipientAccountId": ordinary.ACCOUNT,
            "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"},
        }  # fmt: skip

    return _dumped(page, {"Records": [event(cells[:split]), event(cells[split:])]})


def json_answer(page: Page, cells: Sequence[Cell]) -> str:
    """An answer of some service: objects in a list, and a token for the next page."""
    split = len(cells) // 2
    items = [_fields(page, cells[:split], 6), _fields(page, cells[split:], 6)]
    return _dumped(page, {"items": items, "count": len(items), "nextToken": ordinary.token(page.rng)})


def kubernetes(page: Page, cells: Sequence[Cell]) -> str:
    """A pod as `kubectl get -o yaml` shows it, with what it writes."""
    name = f"{page.rng.choice(ordinary.SERVICES)}-7d4b9c6f5d-{lines.words(page, 5)}"
    made = [
        "apiVersion: v1", "kind: Pod", "metadata:", f"  name: {name}", f"  uid: {ordinary.request_id(page.rng)}",
        f'  resourceVersion: "{page.rng.randint(10**8, 10**9 - 1)}"', "spec:", "  containers:",
        f"  - image: registry.example.org/app@sha256:{lines.hexadecimal(page, 64)}", "    env:",
        "    - name: DB_PASSWORD", "      valueFrom: {secretKeyRef: {name: db-credentials, key: password}}",
    ]  # fmt: skip
    rest = []
    for each in cells:
        if each.context != "keyed":
            rest.append(f"# {lines.line(page, each)}")
        elif each.multiline:
            made += [f"    - name: {each.key}", "      value: |", f"        {page.slot(each, _indented)}"]
        else:
            quote = page.rng.choice(('"', "'", ""))
            value = each.kind.wrap.format(page.slot(each))
            made += [f"    - name: {each.key}", f"      value: {quote}{value}{quote}"]
    status = [
        f"  podIP: 10.0.{page.rng.randint(0, 255)}.7",
        f"  startTime: {ordinary.moment(page.rng):%Y-%m-%dT%H:%M:%SZ}",
    ]
    return "\n".join([*made, "status:", *status, *rest, *(f"# {each}" for each in lines.noise(page, 1, 3))])


def _indented(text: str) -> str:
    return text.replace("\n", "\n        ")


def email(page: Page, cells: Sequence[Cell]) -> str:
    """A message with its head."""
    rng = page.rng
    head = [
        f"Message-ID: <{lines.hexadecimal(page, 24)}-{rng.randint(10**9, 10**10)}>",
        f"Date: {ordinary.moment(rng):%a, %d %b %Y %H:%M:%S +0000}",
        f"Subject: Case OPS-{rng.randint(1000, 99999)}", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
        f"Received: from {ordinary.host(rng)} with ESMTPS id {lines.words(page, 14)}",
    ]  # fmt: skip
    body = lines.mixed(page, [lines.line(page, each) for each in cells], [ordinary.sentence(rng) for _ in range(3)])
    return "\n".join([*head, "", "Hello,", "", *body, "", "Thank you."])


def sql(page: Page, cells: Sequence[Cell]) -> str:
    """Statements as a slow log or an audit holds them."""
    page.escape = in_sql
    made = []
    for each in cells:
        if each.context == "keyed":
            value = each.kind.wrap.format(page.slot(each))
            pattern = page.rng.choice(
                (
                    "SELECT id, state FROM cases WHERE {} = '{}' LIMIT 50;",
                    "UPDATE cases SET {} = '{}' WHERE id = 88213;",
                    "DELETE FROM cases WHERE state = 'closed' AND {}='{}';",
                )
            )  # fmt: skip
            made.append(pattern.format(each.key, value))
        else:
            made.append(f"-- {lines.line(page, each)}")
    plain = [
        _COUNT.format(ordinary.epoch(page.rng), ordinary.size(page.rng)),
        "CREATE TABLE users (id BIGINT, password_hash CHAR(60), email VARCHAR(254), postcode VARCHAR(8), dob DATE);",
        f"# Query_time: {page.rng.uniform(0, 9):.6f} Lock_time: 0.000021 Rows_sent: {page.rng.randint(1, 900)} "
        f"Rows_examined: {ordinary.size(page.rng)}",
    ]
    return "\n".join(lines.mixed(page, made, plain))


def ticket(page: Page, cells: Sequence[Cell]) -> str:
    """A case in a service desk, with its comments."""
    rng = page.rng
    head = [
        f"OPS-{rng.randint(1000, 99999)}  Priority 2  Opened {ordinary.moment(rng):%d/%m/%Y %H:%M}",
        "Component: " + rng.choice(ordinary.SERVICES),
        "",
    ]
    made = lines.mixed(page, [lines.line(page, each) for each in cells], [ordinary.sentence(rng) for _ in range(4)])
    return "\n".join([*head, *(f"Comment {place}: {each}" for place, each in enumerate(made, 1))])


def terminal(page: Page, cells: Sequence[Cell]) -> str:
    """What a person typed in a shell, and what came."""
    prompt = "root@ip-10-0-3-17:~# {}"
    made = []
    for each in cells:
        if each.context == "header":
            made.append(prompt.format(f"curl -s -H '{lines.header(page, each)}' https://api.example.org/v1/items"))
        elif each.context == "keyed" and not each.multiline:
            made.append(prompt.format(f"export {each.key}='{each.kind.wrap.format(page.slot(each))}'"))
        elif each.context in ("query", "signature"):
            made.append(prompt.format(f"curl -sf '{lines.line(page, each)}'"))
        else:
            made.append(prompt.format("tail -n 1 notes.txt") + "\n" + lines.line(page, each))
    plain = [
        prompt.format(f"git show {lines.hexadecimal(page, 12)} --stat"),
        f"-rw-r--r-- 1 root root {ordinary.size(page.rng)} Mar  {page.rng.randint(1, 9)} 10:15 "
        f"export-{ordinary.epoch(page.rng)}.tar.gz",
        prompt.format("ssh -i ~/.ssh/deploy ec2-user@10.0.3.17 uptime"),
        f"{lines.hexadecimal(page, 64)}  backup.img",
    ]
    return "\n".join(lines.mixed(page, made, plain))


def config(page: Page, cells: Sequence[Cell]) -> str:
    """Settings: INI, TOML, properties or an environment file."""
    pattern = page.rng.choice(('{}="{}"', "{}={}", "{} = {}", "{}: {}", "export {}={}"))
    made = []
    for each in cells:
        if each.context == "keyed":
            made.append(pattern.format(each.key, each.kind.wrap.format(page.slot(each, _indented))))
        elif each.context == "connection":
            made.append(pattern.format("DATABASE_URL", lines.connection(page, each)))
        else:
            made.append(f"# {lines.line(page, each)}")
    plain = [pattern.format(key, value) for key, value in ordinary.facts(page.rng, 7)]
    return "\n".join(["# settings", *lines.mixed(page, made, plain)])


def stack_trace(page: Page, cells: Sequence[Cell]) -> str:
    """A failure with the places it went through."""
    rng = page.rng
    made = []
    for each in cells:
        made += [
            "Traceback (most recent call last):",
            f'  File "/opt/app/{rng.choice(("intake", "ledger", "match"))}.py", line {rng.randint(10, 900)}, in handle',
            f"ValueError: {lines.line(page, each)}",
        ]
    java = [
        f"java.lang.IllegalStateException: shard {ordinary.luhn_number(rng)} lost",
        f"\tat org.example.ledger.Writer$Inner.flush(Writer.java:{rng.randint(10, 999)})",
        f"\tat java.base/java.lang.Thread.run(Thread.java:{rng.randint(100, 1999)}) "
        f"~[app-{rng.randint(1, 9)}.{rng.randint(10, 99)}.{rng.randint(10, 99)}.jar!/:?]",
        f"botocore.exceptions.ClientError: An error occurred (AccessDenied): {ordinary.arn(rng)} request "
        f"{ordinary.request_id(rng)}",
    ]
    return "\n".join([*made, *java])


def urls(page: Page, cells: Sequence[Cell]) -> str:
    """An access log of a load balancer, and addresses alone."""
    rng, made = page.rng, []
    for each in cells:
        begin = f"h2 {ordinary.moment(rng):%Y-%m-%dT%H:%M:%S}.{rng.randint(0, 999_999):06}Z"
        client = f"198.51.100.{rng.randint(1, 254)}:{rng.randint(1024, 65535)}"
        trace = f"Root=1-{lines.hexadecimal(page, 8)}-{lines.hexadecimal(page, 24)}"
        asked = f'"GET {lines.line(page, each)} HTTP/2.0"'
        balancer = f"app/front/{lines.hexadecimal(page, 16)}"
        made.append(f'{begin} {balancer} {client} 200 {rng.randint(100, 9000)} {asked} "{trace}"')
    plain = [
        f"https://console.example.org/{ordinary.REGION}/metrics?start={ordinary.millis(rng)}&end={ordinary.millis(rng)}&period=300",
        f"https://{ordinary.ACCOUNT}.dkr.ecr.{ordinary.REGION}.amazonaws.com/v2/app/blobs/"
        f"sha256:{lines.hexadecimal(page, 64)}",
        "https://api.example.org/v1/items?"
        f"nextToken={ordinary.token(rng).rstrip('=')[:40].replace('+', '%2B').replace('/', '%2F')}&limit=50",
    ]
    return "\n".join(lines.mixed(page, made, plain))


def xml(page: Page, cells: Sequence[Cell]) -> str:
    """A document with elements and attributes."""
    page.escape, made = in_xml, []
    for each in cells:
        if each.context != "keyed":
            made.append(f"  <note>{in_xml(lines.line(page, each))}</note>")
        elif page.rng.random() < 0.6:
            made.append(f"  <{each.key}>{each.kind.wrap.format(page.slot(each))}</{each.key}>")
        else:
            made.append(f'  <field name="{each.key}" value="{each.kind.wrap.format(page.slot(each))}"/>')
    plain = [f"  <{key}>{in_xml(str(value))}</{key}>" for key, value in ordinary.facts(page.rng, 5)]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<case>", *lines.mixed(page, made, plain), "</case>"])


def ocr(page: Page, cells: Sequence[Cell]) -> str:
    """A scanned form: capitals, gaps, labels above or beside what was written."""
    made = []
    for each in cells:
        if each.context == "mrz":
            made.append(page.slot(each))
        elif each.context == "keyed":
            gap = page.rng.choice(("   ", " ..... ", ":\n    ", "  |  ", " : "))
            made.append(f"{each.label.upper()}{gap}{each.kind.wrap.format(page.slot(each))}")
        else:
            made.append(lines.line(page, each))
    plain = [
        f"PAGE {page.rng.randint(1, 9)} OF 9      FORM BX{page.rng.randint(100, 999)} "
        f"({page.rng.randint(1, 12):02}/26)",
        "PLEASE USE  BLACK lNK  AND  CAPlTALS",
        f"OFFICE USE ONLY   BATCH {ordinary.luhn_number(page.rng)}",
        f"BARCODE *{page.rng.randint(10**11, 10**12 - 1)}*", "TICK  ONE  BOX   [ ] YES   [x] NO",
    ]  # fmt: skip
    return "\n".join(lines.mixed(page, made, plain))


def markdown(page: Page, cells: Sequence[Cell]) -> str:
    """A page of a wiki."""
    made = [
        f"- **{each.label}**: `{page.slot(each)}`" if each.context == "keyed" else f"- {lines.line(page, each)}"
        for each in cells
    ]
    plain = [f"- {ordinary.sentence(page.rng)}" for _ in range(3)] + [f"- `{ordinary.arn(page.rng)}`"]
    return "\n".join([f"# Runbook {page.rng.randint(1, 90)}", "", *lines.mixed(page, made, plain)])


_COMMON: Final = frozenset({"keyed", "prose", "bare"})
FORMATS: Final[dict[str, tuple[Format, frozenset[str]]]] = {
    "log": (log, _COMMON | {"header", "connection", "query", "signature"}),
    "cloudtrail": (cloudtrail, _COMMON | {"number", "connection"}),
    "kubernetes": (kubernetes, _COMMON | {"connection"}),
    "json": (json_answer, _COMMON | {"number", "connection", "query", "signature", "mrz"}),
    "email": (email, _COMMON | {"signature", "header"}),
    "sql": (sql, _COMMON),
    "ticket": (ticket, _COMMON | {"query", "connection", "mrz"}),
    "terminal": (terminal, _COMMON | {"header", "query", "signature", "connection"}),
    "config": (config, frozenset({"keyed", "connection", "bare"})),
    "stack_trace": (stack_trace, _COMMON | {"connection", "query"}),
    "urls": (urls, frozenset({"query", "signature"})),
    "xml": (xml, _COMMON | {"connection", "query"}),
    "ocr": (ocr, frozenset({"keyed", "mrz"})),
    "markdown": (markdown, _COMMON | {"query", "connection"}),
}
"""Each format with the contexts that it takes; columns are for tables.TABLES."""

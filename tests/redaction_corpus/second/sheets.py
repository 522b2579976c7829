"""Records of any kinds in what people read: tables with the head far above, configuration, letters, tickets, scans."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Final

from tests.redaction_corpus.second import noise
from tests.redaction_corpus.second.ink import KINDS, Ink
from tests.redaction_corpus.second.records import Write


def _rows(ink: Ink, kinds: Sequence[str], style: str, count: int) -> tuple[list[str], list[list[str]]]:
    """Heads and rows, with columns that are nobody's between."""
    rng = ink.rng
    heads = ["id", *(ink.key(kind, style) for kind in kinds), "status", "updated", "amount_pence"]
    return heads, [
        [
            str(rng.randint(1000, 99999999)),
            *(ink.put(kind, "column") for kind in kinds),
            rng.choice(("OPEN", "CLOSED", "IN_REVIEW")),
            noise.iso(rng, fraction=False),
            str(rng.randint(0, 10**7)),
        ]
        for _ in range(count)
    ]


def _one_line(kinds: Sequence[str]) -> list[str]:
    """Kinds that fit in a cell."""
    return [kind for kind in kinds if kind not in ("mrz", "private_key")] or ["nino"]


def comma_separated(ink: Ink, kinds: Sequence[str]) -> str:
    """A file with its head far above."""
    heads, rows = _rows(ink, _one_line(kinds), ink.pick(["snake", "title", "camel"]), ink.pick([4, 6, 9, 12, 40]))
    out = io.StringIO()
    write = csv.writer(out, delimiter=ink.pick([",", ",", ",", ";", "\t", "|"]), lineterminator="\n")
    write.writerows([heads, *rows])
    return out.getvalue()


def _widths(heads: list[str], rows: list[list[str]]) -> list[int]:
    """Of columns; three characters of a value are marks that fall away."""
    return [max(len(row[at]) - 3 * (row[at] > "\ue000") for row in (heads, *rows)) for at in range(len(heads))]


def _padded(cells: list[str], widths: list[int]) -> list[str]:
    return [cell.ljust(width + 3 * (cell > "\ue000")) for cell, width in zip(cells, widths, strict=True)]


def drawn_table(ink: Ink, kinds: Sequence[str]) -> str:
    """What a database's shell draws."""
    heads, rows = _rows(ink, _one_line(kinds)[:4], ink.pick(["snake", "lower"]), ink.rng.randint(2, 7))
    widths = _widths(heads, rows)
    lines = [_padded(row, widths) for row in (heads, *rows)]
    if ink.rng.random() < 0.5:
        rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
        drawn = ["| " + " | ".join(line) + " |" for line in lines]
        return "\n".join([rule, drawn[0], rule, *drawn[1:], rule, f"{len(rows)} rows in set (0.00 sec)"])
    drawn = [" " + " | ".join(line) for line in lines]
    rule = "+".join("-" * (width + 2) for width in widths)
    return "\n".join([drawn[0], rule, *drawn[1:], f"({len(rows)} rows)"])


def markdown_table(ink: Ink, kinds: Sequence[str]) -> str:
    """A table in a page of notes."""
    heads, rows = _rows(ink, _one_line(kinds)[:4], "title", ink.rng.randint(1, 5))
    lines = ["| " + " | ".join(row) + " |" for row in (heads, ["---"] * len(heads), *rows)]
    return "## Records that failed\n\nFrom last night's run:\n\n" + "\n".join(lines)


def spaced_columns(ink: Ink, kinds: Sequence[str]) -> str:
    """Columns that only spaces keep apart, as kubectl and the AWS command line have them."""
    heads, rows = _rows(ink, _one_line(kinds)[:3], "upper", ink.rng.randint(2, 6))
    widths = _widths(heads, rows)
    return "\n".join("   ".join(_padded(row, widths)).rstrip() for row in (heads, *rows))


def athena(ink: Ink, kinds: Sequence[str]) -> str:
    """Results of Athena: the first row is the head."""
    heads, rows = _rows(ink, kinds, "snake", ink.rng.randint(1, 4))
    data = [{"Data": [{"VarCharValue": cell} for cell in row]} for row in (heads, *rows)]
    about = {"ColumnInfo": [{"Name": name, "Type": "varchar", "Precision": 2147483647} for name in heads]}
    answer = {"ResultSet": {"Rows": data, "ResultSetMetadata": about}, "UpdateCount": 0}
    return json.dumps(answer, ensure_ascii=False, indent=ink.pick([None, 2]))


def data_api(ink: Ink, kinds: Sequence[str]) -> str:
    """Results of the RDS Data API: names of columns apart from the records."""
    heads, rows = _rows(ink, kinds, "snake", ink.rng.randint(1, 4))
    about = [{"name": name, "typeName": "varchar", "nullable": 1, "precision": 255} for name in heads]
    records = [[{"stringValue": cell} for cell in row] for row in rows]
    answer = {"columnMetadata": about, "numberOfRecordsUpdated": 0, "records": records}
    return json.dumps(answer, ensure_ascii=False)


def yaml(ink: Ink, kinds: Sequence[str]) -> str:
    """A file of test data or values."""
    style, mark = ink.pick(["snake", "camel", "kebab"]), ink.pick(["", "", '"', "'"])
    lines = [f"      {ink.key(kind, style)}: {mark}{ink.put(kind, 'keyed')}{mark}" for kind in _one_line(kinds)]
    return "\n".join(["apiVersion: v1", "kind: Fixture", "spec:", "  replicas: 3", "  people:", "    - id: 77", *lines])


def dotenv(ink: Ink, kinds: Sequence[str]) -> str:
    """Variables of an environment."""
    export, mark = ink.pick(["", "", "export "]), ink.pick(["", '"'])
    lines = [f"{export}{ink.key(kind, 'upper')}={mark}{ink.put(kind, 'keyed')}{mark}" for kind in _one_line(kinds)]
    return "\n".join(["LOG_LEVEL=info", "AWS_REGION=eu-west-2", *lines, "PORT=8080", "RETRIES=3"])


def properties(ink: Ink, kinds: Sequence[str]) -> str:
    """Properties or a section of an INI file."""
    between, style = ink.pick([("=", "kebab"), (" = ", "snake"), (": ", "lower")])
    lines = [f"{ink.key(kind, style)}{between}{ink.put(kind, 'keyed')}" for kind in _one_line(kinds)]
    return "\n".join(["# generated", "[record]", "cache.size=100000", *lines, "timeout.ms=30000"])


def sql(ink: Ink, kinds: Sequence[str]) -> str:
    """A statement in a slow query log."""
    one_line = _one_line(kinds)

    def quoted(kind: str, context: str) -> str:
        return "'" + ink.put(kind, context, ink.value(kind).replace("'", "''")) + "'"

    named = [(ink.key(kind, "snake"), kind) for kind in one_line]
    if ink.rng.random() < 0.5:
        where = " AND ".join(f"{name} = {quoted(kind, 'keyed')}" for name, kind in named)
        statement = " ".join(["SELECT id, status FROM claims WHERE", where, "LIMIT 50;"])
    else:
        columns, cells = ", ".join(name for name, _ in named), ", ".join(quoted(kind, "column") for _, kind in named)
        statement = " ".join(["INSERT INTO applicants (id,", columns + ") VALUES (8841,", cells + ");"])
    rng = ink.rng
    return (
        f"{noise.stamp(rng)} UTC:{noise.inside(rng)}({rng.randint(1025, 65000)}):app@claims:"
        f"[{rng.randint(100, 32000)}]:LOG:  duration: {rng.randint(1, 9999)}.{rng.randint(100, 999)} ms  "
        f"statement: {statement}"
    )


def key_and_value(ink: Ink, kinds: Sequence[str]) -> str:
    """A screen of a case, as copied into a note."""
    lines = [f"{ink.key(kind, 'title')}: {ink.put(kind, 'keyed')}" for kind in _one_line(kinds)]
    return "\n".join(
        [f"Case reference: C-{ink.rng.randint(10000, 99999)}", *lines, "Status: with caseworker", "Priority: 3"]
    )


def scan(ink: Ink, kinds: Sequence[str]) -> str:
    """What comes of a scanned form: capitals, uneven spaces, rules of dots and underscores."""
    lines = [
        ink.pick(
            [
                f"{ink.key(kind, 'lower').upper()} ......  {ink.put(kind, 'keyed')}",
                f"{ink.key(kind, 'title')}   :   {ink.put(kind, 'keyed')}",
                f"{ink.key(kind, 'lower').upper()}\n   {ink.put(kind, 'keyed')}",
                f"{ink.pick(['3.', '4a', '7)'])}  {ink.key(kind, 'title')} | {ink.put(kind, 'keyed')} |",
            ]
        )
        for kind in _one_line(kinds)
    ]
    return "\n".join(
        ["F0RM  P85      Page 1 of  2", "PLEASE USE BLACK 1NK", *lines, "_______________ Signed", "~ ~ .  ,"]
    )


def sentences(ink: Ink, kinds: Sequence[str]) -> str:
    """A ticket, a mail, a chat or a console's note in people's words."""
    rng = ink.rng
    told = [ink.pick(KINDS[kind]["prose"]).format(ink.put(kind, "prose")) for kind in kinds if KINDS[kind]["prose"]]
    ticket = f"[INC{rng.randint(1000000, 9999999)}] P{rng.randint(1, 4)} opened {noise.stamp(rng)[:16]}\n\n"
    mail = (
        f"Subject: Case {rng.randint(10000, 99999)}\nDate: Tue, 3 Nov 2026 10:{rng.randint(10, 59)}:22 +0000\n"
        f"Message-ID: <{noise.uuid(rng)}@mail.internal>\n\n"
    )
    if rng.random() < 0.35:
        return "\n".join(
            f"[10:{at + 10}] {ink.pick(['ops-bot', 'on-call', 'duty-dev'])}: {one}" for at, one in enumerate(told)
        )
    return ink.pick([ticket, mail, ""]) + ink.pick(["\n", " ", "\n\n"]).join(told)


SHEETS: Final[dict[str, Write]] = {
    "csv": comma_separated,
    "table": drawn_table,
    "markdown": markdown_table,
    "columns": spaced_columns,
    "athena": athena,
    "data-api": data_api,
    "yaml": yaml,
    "env": dotenv,
    "properties": properties,
    "sql": sql,
    "case-note": key_and_value,
    "scan": scan,
    "prose": sentences,
}

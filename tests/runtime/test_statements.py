"""SQL in an argument is parsed before anything is asked of AWS: reads pass, and nothing that writes or reaches out."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callpath import statement_kinds
from callpath.refusal import Refusal
from ringfence.assets.local import packages
from ringfence.catalogue.catalogue import load_catalogue
from ringfence.compilers.rules import runtime_rules
from ringfence.department.department import load_department
from runtime.statements import LONGEST, StatementRule, check_statements
from tests.runtime.conftest import SCRIPTED, scripted_rules

ROOT = Path(__file__).parents[2]
READS = {"kinds": ["describe", "explain", "select", "show"], "locations": ""}
SANDBOX = {"kinds": ["select", "unload"], "locations": r"^s3://ringfence-sandbox-[a-z0-9.-]+/.*$"}


@pytest.fixture(scope="module", autouse=True)
def deployed_parser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The parser as it is deployed: without the dialects that are left out."""
    folder = tmp_path_factory.mktemp("parser")
    (folder / "sqlglot").symlink_to(packages("host") / "sqlglot")
    with pytest.MonkeyPatch.context() as patch:
        for name in [each for each in sys.modules if each.split(".")[0] == "sqlglot"]:
            patch.delitem(sys.modules, name)
        patch.syspath_prepend(folder)
        import sqlglot

        assert Path(sqlglot.__file__).is_relative_to(folder)
        yield
        for name in [each for each in sys.modules if each.split(".")[0] == "sqlglot"]:
            del sys.modules[name]


def refused(text: object, rule: dict[str, Any] = READS) -> str | None:
    """The message of the refusal, or None when the statement passes."""
    try:
        check_statements({"query_string": StatementRule.read(rule)}, {"query_string": text}, tool="query")
    except Refusal as refusal:
        assert (refusal.layer, refusal.rule) == ("runtime", "statement-refused")
        return refusal.message
    return None


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "select * from a.b where x = ? limit 10;",
        "WITH t AS (SELECT 1 AS x) SELECT * FROM t",
        "(SELECT 1) UNION ALL SELECT 2",
        "VALUES (1, 2)",
        "-- a note\nSELECT '; DROP TABLE a'",
        "SELECT * FROM a CROSS JOIN UNNEST(b) AS t (x)",
        "SELECT * FROM a WHERE path LIKE 's3://anything/%'",
        "SELECT * FROM \"a\" FOR TIMESTAMP AS OF TIMESTAMP '2026-01-01 00:00:00'",
        "SHOW TABLES IN x 'a*'",
        "SHOW PARTITIONS a",
        "SHOW CREATE TABLE a",
        "SHOW CREATE VIEW `a`.b;",
        "SHOW COLUMNS FROM a IN b",
        "show databases like 'a.*'",
        "SHOW TBLPROPERTIES a('b')",
        "SHOW VIEWS IN a LIKE 'b|c'",
        "DESCRIBE FORMATTED a.b",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT * FROM a",
        "EXPLAIN (TYPE IO, FORMAT JSON) SELECT 1",
    ],
)
def test_a_statement_that_only_reads_passes(text: str) -> None:
    assert refused(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "UNLOAD (SELECT 'loot') TO 's3://ringfence-sandbox-evil/athena-results/1/' WITH (format = 'CSV')",
        "unload (select 1) to 's3://x/'",
        "/* SELECT */ UNLOAD (SELECT 1) TO 's3://x/'",
        "EXPLAIN ANALYZE UNLOAD (SELECT 1) TO 's3://x/'",
        "EXPLAIN ANALYZE INSERT INTO a SELECT 1",
        "/**/EXPLAIN ANALYZE INSERT INTO a SELECT 1",
        "-- a\nEXPLAIN ANALYZE INSERT INTO a SELECT 1",
        "EXPLAIN/**/ANALYZE UNLOAD (SELECT 1) TO 's3://x/' WITH (format = 'PARQUET')",
        "/**/EXPLAIN ANALYZE CREATE TABLE a WITH (external_location = 's3://x/') AS SELECT 1",
        "/**/EXPLAIN ANALYZE USING EXTERNAL FUNCTION f(x VARCHAR) RETURNS VARCHAR LAMBDA 'l' SELECT f('a')",
        "/**/EXPLAIN ANALYZE SELECT * FROM TABLE(system.query(query => 'x'))",
        "EXPLAIN(TYPE IO)INSERT INTO a SELECT 1",
        "EXPLAIN EXPLAIN ANALYZE DELETE FROM a",
        "INSERT INTO a SELECT 1",
        "FROM a INSERT OVERWRITE TABLE b SELECT 1",
        "WITH f AS (INSERT INTO a SELECT 1) SELECT * FROM f",
        "SELECT 1 INTO x",
        "CREATE TABLE a WITH (external_location = 's3://x/') AS SELECT 1",
        "CREATE EXTERNAL TABLE a (x int) LOCATION 's3://x/'",
        "CREATE VIEW a AS SELECT 1",
        "ALTER TABLE a SET LOCATION 's3://x/'",
        "DROP TABLE a",
        "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE",
        "DELETE FROM a",
        "UPDATE a SET x = 1",
        "MSCK REPAIR TABLE a",
        "VACUUM a",
        "OPTIMIZE a REWRITE DATA USING BIN_PACK",
        "PREPARE p FROM UNLOAD (SELECT 1) TO 's3://x/'",
        "EXECUTE p",
        "DEALLOCATE PREPARE p",
        "CALL system.sync()",
        "SET x = 1",
        "USING EXTERNAL FUNCTION f(x VARCHAR) RETURNS VARCHAR LAMBDA 'l' SELECT f(a) FROM b",
        "SELECT * FROM TABLE(system.query(query => 'DROP TABLE x'))",
        "SELECT * FROM TABLE(lake.system.query(query => 'DROP TABLE x'))",
        "SELECT 1 FROM a WHERE x IN (SELECT y FROM TABLE(system.query(query => 'x')))",
        "SELECT 1; DROP TABLE a",
        "SHOW TABLES; UNLOAD (SELECT 1) TO 's3://x/'",
        "SHOW SOMETHING NEW",
        "SHOW TABLES 'a' UNLOAD (SELECT 1) TO 's3://x/'",
        "SHOW TABLES IN a 'b' INSERT INTO a SELECT 1",
        "SHOW PARTITIONS a UNLOAD (SELECT 1) TO 's3://x/'",
        "",
        "-- nothing",
        "SELECT FROM WHERE (",
        "SELECT '",
        "\uff35\uff2e\uff2c\uff2f\uff21\uff24 (SELECT 1) TO 's3://x/'",
        "UNLOAD\u200b (SELECT 1) TO 's3://x/'",
        "SELECT " + "(" * 200 + "1" + ")" * 200,
        "SELECT " + "1," * LONGEST + "1",
        ["SELECT 1"],
        7,
    ],
)
def test_everything_else_is_refused(text: object) -> None:
    assert refused(text) is not None


def test_the_refusal_and_the_log_repeat_nothing_of_the_statement(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for text in ("UNLOAD (SELECT 'AB123456C') TO 's3://x/'", "AB123456C SELECT '", "SELECT AB123456C FROM WHERE"):
        assert "AB123456C" not in (refused(text) or "")
    assert "AB123456C" not in caplog.text
    assert "AB123456C" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("place", "passes"),
    [
        ("s3://ringfence-sandbox-team/athena-results/", True),
        ("s3://ringfence-sandbox-team@evil.example/x", False),
        ("s3://team-data/x", False),
        ("s3a://ringfence-sandbox-team/x", False),
        ("S3://evil/x", False),
        ("https://evil.example/x", False),
    ],
)
def test_a_granted_write_is_held_to_the_places_of_the_catalogue(place: str, passes: bool) -> None:
    assert (refused(f"UNLOAD (SELECT 1) TO '{place}' WITH (format = 'CSV')", SANDBOX) is None) is passes


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("alter", "ALTER TABLE a ADD COLUMNS (x int)"),
        ("create", "CREATE VIEW a AS SELECT 1"),
        ("delete", "DELETE FROM a"),
        ("describe", "DESCRIBE a"),
        ("drop", "DROP TABLE a"),
        ("explain", "EXPLAIN SELECT 1"),
        ("insert", "INSERT INTO a SELECT 1"),
        ("merge", "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE"),
        ("select", "SELECT 1"),
        ("show", "SHOW TABLES"),
        ("unload", "UNLOAD (SELECT 1) TO 's3://ringfence-sandbox-team/x'"),
        ("update", "UPDATE a SET x = 1"),
    ],
)
def test_a_kind_that_can_be_granted_is_what_the_parser_calls_it(kind: str, text: str) -> None:
    known = statement_kinds.READS | statement_kinds.WRITES
    assert refused(text, {**SANDBOX, "kinds": [kind]}) is None
    assert kind in known
    assert refused(text, {**SANDBOX, "kinds": sorted(known - {kind})}) is not None


def test_without_a_pattern_a_granted_write_names_no_place() -> None:
    rule = {"kinds": ["unload"], "locations": ""}
    assert "outside the sandbox" in str(refused("UNLOAD (SELECT 1) TO 's3://x/'", rule))


DEEP = "(" * 41 + "1" + ")" * 41


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT {DEEP}",
        f"SELECT ')))))))))))))))))))))', {DEEP}",
        f"SELECT 1 /* ))))))))))))))))))))) */, {DEEP}",
        f"-- )))))))))))))))))))))\nSELECT {DEEP}",
        "SELECT " + "(" * 21 + "')))))))))))))))))))))', " + "(" * 20 + "1" + ")" * 41,
        f"EXPLAIN SELECT {DEEP}",
        "SELECT " + "ARRAY[(" * 21 + "1" + ")]" * 21,
    ],
)
def test_brackets_that_close_in_a_text_or_a_comment_close_nothing(text: str) -> None:
    assert "more than 40 nested brackets" in str(refused(text))


def test_brackets_that_open_in_a_text_or_a_comment_open_nothing() -> None:
    assert refused(f"SELECT '{'(' * 50}' -- {'[' * 50}") is None
    assert refused("SELECT " + "(" * 40 + "1" + ")" * 40) is None


def test_an_argument_that_is_left_out_is_no_statement() -> None:
    check_statements({"query_string": StatementRule.read(READS)}, {}, tool="query")


@pytest.mark.parametrize(
    "part", ["a AND ", "f(x), ", "'x' || ", "CASE WHEN a THEN b END, ", "NOT ", "- ", "a.", "x[1], "]
)
def test_no_statement_keeps_the_parser_busy(part: str) -> None:
    text = "SELECT " + part * (LONGEST // len(part) - 5) + "1"
    started = time.thread_time()  # other threads of this process may be busy
    refused(text)
    assert time.thread_time() - started < 5


def test_every_sql_argument_of_a_granted_tool_is_held_to_reads() -> None:
    """Whatever is named so in a granted tool's schema; a new one fails until the catalogue says what it may hold."""
    catalogue = load_catalogue(ROOT / "catalogue")
    department = load_department("example-sandbox", catalogue=catalogue, root=ROOT / "departments")
    names = {
        f"{server.name}.{tool.name}.{name}"
        for persona in department.personas
        for server, tool in catalogue.granted(persona, department)
        for name in tool.definition["inputSchema"].get("properties", {})
        if "sql" in name.lower() or (name == "query_string" and server.name != "cloudwatch")
    }
    rules = runtime_rules(catalogue, department, "developer", "dataprocessing")["tools"]
    held = {
        f"dataprocessing.{tool}.{name}"
        for tool, entry in rules.items()
        for name, rule in entry.get("statements", {}).items()
        if rule == READS
    }

    assert names == held
    assert len(names) == 2


def test_a_refused_statement_gets_no_credentials(start_host: Any, aws: Any, token: Any) -> None:
    host = start_host(scripted_rules(statements={"n": READS}), server=SCRIPTED)
    arguments = {"n": "DROP TABLE a"}
    result = host.call("echo", arguments, token("echo", arguments))

    assert result["isError"] is True
    assert result["_meta"]["ringfence/rule"] == "statement-refused"
    assert [each for each in aws.of("AssumeRole") if "Policy" in each.parameters] == []
    assert "DROP" not in json.dumps(result)

"""Arguments that hold SQL: one statement, of a kind that the catalogue grants, with no way to a place outside.

AWS decides what a statement may read and write by the call's session; this refuses what no call should ask for at all.
SQL is parsed with sqlglot, as Athena reads it (Trino for queries, Hive for definitions). What the parser does not
understand is refused.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from callpath.refusal import Refusal
from callpath.statement_kinds import READS

if TYPE_CHECKING:
    from sqlglot import exp

LONGEST: Final = 20_000
"""Characters of a statement; the parser's time grows with them. Athena itself takes 262,144 bytes."""

_DEEPEST: Final = 40
"""Nested brackets of a statement, so that the parser's own calls do not nest without end."""

_EXPLAIN: Final = re.compile(
    r"\s*EXPLAIN(?:\s+ANALYZE)?(?:\s+VERBOSE)?(?:\s*\((?P<options>[\w\s,]*)\))?\s+", re.IGNORECASE
)
_NAMED: Final = r"""(?:[\w$-]+|"[^"]+"|`[^`]+`)(?:\.(?:[\w$-]+|"[^"]+"|`[^`]+`)){0,2}"""
_LIKE: Final = r"(?:\s+(?:LIKE\s+)?'[^']*')?"
_SHOW: Final = re.compile(
    rf"\s*SHOW\s+(?:COLUMNS\s+(?:FROM|IN)\s+{_NAMED}(?:\s+(?:FROM|IN)\s+{_NAMED})?|CREATE\s+(?:TABLE|VIEW)\s+{_NAMED}"
    rf"|(?:DATABASES|SCHEMAS){_LIKE}|PARTITIONS\s+{_NAMED}|(?:TABLES|VIEWS)(?:\s+IN\s+{_NAMED})?{_LIKE}"
    rf"|TBLPROPERTIES\s+{_NAMED}(?:\s*\('[^']*'\))?)\s*;?\s*",
    re.IGNORECASE,
)
"""The forms of Athena's SHOW, from first word to last (Athena user guide, DDL statements, read 28 November 2026)."""
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/[^'\"\s]*")


@dataclass(frozen=True)
class StatementRule:
    """What one argument may hold.

    Attributes:
        kinds: accepted kinds of statements.
        locations: what every address in a statement that is no read must match as a whole; None admits no address.
    """

    kinds: frozenset[str]
    locations: re.Pattern[str] | None

    @classmethod
    def read(cls, rule: Mapping[str, Any]) -> StatementRule:
        """Return the rule as a rule file holds it.

        Raises:
            KeyError, TypeError, re.error: the rule file is not one of ours.
        """
        pattern = rule["locations"]
        return cls(frozenset(rule["kinds"]), re.compile(pattern) if pattern else None)


def prepare() -> None:
    """Load the parser, which takes a third of a second, and keep it from logging the statements that it reads."""
    import sqlglot

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL + 1)
    sqlglot.parse("SELECT 1", dialect="athena")


def check_statements(rules: Mapping[str, StatementRule], arguments: Mapping[str, object], *, tool: str) -> None:
    """Hold every argument that is SQL to its rule.

    Raises:
        Refusal: a statement is of no accepted kind, reaches elsewhere, or cannot be read. It repeats nothing of it.
    """
    for name, rule in rules.items():
        value = arguments.get(name)
        if value is None:
            continue
        why = _fault(value, rule) if isinstance(value, str) else "is not text"
        if why:
            accepted = ", ".join(sorted(rule.kinds))
            message = f'{tool} was not called: "{name}" {why}; it takes one SQL statement of these kinds: {accepted}'
            raise Refusal("runtime", "statement-refused", message)


def _fault(text: str, rule: StatementRule) -> str | None:
    """Return what is wrong with a statement, in words that follow the argument's name."""
    if len(text) > LONGEST:
        return f"is longer than {LONGEST} characters"
    prepare()
    explain = _EXPLAIN.match(text)
    inner = text[explain.end() :] if explain else text
    try:
        if _depth(inner) > _DEEPEST:
            return f"has more than {_DEEPEST} nested brackets"
        kind = _read(inner, explained=explain is not None)
    except Exception:  # whatever the parser makes of hostile text: its message would quote it
        return "cannot be read as one SQL statement"
    if kind not in rule.kinds:
        return f"is of the kind {kind}" if kind.isalpha() and len(kind) < 20 else "is of another kind"
    if kind in READS:
        return None
    # In comments and other literals too: what could be taken for a place must be one of ours.
    if all(rule.locations is not None and rule.locations.fullmatch(place) for place in _ADDRESS.findall(text)):
        return None
    return "names a place outside the sandbox"


def _read(inner: str, *, explained: bool) -> str:
    """Return a statement's kind.

    Args:
        inner: the statement, or what it explains.
        explained: whether an EXPLAIN stood before it.

    Raises:
        ValueError, sqlglot.errors.SqlglotError, RecursionError: it is none, or several, or not understood.
    """
    import sqlglot
    from sqlglot import exp

    statements = [each for each in sqlglot.parse(inner, dialect="athena") if each is not None]
    if len(statements) != 1:
        raise ValueError("not one statement")
    (found,) = statements
    kind = _kind(found, inner)
    if explained:
        if kind != "select":
            raise ValueError("only queries are explained")
        kind = "explain"
    if kind in READS and not isinstance(found, exp.Command):
        _only_reads(found)
    return kind


def _kind(found: exp.Expr, text: str) -> str:
    """Return the first word of a statement, or `select` for every form of query.

    Raises:
        ValueError: the parser has not looked into it, and it is none of Athena's forms of SHOW.
    """
    from sqlglot import exp

    if isinstance(found, exp.Command):
        word = str(found.this).lower()
        # An EXPLAIN that is still there has a form that `_EXPLAIN` does not know, and may carry out what follows.
        if word in READS and not (word == "show" and _SHOW.fullmatch(text)):
            raise ValueError("not looked into")
        return word
    if isinstance(found, exp.Query | exp.Values):
        return "select"
    return found.key


def _only_reads(found: exp.Expr) -> None:
    """Look into a query for what is no query.

    Raises:
        ValueError: it writes somewhere, or reads from a function: a connector's `system.query` takes text of its own.
    """
    from sqlglot import exp

    for node in found.walk():
        if isinstance(node, exp.DDL | exp.DML | exp.Command | exp.Into | exp.Drop | exp.Alter):
            raise ValueError("a query that writes")
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Func):
            raise ValueError("a table function")


def _depth(text: str) -> int:
    """Return how deep brackets nest, by the parser's own tokens: one in a text or a comment is none of them."""
    import sqlglot
    from sqlglot.tokenizer_core import TokenType

    opens = {TokenType.L_BRACE, TokenType.L_BRACKET, TokenType.L_PAREN}
    closes = {TokenType.R_BRACE, TokenType.R_BRACKET, TokenType.R_PAREN}
    deepest = depth = 0
    for token in sqlglot.tokenize(text, dialect="athena"):
        depth = max(0, depth + (token.token_type in opens) - (token.token_type in closes))
        deepest = max(deepest, depth)
    return deepest

"""One preflight: every question in order, each result kept, whatever happens to the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ringfence.live.before import Before
from ringfence.live.needs import Needs
from ringfence.live.preflight.checks import CHECKS, FIRST, NOT_ASKED, WITHOUT_THE_ACCOUNT
from ringfence.live.reads import READS, WRITES
from ringfence.live.results import Check, Result, Verdict, unknown

Answers = list[tuple[Check[Before], list[Result]]]


def ask_everything(before: Before, *, progress: Callable[[str], None]) -> Answers:
    """Returns every check with its results.

    When the account itself is not right or not known, the questions about it are not asked: their answers would be
    about something else. What the file and the environment alone can answer is told in any case.
    """
    alone = (FIRST, *WITHOUT_THE_ACCOUNT)
    answers: Answers = []
    for number, check in enumerate(alone, start=1):
        progress(f"{number} of {len(alone) + len(CHECKS)}: {check.question}")
        answers.append((check, list(check.results(before))))
    known = all(result.verdict is Verdict.RIGHT for result in answers[0][1])
    for number, check in enumerate(CHECKS, start=len(alone) + 1):
        if known:
            progress(f"{number} of {len(alone) + len(CHECKS)}: {check.question}")
            answers.append((check, list(check.results(before))))
        else:
            found = "Not asked, because the account is not known to be the department's."
            answers.append((check, [unknown(check.name, found, "Settle the account first.")]))
    return answers


def as_json(needs: Needs, answers: Answers, code: int) -> dict[str, Any]:
    """Returns the report: every result with its remedy, and what was not asked at all."""
    results = [result for _, found in answers for result in found]
    return {
        "department": needs.department.name,
        "account": needs.account,
        "region": needs.department.region,
        "summary": {str(verdict): sum(each.verdict is verdict for each in results) for verdict in Verdict},
        "exit_code": code,
        "checks": [
            {"check": check.name, "question": check.question, "results": [each.as_json() for each in found]}
            for check, found in answers
        ],
        "not_asked": list(NOT_ASKED),
    }


def policy(*, drill: bool = False) -> str:
    """Returns the IAM policy that both commands need; without a drill every action in it only reads."""
    statements = [{"Sid": "ReadForPreflightAndVerifyLive", "Effect": "Allow", "Action": sorted(READS), "Resource": "*"}]
    if drill:
        statements.append({"Sid": "Drill", "Effect": "Allow", "Action": sorted(WRITES), "Resource": "*"})
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)

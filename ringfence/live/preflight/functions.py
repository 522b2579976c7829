"""Reserved concurrency: what the templates reserve must leave the account enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.live.before import Before
from ringfence.live.results import Result, right, unknown, wrong

# Lambda refuses a reservation that leaves fewer: "decreases account's UnreservedConcurrentExecution below its minimum
# value of [10]" (public issues of 2023 to 2026). Its guide, "Configuring reserved concurrency", keeps 100 back.
REFUSED_BELOW: Final = 10
KEPT_BY_THE_GUIDE: Final = 100


def concurrency(before: Before) -> Iterator[Result]:
    """Compares what the templates reserve with what the account has unreserved."""
    subject = "concurrent executions"
    functions = before.needs.assembly.of_type("AWS::Lambda::Function")
    reserved = sum(int(each.raw["Properties"].get("ReservedConcurrentExecutions", 0)) for each in functions)
    limits = (before.account.ask("lambda:GetAccountSettings") or {})["AccountLimit"]
    limit, free = int(limits["ConcurrentExecutions"]), int(limits["UnreservedConcurrentExecutions"])
    if not reserved:
        yield right(subject, f"{limit}, {free} of them unreserved; the {len(functions)} functions reserve none.")
        return
    ours = sum(_reserved_by(before, each.physical_id) for each in before.deployed.owned("AWS::Lambda::Function"))
    left = free + ours - reserved
    told = (
        f"{limit}, {free} of them unreserved; the {len(functions)} functions reserve {reserved}, which leaves {left}."
    )
    less = "Lower functions.reserved_concurrency (0 reserves none), or ask for more in Service Quotas (L-B99A9384)."
    if left < REFUSED_BELOW:
        yield wrong(subject, f"{told} Lambda keeps {REFUSED_BELOW}.", less)
    elif left < KEPT_BY_THE_GUIDE:
        yield unknown(subject, f"{told} Lambda's guide keeps {KEPT_BY_THE_GUIDE}, its error {REFUSED_BELOW}.", less)
    else:
        yield right(subject, told)


def _reserved_by(before: Before, function: str) -> int:
    answer = before.account.ask(
        "lambda:GetFunctionConcurrency", absent=("ResourceNotFoundException",), FunctionName=function
    )
    return int((answer or {}).get("ReservedConcurrentExecutions", 0))

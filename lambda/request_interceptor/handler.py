"""The REQUEST interceptor: every request to one persona's gateway passes here before policy and target.

Parse, decide, record, answer. It never raises, because what the gateway does then is not documented; whatever goes
wrong is a refusal that says so.
"""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path
from typing import Any

from callpath.call_record import new_call_id
from callpath.record_log import log_fault, record_logger
from callpath.refusal import Refusal
from callpath.request.checks import CallContext, answer_to
from callpath.request.rules import Rules, read_rules
from request_interceptor.caller import TrustedIssuer
from request_interceptor.decision import decide
from request_interceptor.signer import Signer

RULES_PATH = Path(__file__).parents[1] / "rules.json"
LOGGER = record_logger("request-interceptor")


@cache
def rules() -> Rules:
    """The rules in the zip, read once. A failure is not remembered: it is met, and refused, at every request."""
    return read_rules(RULES_PATH)


@cache
def trusted() -> TrustedIssuer:
    """Whose tokens count, from the function's environment."""
    clients = frozenset(client for client in os.environ["CLIENT_IDS"].split(",") if client)
    return TrustedIssuer(issuer=os.environ["ISSUER"], client_ids=clients)


@cache
def signer() -> Signer:
    """The token signer, from the function's environment."""
    return Signer(key_id=os.environ["TXN_KEY_ID"])


def handler(event: Any, _context: object) -> dict[str, Any]:
    """Answer the gateway with the request to pass on, or with the answer that ends the call."""
    context = CallContext(call_id=new_call_id(), now=time.time())
    try:
        decided = decide(event, context=context, rules=rules(), trusted=trusted(), mint=signer().mint)
        LOGGER.info(context.record(rules()))
        return _output(decided)
    except Refusal as refusal:
        return _refused(refusal, context)
    except Exception as exception:
        log_fault(LOGGER, exception, call_id=context.call_id)
        message = "Ringfence could not check this request, so it was not passed on: tell your platform team"
        return _refused(Refusal("request", "internal-error", message), context)


def _refused(refusal: Refusal, context: CallContext) -> dict[str, Any]:
    try:
        LOGGER.info(context.record(rules(), refusal))
    except Exception as exception:  # the call is refused either way; the fault's own line takes the record's place
        log_fault(LOGGER, exception, call_id=context.call_id)
    return _output(answer_to(refusal, context=context))


def _output(decided: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {"interceptorOutputVersion": "1.0", "mcp": decided}


if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:  # set by Lambda alone: use its start-up, when the processor is free
    try:
        signer().prepare()
        for granted in rules().tools.values():
            granted.rule.validate  # noqa: B018 - compiles the schema
    except Exception as exception:
        LOGGER.error("start-up failed; every request will be refused", extra={"error": type(exception).__name__})

"""One verification: sign in, visit, look at everything, write the evidence."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from ringfence.live.deployed import Deployed
from ringfence.live.needs import Needs
from ringfence.live.problems import CannotStart
from ringfence.live.results import Result, Verdict, unknown
from ringfence.live.verification.after import After, gateway_url
from ringfence.live.verification.checks import CHECKS
from ringfence.live.verification.safe_calls import safe_calls
from ringfence.live.verification.sign_in import SignIn, claims_of, loopback_callback, sign_in
from ringfence.live.verification.visit import visit
from ringfence.reading.region import REGION

Results = dict[str, list[Result]]


def sign_in_with(needs: Needs, deployed: Deployed, persona: str, host: str | None, *, openid: bool = True) -> SignIn:
    """Returns how somebody signs in: with a host of the department that receives its code on this machine.

    Args:
        host: the host's name; None for the first with a loopback address.
        openid: whether the scope openid is asked for; hosts that take what the gateway advertises do not.

    Raises:
        CannotStart: there is no such host, or the identity stack is not deployed.
    """
    hosts = [each for each in needs.department.hosts if host in (None, each.name)]
    fitting = [
        (each, found) for each in hosts if (found := loopback_callback([str(url) for url in each.callback_urls]))
    ]
    if not fitting:
        raise CannotStart(
            f"no host of {needs.department.name} receives its sign-in code on this machine",
            "Name another with --host, or put an access token into RINGFENCE_TOKEN.",
        )
    chosen, callback = fitting[0]
    clients = needs.assembly.of_type("AWS::Cognito::UserPoolClient")
    for client in clients:
        stack = deployed.stacks.get(client.stack)
        client_id = stack.physical_id(client.logical_id) if stack else None
        if client.raw["Properties"].get("ClientName") == chosen.name and client_id:
            domain = f"https://{needs.department.identity.domain_prefix}.auth.{REGION}.amazoncognito.com"
            scope = f"openid ringfence/{persona}" if openid else f"ringfence/{persona}"
            return SignIn(domain, client_id, callback, scope)
    raise CannotStart(
        f"the client of the host {chosen.name} is not deployed", f"make deploy DEPARTMENT={needs.department.name}"
    )


def with_visit(after: After, token: str, *, url: str | None = None) -> After:
    """Returns the same with what a person's visit saw.

    Args:
        url: the gateway's address; None for the stack's output.

    Raises:
        CannotStart: the token is none, or the gateway is not deployed.
    """
    claims = claims_of(token)
    address = url or gateway_url(after.deployed, after.department, after.persona)
    calls = safe_calls(after.needs, after.persona)
    started = time.time()
    seen = visit(address, token, calls, tell=after.tell)
    return replace(after, claims=claims, visit=seen, token=token, started=started)


def is_the_departments(after: After) -> bool:
    """Says whether the account is the department's, so that it is worth signing in."""
    return all(each.verdict is Verdict.RIGHT for each in CHECKS[0].results(after))


def get_token(after: After, *, host: str | None, openid: bool, seconds: float, tell: Callable[[str], None]) -> str:
    """Returns an access token of whoever signs in with a browser."""
    wanted = sign_in_with(after.needs, after.deployed, after.persona, host, openid=openid)
    return sign_in(wanted, tell=lambda address: tell(f"Open this address and sign in:\n\n{address}\n"), seconds=seconds)


def look(after: After) -> Results:
    """Returns the results of every check; an account that is not the department's ends it."""
    results: Results = {}
    for number, check in enumerate(CHECKS, start=1):
        if results.get("account") and any(each.verdict is not Verdict.RIGHT for each in results["account"]):
            found = "Not asked, because the account is not known to be the department's."
            results[check.name] = [unknown(check.name, found, "Settle the account first.")]
            continue
        after.tell(f"{number} of {len(CHECKS)}: {check.question}")
        results[check.name] = list(check.results(after))
    return results

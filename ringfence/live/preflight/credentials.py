"""Whose account it is. While this is not right, nothing else is worth asking."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.live.account import configured_region
from ringfence.live.before import Before
from ringfence.live.results import Result, right, wrong
from ringfence.reading.region import REGION


def whose_account(before: Before) -> Iterator[Result]:
    """Compares the credentials' account with the file's."""
    needs, identity = before.needs, before.account.ask("sts:GetCallerIdentity") or {}
    there = str(identity.get("Account", ""))
    if there != needs.account:
        yield wrong(
            "account",
            f"The credentials belong to account {there}; {needs.department.name} lives in {needs.account}.",
            "Use credentials of the department's account (AWS_PROFILE), or correct `account` in the file.",
        )
        return
    yield right("account", f"{there}, as {identity.get('Arn', '')}.", evidence={"account": there})


def which_region(_before: Before) -> Iterator[Result]:
    """Looks at the region that the command line would use by itself.

    Everything is deployed to eu-west-2 whatever it says, but credentials are asked for in the configured region, which
    an organisation's guardrail may deny.
    """
    region = configured_region()
    if region == REGION:
        yield right("region", f"The environment says {REGION}.")
        return
    says = (
        f"The environment says {region}" if region else "The environment names no region, so STS is asked in us-east-1"
    )
    yield wrong("region", f"{says}; credentials would be asked for there.", f"export AWS_REGION={REGION}")

"""What sign-in stands on: the address of its page, and the provider's secret."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.department.identity import OidcIdentity
from ringfence.live.before import Before
from ringfence.live.results import Result, right, wrong
from ringfence.reading.region import REGION


def domain(before: Before) -> Iterator[Result]:
    """Looks whether the sign-in page's prefix is free, or ours."""
    prefix = before.needs.department.identity.domain_prefix
    answer = before.account.ask(
        "cognito-idp:DescribeUserPoolDomain", absent=("ResourceNotFoundException",), Domain=prefix
    )
    there = (answer or {}).get("DomainDescription") or {}
    subject, remedy = f"sign-in prefix {prefix}", "Choose another identity.domain_prefix; it is unique in eu-west-2."
    if not there.get("UserPoolId") and not there.get("AWSAccountId"):
        yield right(subject, "Cognito knows no such domain.")
    elif there.get("AWSAccountId") not in (None, before.needs.account):
        yield wrong(subject, "Another account has it.", remedy)
    elif before.deployed.owns("AWS::Cognito::UserPool", str(there.get("UserPoolId", ""))):
        yield right(subject, f"It is this department's ({there['UserPoolId']}).")
    else:
        yield wrong(subject, f"The user pool {there.get('UserPoolId')} of this account has it.", remedy)


def secret(before: Before) -> Iterator[Result]:
    """Looks whether the provider's client secret is there. Its value is never read."""
    identity = before.needs.department.identity
    if not isinstance(identity, OidcIdentity):
        yield right("client secret", "This department's provider needs none.")
        return
    name, version = identity.client_secret_name, identity.client_secret_version
    subject = f"client secret {name}"
    remedy = f"aws secretsmanager create-secret --region {REGION} --name {name} --secret-string file://…"
    answer = before.account.ask("secretsmanager:DescribeSecret", absent=("ResourceNotFoundException",), SecretId=name)
    stages: dict[str, list[str]] = (answer or {}).get("VersionIdsToStages", {})
    current = next((each for each, its in stages.items() if "AWSCURRENT" in its), None)
    write = f'Write the version with AWSCURRENT into the file: client_secret_version = "{current}"'
    if answer is None:
        yield wrong(subject, f"There is no such secret in {REGION}.", remedy)
    elif "DeletedDate" in answer:
        yield wrong(subject, "It is marked for deletion.", f"aws secretsmanager restore-secret --secret-id {name}")
    elif current is None:
        yield wrong(subject, "It holds no value yet.", f"aws secretsmanager put-secret-value --secret-id {name} …")
    elif version not in stages:
        held = "It has no version of the id that client_secret_version names, so the provider could not be made."
        yield wrong(subject, held, write)
    elif version != current:
        yield wrong(subject, "The version that the department's file names is no longer the current one.", write)
    else:
        yield right(subject, "It is there and holds the version that the file names; its value was not read.")

"""The CDK's own stack in the account: there, new enough, with qualifier, key and rights that the templates expect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.live.before import Before
from ringfence.live.results import Result, right, unknown, wrong
from ringfence.reading.region import REGION

# What CDK's bootstrap template exports as its key when it makes none (aws-cdk 2.1148, bootstrap-template.yaml).
_AWS_MANAGED: Final = "AWS_MANAGED_KEY"
_ADMINISTRATOR: Final = "arn:aws:iam::aws:policy/AdministratorAccess"


def bootstrap(before: Before) -> Iterator[Result]:
    """Looks at version, bucket and key of the bootstrap stack."""
    wanted = before.needs.bootstrap
    remedy = _rights_first(before)
    parameter = f"/cdk-bootstrap/{wanted.qualifier}/version"
    answer = before.account.ask("ssm:GetParameter", absent=("ParameterNotFound",), Name=parameter)
    if answer is None:
        found = (
            f"There is no parameter {parameter}: not bootstrapped in {REGION} under the qualifier {wanted.qualifier}."
        )
        yield wrong("bootstrap version", found, f"{remedy}; or name your landing zone's qualifier in the file.")
        return
    version = str(answer["Parameter"].get("Value", ""))
    if not version.isdigit() or int(version) < wanted.version:
        found = f"It is {version or 'empty'}; the templates need {wanted.version}."
        yield wrong("bootstrap version", found, f"{remedy}: they bootstrap anew.")
    else:
        yield right("bootstrap version", f"{version}, under the qualifier {wanted.qualifier}.")
    yield from (_bucket(before, bucket) for bucket in wanted.buckets)
    yield _key(before)


def deployment_rights(before: Before) -> Iterator[Result]:
    """Looks which policies the role has that CloudFormation deploys as.

    Without a list of its own, `cdk bootstrap` gives it AdministratorAccess (CDK developer guide, "Customize AWS CDK
    bootstrapping", read 28 November 2026). In a sandbox that is told, and not wrong.
    """
    role, remedy = before.needs.bootstrap.deployment_role, f"{_rights_first(before)}."
    subject = f"role {role}"
    policies = before.account.pages(
        "iam:ListAttachedRolePolicies", "AttachedPolicies", absent=("NoSuchEntity",), RoleName=role
    )
    names = ", ".join(sorted(each["PolicyName"] for each in policies))
    if not policies:
        yield wrong(subject, "There is no such role, or no policy is attached to it: it can make nothing.", remedy)
    elif not any(each["PolicyArn"] == _ADMINISTRATOR for each in policies):
        yield right(subject, f"It has {names}.")
    else:
        found = f"It has {names}: whoever may start a deployment can do everything in the account."
        sandbox = before.needs.department.environment == "sandbox"
        yield right(subject, found) if sandbox else wrong(subject, found, remedy)


def _rights_first(before: Before) -> str:
    return f"make deploy-policy DEPARTMENT={before.needs.department.name}, then the commands that it prints"


def _bucket(before: Before, bucket: str) -> Result:
    subject, remedy = f"bucket {bucket}", "Bootstrap with this qualifier, or name the account's own in the file."
    answer = before.account.ask(
        "s3:ListBucket", absent=("404", "NoSuchBucket"), Bucket=bucket, ExpectedBucketOwner=before.needs.account
    )
    if answer is None:
        return wrong(subject, "There is no such bucket.", remedy)
    region = answer.get("BucketRegion", REGION)
    if region != REGION:
        return wrong(subject, f"It lies in {region}.", remedy)
    return right(subject, "It is there, and the account's own.")


def _key(before: Before) -> Result:
    """Compares the key of the code's bucket with the file: a runtime's role could not read code under another one."""
    subject = "bootstrap key"
    name = f"CdkBootstrap-{before.needs.bootstrap.qualifier}-FileAssetKeyArn"
    exports = before.account.pages("cloudformation:ListExports", "Exports")
    values = [export.get("Value", "") for export in exports if export.get("Name") == name]
    if not values:
        found = f"No stack exports {name}, so the key is not known."
        return unknown(subject, found, "Look at the encryption of the bootstrap bucket yourself.")
    (there,) = values
    named = before.needs.file.get("bootstrap", {}).get("key_arn")
    if there == (named or _AWS_MANAGED):
        return right(subject, f"{there}.")
    if there == _AWS_MANAGED:
        return wrong(subject, f"The bucket has AWS's managed key, the file names {named}.", "Remove bootstrap.key_arn.")
    found = f"The bucket is encrypted with {there}, which the file does not name."
    return wrong(subject, found, f'[bootstrap] key_arn = "{there}", or bootstrap without a key of your own.')

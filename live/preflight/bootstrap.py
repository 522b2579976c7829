"""The CDK's own stack in the account: there, new enough, with the qualifier and the key that the templates expect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from governance.region import REGION
from live.before import Before
from live.results import Result, right, unknown, wrong

# What CDK's bootstrap template exports as its key when it makes none (aws-cdk 2.1148, bootstrap-template.yaml).
_AWS_MANAGED: Final = "AWS_MANAGED_KEY"


def bootstrap(before: Before) -> Iterator[Result]:
    """Looks at version, bucket and key of the bootstrap stack."""
    needs, wanted = before.needs, before.needs.bootstrap
    command = f"npx cdk bootstrap aws://{needs.account}/{REGION}"
    parameter = f"/cdk-bootstrap/{wanted.qualifier}/version"
    answer = before.account.ask("ssm:GetParameter", absent=("ParameterNotFound",), Name=parameter)
    if answer is None:
        found = (
            f"There is no parameter {parameter}: not bootstrapped in {REGION} under the qualifier {wanted.qualifier}."
        )
        yield wrong("bootstrap version", found, f"{command} --qualifier {wanted.qualifier}, or name yours in the file.")
        return
    version = str(answer["Parameter"].get("Value", ""))
    if not version.isdigit() or int(version) < wanted.version:
        found = f"It is {version or 'empty'}; the templates need {wanted.version}."
        yield wrong("bootstrap version", found, f"{command} --qualifier {wanted.qualifier}")
    else:
        yield right("bootstrap version", f"{version}, under the qualifier {wanted.qualifier}.")
    yield from (_bucket(before, bucket) for bucket in wanted.buckets)
    yield _key(before)


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

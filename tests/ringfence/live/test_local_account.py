"""The questions of a preflight that moto can truly answer, asked of it: real requests, and answers that are not ours.

What moto lacks, or needs packages for that we do not install (CloudFormation, Lambda, WAF, AgentCore, quotas), answers
by botocore's models alone, as in `test_preflight.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ringfence.live.account import Account, client_of
from ringfence.live.before import Before
from ringfence.live.needs import Needs
from ringfence.live.preflight.checks import CHECKS
from ringfence.live.results import Result, Verdict
from tests.ringfence.live.accounts import ready_account

REGION = "eu-west-2"
MOTO = ("ec2", "iam", "kms", "logs", "secretsmanager", "ssm", "sts")
GROUP = "/ringfence/example-production/cloudtrail"


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch, needs: Needs) -> Iterator[Before]:
    for name in ("AWS_PROFILE", "AWS_REGION", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "111122223333")
    with mock_aws():
        modelled = ready_account()
        account = Account(lambda *place: client_of(*place) if place[0] in MOTO else modelled._client(*place))
        yield Before(account, replace(needs, file={}))


def of(before: Before, name: str) -> list[Result]:
    (check,) = [each for each in CHECKS if each.name == name]
    return list(check.results(before))


def by_subject(results: list[Result]) -> dict[str, Verdict]:
    return {each.subject: each.verdict for each in results}


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def test_the_zones_of_an_account_are_its_own(local: Before) -> None:
    ids = {
        zone["ZoneName"]: zone["ZoneId"] for zone in client("ec2").describe_availability_zones()["AvailabilityZones"]
    }
    for result in of(local, "zones"):
        name = result.subject.removeprefix("zone ")
        assert ids[name] in result.found
        assert result.verdict is Verdict.RIGHT


def test_a_log_group_that_is_there_is_found_and_the_rest_is_free(local: Before) -> None:
    client("logs").create_log_group(logGroupName=GROUP)
    client("logs").create_log_group(logGroupName="/ringfence/example-production/cloudtrail-of-somebody")
    found = by_subject(of(local, "names"))
    assert found[f"Logs LogGroup {GROUP}"] is Verdict.WRONG
    assert [subject for subject, verdict in found.items() if verdict is Verdict.WRONG] == [f"Logs LogGroup {GROUP}"]
    assert found["names: Logs LogGroup"] is Verdict.RIGHT


def test_roles_policies_keys_and_trails_that_are_there_are_found(local: Before) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    client("iam").create_role(
        RoleName="ringfence-example-production-auditor", AssumeRolePolicyDocument=json.dumps(trust)
    )
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/ringfence-example-production-logs", TargetKeyId=key)
    wrong = {subject for subject, verdict in by_subject(of(local, "names")).items() if verdict is Verdict.WRONG}
    assert wrong == {
        "IAM Role ringfence-example-production-auditor",
        "KMS Alias alias/ringfence-example-production-logs",
    }


def test_a_secret_is_looked_for_by_its_name_and_never_read(local: Before) -> None:
    (missing,) = of(local, "secret")
    assert missing.verdict is Verdict.WRONG
    name = "ringfence/example-production/oidc-client-secret"
    version = "00000000-0000-4000-8000-000000000000"  # as the example's file names it
    client("secretsmanager").create_secret(Name=name, SecretString="not to be read", ClientRequestToken=version)
    (there,) = of(local, "secret")
    assert there.verdict is Verdict.RIGHT
    assert "not to be read" not in str(there)
    client("secretsmanager").delete_secret(SecretId=name)
    (deleted,) = of(local, "secret")
    assert deleted.verdict is Verdict.WRONG


def test_a_version_in_the_parameter_store_is_read(local: Before) -> None:
    client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="5", Type="String")
    first = next(iter(of(local, "bootstrap")))
    assert first.verdict is Verdict.WRONG and "It is 5" in first.found

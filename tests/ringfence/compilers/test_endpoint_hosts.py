"""The names that the DNS firewall lets through are those that the AWS SDK asks for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.compilers.endpoint_hosts import hosts_of
from ringfence.house_rules.endpoint_services import LONDON

ROOT = Path(__file__).resolve().parents[3]

# The SDK's name of a service, where it differs from the endpoint's suffix.
CLIENTS = {
    "access-analyzer": "accessanalyzer",
    "airflow.api": "mwaa",
    "ecr.api": "ecr",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "kinesis-streams": "kinesis",
    "monitoring": "cloudwatch",
    "sagemaker.api": "sagemaker",
    "sagemaker.runtime": "sagemaker-runtime",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
# What stands in front of the client's address in the calls that this endpoint answers.
IN_FRONT = {"airflow.api": "api."}

# Endpoints that no SDK client calls under one address of its own, with their private DNS name as AWS documents it.
DOCUMENTED = {
    "bedrock-agentcore.gateway": "*.gateway.bedrock-agentcore.eu-west-2.amazonaws.com",
    "ecr.dkr": "*.dkr.ecr.eu-west-2.amazonaws.com",
    "execute-api": "*.execute-api.eu-west-2.amazonaws.com",
    "guardduty-data": "guardduty-data.eu-west-2.amazonaws.com",
    "ssmmessages": "ssmmessages.eu-west-2.amazonaws.com",
}


def asked_for(service: str, region: str) -> str:
    """The host that botocore's resolver gives a client."""
    client = boto3.client(
        CLIENTS.get(service, service), region_name=region, aws_access_key_id="none", aws_secret_access_key="none"
    )
    return f"{IN_FRONT.get(service, '')}{urlsplit(client.meta.endpoint_url).hostname}"


def catalogue_endpoints() -> set[tuple[str, str]]:
    servers = load_catalogue(ROOT / "catalogue").servers.values()
    return {(endpoint.service, endpoint.region) for server in servers for endpoint in server.endpoints}


@pytest.mark.parametrize(
    ("service", "region"), sorted({*catalogue_endpoints(), *((each, "eu-west-2") for each in LONDON)})
)
def test_the_firewall_lets_through_what_the_sdk_asks_for(service: str, region: str) -> None:
    names = hosts_of(service, region)

    assert (DOCUMENTED.get(service) or asked_for(service, region)) in names
    assert len(names) == (2 if service == "s3" else 1), "every further name is a way out of the VPC"


def test_a_bucket_stands_in_front_of_the_name_of_s3() -> None:
    client = boto3.client("s3", region_name="eu-west-2", aws_access_key_id="none", aws_secret_access_key="none")
    asked: list[str] = []

    def instead_of_sending(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        asked.append(request.url)
        return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=lambda **_: iter(())))

    client.meta.events.register("before-send.s3", instead_of_sending)
    client.head_object(Bucket="a-bucket", Key="k")

    assert [urlsplit(url).hostname for url in asked] == ["a-bucket.s3.eu-west-2.amazonaws.com"]
    assert "*.s3.eu-west-2.amazonaws.com" in hosts_of("s3", "eu-west-2")

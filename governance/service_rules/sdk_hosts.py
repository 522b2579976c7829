"""The host names that AWS's SDKs ask for, by VPC endpoint service.

Most are the endpoint service's own name and the region. The exceptions are those of botocore's endpoint rules, and a
test compares every service of `governance.house_rules.endpoint_services` with the clients that botocore makes.
"""

from __future__ import annotations

from typing import Final

from governance.region import REGION

ELSEWHERE_NAMED: Final = {
    "airflow.api": ("api.airflow.{region}.amazonaws.com",),
    "bedrock-agentcore.gateway": ("*.gateway.bedrock-agentcore.{region}.amazonaws.com",),
    "ecr.api": ("api.ecr.{region}.amazonaws.com",),
    "ecr.dkr": ("*.dkr.ecr.{region}.amazonaws.com",),
    "eks-auth": ("eks-auth.{region}.api.aws",),
    "iam": ("iam.amazonaws.com",),
    "kinesis-streams": ("kinesis.{region}.amazonaws.com",),
    "route53": ("route53.amazonaws.com",),
    "s3": ("s3.{region}.amazonaws.com", "*.s3.{region}.amazonaws.com"),
    "sagemaker.api": ("api.sagemaker.{region}.amazonaws.com",),
    "sagemaker.runtime": ("runtime.sagemaker.{region}.amazonaws.com",),
}
"""Sources: botocore 1.44.5; for the three that no client names, ECR's and MWAA's user guides (VPC endpoints) and
AgentCore's (interface VPC endpoints), read 28 November 2026. `*.` stands for one or more labels."""


def hosts(service_name: str, region: str = REGION) -> tuple[str, ...]:
    """Returns the names that a client of an endpoint service asks for, such as `logs.eu-west-2.amazonaws.com`.

    Args:
        service_name: `com.amazonaws.eu-west-2.logs`, or `com.amazonaws.iam`.
        region: where the service runs.
    """
    service = service_name.removeprefix("com.amazonaws.").removeprefix(f"{region}.")
    return tuple(
        each.format(region=region) for each in ELSEWHERE_NAMED.get(service, (f"{service}.{{region}}.amazonaws.com",))
    )

"""The host names under which clients reach a VPC endpoint.

Most services are reached under the endpoint's own suffix and the region. The others stand here: what an SDK asks for
was read from botocore's endpoint resolver (a test compares every name with it), the names with `*` from the
services' guides on their VPC endpoints (Amazon ECR, API Gateway, AgentCore; read 28 November 2026).
"""

from __future__ import annotations

from typing import Final

_HOSTS: Final = {
    "airflow.api": ("api.airflow.{region}.amazonaws.com",),
    "bedrock-agentcore.gateway": ("*.gateway.bedrock-agentcore.{region}.amazonaws.com",),
    "ecr.api": ("api.ecr.{region}.amazonaws.com",),
    "ecr.dkr": ("*.dkr.ecr.{region}.amazonaws.com",),
    "eks-auth": ("eks-auth.{region}.api.aws",),
    "execute-api": ("*.execute-api.{region}.amazonaws.com",),
    # One control plane for the world, and so one name.
    "iam": ("iam.amazonaws.com",),
    "kinesis-streams": ("kinesis.{region}.amazonaws.com",),
    "route53": ("route53.amazonaws.com",),
    # The bucket's name stands in front.
    "s3": ("s3.{region}.amazonaws.com", "*.s3.{region}.amazonaws.com"),
    "sagemaker.api": ("api.sagemaker.{region}.amazonaws.com",),
    "sagemaker.runtime": ("runtime.sagemaker.{region}.amazonaws.com",),
}
"""Where the name is not `<suffix>.<region>.amazonaws.com`."""


def hosts_of(service: str, region: str) -> tuple[str, ...]:
    """Returns the host names of an endpoint; `*.` stands for one or more labels.

    Args:
        service: suffix of the endpoint service, such as `sagemaker.api`.
    """
    names = _HOSTS.get(service, (f"{service}.{{region}}.amazonaws.com",))
    return tuple(name.format(region=region) for name in names)

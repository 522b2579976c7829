"""The VPC endpoint services of eu-west-2 that a department may use.

Neither cfn-lint nor CloudFormation's schemas know which endpoint services there are, so a misspelt one fails in the
middle of a deployment. The list is short on purpose: what the catalogue's servers and the call path may come to call.
Names are AWS's (PrivateLink guide, "AWS services that integrate"; CDK's `InterfaceVpcEndpointAwsService` holds the same
spelling, and a test compares). That each is offered in London only `aws ec2 describe-vpc-endpoint-services` can show.
"""

from __future__ import annotations

from typing import Final

from ringfence.house_rules.declared import Residency
from ringfence.reading.region import REGION

LONDON: Final = frozenset(
    {
        "access-analyzer",
        "airflow.api",
        "athena",
        "autoscaling",
        "bedrock-agentcore",
        "bedrock-agentcore-control",
        "bedrock-agentcore.gateway",
        "cloudformation",
        "cloudtrail",
        "cognito-idp",
        "config",
        "dynamodb",
        "ebs",
        "ec2",
        "ecr.api",
        "ecr.dkr",
        "ecs",
        "eks",
        "eks-auth",
        "elasticloadbalancing",
        "elasticmapreduce",
        "emr-containers",
        "emr-serverless",
        "events",
        "execute-api",
        "glue",
        "guardduty-data",
        "kafka",
        "kinesis-streams",
        "kms",
        "lambda",
        "logs",
        "monitoring",
        "rds",
        "s3",
        "sagemaker.api",
        "sagemaker.runtime",
        "schemas",
        "secretsmanager",
        "securityhub",
        "servicecatalog",
        "serverlessrepo",
        "sns",
        "sqs",
        "ssm",
        "ssmmessages",
        "states",
        "sts",
        "synthetics",
        "tagging",
        "xray",
    }
)
"""Suffixes: `com.amazonaws.eu-west-2.<suffix>`."""

WITHOUT_CONSTANT: Final = frozenset({"bedrock-agentcore-control"})
"""In AgentCore's guide, but not among the CDK's constants."""


def known(name: str, region: str | None, declared: Residency) -> bool:
    """Whether an endpoint service exists in London, or elsewhere where the residency register declares it."""
    if region not in (None, REGION):
        return any(
            (service, region) in declared.endpoints
            for service in (name.removeprefix(f"com.amazonaws.{region}."), name.removeprefix("com.amazonaws."))
        )
    return name.startswith(f"com.amazonaws.{REGION}.") and name.removeprefix(f"com.amazonaws.{REGION}.") in LONDON

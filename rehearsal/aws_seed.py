"""Sets the scene: what the department's account holds before the first call, so that reads return something.

The assembly's own roles and log groups are there. The rest is invented and says so by name; nobody in it exists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from assurance.assembly import Assembly
from assurance.roles import Role
from rehearsal.aws_moto import Moto

_READ_LOGS = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "ReadLogs", "Effect": "Allow", "Action": "logs:GetLogEvents", "Resource": "*"}],
}
USERS = ("example-service-user", "example-deploy-user", "example-legacy-user")
GROUPS = {"example-readers": ("example-service-user",), "example-deployers": ("example-deploy-user",)}
ALARMS = {"example-api-errors": "Errors", "example-queue-age": "ApproximateAgeOfOldestMessage"}


def seed(assembly: Assembly, moto: Moto, roles: Mapping[str, Role]) -> None:
    """Fill moto with the assembly's log groups and roles, and with invented users, groups and alarms."""
    _log_groups(assembly, moto.client("logs"))
    _iam(moto.client("iam", "us-east-1"), roles)
    _alarms(moto.client("cloudwatch"))


def _log_groups(assembly: Assembly, logs: Any) -> None:
    for resource in assembly.of_type("AWS::Logs::LogGroup"):
        name = str(resource.ref)
        logs.create_log_group(logGroupName=name)
        days = resource.properties.get("RetentionInDays")
        if days is not None:
            logs.put_retention_policy(logGroupName=name, retentionInDays=int(days))


def _iam(iam: Any, roles: Mapping[str, Role]) -> None:
    for role in roles.values():
        properties = role.resource.properties
        iam.create_role(
            RoleName=role.name,
            Path=str(properties.get("Path", "/")),
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
            Description=str(properties.get("Description", "")),
            Tags=[{"Key": key, "Value": value} for key, value in role.tags.items()],
        )
    for user in USERS:
        iam.create_user(UserName=user)
    for group, members in GROUPS.items():
        iam.create_group(GroupName=group)
        for user in members:
            iam.add_user_to_group(GroupName=group, UserName=user)
    made = iam.create_policy(PolicyName="example-read-logs", PolicyDocument=json.dumps(_READ_LOGS))
    iam.attach_group_policy(GroupName="example-readers", PolicyArn=made["Policy"]["Arn"])
    iam.put_user_policy(
        UserName="example-service-user", PolicyName="example-inline", PolicyDocument=json.dumps(_READ_LOGS)
    )


def _alarms(cloudwatch: Any) -> None:
    for name, metric in ALARMS.items():
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            AlarmDescription="Invented for the rehearsal.",
            Namespace="Example/Service",
            MetricName=metric,
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
        )
    cloudwatch.set_alarm_state(
        AlarmName="example-api-errors", StateValue="ALARM", StateReason="Set by the rehearsal, to have one to show."
    )

"""Fixtures: what the department's account holds before the first call, so that reads return something.

The assembly's own roles, policies, log groups and alarms are there. The rest is invented and says so by name; nobody in
it exists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.roles import Role
from ringfence.rehearsal.aws.services.moto import Moto

_READ_LOGS = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "ReadLogs", "Effect": "Allow", "Action": "logs:GetLogEvents", "Resource": "*"}],
}
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Lambda",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    ],
}
USERS = ("example-service-user", "example-deploy-user", "example-legacy-user")
GROUPS = {"example-readers": ("example-service-user",), "example-deployers": ("example-deploy-user",)}
ALARMS = {"example-api-errors": "Errors", "example-queue-age": "ApproximateAgeOfOldestMessage"}
ROLE = "example-service-role"
LOG_GROUP = "/example/service/api"
_LOG_LINES = (
    '{"level": "INFO", "path": "/applications", "status": 200, "duration_ms": 41}',
    '{"level": "INFO", "path": "/applications", "status": 200, "duration_ms": 38}',
    '{"level": "ERROR", "path": "/payments", "status": 502, "duration_ms": 3004}',
    '{"level": "ERROR", "path": "/payments", "status": 502, "duration_ms": 3001}',
    "worker restarted after a lost connection",
)


def load_fixtures(assembly: Assembly, moto: Moto, roles: Mapping[str, Role]) -> None:
    """Fill moto with what the assembly makes, and with invented users, groups, log lines, metrics and alarms."""
    _log_groups(assembly, moto.client("logs"))
    _outputs_of_runtimes(assembly, moto.client("logs"))
    iam = moto.client("iam", "us-east-1")
    _policies(assembly, iam)
    _roles(iam, roles)
    _attachments(assembly, iam)
    _people(iam)
    _metrics(moto.client("cloudwatch"))


def _log_groups(assembly: Assembly, logs: Any) -> None:
    for resource in assembly.of_type("AWS::Logs::LogGroup"):
        name = str(resource.ref)
        logs.create_log_group(logGroupName=name)
        days = resource.properties.get("RetentionInDays")
        if days is not None:
            logs.put_retention_policy(logGroupName=name, retentionInDays=int(days))
    logs.create_log_group(logGroupName=LOG_GROUP)
    logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName="example")
    begin = int((datetime.now(UTC) - timedelta(minutes=5)).timestamp() * 1000)
    events = [{"timestamp": begin + number * 1000, "message": line} for number, line in enumerate(_LOG_LINES)]
    logs.put_log_events(logGroupName=LOG_GROUP, logStreamName="example", logEvents=events)


def _outputs_of_runtimes(assembly: Assembly, logs: Any) -> None:
    """The log groups that AgentCore has made with its runtimes, as bare as it makes them."""
    for resource in assembly.of_type("AWS::BedrockAgentCore::Runtime"):
        runtime_id = resource.arn.rpartition("/")[2]
        logs.create_log_group(logGroupName=f"/aws/bedrock-agentcore/runtimes/{runtime_id}-DEFAULT")


def _policies(assembly: Assembly, iam: Any) -> None:
    for resource in assembly.of_type("AWS::IAM::ManagedPolicy"):
        path, name = str(resource.ref).split(":policy", 1)[1].rsplit("/", 1)
        document = json.dumps(resource.properties["PolicyDocument"])
        iam.create_policy(PolicyName=name, Path=f"{path}/", PolicyDocument=document)


def _roles(iam: Any, roles: Mapping[str, Role]) -> None:
    for role in roles.values():
        properties = role.resource.properties
        given = {"PermissionsBoundary": properties.get("PermissionsBoundary")}
        iam.create_role(
            RoleName=role.name,
            Path=str(properties.get("Path", "/")),
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
            Description=str(properties.get("Description", "")),
            Tags=[{"Key": key, "Value": value} for key, value in role.tags.items()],
            **{key: value for key, value in given.items() if value is not None},
        )
        for arn in properties.get("ManagedPolicyArns", []):
            iam.attach_role_policy(RoleName=role.name, PolicyArn=arn)
        for policy in properties.get("Policies", []):
            iam.put_role_policy(
                RoleName=role.name,
                PolicyName=policy["PolicyName"],
                PolicyDocument=json.dumps(policy["PolicyDocument"]),
            )


def _attachments(assembly: Assembly, iam: Any) -> None:
    for resource in assembly.of_type("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        for role in resource.properties.get("Roles", []):
            if resource.type == "AWS::IAM::ManagedPolicy":
                iam.attach_role_policy(RoleName=role, PolicyArn=str(resource.ref))
            else:
                document = json.dumps(resource.properties["PolicyDocument"])
                iam.put_role_policy(RoleName=role, PolicyName=str(resource.ref), PolicyDocument=document)


def _people(iam: Any) -> None:
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
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(_TRUST))
    iam.put_role_policy(RoleName=ROLE, PolicyName="example-inline", PolicyDocument=json.dumps(_READ_LOGS))


def _metrics(cloudwatch: Any) -> None:
    now = datetime.now(UTC)
    cloudwatch.put_metric_data(
        Namespace="Example/Service",
        MetricData=[
            {"MetricName": "Errors", "Timestamp": now - timedelta(minutes=minute), "Value": float(minute % 3)}
            for minute in range(30)
        ],
    )
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

"""AWS-LOG: log groups in the form that each sender wants them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence.reading.template import Breach, Resource, listed
from ringfence.service_rules.assembly import Assembly
from ringfence.service_rules.rule import READ, ServiceRule

_GROUP: Final = "AWS::Logs::LogGroup"
# Type -> (where a log group's ARN stands; `*` for each item of a list, whether it ends with `:*`).
ARNS: Final = {
    "AWS::CloudTrail::Trail": ("CloudWatchLogsLogGroupArn", True),
    "AWS::Cognito::LogDeliveryConfiguration": ("LogConfigurations.*.CloudWatchLogsConfiguration.LogGroupArn", False),
    "AWS::EC2::FlowLog": ("LogDestination", False),
    "AWS::Logs::DeliveryDestination": ("DestinationResourceArn", False),
    "AWS::Route53Resolver::ResolverQueryLoggingConfig": ("DestinationArn", True),
    "AWS::WAFv2::LoggingConfiguration": ("LogDestinationConfigs.*", False),
}
_LOG_TYPES: Final = {
    "AWS::BedrockAgentCore::Gateway": ("APPLICATION_LOGS", "TRACES"),
    "AWS::BedrockAgentCore::Runtime": ("APPLICATION_LOGS", "TRACES", "USAGE_LOGS"),
}
_FOR_WAF: Final = "aws-waf-logs-"


def _forms(assembly: Assembly) -> Iterator[Breach]:
    for resource in assembly.of_type(*ARNS):
        path, with_streams = ARNS[resource.type]
        for place, value in values_at(resource, path):
            arn = assembly.text(resource.template, value)
            if ":log-group:" in arn and arn.endswith(":*") is not with_streams:
                form = "with" if with_streams else "without"
                yield resource.breach(place, f"The service takes the log group's ARN {form} `:*` at its end.")


def values_at(resource: Resource, path: str) -> Iterator[tuple[str, Any]]:
    """Yields the values at a dotted path in which `*` stands for each item of a list, each with its own path."""

    def walk(value: Any, steps: list[str], taken: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        if not steps:
            if value is not None:
                yield ".".join(taken), value
        elif steps[0] == "*":
            for number, item in enumerate(listed(value)):
                yield from walk(item, steps[1:], (*taken, str(number)))
        elif isinstance(value, Mapping):
            yield from walk(value.get(steps[0]), steps[1:], (*taken, steps[0]))

    return walk(resource.properties, path.split("."), ())


def _groups(assembly: Assembly, resource: Resource, path: str) -> Iterator[tuple[str, Resource]]:
    for place, value in values_at(resource, path):
        for group in assembly.referred(resource.template, value):
            if group.type == _GROUP:
                yield place, group


def _sign_in_groups(assembly: Assembly) -> Iterator[Breach]:
    for delivery in assembly.of_type("AWS::Cognito::LogDeliveryConfiguration"):
        for place, group in _groups(assembly, delivery, ARNS[delivery.type][0]):
            if group.at("KmsKeyId"):
                yield delivery.breach(place, f"Cognito refuses {group.logical_id}, which is encrypted with a KMS key.")


def _firewall_groups(assembly: Assembly) -> Iterator[Breach]:
    for config in assembly.of_type("AWS::WAFv2::LoggingConfiguration"):
        for place, group in _groups(assembly, config, ARNS[config.type][0]):
            name = assembly.text(group.template, {"Ref": group.logical_id})
            if not name.startswith(_FOR_WAF):
                yield config.breach(place, f"WAF refuses the log group {name}, which does not begin {_FOR_WAF}.")


def _log_types(assembly: Assembly) -> Iterator[Breach]:
    for source in assembly.of_type("AWS::Logs::DeliverySource"):
        for sender in assembly.referred(source.template, source.at("ResourceArn")):
            known = _LOG_TYPES.get(sender.type)
            if known and source.at("LogType") not in known:
                yield source.breach("LogType", f"{sender.type} sends {', '.join(known)}, not {source.at('LogType')}.")


def _masks(assembly: Assembly) -> Iterator[Breach]:
    for group in assembly.of_type(_GROUP):
        statements = assembly.statements(group, "DataProtectionPolicy")
        if not group.at("DataProtectionPolicy"):
            continue
        identifiers = [each.get("DataIdentifier") for each in statements]
        operations = [each.get("Operation") or {} for each in statements]
        if len(statements) != 2 or identifiers[0] != identifiers[1]:
            yield group.breach("DataProtectionPolicy.Statement", "The policy is not two statements on the same data.")
        elif "FindingsDestination" not in (operations[0].get("Audit") or {}):
            yield group.breach("DataProtectionPolicy.Statement.0", "The first statement audits to no destination.")
        elif operations[1].get("Deidentify") != {"MaskConfig": {}}:
            yield group.breach("DataProtectionPolicy.Statement.1", "The second statement masks nothing.")


RULES: Final = (
    ServiceRule(
        "AWS-LOG-1",
        "The ARN of a log group ends in the form that its reader takes.",
        "Use AuditLogGroup.arn where `:*` is wanted, and AuditLogGroup.arn_without_streams where not.",
        "CloudFormation template reference and API reference of each type; aws/aws-cdk#18253 (WAF, deliveries), "
        "aws/aws-cdk#31241 (Cognito), awsdocs/aws-cloudformation-user-guide#306 (flow logs)",
        READ,
        _forms,
    ),
    ServiceRule(
        "AWS-LOG-2",
        "The log group of a user pool's events is not encrypted with a KMS key.",
        "Make the group without a customer key, and acknowledge GOV-KEY-1 with this sentence of Cognito's.",
        "botocore 1.44.5, cognito-idp, CloudWatchLogsConfigurationType.LogGroupArn",
        READ,
        _sign_in_groups,
    ),
    ServiceRule(
        "AWS-LOG-3",
        f"The log group of a web ACL is named {_FOR_WAF}….",
        f"Begin the name with {_FOR_WAF}.",
        "WAF developer guide, logging to CloudWatch Logs, naming",
        READ,
        _firewall_groups,
    ),
    ServiceRule(
        "AWS-LOG-4",
        "A delivery source asks for a type of log that the resource sends.",
        "Ask for APPLICATION_LOGS.",
        "botocore 1.44.5, logs PutDeliverySource, logType",
        READ,
        _log_types,
    ),
    ServiceRule(
        "AWS-LOG-5",
        "A data protection policy audits and masks the same identifiers, in two statements.",
        "Make it with constructs.audit.audit_log_group.AuditLogGroup.",
        "botocore 1.44.5, logs PutDataProtectionPolicy, policyDocument",
        READ,
        _masks,
    ),
)

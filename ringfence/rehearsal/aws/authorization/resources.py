"""Which resources an AWS request works on, after the Service Authorization Reference.

What AWS's table of actions says of an action's ARNs is taken where the request's parameters fill them in by their
names; what these do not say stands in tables here and in `arns.py`. Where neither knows, the resource is `*` while no
policy in play restricts resources for the action. Else the request is refused with a message that names the missing
entry: a guess would make the decision worthless.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from botocore.model import OperationModel

from ringfence.iam import actions
from ringfence.rehearsal.aws.authorization.arns import ARNS, arns, forms_by_name
from ringfence.rehearsal.aws.protocol.wire import AwsError, Operation

Finder = Callable[["ResourceArns", Mapping[str, Any]], list[str]]
"""Returns the ARNs of a request; none where the request does not say which it means."""

_FUNCTION: Final = re.compile(
    r"(?:arn:aws:lambda:)?(?:([a-z]{2}(?:-[a-z]+)+-\d):)?(?:(\d{12}):)?(?:function:)?([\w.-]+)(?::([\w$-]+))?", re.ASCII
)
"""A function's name, or the whole or the end of its ARN, each with a version or an alias or without (`FunctionName` in
Lambda's API reference, read 29 November 2026)."""


class ResourceArns:
    """Makes ARNs for one request, and knows what only the local AWS can know.

    Attributes:
        paths: full ARN of an IAM entity by kind (`user`, `role`, `group`) and name, because paths are part of ARNs.
        query_groups: gives the log groups of a running Insights query by its id.
        workgroup: gives the workgroup of an Athena query by its id; AWS's own one where there is no such query.
        key_arn: gives the ARN behind a key id or alias.
        key_aliases: gives the aliases of a key by its ARN.
        tags: gives the tags of a resource by its ARN, as far as fixtures gave any.
    """

    def __init__(
        self,
        account: str,
        region: str,
        *,
        entity: Callable[[str, str], str],
        query_groups: Callable[[str], list[str]],
        workgroup: Callable[[str], str],
        key_arn: Callable[[str], str],
        key_aliases: Callable[[str], list[str]],
        tags: Callable[[str], Mapping[str, str]],
    ) -> None:
        self.account = account
        self.region = region
        self.entity = entity
        self.query_groups = query_groups
        self.workgroup = workgroup
        self.key_arn = key_arn
        self.key_aliases = key_aliases
        self.tags = tags

    def log_group(self, name_or_arn: str, suffix: str = ":log-stream:") -> str:
        """The ARN IAM sees for a log group action: the group's, followed by an empty stream."""
        if name_or_arn.startswith("arn:"):
            return name_or_arn.removesuffix(":*") + suffix
        return f"arn:aws:logs:{self.region}:{self.account}:log-group:{name_or_arn}{suffix}"

    def cloudtrail(self, kind: str, name_or_arn: str) -> str:
        """The ARN of a trail or event data store."""
        if name_or_arn.startswith("arn:"):
            return name_or_arn
        return f"arn:aws:cloudtrail:{self.region}:{self.account}:{kind}/{name_or_arn}"


def _anything(_: ResourceArns, __: Mapping[str, Any]) -> list[str]:
    return ["*"]


def _entity(kind: str, parameter: str) -> Finder:
    return lambda resource_arns, parameters: [resource_arns.entity(kind, str(parameters[parameter]))]


def _given(parameter: str) -> Finder:
    return lambda _, parameters: [str(parameters[parameter])]


def _named_groups(parameters: Mapping[str, Any]) -> list[str]:
    """The log groups that a request names, by whichever of the names that Logs has for the parameter."""
    lists = [*(parameters.get(name) or () for name in ("logGroupNames", "logGroupIdentifiers", "logGroupArnList"))]
    ones = [parameters[name] for name in ("logGroupName", "logGroupIdentifier") if parameters.get(name)]
    return [str(each) for each in (*itertools.chain(*lists), *ones)]


def _log_groups(resource_arns: ResourceArns, parameters: Mapping[str, Any]) -> list[str]:
    return [resource_arns.log_group(name) for name in _named_groups(parameters)]


def _log_stream(resource_arns: ResourceArns, parameters: Mapping[str, Any]) -> list[str]:
    stream = f":log-stream:{parameters['logStreamName']}"
    return [resource_arns.log_group(name, stream) for name in _named_groups(parameters)]


def _groups_of_query(resource_arns: ResourceArns, parameters: Mapping[str, Any]) -> list[str]:
    return [resource_arns.log_group(name) for name in resource_arns.query_groups(str(parameters["queryId"]))]


def _detector(resource_arns: ResourceArns, parameters: Mapping[str, Any]) -> list[str]:
    every = f"arn:aws:logs:{resource_arns.region}:{resource_arns.account}:anomaly-detector:*"
    return [str(parameters.get("anomalyDetectorArn", every))]


def _alarms(resource_arns: ResourceArns, parameters: Mapping[str, Any]) -> list[str]:
    names = parameters.get("AlarmNames") or ([parameters["AlarmName"]] if "AlarmName" in parameters else ["*"])
    return [f"arn:aws:cloudwatch:{resource_arns.region}:{resource_arns.account}:alarm:{name}" for name in names]


def _workgroup(parameter: str) -> Finder:
    """The workgroups of queries, which AWS knows by the queries' ids."""

    def find(resource_arns: ResourceArns, parameters: Mapping[str, Any]) -> list[str]:
        named = parameters[parameter]
        ids = named if isinstance(named, list) else [named]
        groups = dict.fromkeys(resource_arns.workgroup(str(each)) for each in ids)
        return [f"arn:aws:athena:{resource_arns.region}:{resource_arns.account}:workgroup/{group}" for group in groups]

    return find


def _key(resource_arns: ResourceArns, parameters: Mapping[str, Any]) -> list[str]:
    """A key; of what is to be decrypted, only the ciphertext may say it."""
    return [resource_arns.key_arn(str(parameters["KeyId"]))] if parameters.get("KeyId") else []


def _function(resource_arns: ResourceArns, parameters: Mapping[str, Any]) -> list[str]:
    """A function, its version or its alias: a policy on the one is none on the others (Lambda developer guide)."""
    named = _FUNCTION.fullmatch(str(parameters["FunctionName"]))
    if named is None:
        return []
    region, account, name, version = named.groups()
    arn = f"arn:aws:lambda:{region or resource_arns.region}:{account or resource_arns.account}:function:{name}"
    version = parameters.get("Qualifier") or version
    return [f"{arn}:{version}" if version else arn]


def _event_data_store(resource_arns: ResourceArns, parameters: Mapping[str, Any]) -> list[str]:
    store = parameters.get("EventDataStore")
    return [resource_arns.cloudtrail("eventdatastore", str(store))] if store else ["*"]


def _stack(resource_arns: ResourceArns, parameters: Mapping[str, Any]) -> list[str]:
    """A stack by its name or ARN; AWS makes up the last part of the ARN, also of one that is not there yet."""
    name = str(parameters.get("StackName", "*"))
    place = f"{resource_arns.region}:{resource_arns.account}"
    arn = f"arn:aws:cloudformation:{place}:stack/{name}/00000000-0000-4000-8000-000000000000"
    return [name if name.startswith("arn:") else arn]


def _bucket(_: ResourceArns, parameters: Mapping[str, Any]) -> list[str]:
    return [f"arn:aws:s3:::{parameters['Bucket']}"]


def _object(_: ResourceArns, parameters: Mapping[str, Any]) -> list[str]:
    return [f"arn:aws:s3:::{parameters['Bucket']}/{parameters['Key']}"]


def _filled(forms: tuple[str, ...], prefix: str) -> Finder:
    return lambda resource_arns, parameters: arns(
        forms, parameters, prefix, region=resource_arns.region, account=resource_arns.account
    )


def _actions(finder: Finder, *names: str) -> dict[str, Finder]:
    return dict.fromkeys(names, finder)


_BY_FORM: dict[str, Finder] = {
    "iam:user/${UserNameWithPath}": _entity("user", "UserName"),
    "iam:role/${RoleNameWithPath}": _entity("role", "RoleName"),
    "iam:group/${GroupNameWithPath}": _entity("group", "GroupName"),
    "kms:key/${KeyId}": _key,
    "lambda:function:${FunctionName}": _function,
    "logs:log-group:${LogGroupName}": _log_groups,
    "logs:log-group:${LogGroupName}:log-stream:${LogStreamName}": _log_stream,
}
"""What the request's words alone do not make, by service and form of the only ARN that AWS's table has of an action.

A user that is not named is the caller: a role session is none, so AWS refuses.
"""

_BY_OPERATION: dict[str, Finder] = {
    # The datasets that the table names are of another kind of query.
    **_actions(_anything, "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "cloudwatch:PutMetricData"),
    **_actions(_given("PolicySourceArn"), "iam:SimulatePrincipalPolicy"),
    **_actions(_detector, "logs:ListAnomalies", "logs:ListLogAnomalyDetectors"),
    **_actions(_groups_of_query, "logs:GetQueryResults"),
    **_actions(_alarms, "cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory", "cloudwatch:DeleteAlarms"),
    **_actions(
        _stack,
        "cloudformation:CreateChangeSet",
        "cloudformation:DescribeChangeSet",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:GetTemplateSummary",
        "cloudformation:ListStackResources",
    ),
    **_actions(_bucket, "s3:GetBucketLocation", "s3:HeadBucket", "s3:ListObjects", "s3:ListObjectsV2"),
    **_actions(_object, "s3:AbortMultipartUpload", "s3:GetObject", "s3:HeadObject", "s3:ListParts", "s3:PutObject"),
    **_actions(
        _workgroup("QueryExecutionId"),
        "athena:GetQueryExecution",
        "athena:GetQueryResults",
        "athena:GetQueryRuntimeStatistics",
        "athena:StopQueryExecution",
    ),
    **_actions(
        _workgroup("NamedQueryId"), "athena:DeleteNamedQuery", "athena:GetNamedQuery", "athena:UpdateNamedQuery"
    ),
    **_actions(_workgroup("QueryExecutionIds"), "athena:BatchGetQueryExecution"),
    **_actions(_workgroup("NamedQueryIds"), "athena:BatchGetNamedQuery"),
    **_actions(_event_data_store, "cloudtrail:DescribeQuery", "cloudtrail:GetQueryResults", "cloudtrail:StartQuery"),
}

# IAM's action where it is not the operation's name.
ACTION_OF_OPERATION = {
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "lambda:Invoke": "lambda:InvokeFunction",
}


def iam_action(operation: Operation) -> str:
    """The IAM action a request needs."""
    called = f"{operation.prefix}:{operation.name}"
    return ACTION_OF_OPERATION.get(called, called)


def finder_of(called: str, model: OperationModel, given: Iterable[str]) -> Finder | None:
    """What finds the resources of an operation's requests, or None where neither AWS's table nor ours says.

    Args:
        called: IAM's prefix and the operation's name.
        model: the operation, for the names of its parameters.
        given: those that the request has.
    """
    prefix = called.partition(":")[0]
    if called in _BY_OPERATION:
        return _BY_OPERATION[called]
    if called in ARNS:
        return _filled(ARNS[called], prefix)
    action = ACTION_OF_OPERATION.get(called, called)
    if action not in actions.load():
        return None
    forms = actions.load()[action].resources
    if not forms:
        return _anything
    tail = forms[0].split(":", 5)[-1]
    if len(forms) == 1 and f"{prefix}:{tail}" in _BY_FORM:
        return _BY_FORM[f"{prefix}:{tail}"]
    named = forms_by_name(forms, model, given)
    return None if named is None else _filled(named, prefix)


def resources_of(operation: Operation, resource_arns: ResourceArns, *, restricted: bool) -> list[str]:
    """The ARNs a request works on, `["*"]` for actions without a resource type.

    Args:
        restricted: whether a policy in play restricts resources for this action.

    Raises:
        AwsError: nothing says which resource the request means, and it matters; or a needed parameter is missing.
    """
    called = f"{operation.prefix}:{operation.name}"
    finder = finder_of(called, operation.model, operation.parameters)
    try:
        found = finder(resource_arns, operation.parameters) if finder else []
    except KeyError as missing:
        raise AwsError("ValidationError", f"{called} needs the parameter {missing.args[0]}.") from None
    if found or not restricted:
        return found or ["*"]
    remedy = "" if finder else " Add the action to ringfence/rehearsal/aws/authorization/arns.py."
    raise AwsError(
        "UnmappedResource",
        f"The rehearsal does not know which resource this request of {called} means, and a policy restricts it; AWS "
        f"would answer.{remedy}",
        501,
    )

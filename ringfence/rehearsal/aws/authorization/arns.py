"""The resources of requests by their parameters, where nothing else is needed: a table of ARNs.

Forms as in the Service Authorization Reference, parameters as in botocore's models (1.44.5, read 28 November 2026). A
part in braces is a parameter; behind `|` stands what AWS takes where it is left out, behind `!` what stands for the id
that AWS made up for what is named. A list stands for each item. A parameter may be an ARN where it could be a name.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_DATABASE: Final = ("catalog", "database/{DatabaseName}")
_TABLE: Final = (*_DATABASE, "table/{DatabaseName}/{TableName}")
_MADE_UP: Final = "00000000-0000-4000-8000-000000000000"
"""Stands for what AWS makes up itself."""
_MADE_UP_CLUSTER: Final = "0" * 12
"""The same for a HyperPod cluster's id (botocore 1.44.5, sagemaker: ClusterArn)."""

_OPERATIONS: Final[Mapping[str, Mapping[str | tuple[str, ...], str]]] = {
    "athena": {
        "workgroup/{WorkGroup|primary}": (
            "CreateNamedQuery DeleteWorkGroup GetWorkGroup ListNamedQueries ListQueryExecutions StartQueryExecution "
            "UpdateWorkGroup"
        ),
        "workgroup/{Name}": "CreateWorkGroup",
        "datacatalog/{CatalogName}": "GetDatabase GetTableMetadata ListDatabases ListTableMetadata",
    },
    "autoscaling": {
        f"autoScalingGroup:{_MADE_UP}:autoScalingGroupName/{{AutoScalingGroupName}}": "StartInstanceRefresh",
    },
    "ec2": {"instance/{InstanceIds}": "RebootInstances"},
    "ecs": {
        "service/{cluster|default}/{services}": "DescribeServices",
        "service/{cluster|default}/{service}": "UpdateService",
    },
    "eks": {"cluster/{name}": "DescribeCluster", "cluster/{clusterName}": "DescribeInsight ListInsights"},
    "elasticmapreduce": {
        "cluster/{ClusterId}": (
            "CancelSteps DescribeCluster DescribeStep ListInstanceFleets ListInstances ListSteps ModifyCluster"
        ),
        "cluster/{JobFlowIds}": "SetTerminationProtection TerminateJobFlows",
    },
    "emr-serverless": {
        "/applications/{applicationId}": (
            "DeleteApplication GetApplication ListJobRuns StartApplication StopApplication UpdateApplication"
        ),
        "/applications/{applicationId}/jobruns/{jobRunId}": "CancelJobRun GetJobRun",
    },
    "glue": {
        "crawler/{CrawlerNames}": "BatchGetCrawlers",
        "crawler/{Name}": "DeleteCrawler GetCrawler StartCrawler StopCrawler",
        "job/{JobName}": "BatchStopJobRun DeleteJob GetJob GetJobRun GetJobRuns StartJobRun",
        "session/{SessionId}": "CancelStatement GetStatement ListStatements",
        "session/{Id}": "DeleteSession GetSession StopSession",
        "trigger/{Name}": "DeleteTrigger GetTrigger StartTrigger StopTrigger",
        "workflow/{Name}": "CreateWorkflow DeleteWorkflow GetWorkflow StartWorkflowRun",
        ("catalog", "database/*"): "GetDatabases",
        ("catalog", "database/{Name}"): "GetDatabase UpdateDatabase",
        ("catalog", "database/{DatabaseInput.Name}"): "CreateDatabase",
        ("catalog", "database/{Name}", "table/{Name}/*", "userDefinedFunction/{Name}/*"): "DeleteDatabase",
        ("catalog", "database/*", "table/*/*"): "SearchTables",
        (*_DATABASE, "table/{DatabaseName}/*"): "GetTables",
        (*_DATABASE, "table/{DatabaseName}/{Name}"): "DeleteTable GetTable",
        (*_DATABASE, "table/{DatabaseName}/{TableInput.Name}"): "CreateTable UpdateTable",
        _TABLE: "CreatePartition DeletePartition GetPartition GetPartitions UpdatePartition",
    },
    "lambda": {"function:{FunctionName}": "GetFunctionConcurrency"},
    "rds": {"db:{DBInstanceIdentifier|*}": "DescribeDBInstances", "db:{DBInstanceIdentifier}": "RebootDBInstance"},
    "sagemaker": {
        f"cluster/{{ClusterName!{_MADE_UP_CLUSTER}}}": (
            "BatchDeleteClusterNodes DescribeCluster DescribeClusterNode ListClusterNodes UpdateClusterSoftware"
        ),
    },
    "schemas": {
        "registry/*": "ListRegistries",
        "schema/{RegistryName}/*": "SearchSchemas",
        "schema/{RegistryName}/{SchemaName}": "DescribeSchema",
    },
}

ARNS: Final[Mapping[str, tuple[str, ...]]] = {
    f"{prefix}:{name}": (forms,) if isinstance(forms, str) else forms
    for prefix, table in _OPERATIONS.items()
    for forms, names in table.items()
    for name in names.split()
}
"""What stands in the ARN behind the account, by action."""

_PART: Final = re.compile(r"\{([A-Za-z.]+)(?:\|([^}]+))?(?:!([^}]+))?\}")


def arns(action: str, parameters: Mapping[str, Any], *, region: str, account: str) -> list[str]:
    """Return the ARNs that a request of the table works on.

    Raises:
        KeyError: the request lacks a parameter.
    """
    before = f"arn:aws:{action.partition(':')[0]}:{region}:{account}:"
    return [
        each if each.startswith("arn:") else before + each
        for form in ARNS[action]
        for each in _filled(form, parameters)
    ]


def _filled(form: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    parts = _PART.split(form)  # text, name, default, made up, text, name, default, made up, ..., text
    names = list(zip(parts[1::4], parts[2::4], parts[3::4], strict=True))
    for values in itertools.product(*(_values(parameters, *name) for name in names)):
        if values and values[-1].startswith("arn:"):
            yield values[-1]
        else:
            named = (value.rpartition("/")[2] if value.startswith("arn:") else value for value in values)
            yield parts[0] + "".join(value + text for value, text in zip(named, parts[4::4], strict=True))


def _values(parameters: Mapping[str, Any], path: str, default: str | None, made_up: str | None) -> list[str]:
    found: Any = parameters
    for name in path.split("."):
        found = found.get(name) if default is not None else found[name]
    if found in (None, "", []):
        found = default
    given = [str(each) for each in found] if isinstance(found, list) else [str(found)]
    return [each if made_up is None or each.startswith("arn:") else made_up for each in given]

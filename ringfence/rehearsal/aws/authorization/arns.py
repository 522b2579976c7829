"""The resources of requests by their parameters: by the parameters' names, and where those do not say, by a table.

Forms as in the Service Authorization Reference, parameters as in botocore's models (1.44.5, read 28 November 2026). A
part in braces is a parameter; behind `|` stands what AWS takes where it is left out, behind `!` what stands for the id
that AWS made up for what is named. A list stands for each item. A parameter may be an ARN where it could be a name.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from botocore.model import OperationModel

_DATABASE: Final = ("catalog", "database/{DatabaseName}")
_TABLE: Final = (*_DATABASE, "table/{DatabaseName}/{TableName}")
_MADE_UP: Final = "00000000-0000-4000-8000-000000000000"
"""Stands for what AWS makes up itself."""
_MADE_UP_CLUSTER: Final = "0" * 12
"""The same for a HyperPod cluster's id (botocore 1.44.5, sagemaker: ClusterArn)."""

_OPERATIONS: Final[Mapping[str, Mapping[str | tuple[str, ...], str]]] = {
    "athena": {
        "workgroup/{WorkGroup|primary}": "CreateNamedQuery ListNamedQueries ListQueryExecutions StartQueryExecution",
        "datacatalog/{CatalogName}": "GetDatabase GetTableMetadata ListDatabases ListTableMetadata",
    },
    "autoscaling": {
        f"autoScalingGroup:{_MADE_UP}:autoScalingGroupName/{{AutoScalingGroupName}}": "StartInstanceRefresh",
    },
    "ecs": {
        "service/{cluster|default}/{services}": "DescribeServices",
        "service/{cluster|default}/{service}": "UpdateService",
    },
    "elasticmapreduce": {"cluster/{JobFlowIds}": "SetTerminationProtection TerminateJobFlows"},
    "glue": {
        "workflow/{Name}": "StartWorkflowRun",
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
    "rds": {"db:{DBInstanceIdentifier|*}": "DescribeDBInstances", "db:{DBInstanceIdentifier}": "RebootDBInstance"},
    "sagemaker": {
        f"cluster/{{ClusterName!{_MADE_UP_CLUSTER}}}": (
            "BatchDeleteClusterNodes DescribeCluster DescribeClusterNode ListClusterNodes UpdateClusterSoftware"
        ),
    },
    "schemas": {"registry/*": "ListRegistries", "schema/{RegistryName}/*": "SearchSchemas"},
}

ARNS: Final[Mapping[str, tuple[str, ...]]] = {
    f"{prefix}:{name}": (forms,) if isinstance(forms, str) else forms
    for prefix, table in _OPERATIONS.items()
    for forms, names in table.items()
    for name in names.split()
}
"""What stands in the ARN behind the account, by action."""

_PART: Final = re.compile(r"\{([A-Za-z.]+)(?:\|([^}]+))?(?:!([^}]+))?\}")


_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")
_GIVEN: Final = ("Partition", "Region", "Account")
_LAST_WORD: Final = re.compile(r"(?:name|id|arn)s?$")


def forms_by_name(forms: tuple[str, ...], model: OperationModel, given: Iterable[str]) -> tuple[str, ...] | None:
    """AWS's forms of an action's ARNs with the parameters that fill them in, or None where one is not certain.

    A parameter is certain when its name is the variable's, or the same thing's: `ClusterIds` or `ClusterArn` for
    `${ClusterId}`, `WorkGroup` for `${WorkGroupName}`, `Name` of `GetCrawler` for `${CrawlerName}`, `ResourceArn` for
    all. A name is not certain to be an id, and what a request may leave out and does not give says nothing.

    Args:
        forms: from AWS's table.
        model: the operation.
        given: parameters that the request has.
    """
    required = model.input_shape.required_members if model.input_shape else ()
    names = list(dict.fromkeys([*required, *given]))
    for name in names:
        if name.lower() == "resourcearn":
            return (f"{{{name}}}",)
    made = []
    for form in forms:
        wanted = [variable for variable in _VARIABLE.findall(form) if variable not in _GIVEN]
        named = [_parameter(variable, names, model.name) for variable in wanted]
        if not named or None in named or len(set(named)) < len(named):
            return None
        for variable, parameter in zip(wanted, named, strict=True):
            form = form.replace(f"${{{variable}}}", f"{{{parameter}}}")
        made.append(form)
    return tuple(made)


def _parameter(variable: str, names: list[str], operation: str) -> str | None:
    wanted = variable.removesuffix("WithPath").lower()
    thing = _LAST_WORD.sub("", wanted)
    same = {wanted, f"{wanted}s", thing, f"{thing}arn"}
    if operation.lower().endswith(thing):
        same.add(wanted.removeprefix(thing))
    found = [name for name in names if name.lower() in same]
    return found[0] if len(found) == 1 else None


def arns(forms: tuple[str, ...], parameters: Mapping[str, Any], prefix: str, *, region: str, account: str) -> list[str]:
    """Return the ARNs that a request works on.

    Args:
        forms: whole, or what stands in each ARN behind the account.
        prefix: IAM's, of the service.

    Raises:
        KeyError: the request lacks a parameter.
    """
    before = f"arn:aws:{prefix}:{region}:{account}:"
    given = {"${Partition}": "aws", "${Region}": region, "${Account}": account}
    whole = (functools.reduce(lambda text, each: text.replace(*each), given.items(), form) for form in forms)
    return [each if each.startswith("arn:") else before + each for form in whole for each in _filled(form, parameters)]


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

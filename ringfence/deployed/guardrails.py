"""The service control policies of an organisation's assembly, and where they hang."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ringfence.deployed.assembly import Assembly
from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.deployed.properties import Properties
from ringfence.iam.evaluator import Policy

_KINDS: Final = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
# AWS's own, which hangs on everything from the start; policies that allow less would replace it.
_FULL_ACCESS: Final = {"Sid": "FullAWSAccess", "Effect": "Allow", "Action": "*", "Resource": "*"}


def service_control(assembly: Assembly) -> tuple[Policy, ...]:
    """What holds of an account below the targets, AWS's own FullAWSAccess included.

    No template says below which target an account stands. So all guardrails must hang on the same ones, and what they
    say together holds of an account that is below one of them.

    Raises:
        UnresolvedTemplate: something in the assembly is not known, or a guardrail hangs nowhere, or elsewhere, or
            no policy is a service control policy.
    """
    assembly.check()
    documents: list[Mapping[str, Any]] = [{"Version": "2012-10-17", "Statement": [_FULL_ACCESS]}]
    common: frozenset[str] = frozenset()
    for properties in map(Properties, assembly.of_type("AWS::Organizations::Policy")):
        targets = frozenset(properties.texts("TargetIds"))
        common = common or targets
        if not targets or targets != common:
            told = f"is {sorted(targets)}, and another guardrail's {sorted(common)}: which holds is not known"
            raise properties.problem("TargetIds", told)
        if properties.one_of("Type", _KINDS) == _KINDS[0]:
            content = properties.at("Content")
            documents.append(json.loads(content) if isinstance(content, str) else content)
    if len(documents) == 1:
        remedy = "Name an organisation's assembly (--organisation-assembly), or none."
        raise UnresolvedTemplate(str(assembly.path), "manifest.json", "holds no service control policy", remedy)
    return tuple(Policy.parse(document) for document in documents)

"""What starts a department's code: handler or entry point, and the environment.

One variable more can start other code, or send calls elsewhere: AWS_LAMBDA_EXEC_WRAPPER names a program that starts the
function's runtime (AWS Lambda developer guide, "Modifying the runtime environment"), PYTHONPATH is where Python looks
for modules, AWS_ENDPOINT_URL where a client of AWS sends its requests (AWS SDKs and Tools reference guide,
"Service-specific endpoints"; both read 29 November 2026).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ringfence.deployed.assembly import Resource
from ringfence.deployed.functions import DeployedFunction
from ringfence.deployed.known import values_at
from ringfence.deployed.runtimes import DeployedRuntime
from ringfence.proofs.evidence import Evidence
from ringfence.proofs.expected_permissions import LONDON
from ringfence.proofs.findings import Finding

_VARIABLES: Final = {
    "request_interceptor": "CLIENT_IDS ISSUER POWERTOOLS_SERVICE_NAME TXN_KEY_ID",
    "response_interceptor": "POWERTOOLS_SERVICE_NAME",
    "pre_token": "GROUPS POWERTOOLS_SERVICE_NAME SCOPE_PREFIX",
    "runtime_log_group": "LOG_GROUP_PREFIX LOG_KEY_ARN MASKING_POLICY RETENTION_DAYS",
}
"""The variables of each kind of function."""

_CALLERS: Final = {
    "pre_token": ("AWS::Cognito::UserPool", "LambdaConfig.PreTokenGenerationConfig.LambdaArn"),
    "runtime_log_group": ("Custom::RuntimeLogGroup", "ServiceToken"),
}
"""What calls each kind of function but interceptors, and the property that names it."""

_ENTRY_POINT: Final = ("main.py",)


def started_otherwise(evidence: Evidence) -> Iterator[Finding]:
    """Functions and runtimes that start otherwise than what calls them needs.

    Raises:
        UnresolvedTemplate: something calls a function that no template makes.
    """
    duties: dict[tuple[str, str], DeployedFunction] = {}
    for caller, arn, kind in _called(evidence):
        if arn not in evidence.functions:
            raise caller.problem(f"calls {arn}, which no template makes")
        duties[arn, kind] = evidence.functions[arn]
    for (_, kind), function in duties.items():
        yield from _function(evidence, function, kind)
    for arn in sorted(evidence.functions.keys() - {arn for arn, _ in duties}):
        yield Finding(
            f"function {evidence.functions[arn].resource.logical_id}", "is called by nothing in the templates"
        )
    for runtime in evidence.runtimes:
        yield from _runtime(evidence, runtime)


def _called(evidence: Evidence) -> Iterator[tuple[Resource, str, str]]:
    """Who calls which function, and the kind of function that it needs."""
    for gateway in evidence.gateways.values():
        for point in ("REQUEST", "RESPONSE"):
            yield gateway.resource, gateway.interceptor(point).function_arn, f"{point.lower()}_interceptor"
    for kind, (caller, path) in _CALLERS.items():
        for resource in evidence.assembly.of_type(caller):
            for arn in values_at(resource.properties, path):
                yield resource, arn, kind


def _function(evidence: Evidence, function: DeployedFunction, kind: str) -> Iterator[Finding]:
    subject, wanted = f"function {function.resource.logical_id}", f"{kind}.handler.handler"
    if function.handler != wanted:
        yield Finding(subject, f"starts {function.handler}, and not {wanted}")
    # What is in them, the proofs judge that read them; a department whose groups have names only has one more.
    names = {*_VARIABLES[kind].split()}
    if kind == "pre_token" and evidence.expected.department["identity"].get("plain_names"):
        names.add("GROUP_NAMES")
    yield from _differing(subject, function.environment, {name: function.environment.get(name, "") for name in names})


def _runtime(evidence: Evidence, runtime: DeployedRuntime) -> Iterator[Finding]:
    subject, persona = f"runtime {runtime.resource.logical_id}", runtime.persona
    if runtime.entry_point != _ENTRY_POINT:
        yield Finding(subject, f"starts {' '.join(runtime.entry_point)}, and not {' '.join(_ENTRY_POINT)}")
    if persona not in evidence.gateways:
        yield Finding(subject, f"serves {persona}, which has no gateway")
        return
    signer = evidence.functions[evidence.gateways[persona].interceptor("REQUEST").function_arn]
    wanted = {
        "AWS_DEFAULT_REGION": LONDON,
        "AWS_REGION": LONDON,
        "RINGFENCE_CALL_LOG_GROUP": f"/ringfence/{evidence.expected.name}/calls/{persona}",
        "RINGFENCE_PERSONA_ROLE_ARN": evidence.persona_roles[persona].arn,
        # Whose key a runtime believes, it takes calls from.
        "RINGFENCE_TXN_KEY_ARN": signer.environment.get("TXN_KEY_ID", ""),
    }
    yield from _differing(subject, runtime.environment, wanted)


def _differing(subject: str, found: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[Finding]:
    for name in sorted(found.keys() - wanted.keys()):
        yield Finding(subject, f"has the variable {name}, which none of its kind has")
    for name in sorted(wanted.keys() - found.keys()):
        yield Finding(subject, f"lacks the variable {name}")
    for name in sorted(wanted.keys() & found.keys()):
        if found[name] != wanted[name]:
            yield Finding(subject, f"has {name} {found[name]!r}, and not {wanted[name]!r}")

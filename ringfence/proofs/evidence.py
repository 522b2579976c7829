"""What the proofs look at: an assembly, and the catalogue and department it claims to carry out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.department.department import Department, load_department
from ringfence.deployed.assembly import Assembly
from ringfence.deployed.department import department_name
from ringfence.deployed.functions import DeployedFunction, functions
from ringfence.deployed.gateways import DeployedGateway, gateways
from ringfence.deployed.guardrails import service_control
from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.deployed.roles import Endpoint, Role, endpoints, roles
from ringfence.deployed.runtimes import DeployedRuntime, runtimes
from ringfence.iam.evaluator import Policy
from ringfence.proofs.expected_permissions import Call, ExpectedPassedRole, ExpectedPermissions
from ringfence.reading.bootstrap import DEFAULT_QUALIFIER


@dataclass(frozen=True)
class Session:
    """The session policy that one call works under, as the runtime's zip carries it.

    Attributes:
        operation: the value of the tool's deciding argument, or None.
        level: the level the runtime believes the call to have.
    """

    server: str
    tool: str
    operation: str | None
    level: str
    policy: Policy
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """`server.tool` or `server.tool.operation`."""
        return ".".join(part for part in (self.server, self.tool, self.operation) if part)


def sessions_of(runtime: DeployedRuntime) -> list[Session]:
    """The session policy of every tool of a runtime, and of every operation of a tool."""
    return [session for tool, entry in runtime.rules["tools"].items() for session in _of_tool(runtime, tool, entry)]


def _of_tool(runtime: DeployedRuntime, tool: str, entry: Mapping[str, Any]) -> list[Session]:
    by_operation = (entry.get("operations") or {}).get("session_policies")
    documents = by_operation if by_operation is not None else {None: entry["session_policy"]}
    levels = (entry.get("operations") or {}).get("levels", {})
    return [
        Session(
            runtime.server,
            tool,
            operation,
            str(levels.get(operation) or entry.get("level")),
            Policy.parse(document),
            document,
        )
        for operation, document in documents.items()
    ]


class Evidence:
    """An assembly beside what was promised; everything derived is read once."""

    def __init__(
        self,
        assembly: Assembly,
        *,
        expected: ExpectedPermissions,
        department: Department,
        organisation: Assembly | None = None,
    ) -> None:
        self.assembly = assembly
        self.expected = expected
        self.department = department
        self.organisation = organisation

    @classmethod
    def load(cls, folder: Path, *, root: Path = Path(), organisation: Path | None = None) -> Evidence:
        """Read an assembly, and the catalogue and department file of the project it was synthesised from.

        Args:
            folder: the cloud assembly (`cdk.out`).
            root: the project's folder.
            organisation: an assembly with service control policies, which then count too.

        Raises:
            UnresolvedTemplate: the assembly cannot be interpreted, or is not one department's.
            ProblemsFound: the catalogue or the department file is faulty.
        """
        assembly = Assembly.load(folder)
        assembly.check()
        name = department_name(assembly)
        # The project's own reading tells every mistake in the files; what they promise is read past it.
        department = load_department(name, catalogue=load_catalogue(root / "catalogue"), root=root / "departments")
        expected = ExpectedPermissions.read(name, catalogue=root / "catalogue", departments=root / "departments")
        above = None if organisation is None else Assembly.load(organisation)
        evidence = cls(assembly, expected=expected, department=department, organisation=above)
        # What is wrong with them is told before any proof begins.
        _ = evidence.gateways, evidence.roles, evidence.service_control
        return evidence

    def beside(self, assembly: Assembly) -> Evidence:
        """Another assembly beside the same promises."""
        return Evidence(assembly, expected=self.expected, department=self.department, organisation=self.organisation)

    @cached_property
    def roles(self) -> dict[str, Role]:
        """Every role of the assembly by ARN."""
        return roles(self.assembly)

    @cached_property
    def endpoints(self) -> dict[tuple[str, str], Endpoint]:
        """Every VPC endpoint by service and region of the service."""
        return endpoints(self.assembly)

    @cached_property
    def runtimes(self) -> tuple[DeployedRuntime, ...]:
        """Every runtime with its rules."""
        return runtimes(self.assembly)

    @cached_property
    def functions(self) -> dict[str, DeployedFunction]:
        """Every Lambda function by ARN."""
        return functions(self.assembly)

    def function(self, arn: str) -> DeployedFunction:
        """A function that something names.

        Raises:
            UnresolvedTemplate: no template makes it.
        """
        if arn not in self.functions:
            raise UnresolvedTemplate(str(self.assembly.path), arn, "is a function that no template makes")
        return self.functions[arn]

    @cached_property
    def persona_roles(self) -> dict[str, Role]:
        """The role that each persona's runtimes assume, by persona.

        Raises:
            UnresolvedTemplate: the runtimes of a persona do not agree, or name a role that is not there.
        """
        found: dict[str, Role] = {}
        for runtime in self.runtimes:
            role = self.roles.get(runtime.persona_role_arn)
            if role is None or found.setdefault(runtime.persona, role) is not role:
                where = runtime.resource
                raise UnresolvedTemplate(
                    where.stack, where.logical_id, f"assumes {runtime.persona_role_arn}, not its persona's role"
                )
        return dict(sorted(found.items()))

    @cached_property
    def service_roles(self) -> dict[str, Role]:
        """Every role that is no persona's, by ARN: functions, runtimes, gateways, log deliveries."""
        personas = {role.arn for role in self.persona_roles.values()}
        return {arn: role for arn, role in self.roles.items() if arn not in personas}

    def sessions(self, persona: str) -> list[Session]:
        """The session policies of a persona's calls, sorted by name."""
        found = [session for runtime in self.runtimes if runtime.persona == persona for session in sessions_of(runtime)]
        return sorted(found, key=lambda session: session.name)

    def expected_calls(self, persona: str) -> tuple[Call, ...]:
        """What the catalogue promises a persona; nothing for a persona it does not know."""
        return self.expected.calls(persona)

    def bootstrapped(self, what: str) -> str:
        """The name of what `cdk bootstrap` made in the account: `cfn-exec-role`, or the bucket of `assets`."""
        qualifier = self.expected.department.get("bootstrap", {}).get("qualifier", DEFAULT_QUALIFIER)
        return f"cdk-{qualifier}-{what}-{self.assembly.account}-{self.assembly.region}"

    @cached_property
    def passed_roles(self) -> dict[str, ExpectedPassedRole]:
        """The roles that the catalogue lets tools hand to services of AWS, by ARN."""
        return self.expected.passed_roles

    @cached_property
    def service_control(self) -> tuple[Policy, ...]:
        """The organisation's service control policies; empty without an organisation."""
        return () if self.organisation is None else service_control(self.organisation)

    @cached_property
    def _endpoint_by_prefix(self) -> dict[str, tuple[str, str]]:
        return {
            prefix: (str(endpoint["service"]), self.expected.regions(name)[prefix])
            for name, server in self.expected.servers.items()
            for endpoint in server.get("endpoints", [])
            for prefix in endpoint["prefixes"]
        }

    def endpoint_for(self, prefix: str) -> tuple[str, str]:
        """The endpoint (service, region) that carries an action prefix: the catalogue's, or the one of that name."""
        return self._endpoint_by_prefix.get(prefix, (prefix, self.assembly.region))

    @cached_property
    def gateways(self) -> dict[str, DeployedGateway]:
        """Every gateway by the persona whose runtimes it calls."""
        return gateways(self.assembly, self.runtimes)

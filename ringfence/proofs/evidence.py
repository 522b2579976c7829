"""What the proofs look at: an assembly, and the catalogue and department it claims to carry out."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ringfence.catalogue.catalogue import load_catalogue
from ringfence.department.department import Department, load_department
from ringfence.deployed.assembly import Assembly, Resource
from ringfence.deployed.gateways import DeployedGateway, gateways
from ringfence.deployed.problems import UnresolvedTemplate
from ringfence.deployed.roles import Endpoint, Role, endpoints, roles
from ringfence.iam.evaluator import Policy
from ringfence.proofs.promise import Call, HandedRole, Promise

_RUNTIME = "AWS::BedrockAgentCore::Runtime"
_NETWORK = "-network"


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


@dataclass(frozen=True)
class DeployedRuntime:
    """A runtime of the template with the rules in its zip.

    Attributes:
        persona: the persona its rules name.
        server: the server its rules name.
        rules: `runtime.json`.
        persona_role_arn: the role its environment tells it to assume.
    """

    resource: Resource
    persona: str
    server: str
    rules: Mapping[str, Any]
    persona_role_arn: str

    @property
    def sessions(self) -> list[Session]:
        """The session policy of every tool, and of every operation of a tool."""
        return [session for tool, entry in self.rules["tools"].items() for session in self._of_tool(tool, entry)]

    def _of_tool(self, tool: str, entry: Mapping[str, Any]) -> list[Session]:
        by_operation = (entry.get("operations") or {}).get("session_policies")
        documents = by_operation if by_operation is not None else {None: entry["session_policy"]}
        levels = (entry.get("operations") or {}).get("levels", {})
        return [
            Session(
                self.server,
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
        promise: Promise,
        department: Department,
        organisation: Assembly | None = None,
    ) -> None:
        self.assembly = assembly
        self.promise = promise
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
        name = department_of(assembly)
        # The project's own reading tells every mistake in the files; what they promise is read past it.
        department = load_department(name, catalogue=load_catalogue(root / "catalogue"), root=root / "departments")
        promise = Promise.read(name, catalogue=root / "catalogue", departments=root / "departments")
        above = None if organisation is None else Assembly.load(organisation)
        return cls(assembly, promise=promise, department=department, organisation=above)

    def beside(self, assembly: Assembly) -> Evidence:
        """Another assembly beside the same promises."""
        return Evidence(assembly, promise=self.promise, department=self.department, organisation=self.organisation)

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
        return tuple(self._runtime(resource) for resource in self.assembly.of_type(_RUNTIME))

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
        found = [session for runtime in self.runtimes if runtime.persona == persona for session in runtime.sessions]
        return sorted(found, key=lambda session: session.name)

    def promised(self, persona: str) -> tuple[Call, ...]:
        """What the catalogue promises a persona; nothing for a persona it does not know."""
        return self.promise.calls(persona)

    @cached_property
    def handed_roles(self) -> dict[str, HandedRole]:
        """The roles that the catalogue lets tools hand to services of AWS, by ARN."""
        return self.promise.handed_roles

    @cached_property
    def service_control(self) -> tuple[Policy, ...]:
        """The organisation's service control policies with AWS's own FullAWSAccess; empty without an organisation."""
        if self.organisation is None:
            return ()
        everything = {"Sid": "FullAWSAccess", "Effect": "Allow", "Action": "*", "Resource": "*"}
        documents: list[Mapping[str, Any]] = [{"Version": "2012-10-17", "Statement": [everything]}]
        for resource in self.organisation.of_type("AWS::Organizations::Policy"):
            if resource.properties["Type"] == "SERVICE_CONTROL_POLICY":
                content = resource.properties["Content"]
                documents.append(json.loads(content) if isinstance(content, str) else content)
        return tuple(Policy.parse(document) for document in documents)

    @cached_property
    def _endpoint_by_prefix(self) -> dict[str, tuple[str, str]]:
        return {
            prefix: (str(endpoint["service"]), self.promise.regions(name)[prefix])
            for name, server in self.promise.servers.items()
            for endpoint in server.get("endpoints", [])
            for prefix in endpoint["prefixes"]
        }

    def endpoint_for(self, prefix: str) -> tuple[str, str]:
        """The endpoint (service, region) that carries an action prefix: the catalogue's, or the one of that name."""
        return self._endpoint_by_prefix.get(prefix, (prefix, self.assembly.region))

    @cached_property
    def gateways(self) -> dict[str, DeployedGateway]:
        """Every gateway by the persona whose runtimes it calls.

        Raises:
            UnresolvedTemplate: a gateway calls the runtimes of no persona, or of several.
        """
        persona_of = {runtime.resource.arn: runtime.persona for runtime in self.runtimes}
        found = {}
        for gateway in gateways(self.assembly).values():
            personas = {persona_of.get(target.runtime_arn, "nobody") for target in gateway.targets}
            if len(personas) != 1 or "nobody" in personas:
                raise UnresolvedTemplate(
                    gateway.resource.stack, gateway.resource.logical_id, f"calls runtimes of {sorted(personas)}"
                )
            found[personas.pop()] = gateway
        return dict(sorted(found.items()))

    def _runtime(self, resource: Resource) -> DeployedRuntime:
        properties = resource.properties
        key = properties["AgentRuntimeArtifact"]["CodeConfiguration"]["Code"]["S3"]["Prefix"]
        rules = rules_in(self.assembly.asset(str(key)), "runtime.json")
        return DeployedRuntime(
            resource=resource,
            persona=str(rules["persona"]),
            server=str(rules["server"]),
            rules=rules,
            persona_role_arn=str(properties["EnvironmentVariables"]["RINGFENCE_PERSONA_ROLE_ARN"]),
        )


def department_of(assembly: Assembly) -> str:
    """The name of the department whose stacks these are.

    Raises:
        UnresolvedTemplate: there is no stack `ringfence-<department>-network`.
    """
    found = [name for name in assembly.stacks if name.startswith("ringfence-") and name.endswith(_NETWORK)]
    if len(found) != 1:
        raise UnresolvedTemplate(str(assembly.path), "manifest.json", "is not the assembly of one department")
    return found[0].removeprefix("ringfence-").removesuffix(_NETWORK)


def rules_in(archive: Path, name: str) -> dict[str, Any]:
    """A rule file out of a zip.

    Raises:
        UnresolvedTemplate: the zip does not hold it.
    """
    with zipfile.ZipFile(archive) as opened:
        try:
            rules: dict[str, Any] = json.loads(opened.read(name))
        except KeyError:
            raise UnresolvedTemplate(archive.name, name, "is missing in this zip") from None
    return rules

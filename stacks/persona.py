"""Everything that belongs to one persona."""

from __future__ import annotations

from constructs import Construct
from constructs.audit.audit_log_group import AuditLogGroup
from constructs.gateway.cedar_policies import GATEWAY_ARN, GATEWAY_URL, CedarPolicies
from constructs.gateway.gateway_rate_limit import GatewayRateLimit
from constructs.gateway.gateway_target import GatewayTarget, make_in_groups
from constructs.gateway.gateway_web_acl import GatewayWebAcl
from constructs.gateway.governed_gateway import GovernedGateway, SignIn
from constructs.gateway.interceptors import Callers, Interceptors
from constructs.identity.gateway_audience import GatewayAudience
from constructs.identity.host_clients import scope_of
from constructs.runtime.mcp_runtime import McpRuntime, RuntimePlacement
from constructs.runtime.passed_role import PassedRole
from constructs.runtime.persona_role import PersonaRole
from constructs.runtime.runtime_resource_policy import RuntimeResourcePolicy
from constructs.runtime.runtime_role import CallLog, PersonaRoleRef
from constructs.runtime.txn_token_key import TxnTokenKey
from ringfence.assets.zips import runtime_zip
from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.servers import Server, Tool
from ringfence.catalogue.shown.published import published_definition
from ringfence.compilers import cedar, iam, rules
from ringfence.compilers.passed_roles import passed_roles
from ringfence.department.department import Department
from ringfence.reading import names
from stacks.audit import AuditStack
from stacks.department_stack import DepartmentStack
from stacks.identity import IdentityStack
from stacks.network import NetworkStack


class PersonaStack(DepartmentStack):
    """One persona: its gateway and web ACL, its interceptors, its runtimes, its role, and the locks between them.

    Resources come in the order in which AWS needs them. What opens a way to a runtime, the gateway's target, comes when
    every guard stands.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        department: Department,
        catalogue: Catalogue,
        persona: str,
        network: NetworkStack,
        identity: IdentityStack,
        audit: AuditStack,
    ) -> None:
        """Composes the stack."""
        title = catalogue.personas[persona].title
        super().__init__(
            scope,
            construct_id,
            department=department,
            description=f"Ringfence {department.name}: the persona {title}, its gateway, runtimes, role and locks.",
        )
        self._catalogue, self._persona, self._title = catalogue, persona, title
        self._network, self._identity, self._audit = network, identity, audit
        self._name = f"ringfence-{department.name}-{persona}"
        self._word = _word(persona)
        self._role_ref = PersonaRoleRef(
            role_arn=names.persona_role_arn(department.account, department.name, persona),
            department=department.name,
            persona=persona,
        )
        # WAF writes only once log delivery may; the keeper of log groups stands in the network.
        self.add_stack_dependency(audit)
        self.add_stack_dependency(network)

        alias = names.txn_token_alias(department.name, persona)
        token_key = TxnTokenKey(
            self,
            f"{self._word}TxnToken",
            alias=alias,
            purpose=f"Signs the Txn-Tokens of the persona {title}.",
            number=department.txn_token_keys.get(persona, 1),
        )
        interceptors = self._interceptors(token_key)
        self._calls = AuditLogGroup(
            self,
            f"{self._word}Calls",
            name=names.runtime_records(department.name, persona),
            key=audit.log_key,
        )
        servers = catalogue.servers_of(persona, department)
        runtimes = {server.name: self._runtime(server, token_key) for server in servers}
        made = list(runtimes.values())
        for runtime in made[1:]:
            runtime.after(made[0])
        runtime_roles = [runtime.role_arn for runtime in made]
        token_key.admit(
            signer=interceptors.request.role.attr_arn,
            verifiers=runtime_roles,
            switched_by=names.switch_off_role_arn(department.account, department.name) if department.security else None,
        )
        PersonaRole(
            self,
            f"{self._word}Role",
            name=names.persona_role(department.name, persona),
            role_ref=self._role_ref,
            runtime_roles=runtime_roles,
            policies=iam.persona_policies(catalogue, department, persona),
            boundary=iam.persona_boundary(catalogue, department, persona),
        )
        for passed in passed_roles(catalogue, department, persona):
            PassedRole(self, f"{self._word}{_word(passed.key)}Role", compiled=passed)
        gateway = self._gateway(interceptors)
        web_acl = self._web_acl(gateway)
        GatewayRateLimit(
            self,
            f"{self._word}CallLimit",
            gateway_id=gateway.gateway_id,
            changing=catalogue.changing(persona, department),
        )
        invoke_policy = gateway.role.allow_invoking([runtime.arn for runtime in made])
        targets = [self._target(server, runtimes[server.name], gateway) for server in servers]
        for target in targets:
            target.after(invoke_policy, web_acl.association, web_acl.callers)
        make_in_groups(targets)
        CedarPolicies(
            self,
            self._word,
            gateway=gateway,
            targets=targets,
            policies=cedar.permit_statements(catalogue, department, persona, GATEWAY_ARN, GATEWAY_URL),
        )
        GatewayAudience(
            self,
            f"{self._word}Audience",
            user_pool_id=identity.user_pool_id,
            gateway_url=gateway.url,
            title=title,
        )
        self.tell("GatewayUrl", gateway.url, f"Where MCP hosts connect to work as {title}.")
        self.tell("Scope", f"openid {scope_of(persona)}", f"What MCP hosts ask for at sign-in, to work as {title}.")
        name = names.server_names(department.personas)[persona]
        self.tell(
            "ServerName", name, "What MCP hosts call this server; it is short, since it precedes each tool's name."
        )
        self.tell("TxnTokenKeyAlias", alias, f"The key that vouches for each call of {title}; disabled, none begins.")

    def _interceptors(self, token_key: TxnTokenKey) -> Interceptors:
        return Interceptors(
            self,
            f"{self._word}Interceptor",
            persona=self._persona,
            rules=rules.to_json(rules.interceptor_rules(self._catalogue, self.department, self._persona)),
            callers=Callers(issuer=self._identity.issuer, client_ids=list(self._identity.client_ids.values())),
            token_key=token_key,
            placement=self._network.placement,
        )

    def _runtime(self, server: Server, token_key: TxnTokenKey) -> McpRuntime:
        compiled = rules.runtime_rules(self._catalogue, self.department, self._persona, server.name)
        runtime = McpRuntime(
            self,
            f"{self._word}{_word(server.name)}Runtime",
            name=names.runtime(self.department.name, self._persona, server.name),
            purpose=f"{server.title} ({server.package} {server.version}) for the persona {self._title}.",
            code=runtime_zip(server.name, files={"runtime.json": rules.to_json(compiled)}),
            call_log=CallLog(names.runtime_records(self.department.name, self._persona), server.name),
            role_ref=self._role_ref,
            token_key_arn=token_key.arn,
            placement=RuntimePlacement(
                subnet_ids=self._network.subnet_ids,
                security_group_id=self._network.runtime_security_group_id,
                log_key=self._audit.log_key,
                log_group_keeper_arn=self._network.runtime_log_group_keeper_arn,
                boundary=self._audit.boundary,
                asset_key_arn=self.department.bootstrap.key_arn,
            ),
        )
        # A call that cannot be recorded is not answered.
        runtime.resource.add_resource_dependency(self._calls.log_group)
        runtime.show_tools(
            self._tools(server),
            sensitive=self.department.sensitive_reasons(self._persona, server.name),
            enabled=self.department.enabled(self._persona).get(server.name, ""),
        )
        return runtime

    def _gateway(self, interceptors: Interceptors) -> GovernedGateway:
        return GovernedGateway(
            self,
            f"{self._word}Gateway",
            name=names.gateway(self.department.name, self._persona),
            purpose=f"The tools of the persona {self._title} for {self.department.name}.",
            sign_in=SignIn(
                discovery_url=self._identity.discovery_url,
                client_ids=list(self._identity.client_ids.values()),
                scope=scope_of(self._persona),
                group=self._persona,
            ),
            interceptors=interceptors.pair,
            data_key=self._audit.data_key,
            boundary=self._audit.boundary,
        )

    def _web_acl(self, gateway: GovernedGateway) -> GatewayWebAcl:
        return GatewayWebAcl(
            self,
            f"{self._word}Door",  # its log group holds two years: another logical id would be another log group
            name=self._name,
            gateway=gateway,
            allowed_networks=self.department.ingress.allowed_networks,
            rate_per_minute=self.department.ingress.rate_per_minute,
            deployment_role_arn=self._deployment_role_arn(),
            log_key=self._audit.log_key,
        )

    def _deployment_role_arn(self) -> str:
        account = self.department.account
        return f"arn:aws:iam::{account}:role/{self.department.bootstrap.deployment_role(account)}"

    def _target(self, server: Server, runtime: McpRuntime, gateway: GovernedGateway) -> GatewayTarget:
        invoker = RuntimeResourcePolicy(
            self,
            f"{self._word}{_word(server.name)}SoleInvoker",
            runtime_arn=runtime.arn,
            role_arn=gateway.role.arn,
        )
        target = GatewayTarget(
            self,
            f"{self._word}{_word(server.name)}Target",
            server=server.name,
            purpose=f"{server.title} for the persona {self._title}.",
            gateway_id=gateway.gateway_id,
            runtime=runtime,
            definitions=[published_definition(server, tool) for tool in self._tools(server)],
        )
        target.after(*invoker.policies)
        return target

    def _tools(self, server: Server) -> list[Tool]:
        return [
            tool for owner, tool in self._catalogue.granted(self._persona, self.department) if owner.name == server.name
        ]


def _word(name: str) -> str:
    """Returns a name as one word of a logical id: `account-inspector` as `AccountInspector`."""
    return "".join(part.capitalize() for part in name.split("-"))

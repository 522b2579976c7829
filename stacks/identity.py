"""Who may come, as whom, and with what in their token."""

from __future__ import annotations

import json

from constructs import Construct
from constructs.identity.department_user_pool import DepartmentUserPool
from constructs.identity.federation import Federation
from constructs.identity.host_clients import RESOURCE_SERVER, HostClients
from constructs.isolated_function import Code, IsolatedFunction
from ringfence.assets.zips import function_zip
from ringfence.catalogue.catalogue import Catalogue
from ringfence.department.department import Department
from stacks.audit import AuditStack
from stacks.department_stack import DepartmentStack
from stacks.network import NetworkStack


class IdentityStack(DepartmentStack):
    """The user pool, the department's provider, the MCP hosts' clients and the function that fills each token."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        department: Department,
        catalogue: Catalogue,
        network: NetworkStack,
        audit: AuditStack,
    ) -> None:
        """Composes the stack."""
        super().__init__(
            scope,
            construct_id,
            department=department,
            description=f"Ringfence {department.name}: sign-in, federation, MCP hosts and tokens.",
        )
        # The sign-in record is written by log delivery, whose permission is in the audit stack.
        self.add_stack_dependency(audit)
        personas = {name: catalogue.personas[name].description for name in department.personas}
        pre_token = IsolatedFunction(
            self,
            "PreToken",
            name="pre-token",
            purpose="Turns the department's groups into personas and adds the staff identifier to each token.",
            code=Code(
                asset=function_zip("pre_token", files={}),
                handler="pre_token.handler.handler",
                environment={
                    "GROUPS": json.dumps(department.groups, sort_keys=True),
                    **_names_of_groups(department),
                    "SCOPE_PREFIX": f"{RESOURCE_SERVER}/",
                    "POWERTOOLS_SERVICE_NAME": "ringfence-pre-token",
                },
            ),
            placement=network.placement,
        )
        pool = DepartmentUserPool(
            self,
            "UserPool",
            name=f"ringfence-{department.name}",
            domain_prefix=department.identity.domain_prefix,
            personas=personas,
            pre_token=pre_token,
            log_group_name=f"/ringfence/{department.name}/sign-ins",
        )
        federation = Federation(self, "IdentityProvider", user_pool_id=pool.id, identity=department.identity)
        clients = HostClients(self, "Host", pool=pool, federation=federation, personas=personas, hosts=department.hosts)
        self.user_pool_id = pool.id
        self.issuer = pool.issuer
        self.discovery_url = pool.discovery_url
        self.client_ids = clients.ids
        self._tell_hosts_and_provider(pool, federation)

    def _tell_hosts_and_provider(self, pool: DepartmentUserPool, federation: Federation) -> None:
        self.tell("UserPoolId", pool.id, "The user pool that signs everybody's tokens.")
        self.tell("SignInIssuer", pool.issuer, "The issuer of the tokens, for MCP hosts that ask for it.")
        self.tell(
            "SignInUrl",
            pool.sign_in_url,
            "Where people sign in; its paths /oauth2/authorize and /oauth2/token are for hosts.",
        )
        endpoints = {"Authorization": "authorize", "Token": "token"}
        for name, path in endpoints.items():
            self.tell(
                f"{name}Endpoint", f"{pool.sign_in_url}/oauth2/{path}", f"The {name.lower()} endpoint, for hosts."
            )
        self.tell("SignInMetadataUrl", pool.discovery_url, "The sign-in's metadata, for hosts that do not find it.")
        for host, client_id in self.client_ids.items():
            self.tell(f"{_word(host)}ClientId", client_id, f"The client id of the MCP host {host}; it has no secret.")
        if federation.return_path:
            where = f"{pool.sign_in_url}{federation.return_path}"
            self.tell("ProviderReturnUrl", where, "To be registered at the department's provider as return address.")
        if federation.audience:
            meaning = "To be registered at the department's provider as audience (entity id)."
            self.tell("ProviderAudience", federation.audience, meaning)


def _word(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _names_of_groups(department: Department) -> dict[str, str]:
    """Whether names out of a list of groups that is no JSON count, as the pre-token function reads it."""
    return {"GROUP_NAMES": "plain"} if getattr(department.identity, "plain_names", None) else {}

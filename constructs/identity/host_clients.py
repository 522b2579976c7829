"""The MCP hosts that may ask for tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito

from constructs import Construct
from constructs.identity.department_user_pool import GROUPS_ATTRIBUTE, STAFF_ID_ATTRIBUTE, DepartmentUserPool
from constructs.identity.federation import Federation
from constructs.review_notes import serves
from ringfence.department.department import Host

RESOURCE_SERVER: Final = "ringfence"
ACCESS_MINUTES: Final = 15
REFRESH_HOURS: Final = 8


def scope_of(persona: str) -> str:
    """Returns the OAuth scope with which a host asks to work as a persona."""
    return f"{RESOURCE_SERVER}/{persona}"


class HostClients(Construct):
    """One public client for each MCP host: authorization code with PKCE, no secret, tokens for a quarter of an hour.

    A host asks for one scope, `ringfence/<persona>`, and so for one persona at a time.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pool: DepartmentUserPool,
        federation: Federation,
        personas: Mapping[str, str],
        hosts: Sequence[Host],
    ) -> None:
        """Makes the resource server and the clients.

        Args:
            personas: name -> what the persona is for, which the consent page shows.
        """
        super().__init__(scope, construct_id)
        self._pool = pool
        self._federation = federation
        server = cognito.CfnUserPoolResourceServer(
            self,
            "ToolScopes",
            user_pool_id=pool.id,
            identifier=RESOURCE_SERVER,
            name="Ringfence tools",
            scopes=[
                cognito.CfnUserPoolResourceServer.ResourceServerScopeTypeProperty(
                    scope_name=persona, scope_description=purpose
                )
                for persona, purpose in personas.items()
            ],
        )
        scopes = ["openid", *map(scope_of, personas)]
        clients = {host.name: self._client(host, scopes) for host in hosts}
        for client in clients.values():
            # Scopes are named by plain strings, in which CloudFormation sees no order.
            client.add_resource_dependency(server)
        # A pool changes one of these at a time, and another persona's scope changes every client.
        one_at_a_time: list[cdk.CfnResource] = [pool.domain, *clients.values()]
        if federation.provider:  # which every client refers to, and so comes after
            federation.provider.add_resource_dependency(pool.domain)
            del one_at_a_time[0]
        for earlier, later in pairwise(one_at_a_time):
            later.add_resource_dependency(earlier)
        self.ids = {name: client.ref for name, client in clients.items()}

    def _client(self, host: Host, scopes: list[str]) -> cognito.CfnUserPoolClient:
        properties = cognito.CfnUserPoolClient
        federated = self._federation.sign_in_with != "COGNITO"
        attributes = [f"custom:{GROUPS_ATTRIBUTE}", f"custom:{STAFF_ID_ATTRIBUTE}"]
        client = cognito.CfnUserPoolClient(
            self,
            "".join(part.capitalize() for part in host.name.split("-")),
            user_pool_id=self._pool.id,
            client_name=host.name,
            generate_secret=False,
            allowed_o_auth_flows_user_pool_client=True,
            allowed_o_auth_flows=["code"],
            allowed_o_auth_scopes=scopes,
            callback_ur_ls=[str(url) for url in host.callback_urls],
            supported_identity_providers=[self._federation.sign_in_with],
            # Cognito's default would admit passwords through its API, past the sign-in page. An empty list means the
            # default, so a federated client names the one flow that needs a function this pool does not have.
            explicit_auth_flows=["ALLOW_CUSTOM_AUTH" if federated else "ALLOW_USER_SRP_AUTH"],
            # A provider can only fill what the client may write. Without one nobody may: people could hand
            # themselves a group.
            write_attributes=attributes if federated else ["name"],
            read_attributes=attributes,
            access_token_validity=ACCESS_MINUTES,
            id_token_validity=ACCESS_MINUTES,
            refresh_token_validity=REFRESH_HOURS,
            token_validity_units=properties.TokenValidityUnitsProperty(
                access_token="minutes",  # noqa: S106 - a unit
                id_token="minutes",  # noqa: S106 - a unit
                refresh_token="hours",  # noqa: S106 - a unit
            ),
            refresh_token_rotation=properties.RefreshTokenRotationProperty(
                feature="ENABLED", retry_grace_period_seconds=10
            ),
            auth_session_validity=3,
            enable_token_revocation=True,
            prevent_user_existence_errors="ENABLED",
        )
        # A host comes and goes; an export that a persona imports could not.
        cdk.CrossStackReferences.of(client).produce(cdk.ReferenceStrength.WEAK)
        serves(client, "Identity: public client, code flow with PKCE, 15-minute tokens, rotated refresh tokens.")
        return client

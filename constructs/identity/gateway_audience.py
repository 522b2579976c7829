"""What lets a token be bound to one gateway."""

from __future__ import annotations

from aws_cdk import aws_cognito as cognito

from constructs import Construct
from constructs.review_notes import serves


class GatewayAudience(Construct):
    """A resource server of the user pool that is called as its gateway is.

    MCP hosts name the server that they want a token for (`resource`, RFC 8707), and Cognito makes the name the token's
    `aud`, which the gateway's policies compare. By AWS's page on the authorize endpoint it may be a resource server's
    identifier or a URL of the host's choosing; a user reports `invalid_grant` for a name that no resource server has
    (PrefectHQ/fastmcp, pull request 2149; both read 29 November 2026). With this one, a host gets in by either reading.
    It has no scopes: personas' own are asked for as before.
    """

    def __init__(self, scope: Construct, construct_id: str, *, user_pool_id: str, gateway_url: str, title: str) -> None:
        """Makes the resource server.

        Args:
            gateway_url: where hosts connect, and so what they send as `resource`.
        """
        super().__init__(scope, construct_id)
        resource = cognito.CfnUserPoolResourceServer(
            self,
            "Default",
            user_pool_id=user_pool_id,
            identifier=gateway_url,
            name=f"Ringfence gateway of {title}",
        )
        serves(resource, "Identity: a token that a host asks for this gateway is good at no other.")

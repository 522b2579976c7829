"""The policy enforcement point of one persona: an AgentCore gateway with everything switched the safe way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct
from constructs.gateway.gateway_role import GatewayRole, InterceptorPair
from constructs.review_notes import serves

MCP_VERSIONS: Final = ("2025-06-18", "2025-11-25")
SESSION_SECONDS: Final = 60 * 60


@dataclass(frozen=True)
class SignIn:
    """Whose tokens the gateway accepts.

    Attributes:
        discovery_url: the user pool's OpenID configuration.
        client_ids: MCP hosts; Cognito's access tokens carry no audience, so the client stands for it.
        scope: what the token must have been asked for.
        group: what the token's `cognito:groups` must hold: the persona.
    """

    discovery_url: str
    client_ids: Sequence[str]
    scope: str
    group: str


class GovernedGateway(Construct):
    """A gateway that decides with Cedar in ENFORCE, with its own role, for one persona.

    Off, and to stay off: response streaming, because notifications in a stream would pass the response interceptor by;
    semantic search, which adds a tool of its own; debug errors, which would show the inside to callers.

    `WafConfiguration` is left out: `CreateGateway` has no such field (botocore 1.44.5), and `UpdateGateway` refuses it
    until a web ACL is associated, which needs the gateway first (hashicorp/terraform-provider-aws, issue 48710 and pull
    request 48903, read 28 November 2026). Without it the service fails closed by its own default, according to
    awslabs/nx-plugin-for-aws, pull request 890.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        purpose: str,
        sign_in: SignIn,
        interceptors: InterceptorPair,
        data_key: kms.IKey,
        boundary: iam.IManagedPolicy,
    ) -> None:
        """Makes the policy engine, the role and the gateway, in this order."""
        super().__init__(scope, construct_id)
        self.name = name
        self.engine = agentcore.CfnPolicyEngine(
            self,
            "PolicyEngine",
            name=name.replace("-", "_"),
            description=f"Decides every tool call. {purpose}",
            encryption_key_arn=data_key.key_arn,
        )
        self.role = GatewayRole(
            self,
            "Service",
            gateway_name=name,
            engine_arn=self.engine.attr_policy_engine_arn,
            interceptors=interceptors,
            data_key=data_key,
            boundary=boundary,
        )
        self.resource = agentcore.CfnGateway(
            self,
            "Resource",
            name=name,
            description=purpose,
            role_arn=self.role.arn,
            authorizer_type="CUSTOM_JWT",
            authorizer_configuration=_authorizer(sign_in),
            protocol_type="MCP",
            protocol_configuration=_protocol(),
            interceptor_configurations=[
                _interceptor(interceptors.request_arn, "REQUEST"),
                _interceptor(interceptors.response_arn, "RESPONSE"),
            ],
            policy_engine_configuration=agentcore.CfnGateway.GatewayPolicyEngineConfigurationProperty(
                arn=self.engine.attr_policy_engine_arn, mode="ENFORCE"
            ),
            kms_key_arn=data_key.key_arn,
        )
        # The gateway asks its engine while it is created.
        self.resource.add_resource_dependency(self.role.policy)
        serves(self.resource, "Access control: token, interceptors and Cedar in ENFORCE stand before every tool call.")
        serves(self.engine, "Access control: default deny; one permit a tool, compiled from the catalogue.")

    @property
    def arn(self) -> str:
        """The gateway's ARN."""
        return self.resource.attr_gateway_arn

    @property
    def gateway_id(self) -> str:
        """The gateway's id."""
        return self.resource.attr_gateway_identifier

    @property
    def url(self) -> str:
        """Where MCP hosts connect."""
        return self.resource.attr_gateway_url


def _authorizer(sign_in: SignIn) -> agentcore.CfnGateway.AuthorizerConfigurationProperty:
    gateway = agentcore.CfnGateway
    group = gateway.CustomClaimValidationTypeProperty(
        inbound_token_claim_name="cognito:groups",  # noqa: S106 - the claim's name
        inbound_token_claim_value_type="STRING_ARRAY",  # noqa: S106 - a type, not a secret
        authorizing_claim_match_value=gateway.AuthorizingClaimMatchValueTypeProperty(
            claim_match_operator="CONTAINS",
            claim_match_value=gateway.ClaimMatchValueTypeProperty(match_value_string=sign_in.group),
        ),
    )
    return gateway.AuthorizerConfigurationProperty(
        custom_jwt_authorizer=gateway.CustomJWTAuthorizerConfigurationProperty(
            discovery_url=sign_in.discovery_url,
            allowed_clients=list(sign_in.client_ids),
            allowed_scopes=[sign_in.scope],
            custom_claims=[group],
        )
    )


def _protocol() -> agentcore.CfnGateway.GatewayProtocolConfigurationProperty:
    gateway = agentcore.CfnGateway
    return gateway.GatewayProtocolConfigurationProperty(
        mcp=gateway.MCPGatewayConfigurationProperty(
            supported_versions=list(MCP_VERSIONS),
            # The gateway binds a session to its user, and keeps one microVM for it.
            session_configuration=gateway.SessionConfigurationProperty(session_timeout_in_seconds=SESSION_SECONDS),
            streaming_configuration=gateway.StreamingConfigurationProperty(enable_response_streaming=False),
        )
    )


def _interceptor(arn: str, point: str) -> agentcore.CfnGateway.GatewayInterceptorConfigurationProperty:
    gateway = agentcore.CfnGateway
    return gateway.GatewayInterceptorConfigurationProperty(
        interception_points=[point],
        interceptor=gateway.InterceptorConfigurationProperty(
            lambda_=gateway.LambdaInterceptorConfigurationProperty(arn=arn)
        ),
        # Without the headers the functions would see no token, hence no person.
        input_configuration=gateway.InterceptorInputConfigurationProperty(pass_request_headers=True),
    )

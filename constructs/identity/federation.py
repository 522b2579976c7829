"""The department's own identity provider."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_cognito as cognito

from constructs import Construct
from constructs.identity.department_user_pool import GROUPS_ATTRIBUTE, STAFF_ID_ATTRIBUTE
from constructs.review_notes import serves
from ringfence.department.identity import LocalIdentity, OidcIdentity, SamlIdentity

PROVIDER_NAME: Final = "Department"

# Cognito developer guide, its pages on the endpoints saml2/idpresponse and oauth2/idpresponse and on configuring a SAML
# provider, read 28 November 2026.
_RETURN_PATHS: Final = {"oidc": "/oauth2/idpresponse", "saml": "/saml2/idpresponse", "none": ""}
_SAML_AUDIENCE: Final = "urn:amazon:cognito:sp:"


class Federation(Construct):
    """The provider that people sign in with, or none: then they are made in the pool by hand.

    The provider's groups and staff identifier land in two custom attributes; the pre-token function makes persona and
    `SourceIdentity` of them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        user_pool_id: str,
        identity: OidcIdentity | SamlIdentity | LocalIdentity,
    ) -> None:
        """Makes the provider."""
        super().__init__(scope, construct_id)
        self.sign_in_with = "COGNITO"
        self.provider: cognito.CfnUserPoolIdentityProvider | None = None
        self.return_path = _RETURN_PATHS[identity.provider]
        self.audience = f"{_SAML_AUDIENCE}{user_pool_id}" if isinstance(identity, SamlIdentity) else ""
        if isinstance(identity, LocalIdentity):
            return
        if isinstance(identity, OidcIdentity):
            kind, details = "OIDC", _oidc(identity)
            groups, staff_id = identity.groups_claim, identity.staff_id_claim
        else:
            kind, details = "SAML", _saml(identity)
            groups, staff_id = identity.groups_attribute, identity.staff_id_attribute
        self.provider = cognito.CfnUserPoolIdentityProvider(
            self,
            "Resource",
            user_pool_id=user_pool_id,
            provider_name=PROVIDER_NAME,
            provider_type=kind,
            provider_details=details,
            attribute_mapping={f"custom:{GROUPS_ATTRIBUTE}": groups, f"custom:{STAFF_ID_ATTRIBUTE}": staff_id},
        )
        serves(
            self.provider, "Identity: people sign in with the department's own provider, its MFA and leavers process."
        )
        self.sign_in_with = self.provider.ref


def _oidc(identity: OidcIdentity) -> dict[str, str]:
    secret = f"{identity.client_secret_name}:SecretString:::{identity.client_secret_version}"
    return {
        "client_id": identity.client_id,
        # Resolved by CloudFormation in the account; the template never holds the secret.
        "client_secret": f"{{{{resolve:secretsmanager:{secret}}}}}",
        "oidc_issuer": str(identity.issuer),
        "authorize_scopes": "openid profile",
        "attributes_request_method": "GET",
    }


def _saml(identity: SamlIdentity) -> dict[str, str]:
    return {
        "MetadataURL": str(identity.metadata_url),
        "IDPSignout": "true",
        "RequestSigningAlgorithm": "rsa-sha256",
    }

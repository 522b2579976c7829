"""Where people get the tokens that the gateways accept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_lambda as lambda_

from constructs import Construct
from constructs.audit.audit_log_group import AuditLogGroup
from constructs.isolated_function import IsolatedFunction
from constructs.review_notes import acknowledge, serves
from ringfence.reading.region import REGION

GROUPS_ATTRIBUTE: Final = "groups"
STAFF_ID_ATTRIBUTE: Final = "staff_id"


class DepartmentUserPool(Construct):
    """A Cognito user pool that nobody can sign up to, with MFA, threat protection and a sign-in record.

    Cognito's own MFA and threat protection look after people made in the pool; people who come from the department's
    identity provider are protected there, and Cognito only signs their tokens.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        domain_prefix: str,
        personas: Mapping[str, str],
        pre_token: IsolatedFunction,
        log_group_name: str,
    ) -> None:
        """Makes the pool, its domain, a group for each persona and the sign-in record.

        Args:
            personas: name -> what the persona is for.
        """
        super().__init__(scope, construct_id)
        self.pool = self._pool(name, pre_token)
        self.id = self.pool.ref
        self.issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{self.id}"
        self.discovery_url = f"{self.issuer}/.well-known/openid-configuration"
        # Cognito developer guide, "User pool endpoints and managed login reference", read 28 November 2026.
        self.sign_in_url = f"https://{domain_prefix}.auth.{REGION}.amazoncognito.com"
        lambda_.CfnPermission(
            self,
            "MayCallPreToken",
            action="lambda:InvokeFunction",
            function_name=pre_token.function.attr_arn,
            principal="cognito-idp.amazonaws.com",
            source_arn=self.pool.attr_arn,
            source_account=cdk.Stack.of(self).account,
        )
        self.domain = cognito.CfnUserPoolDomain(
            self, "Domain", user_pool_id=self.id, domain=domain_prefix, managed_login_version=1
        )
        for persona, purpose in personas.items():
            cognito.CfnUserPoolGroup(
                self, f"{persona.capitalize()}Group", user_pool_id=self.id, group_name=persona, description=purpose
            )
        self._threat_response()
        self._sign_in_record(log_group_name)

    def _pool(self, name: str, pre_token: IsolatedFunction) -> cognito.CfnUserPool:
        properties = cognito.CfnUserPool
        pool = cognito.CfnUserPool(
            self,
            "Resource",
            user_pool_name=name,
            user_pool_tier="PLUS",
            user_pool_add_ons=properties.UserPoolAddOnsProperty(
                advanced_security_mode="ENFORCED",
                advanced_security_additional_flows=properties.AdvancedSecurityAdditionalFlowsProperty(
                    custom_auth_mode="ENFORCED"
                ),
            ),
            mfa_configuration="ON",
            enabled_mfas=["SOFTWARE_TOKEN_MFA"],
            policies=properties.PoliciesProperty(
                password_policy=properties.PasswordPolicyProperty(
                    minimum_length=14,
                    require_lowercase=True,
                    require_numbers=True,
                    require_symbols=True,
                    require_uppercase=True,
                    password_history_size=24,
                    temporary_password_validity_days=1,
                )
            ),
            admin_create_user_config=properties.AdminCreateUserConfigProperty(allow_admin_create_user_only=True),
            account_recovery_setting=properties.AccountRecoverySettingProperty(
                recovery_mechanisms=[properties.RecoveryOptionProperty(name="admin_only", priority=1)]
            ),
            username_configuration=properties.UsernameConfigurationProperty(case_sensitive=False),
            # Both are set anew by the identity provider at every sign-in, so they must be mutable; which client may
            # write them is decided in `HostClients`.
            schema=[_text(GROUPS_ATTRIBUTE, 2048), _text(STAFF_ID_ATTRIBUTE, 64)],
            lambda_config=properties.LambdaConfigProperty(
                pre_token_generation_config=properties.PreTokenGenerationConfigProperty(
                    # Version 2 is the first that may change access tokens.
                    lambda_arn=pre_token.function.attr_arn,
                    lambda_version="V2_0",
                )
            ),
            deletion_protection="ACTIVE",
        )
        pool.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        serves(pool, "Identity: MFA required, no self sign-up, threat protection enforced, deletion protected.")
        return pool

    def _threat_response(self) -> None:
        properties = cognito.CfnUserPoolRiskConfigurationAttachment
        action = properties.AccountTakeoverActionTypeProperty
        cognito.CfnUserPoolRiskConfigurationAttachment(
            self,
            "ThreatResponse",
            user_pool_id=self.id,
            client_id="ALL",
            compromised_credentials_risk_configuration=(
                properties.CompromisedCredentialsRiskConfigurationTypeProperty(
                    actions=properties.CompromisedCredentialsActionsTypeProperty(event_action="BLOCK")
                )
            ),
            account_takeover_risk_configuration=properties.AccountTakeoverRiskConfigurationTypeProperty(
                actions=properties.AccountTakeoverActionsTypeProperty(
                    high_action=action(event_action="BLOCK", notify=False),
                    medium_action=action(event_action="MFA_REQUIRED", notify=False),
                    low_action=action(event_action="MFA_REQUIRED", notify=False),
                )
            ),
        )

    def _sign_in_record(self, log_group_name: str) -> None:
        log_group = AuditLogGroup(self, "SignInLogGroup", name=log_group_name, key=None)
        acknowledge(
            log_group.log_group,
            "Cognito refuses any other: the group it writes to must not be encrypted with AWS KMS (Cognito API, "
            "CloudWatchLogsConfigurationType, read 28 November 2026). CloudWatch Logs encrypts it with its own key "
            "and masks it as every group.",
            "NIST.800.53.R5-CloudWatchLogGroupEncrypted",
            "ringfence::GOV-KEY-1",
        )
        properties = cognito.CfnLogDeliveryConfiguration
        record = cognito.CfnLogDeliveryConfiguration(
            self,
            "SignInLog",
            user_pool_id=self.id,
            log_configurations=[
                properties.LogConfigurationProperty(
                    event_source="userAuthEvents",
                    log_level="INFO",
                    cloud_watch_logs_configuration=properties.CloudWatchLogsConfigurationProperty(
                        log_group_arn=log_group.arn_without_streams
                    ),
                )
            ],
        )
        serves(record, "Audit: sign-ins of people made in the pool; beside a federated pool, any at all is an alarm.")


def _text(name: str, longest: int) -> cognito.CfnUserPool.SchemaAttributeProperty:
    return cognito.CfnUserPool.SchemaAttributeProperty(
        name=name,
        attribute_data_type="String",
        mutable=True,
        string_attribute_constraints=cognito.CfnUserPool.StringAttributeConstraintsProperty(
            min_length="0", max_length=str(longest)
        ),
    )

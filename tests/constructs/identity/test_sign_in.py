"""The user pool, the department's provider and the MCP hosts' clients."""

from __future__ import annotations

from typing import Any

import pytest

from constructs.identity.department_user_pool import DepartmentUserPool
from constructs.identity.federation import Federation
from constructs.identity.host_clients import HostClients
from constructs.isolated_function import Code, IsolatedFunction
from ringfence.department.department import Host
from ringfence.department.identity import LocalIdentity, OidcIdentity, SamlIdentity

PERSONAS = {"auditor": "Looks and changes nothing."}
OIDC = OidcIdentity(
    provider="oidc",
    domain_prefix="ringfence-example",
    issuer="https://login.example.org/department",
    client_id="ringfence",
    client_secret_name="ringfence/example/oidc-client-secret",
    client_secret_version="00000000-0000-4000-8000-000000000000",
    groups_claim="roles",
    staff_id_claim="employee_id",
)
SAML = SamlIdentity(
    provider="saml",
    domain_prefix="ringfence-example",
    metadata_url="https://login.example.org/metadata.xml",
    groups_attribute="Groups",
    staff_id_attribute="StaffId",
)
NONE = LocalIdentity(provider="none", domain_prefix="ringfence-example")


def sign_in(bench: Any, identity: OidcIdentity | SamlIdentity | LocalIdentity) -> dict[str, Any]:
    code = Code(asset=bench.code, handler="pre_token.handler.handler", environment={})
    pool = DepartmentUserPool(
        bench.stack,
        "UserPool",
        name="ringfence-example-production",
        domain_prefix=identity.domain_prefix,
        personas=PERSONAS,
        pre_token=IsolatedFunction(
            bench.stack, "PreToken", name="pre-token", purpose="x", code=code, placement=bench.placement
        ),
        log_group_name="/ringfence/example-production/sign-ins",
    )
    HostClients(
        bench.stack,
        "Host",
        pool=pool,
        federation=Federation(bench.stack, "IdentityProvider", user_pool_id=pool.id, identity=identity),
        personas=PERSONAS,
        hosts=[Host(kind="custom", name="desktop-assistant", callback_urls=["http://localhost:33418/callback"])],
    )
    return {name: each["Properties"] for name, each in bench.template["Resources"].items()}


def test_people_cannot_sign_up_and_need_a_second_factor(bench: Any) -> None:
    pool = sign_in(bench, OIDC)["UserPool"]

    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("ON", ["SOFTWARE_TOKEN_MFA"])
    assert (pool["UserPoolTier"], pool["UserPoolAddOns"]["AdvancedSecurityMode"]) == ("PLUS", "ENFORCED")
    assert pool["DeletionProtection"] == "ACTIVE"


def test_threats_are_blocked_and_sign_ins_recorded(bench: Any) -> None:
    resources = sign_in(bench, OIDC)

    response = resources["UserPoolThreatResponse"]
    assert response["CompromisedCredentialsRiskConfiguration"]["Actions"]["EventAction"] == "BLOCK"
    actions = response["AccountTakeoverRiskConfiguration"]["Actions"]
    assert {name: action["EventAction"] for name, action in actions.items()} == {
        "HighAction": "BLOCK",
        "MediumAction": "MFA_REQUIRED",
        "LowAction": "MFA_REQUIRED",
    }
    (record,) = resources["UserPoolSignInLog"]["LogConfigurations"]
    assert (record["EventSource"], record["LogLevel"]) == ("userAuthEvents", "INFO")


def test_the_sign_in_record_has_the_one_log_group_that_cognito_accepts(bench: Any) -> None:
    resources = sign_in(bench, OIDC)

    # Cognito API, CloudWatchLogsConfigurationType: the log group must not be encrypted with AWS KMS.
    group = resources["UserPoolSignInLogGroup"]
    assert "KmsKeyId" not in group
    assert (group["RetentionInDays"], group["DeletionProtectionEnabled"]) == (731, True)
    assert "DataProtectionPolicy" in group
    (record,) = resources["UserPoolSignInLog"]["LogConfigurations"]
    assert "UserPoolSignInLogGroup" in str(record["CloudWatchLogsConfiguration"]["LogGroupArn"])


def test_only_this_pool_may_call_the_function_that_fills_access_tokens(bench: Any) -> None:
    resources = sign_in(bench, OIDC)

    assert resources["UserPool"]["LambdaConfig"]["PreTokenGenerationConfig"] == {
        "LambdaArn": {"Fn::GetAtt": ["PreTokenFunction", "Arn"]},
        "LambdaVersion": "V2_0",
    }
    permission = resources["UserPoolMayCallPreToken"]
    assert permission["SourceArn"] == {"Fn::GetAtt": ["UserPool", "Arn"]}
    assert permission["SourceAccount"] == "111122223333"


def test_a_host_is_a_public_client_with_code_flow_and_short_tokens(bench: Any) -> None:
    client = sign_in(bench, OIDC)["HostDesktopAssistant"]

    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["AllowedOAuthScopes"] == ["openid", "ringfence/auditor"]
    assert (client["AccessTokenValidity"], client["TokenValidityUnits"]["AccessToken"]) == (15, "minutes")
    assert client["RefreshTokenRotation"]["Feature"] == "ENABLED"
    assert client["EnableTokenRevocation"] is True
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert "aws.cognito.signin.user.admin" not in client["AllowedOAuthScopes"], "its holder could edit their attributes"


@pytest.mark.parametrize("identity", [OIDC, SAML], ids=["oidc", "saml"])
def test_with_a_provider_there_is_no_other_way_in(bench: Any, identity: OidcIdentity | SamlIdentity) -> None:
    client = sign_in(bench, identity)["HostDesktopAssistant"]

    assert client["SupportedIdentityProviders"] == [{"Ref": "IdentityProvider"}]
    # The pool has no function for this flow, and none of the password flows is open.
    assert client["ExplicitAuthFlows"] == ["ALLOW_CUSTOM_AUTH"]


def test_the_oidc_secret_is_a_reference_and_claims_become_attributes(bench: Any) -> None:
    provider = sign_in(bench, OIDC)["IdentityProvider"]

    assert provider["ProviderDetails"]["client_secret"] == (
        "{{resolve:secretsmanager:ringfence/example/oidc-client-secret:SecretString:::00000000-0000-4000-8000-000000000000}}"
    )
    assert provider["ProviderDetails"]["oidc_issuer"] == "https://login.example.org/department"
    assert provider["AttributeMapping"] == {"custom:groups": "roles", "custom:staff_id": "employee_id"}


def test_saml_signs_its_requests(bench: Any) -> None:
    provider = sign_in(bench, SAML)["IdentityProvider"]

    assert provider["ProviderType"] == "SAML"
    assert provider["ProviderDetails"]["MetadataURL"] == "https://login.example.org/metadata.xml"
    assert provider["ProviderDetails"]["RequestSigningAlgorithm"] == "rsa-sha256"
    assert provider["AttributeMapping"] == {"custom:groups": "Groups", "custom:staff_id": "StaffId"}


def test_without_a_provider_nobody_can_hand_themselves_a_group(bench: Any) -> None:
    resources = sign_in(bench, NONE)

    assert "IdentityProvider" not in resources
    client = resources["HostDesktopAssistant"]
    assert client["SupportedIdentityProviders"] == ["COGNITO"]
    assert not any(attribute.startswith("custom:") for attribute in client["WriteAttributes"])
    assert resources["UserPoolAuditorGroup"]["GroupName"] == "auditor"

"""What the stacks tell to whoever connects a host, registers a provider or has to act."""

from __future__ import annotations

from typing import Any

ALIAS = "alias/ringfence-{department}-{persona}-txn-token"


def told(synthesised: Any, stack: str) -> dict[str, Any]:
    """Outputs for people; those for other stacks carry an export or no description."""
    outputs = synthesised.templates[stack].get("Outputs", {})
    return {key: output["Value"] for key, output in outputs.items() if "Description" in output}


def test_each_persona_tells_where_to_connect_what_to_ask_for_and_which_key_stops_it(synthesised: Any) -> None:
    department = synthesised.department
    for persona in department.personas:
        outputs = told(synthesised, persona)
        assert outputs["GatewayUrl"] == {"Fn::GetAtt": [f"{persona.capitalize()}Gateway", "GatewayUrl"]}
        assert outputs["Scope"] == f"openid ringfence/{persona}"
        assert outputs["ServerName"] == f"rf-{persona[:3]}"
        assert outputs["TxnTokenKeyAlias"] == ALIAS.format(department=department.name, persona=persona)
        aliases = [each.properties["AliasName"] for each in synthesised.resources("AWS::KMS::Alias")]
        assert outputs["TxnTokenKeyAlias"] in aliases


def test_each_gateway_has_a_resource_server_of_its_own_name(synthesised: Any) -> None:
    servers = [each.properties for each in synthesised.resources("AWS::Cognito::UserPoolResourceServer")]
    named = {str(each["Identifier"]): each for each in servers}
    for persona in synthesised.department.personas:
        gateway = {"Fn::GetAtt": [f"{persona.capitalize()}Gateway", "GatewayUrl"]}
        assert "Scopes" not in named.pop(str(gateway)), "the personas' scopes are of the pool's one resource server"
    assert list(named) == ["ringfence"]


def test_no_stack_has_more_outputs_than_cloudformation_takes_with_the_most_hosts(synthesised: Any) -> None:
    """CloudFormation quotas, outputs of a template: 200 (user guide, read 29 November 2026)."""
    hosts, most = len(synthesised.department.hosts), 20
    outputs = synthesised.templates["identity"]["Outputs"]
    of_a_host = sum("ClientId" in key or "RefHost" in key for key in outputs) / hosts
    assert of_a_host >= 1
    assert len(outputs) + of_a_host * (most - hosts) < 200


def test_each_host_has_its_client_id(synthesised: Any) -> None:
    outputs = told(synthesised, "identity")
    clients = {
        each.logical_id: each.properties["ClientName"] for each in synthesised.resources("AWS::Cognito::UserPoolClient")
    }
    by_host = {clients[value["Ref"]]: key for key, value in outputs.items() if key.endswith("ClientId")}
    assert set(by_host) == {host.name for host in synthesised.department.hosts}
    assert all(key == f"{host.title().replace('-', '')}ClientId" for host, key in by_host.items())


def test_sign_in_is_told_with_its_page_issuer_and_pool(synthesised: Any) -> None:
    outputs, prefix = told(synthesised, "identity"), synthesised.department.identity.domain_prefix
    assert outputs["SignInUrl"] == f"https://{prefix}.auth.eu-west-2.amazoncognito.com"
    assert outputs["SignInIssuer"] == {
        "Fn::Join": ["", ["https://cognito-idp.eu-west-2.amazonaws.com/", {"Ref": "UserPool"}]]
    }
    assert outputs["AuthorizationEndpoint"] == f"{outputs['SignInUrl']}/oauth2/authorize"
    assert outputs["TokenEndpoint"] == f"{outputs['SignInUrl']}/oauth2/token"
    assert outputs["SignInMetadataUrl"]["Fn::Join"][1] == [
        "https://cognito-idp.eu-west-2.amazonaws.com/",
        {"Ref": "UserPool"},
        "/.well-known/openid-configuration",
    ]
    assert outputs["UserPoolId"] == {"Ref": "UserPool"}
    (domain,) = synthesised.resources("AWS::Cognito::UserPoolDomain")
    assert domain.properties["Domain"] == prefix


def test_a_federated_department_is_told_what_to_register_at_its_provider(synthesised: Any) -> None:
    outputs, identity = told(synthesised, "identity"), synthesised.department.identity
    paths = {"oidc": "/oauth2/idpresponse", "saml": "/saml2/idpresponse"}
    expected = f"{outputs['SignInUrl']}{paths[identity.provider]}" if identity.provider in paths else None
    assert outputs.get("ProviderReturnUrl") == expected
    assert ("ProviderAudience" in outputs) == (identity.provider == "saml")


def test_the_record_and_the_role_that_switches_off_are_told(synthesised: Any) -> None:
    outputs = told(synthesised, "audit")
    assert outputs["AuditBucketName"] == {"Ref": "TrailBucket"}
    assert outputs["TrailLogGroupName"] == {"Ref": "TrailLogGroup"}
    assert outputs["SwitchOffRoleArn"] == {"Fn::GetAtt": ["SwitchOffRole", "Arn"]}

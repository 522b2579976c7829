"""The pre token generation function: personas, a staff id and the scopes they earn; or no token."""

from __future__ import annotations

import copy
import json
import logging
import runpy

import pytest

from pre_token import handler as pre_token_handler
from pre_token.mapping import _ID, PersonaMapping, SignInRefused, listed_groups, token_claims
from ringfence.department.identity import GROUP_ID

MAPPING = PersonaMapping.from_environment(
    groups='{"auditor": ["SG-Cloud-Audit", "SG-Security"], "operator": ["SG-Cloud-Ops"]}',
    scope_prefix="ringfence/",
    group_names="plain",
)
SCOPES = ["openid", "ringfence/auditor", "ringfence/operator"]

ID = "5f3b1c9e-2d47-4a8b-9c61-7e0d2f4a6b83"
SID = "S-1-5-21-1004336348-1177238915-682003330-512"


def event(*, federated: bool = True, groups: str = '["SG-Cloud-Audit", "SG-Tea-Club"]', **attributes) -> dict:
    """Cognito's event, version 2, for a person of the department's provider or for one made in the pool."""
    status = "EXTERNAL_PROVIDER" if federated else "CONFIRMED"
    found = {
        "sub": "5d0c3c0a-93b2-4b0c-8f0b-0d8ed2c0c5f1",
        "cognito:user_status": status,
        "custom:staff_id": "HO-204518",
        "custom:groups": groups,
    } | attributes
    return {
        "version": "2",
        "triggerSource": "TokenGeneration_HostedAuth",
        "region": "eu-west-2",
        "userPoolId": "eu-west-2_Example",
        "userName": "department_HO-204518",
        "callerContext": {"awsSdkVersion": "x", "clientId": "4example5client6id"},
        "request": {
            "userAttributes": {name: value for name, value in found.items() if value is not None},
            "groupConfiguration": {
                "groupsToOverride": ["eu-west-2_Example_department"],
                "iamRolesToOverride": ["arn:aws:iam::111122223333:role/tempting"],
                "preferredRole": None,
            },
            "scopes": list(SCOPES),
        },
        "response": {"claimsAndScopeOverrideDetails": None},
    }


def personas(found: dict) -> list[str]:
    return token_claims(found, mapping=MAPPING)["groupOverrideDetails"]["groupsToOverride"]


def test_the_tokens_of_an_auditor():
    assert token_claims(event(), mapping=MAPPING) == {
        "groupOverrideDetails": {"groupsToOverride": ["auditor"], "iamRolesToOverride": []},
        "accessTokenGeneration": {
            "claimsToAddOrOverride": {"staff_id": "HO-204518"},
            "scopesToSuppress": ["ringfence/operator"],
        },
        "idTokenGeneration": {"claimsToSuppress": ["custom:groups"]},
    }


@pytest.mark.parametrize(
    ("attribute", "names"),
    [
        ("[SG-Cloud-Audit, SG-Cloud-Ops]", ["SG-Cloud-Audit", "SG-Cloud-Ops"]),
        ('["SG-Cloud-Audit","SG, with comma"]', ["SG-Cloud-Audit", "SG, with comma"]),
        ("SG-Cloud-Audit", ["SG-Cloud-Audit"]),
        (" SG-Cloud-Audit ,, SG-Cloud-Ops ", ["SG-Cloud-Audit", "SG-Cloud-Ops"]),
        ("[]", []),
        ("", []),
        ('["a", 7, null, ["b"]]', ["a"]),
        (None, []),
        (7, []),
        (["SG-Cloud-Audit"], []),
        ("[" * 100_000, ["[" * 100_000]),
    ],
)
def test_groups_in_every_form_providers_send(attribute, names):
    assert listed_groups(attribute, plain_names=True) == names


@pytest.mark.parametrize(
    ("attribute", "names"),
    [
        (ID, [ID]),
        (f"[{ID}]", [ID]),
        (f'["{ID}", "{ID.upper()}"]', [ID, ID.upper()]),
        (f" {ID} ,, S-1-5-21-1004336348-1177238915-682003330-512 ", [ID, SID]),
        ("SG-Cloud-Audit", []),
        ("[SG-Cloud-Audit]", []),
        ('["SG-Cloud-Audit"]', []),
        ("[Lunch club, SG-Cloud-Audit, x]", []),
        (f"Lunch club, {ID}", []),
        (f'["Lunch club", "{ID}"]', []),
        (f"[x{ID}, {ID}x]", []),
        ("[]", []),
    ],
)
def test_without_the_departments_word_groups_count_by_their_ids_alone(attribute, names):
    assert listed_groups(attribute) == names


def test_what_counts_as_an_id_is_what_the_departments_file_takes_for_one():
    """Else a group that the file accepts would give nobody its persona, or a name would pass for an id."""
    assert (_ID.pattern, _ID.flags) == (GROUP_ID.pattern, GROUP_ID.flags)


@pytest.mark.parametrize(("setting", "held"), [("plain", ["auditor"]), ("", []), ("Plain", []), ("yes", [])])
def test_the_departments_word_is_one_word(setting, held):
    mapping = PersonaMapping.from_environment(
        groups='{"auditor": ["SG-Cloud-Audit"]}', scope_prefix="ringfence/", group_names=setting
    )
    claims = token_claims(event(groups="[SG-Security, SG-Cloud-Audit]"), mapping=mapping)
    assert claims["groupOverrideDetails"]["groupsToOverride"] == held


@pytest.mark.parametrize(
    ("groups", "held"),
    [
        ("[SG-Cloud-Audit]", ["auditor"]),
        ('["SG-Security", "SG-Cloud-Audit"]', ["auditor"]),
        ('["SG-Cloud-Ops", "SG-Cloud-Audit"]', ["auditor", "operator"]),
        ('["Lunch club, SG-Cloud-Audit, x"]', []),
        ("[SG-Tea-Club]", []),
        ("[auditor, operator]", []),
        ("[sg-cloud-audit]", []),
        ("[SG-Cloud-Audit-Trainees]", []),
        ("", []),
    ],
)
def test_only_the_departments_groups_make_personas(groups, held):
    assert personas(event(groups=groups)) == held


def test_scopes_are_those_of_the_personas_held():
    claims = token_claims(event(groups="[SG-Tea-Club]"), mapping=MAPPING)
    assert claims["accessTokenGeneration"]["scopesToSuppress"] == ["ringfence/auditor", "ringfence/operator"]


def test_a_scope_of_a_persona_nobody_knows_is_suppressed_too():
    found = event()
    found["request"]["scopes"].append("ringfence/superuser")
    assert "ringfence/superuser" in token_claims(found, mapping=MAPPING)["accessTokenGeneration"]["scopesToSuppress"]


def test_people_made_in_the_pool_have_the_pools_groups():
    mapping = PersonaMapping.from_environment(groups='{"auditor": ["auditor"]}', scope_prefix="ringfence/")
    found = event(federated=False, groups="[]")
    found["request"]["groupConfiguration"]["groupsToOverride"] = ["auditor", "other"]
    assert token_claims(found, mapping=mapping)["groupOverrideDetails"]["groupsToOverride"] == ["auditor"]


def test_people_made_in_the_pool_gain_nothing_by_writing_the_attribute():
    assert personas(event(federated=False)) == []


def test_people_of_the_provider_gain_nothing_by_a_group_of_the_pool():
    found = event(groups="[]")
    found["request"]["groupConfiguration"]["groupsToOverride"] = ["SG-Cloud-Audit"]
    assert personas(found) == []


@pytest.mark.parametrize(
    "staff_id",
    [None, "", "X", "x" * 65, "two words", "HO/204518", "HO:204518", "HO-204518\n", "\uff28\uff2f-204518", 7],
)
def test_without_a_usable_staff_id_there_is_no_token(staff_id):
    with pytest.raises(SignInRefused, match="Ask your identity team"):
        token_claims(event(**{"custom:staff_id": staff_id}), mapping=MAPPING)


def test_a_person_made_by_hand_is_told_which_attribute_is_missing():
    with pytest.raises(SignInRefused, match="whoever made it in the user pool to set its attribute custom:staff_id"):
        token_claims(event(federated=False, **{"custom:staff_id": None}), mapping=MAPPING)


@pytest.mark.parametrize("staff_id", ["AB", "x" * 64, "jo.bloggs@example.gov.uk", "HO-204518", "a_b+c=d,e.f@g-h"])
def test_what_sts_takes_as_source_identity_is_a_staff_id(staff_id):
    claims = token_claims(event(**{"custom:staff_id": staff_id}), mapping=MAPPING)
    assert claims["accessTokenGeneration"]["claimsToAddOrOverride"] == {"staff_id": staff_id}


@pytest.fixture
def handle(monkeypatch):
    monkeypatch.setenv("GROUPS", json.dumps({"auditor": ["SG-Cloud-Audit"]}))
    monkeypatch.setenv("SCOPE_PREFIX", "ringfence/")
    monkeypatch.setenv("GROUP_NAMES", "plain")
    pre_token_handler.mapping.cache_clear()
    yield pre_token_handler.handler
    pre_token_handler.mapping.cache_clear()


def test_the_handler_returns_cognitos_event_with_the_answer_in_it(handle):
    sent = event()
    answered = handle(copy.deepcopy(sent), None)
    assert answered["response"]["claimsAndScopeOverrideDetails"]["groupOverrideDetails"]["groupsToOverride"] == [
        "auditor"
    ]
    assert {name: part for name, part in answered.items() if name != "response"} == {
        name: part for name, part in sent.items() if name != "response"
    }


@pytest.mark.parametrize("broken", [None, {}, {"request": None}, {"request": {"userAttributes": 7}}, []])
def test_a_fault_refuses_the_sign_in(handle, broken):
    with pytest.raises(SignInRefused):
        handle(broken, None)


@pytest.mark.parametrize("setting", ["", "[]", "{", '{"auditor": "SG-Cloud-Audit"}', None])
def test_wrong_settings_refuse_every_sign_in(handle, monkeypatch, setting):
    if setting is None:
        monkeypatch.delenv("GROUPS")
    else:
        monkeypatch.setenv("GROUPS", setting)
    pre_token_handler.mapping.cache_clear()
    with pytest.raises(SignInRefused, match="could not make your access token"):
        handle(event(), None)


def test_the_log_names_the_user_and_the_personas_and_no_other_attribute(handle, capfd, monkeypatch):
    import sys

    for handler in pre_token_handler.LOGGER.handlers:
        monkeypatch.setattr(handler, "stream", sys.stdout)
    handle(event(email="jo.bloggs@example.gov.uk"), None)
    with pytest.raises(SignInRefused):
        handle(event(email="jo.bloggs@example.gov.uk", **{"custom:staff_id": "not usable"}), None)
    log = capfd.readouterr().out
    assert '"personas":["auditor"]' in log and "department_HO-204518" in log
    assert "jo.bloggs" not in log and "SG-" not in log and "not usable" not in log


@pytest.mark.parametrize("variable", ["POWERTOOLS_LOG_LEVEL", "LOG_LEVEL"])
def test_no_variable_of_powertools_silences_who_signed_in(variable, monkeypatch):
    """A logger keeps its level as long as the process lives, so it is made anew, as by a cold start."""
    monkeypatch.setenv(variable, "CRITICAL")
    kept = logging.Logger.manager.loggerDict.pop("pre-token")
    try:
        started = runpy.run_path(pre_token_handler.__file__)
        assert started["LOGGER"].isEnabledFor(logging.INFO)
    finally:
        logging.Logger.manager.loggerDict["pre-token"] = kept

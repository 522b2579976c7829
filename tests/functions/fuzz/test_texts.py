"""Whatever a text says: a command, a statement, a Txn-Token and a sign-in are what was granted, or are refused."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpath.command_line import check_command, read_commands
from callpath.digest import digest
from callpath.refusal import Refusal
from callpath.txn_token import TxnToken, Verifier, mint
from pre_token import handler as pre_token
from pre_token.mapping import PersonaMapping, SignInRefused, listed_groups
from ringfence.proofs.expected_permissions import ExpectedPermissions
from runtime.statements import READS, StatementRule, check_statements
from tests.functions.conftest import KEY_ID, LocalSigner
from tests.functions.fuzz.inputs import TEXTS, changed, respelt

STATEMENTS = [
    "SELECT a, count(*) FROM logs.trail WHERE b LIKE '%x%' GROUP BY a LIMIT 5",
    'WITH q AS (SELECT "a;b" FROM t) SELECT * FROM q -- why\n',
    "SHOW CREATE TABLE logs.trail",
    "EXPLAIN (TYPE LOGICAL) SELECT 1 /* DROP TABLE t */",
    "DESCRIBE logs.trail",
    "INSERT INTO t SELECT * FROM u",
    "UNLOAD (SELECT 1) TO 's3://another/' WITH (format = 'JSON')",
    "CREATE TABLE t AS SELECT 1",
    "DROP TABLE t; SELECT 1",
]
_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_WRITES = re.compile(r"(?i)\b(?:insert\s+into|update|delete\s+from|drop|unload|merge|alter|grant|revoke|call|create)\b")


@given(respelt(st.sampled_from(STATEMENTS)) | TEXTS)
def test_a_statement_that_passes_as_a_read_is_one_and_reads(text: str) -> None:
    rule = StatementRule(READS, None)
    try:
        check_statements({"query": rule}, {"query": text}, tool="athena")
    except Refusal as refusal:
        assert (refusal.rule, refusal.layer) == ("statement-refused", "runtime")
        return
    bare = _QUOTED.sub(" ", text)
    assert ";" not in bare.rstrip().removesuffix(";")
    assert not _WRITES.search(re.sub(r"(?i)\bshow\s+create\b", "show", bare))


@pytest.fixture(scope="session")
def listed(expected: ExpectedPermissions) -> dict[str, dict[str, Any]]:
    """Every command of the AWS CLI that the catalogue knows, as its file has it."""
    (tool,) = (each for each in expected.servers["aws-api"]["tools"].values() if each.get("match") == "command")
    return {name: operation.get("options") or {} for name, operation in tool["operations"].items()}


@given(st.data())
def test_a_command_that_passes_is_a_listed_one_with_listed_options(
    listed: dict[str, dict[str, Any]], data: st.DataObject
) -> None:
    commands = read_commands(listed)
    name = data.draw(st.sampled_from(sorted(listed)))
    words = [name]
    for option, form in listed[name].items():
        words += [option, *(["eu-west-2"] if form.get("values") else [])] if data.draw(st.booleans()) else []
    text = data.draw(respelt(st.just(" ".join(words))))
    try:
        found = check_command(text, commands, tool="aws-api___call_aws", layer="request")
    except Refusal:
        return
    assert text == found or text.startswith(f"{found} ")
    assert not re.search(r"[^A-Za-z0-9 _.,:/=@%+'\"-]", text)
    # Quotation marks may stand within a word, and are gone when the server has split the command.
    words = text[len(found) :].replace("'", "").replace('"', "").split(" ")
    assert {word for word in words if word.startswith("-")} <= set(listed[found])
    assert {option for option, form in listed[found].items() if form.get("required")} <= set(words)


NOW = 1_795_000_000
ARGUMENTS = {"max_items": 5, "region": "eu-west-2"}
STATED = TxnToken(
    issuer="urn:ringfence:example-production:auditor:request-interceptor",
    audience="urn:ringfence:example-production:auditor:iam",
    issued_at=NOW,
    expires_at=NOW + 60,
    call_id="01JD000000000000000000000A",
    staff_id="HO-204518",
    persona="auditor",
    tool="list_users",
    arguments_sha256=digest(ARGUMENTS) or "",
    token_id="0b6f1c1e-6a4b-4f0e-9a55-2f3f3a6f7a11",
    client_id="4example5client6id",
    session="session-1",
)


@given(st.data())
def test_a_token_that_is_respelt_states_what_was_minted_or_is_refused(
    public_key_der: bytes, data: st.DataObject
) -> None:
    verifier = Verifier(
        public_key_der=public_key_der, issuer=STATED.issuer, audience=STATED.audience, clock=lambda: NOW + 1.0
    )
    token = data.draw(respelt(st.just(mint(STATED, key_id=KEY_ID, sign=LocalSigner.sign))))
    arguments = data.draw(changed(st.just(ARGUMENTS)))
    try:
        found = verifier.verify(token, tool="list_users", arguments=arguments)
    except Refusal as refusal:
        assert refusal.layer == "runtime" and refusal.rule.startswith("token-")
        return
    assert found == STATED
    assert arguments == ARGUMENTS
    with pytest.raises(Refusal):
        verifier.verify(token, tool="list_users", arguments=arguments)


GROUPS = {"auditor": ["SG-Cloud-Audit"], "operator": ["SG-Cloud-Ops"]}
SIGN_IN = {
    "version": "2",
    "triggerSource": "TokenGeneration_HostedAuth",
    "userName": "department_HO-204518",
    "request": {
        "userAttributes": {
            "cognito:user_status": "EXTERNAL_PROVIDER",
            "custom:staff_id": "HO-204518",
            "custom:groups": '["SG-Cloud-Audit", "SG-Tea-Club"]',
        },
        "groupConfiguration": {
            "groupsToOverride": ["SG-Cloud-Ops"],
            "iamRolesToOverride": ["arn:aws:iam::111122223333:role/x"],
        },
        "scopes": ["openid", "ringfence/auditor", "ringfence/operator", "ringfence/another"],
    },
    "response": {"claimsAndScopeOverrideDetails": None},
}


@pytest.fixture
def sign_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    mapping = PersonaMapping.from_environment(groups=json.dumps(GROUPS), scope_prefix="ringfence/")
    monkeypatch.setattr(pre_token, "mapping", lambda: mapping)
    return lambda event: pre_token.handler(event, None)


@given(changed(st.just(SIGN_IN)))
def test_a_sign_in_that_is_changed_earns_no_persona_that_its_groups_do_not_name(
    sign_in: Callable[[Any], Any], event: Any
) -> None:
    before = copy.deepcopy(event)
    try:
        made = sign_in(event)["response"]["claimsAndScopeOverrideDetails"]
    except SignInRefused:
        return
    json.dumps(made, allow_nan=False).encode()
    request = before["request"]
    attributes = request["userAttributes"]
    place = (
        attributes.get("custom:groups")
        if attributes.get("cognito:user_status") == "EXTERNAL_PROVIDER"
        else request.get("groupConfiguration")
    )
    said = json.dumps(place, ensure_ascii=False)
    personas = made["groupOverrideDetails"]["groupsToOverride"]
    assert all(GROUPS[persona][0] in said for persona in personas)
    scopes = set(request.get("scopes") or ()) - set(made["accessTokenGeneration"]["scopesToSuppress"])
    assert {scope for scope in scopes if scope.startswith("ringfence/")} <= {f"ringfence/{each}" for each in personas}
    assert made["groupOverrideDetails"]["iamRolesToOverride"] == []
    assert re.fullmatch(r"[A-Za-z0-9_+=,.@-]{2,64}", made["accessTokenGeneration"]["claimsToAddOrOverride"]["staff_id"])


@given(TEXTS)
def test_any_text_is_a_list_of_groups_that_are_in_it(text: str) -> None:
    for group in listed_groups(text):
        assert group in text or json.dumps(group)[1:-1] in text or "\\" in text

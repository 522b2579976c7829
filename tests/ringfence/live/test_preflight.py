"""One preflight: what is right, wrong and unknown, and how the command says so."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore import exceptions as sdk

from ringfence.live.before import Before
from ringfence.live.needs import Needs
from ringfence.live.preflight.checks import CHECKS, FIRST, WITHOUT_THE_ACCOUNT
from ringfence.live.preflight.run import as_json, ask_everything, policy
from ringfence.live.results import Result, Verdict, exit_code, right, unknown, wrong
from ringfence.live.table import print_table
from tests.ringfence.live.accounts import ACCOUNT, VERSION, offered, quotas, with_stack, zone
from tests.ringfence.live.modelled import Fault, ModelledAccount

MakeBefore = Callable[..., Before]
ALL = {check.name: check for check in (FIRST, *WITHOUT_THE_ACCOUNT, *CHECKS)}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")


def everything(before: Before) -> list[Result]:
    return [each for _, found in ask_everything(before, progress=lambda _: None) for each in found]


def of(before: Before, check: str) -> list[Result]:
    return list(ALL[check].results(before))


def not_right(results: list[Result]) -> list[Result]:
    return [each for each in results if each.verdict is not Verdict.RIGHT]


def only(results: list[Result]) -> Result:
    (result,) = not_right(results)
    return result


def test_an_account_that_is_ready_is_right_in_everything(ready: ModelledAccount, before: MakeBefore) -> None:
    results = everything(before(ready))
    assert not not_right(results)
    assert exit_code(results) == 0


def test_endpoints_of_another_region_are_asked_for_there(ready: ModelledAccount, before: MakeBefore) -> None:
    of(before(ready), "endpoint-services")
    asked = [parameters for action, parameters in ready.asked if action == "ec2:DescribeVpcEndpointServices"]
    assert {
        "ServiceRegions": ["us-east-1"],
        "Filters": [{"Name": "service-name", "Values": ["com.amazonaws.iam"]}],
    } in asked


def test_the_account_of_somebody_else_ends_the_questions(ready: ModelledAccount, before: MakeBefore) -> None:
    ready.says("sts:GetCallerIdentity", {"Account": "444455556666", "Arn": "arn:aws:iam::444455556666:user/x"})
    results = everything(before(ready))
    assert [action for action, _ in ready.asked] == ["sts:GetCallerIdentity"]
    assert "444455556666" in results[0].found and ACCOUNT in results[0].found
    assert {each.verdict for each in results if each.subject not in ("account", "placeholders", "region")} == {
        Verdict.UNKNOWN
    }
    assert exit_code(results) == 1


@pytest.mark.parametrize(
    "fault",
    [
        sdk.NoCredentialsError(),
        Fault("ExpiredToken"),
        sdk.EndpointConnectionError(endpoint_url="https://sts.eu-west-2.amazonaws.com"),
        sdk.ProxyConnectionError(proxy_url="http://proxy.example:3128"),
    ],
)
def test_without_an_answer_about_the_account_nothing_is_concluded(
    ready: ModelledAccount, before: MakeBefore, fault: Exception
) -> None:
    ready.says("sts:GetCallerIdentity", fault)
    results = everything(before(ready))
    assert {each.verdict for each in results if each.subject not in ("placeholders", "region")} == {Verdict.UNKNOWN}
    assert exit_code(results) == 2
    assert len(ready.asked) == 1


def test_made_up_values_are_told_whatever_the_account_is(ready: ModelledAccount, before: MakeBefore) -> None:
    file = {"identity": {"issuer": "https://login.example.org/department"}}
    answers: list[Any] = [
        sdk.NoCredentialsError(),
        Fault("ExpiredToken"),
        {"Account": "444455556666", "Arn": "arn:aws:iam::444455556666:user/x"},
    ]
    for answer in answers:
        results = everything(before(ready.says("sts:GetCallerIdentity", answer), file=file))
        (told,) = [each for each in results if each.subject == "identity.issuer"]
        assert told.verdict is Verdict.WRONG
        assert exit_code(results) == 1


def printed(*groups: tuple[str, list[Result]]) -> list[str]:
    stream = io.StringIO()
    print_table(groups, stream)
    return [line for line in stream.getvalue().splitlines() if line]


def test_what_is_not_asked_is_one_line_with_the_list(ready: ModelledAccount, before: MakeBefore) -> None:
    ready.says("sts:GetCallerIdentity", sdk.NoCredentialsError())
    answers = ask_everything(before(ready), progress=lambda _: None)
    lines = printed(*((check.question, found) for check, found in answers))
    (line,) = [each for each in lines if "Not asked, because" in each]
    assert all(check.name in line for check in CHECKS)
    assert lines[-1] == f"2 right, 0 wrong, {len(CHECKS) + 1} unknown."


def test_a_line_that_is_said_twice_names_both_and_counts_both() -> None:
    same = [unknown("a", "not allowed.", "Ask."), unknown("b", "not allowed.", "Ask.")]
    lines = printed(("first", [*same, right("c", "fine.")]), ("second", [right("d", "fine.")]))
    assert lines == [
        "first",
        "  unknown   a, b: not allowed.",
        "           → Ask.",
        "  right     c: fine.",
        "second",
        "  right     d: fine.",
        "2 right, 0 wrong, 2 unknown.",
    ]


def test_another_remedy_or_verdict_is_another_line() -> None:
    results = [unknown("a", "same.", "Ask."), unknown("b", "same.", "Wait."), wrong("c", "same.", "Ask.")]
    assert len([line for line in printed(("first", results)) if "same." in line]) == 3


def test_nothing_asked_is_not_right() -> None:
    assert exit_code([]) == 2


def test_without_rights_for_half_of_the_questions_the_other_half_is_answered(
    ready: ModelledAccount, before: MakeBefore
) -> None:
    denied = ("kms:ListAliases", "kms:ListKeys", "servicequotas:ListServiceQuotas", "ec2:DescribeAvailabilityZones")
    for action in denied:
        ready.says(action, Fault("AccessDeniedException", status=403))
    results = everything(before(ready))
    unanswered = not_right(results)
    assert {each.verdict for each in unanswered} == {Verdict.UNKNOWN}
    assert {each.missing_action for each in unanswered} == set(denied) - {
        "kms:ListKeys"
    }  # never reached without limits
    assert any(each.subject == "names: CloudTrail Trail" for each in results if each.verdict is Verdict.RIGHT)
    assert exit_code(results) == 2


def test_something_wrong_counts_more_than_something_unknown(ready: ModelledAccount, before: MakeBefore) -> None:
    ready.says("kms:ListAliases", Fault("ThrottlingException"))
    ready.says(
        "iam:GetAccountSummary",
        {"SummaryMap": {"Roles": 999, "RolesQuota": 1000, "Policies": 1, "PoliciesQuota": 9999}},
    )
    results = everything(before(ready))
    assert exit_code(results) == 1
    assert {each.verdict for each in not_right(results)} == {Verdict.WRONG, Verdict.UNKNOWN}


def test_a_throttled_question_is_unknown_and_names_no_missing_right(ready: ModelledAccount, before: MakeBefore) -> None:
    ready.says("lambda:GetAccountSettings", Fault("TooManyRequestsException", status=429))
    result = only(of(before(ready), "concurrency"))
    assert (result.verdict, result.missing_action) == (Verdict.UNKNOWN, "")
    assert "throttled" in result.found


def test_an_answer_of_another_form_is_unknown(ready: ModelledAccount, before: MakeBefore) -> None:
    ready.says("lambda:GetAccountSettings", {})
    assert only(of(before(ready), "concurrency")).verdict is Verdict.UNKNOWN


def test_the_report_holds_every_result_and_what_was_not_asked(ready: ModelledAccount, before: MakeBefore) -> None:
    looked = before(ready)
    answers = ask_everything(looked, progress=lambda _: None)
    report = json.loads(json.dumps(as_json(looked.needs, answers, 0)))
    assert report["summary"]["right"] == sum(len(check["results"]) for check in report["checks"])
    assert any("issuer" in each for each in report["not_asked"])


def test_the_policy_allows_what_was_asked(ready: ModelledAccount, before: MakeBefore) -> None:
    everything(before(ready))
    (statement,) = json.loads(policy())["Statement"]
    assert {action for action, _ in ready.asked} <= set(statement["Action"])


def domain_of(account: str) -> dict[str, Any]:
    return {"DomainDescription": {"AWSAccountId": account, "UserPoolId": "eu-west-2_x"}}


def attached(owner: str, name: str) -> dict[str, Any]:
    return {"AttachedPolicies": [{"PolicyName": name, "PolicyArn": f"arn:aws:iam::{owner}:policy/{name}"}]}


def zones(*there: dict[str, Any]) -> dict[str, Any]:
    return {"AvailabilityZones": list(there)}


B = zone("eu-west-2b", "euw2-az1")
KEY = "arn:aws:kms:eu-west-2:111122223333:key/k"
EXPORT = "CdkBootstrap-hnb659fds-FileAssetKeyArn"
ZONES, SECRET = "ec2:DescribeAvailabilityZones", "secretsmanager:DescribeSecret"
DOMAIN = "cognito-idp:DescribeUserPoolDomain"
LISTS = "ec2:DescribeManagedPrefixLists"
POLICIES = {"resourcePolicies": [{"policyName": f"p{n}"} for n in range(10)]}
RIGHTS_OF, ATTACHED = "deployment-rights", "iam:ListAttachedRolePolicies"
RIGHTS = "make deploy-policy DEPARTMENT=example-production, then the commands that it prints"
VPCS = {"Vpcs": [{"VpcId": f"vpc-{n}"} for n in range(5)]}

# What the account says to which check, and what the result must tell.
WRONG: list[tuple[str, str, Any, str, str]] = [
    ("zones", ZONES, zones(zone("eu-west-2a", "euw2-az4"), B), "euw2-az4", "availability_zones"),
    ("zones", ZONES, zones(B), "no such zone", "availability_zones"),
    ("zones", ZONES, zones(zone("eu-west-2a", "euw2-az2", "impaired"), B), "impaired", "availability_zones"),
    ("prefix-list", LISTS, {"PrefixLists": [{"PrefixListId": "pl-7c"}]}, "is pl-7c", 's3_prefix_list = "pl-7c"'),
    ("bootstrap", "ssm:GetParameter", Fault("ParameterNotFound"), "not bootstrapped", RIGHTS),
    ("bootstrap", "ssm:GetParameter", {"Parameter": {"Value": "5"}}, "It is 5; the templates need", RIGHTS),
    ("bootstrap", "s3:ListBucket", Fault("404", status=404), "no such bucket", "qualifier"),
    ("bootstrap", "s3:ListBucket", {"BucketRegion": "eu-west-1"}, "eu-west-1", "qualifier"),
    ("bootstrap", "cloudformation:ListExports", {"Exports": [{"Name": EXPORT, "Value": KEY}]}, KEY, "key_arn"),
    ("deployment-rights", ATTACHED, attached("aws", "AdministratorAccess"), "everything in the account", RIGHTS),
    ("deployment-rights", ATTACHED, {"AttachedPolicies": []}, "no policy is attached", RIGHTS),
    ("deployment-rights", ATTACHED, Fault("NoSuchEntity", status=404), "no such role", RIGHTS),
    ("domain", DOMAIN, domain_of("444455556666"), "Another account", "domain_prefix"),
    ("domain", DOMAIN, domain_of(ACCOUNT), "eu-west-2_x of this account", "domain_prefix"),
    ("secret", SECRET, Fault("ResourceNotFoundException"), "no such secret in eu-west-2", "create-secret"),
    ("secret", SECRET, {"DeletedDate": 0}, "marked for deletion", "restore-secret"),
    ("secret", SECRET, {"Name": "x"}, "no value", "put-secret-value"),
    (
        "secret",
        SECRET,
        {"VersionIdsToStages": {"b" * 32: ["AWSCURRENT"]}},
        "no version of the id",
        'client_secret_version = "bbbb',
    ),
    (
        "secret",
        SECRET,
        {"VersionIdsToStages": {VERSION: ["AWSPREVIOUS"], "b" * 32: ["AWSCURRENT"]}},
        "no longer the current",
        'client_secret_version = "bbbb',
    ),
    ("quotas", "logs:DescribeResourcePolicies", POLICIES, "10 allowed, 10 there, 1 to come", "cannot be raised"),
    ("quotas", "ec2:DescribeVpcs", VPCS, "5 allowed, 5 there, 1 to come", "Service Quotas"),
]


@pytest.mark.parametrize(("check", "action", "answer", "found", "remedy"), WRONG)
def test_each_fault_is_told_with_its_remedy(
    ready: ModelledAccount, before: MakeBefore, check: str, action: str, answer: Any, found: str, remedy: str
) -> None:
    ready.says(action, answer)
    result = only(of(before(ready), check))
    assert result.verdict is Verdict.WRONG
    assert found in result.found
    assert remedy in result.remedy


def reserving(needs: Needs, each: int | None, *, functions: int = 1) -> Needs:
    """The templates with a reservation for some functions, and none for the others."""
    templates = {name: copy.deepcopy(dict(stack.template)) for name, stack in needs.assembly.stacks.items()}
    resources = [resource for template in templates.values() for resource in template["Resources"].values()]
    for number, resource in enumerate(each for each in resources if each["Type"] == "AWS::Lambda::Function"):
        resource["Properties"].pop("ReservedConcurrentExecutions", None)
        if each is not None and number < functions:
            resource["Properties"]["ReservedConcurrentExecutions"] = each
    return replace(needs, assembly=needs.assembly.edited(templates))


def account_with(limit: int, free: int) -> dict[str, Any]:
    return {"AccountLimit": {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": free}}


@pytest.mark.parametrize(
    ("each", "functions", "limit", "free", "verdict"),
    [
        (None, 0, 10, 10, Verdict.RIGHT),  # a fresh account, and nothing is reserved
        (1, 1, 10, 10, Verdict.WRONG),  # leaves 9
        (20, 2, 1000, 1000, Verdict.RIGHT),
        (20, 2, 50, 50, Verdict.UNKNOWN),  # leaves 10: Lambda's error and its guide differ
        (20, 2, 1000, 49, Verdict.WRONG),  # somebody else reserved the rest: leaves 9
        (20, 2, 1000, 140, Verdict.RIGHT),  # leaves 100
    ],
)
def test_what_the_functions_reserve_must_leave_enough(
    ready: ModelledAccount, needs: Needs, each: int | None, functions: int, limit: int, free: int, verdict: Verdict
) -> None:
    ready.says("lambda:GetAccountSettings", account_with(limit, free))
    (result,) = of(Before(ready.account, reserving(needs, each, functions=functions)), "concurrency")
    assert result.verdict is verdict
    assert ("functions.reserved_concurrency" in result.remedy) == (verdict is not Verdict.RIGHT)


def test_what_our_functions_reserve_already_is_not_counted_twice(ready: ModelledAccount, needs: Needs) -> None:
    ready.says("lambda:GetAccountSettings", account_with(120, 100))
    ready.says("lambda:GetFunctionConcurrency", {"ReservedConcurrentExecutions": 20})
    function = ("AWS::Lambda::Function", "function", "CREATE_COMPLETE")
    with_stack(ready, "ringfence-example-production-auditor", "UPDATE_COMPLETE", function)
    (result,) = of(Before(ready.account, reserving(needs, 20)), "concurrency")
    assert result.verdict is Verdict.RIGHT


# What the production example needs of each limit, counted by hand: two gateways, the auditor's with three servers.
AGENTCORE = {
    "L-F4575653": (4, "AgentCore runtimes", "3 allowed, 0 there, 4 to come."),
    "L-9B442722": (1, "AgentCore endpoints of one runtime", "0 allowed, 1 needed."),
    "L-61A3A6D8": (1, "AgentCore versions of one runtime", "0 allowed, 1 needed."),
    "L-3E5722B2": (4, "AgentCore sessions, for one person in every runtime", "3 allowed, 4 needed."),
    "L-410A4D7F": (2, "AgentCore gateways", "1 allowed, 0 there, 2 to come."),
    "L-3601D726": (3, "AgentCore targets of one gateway", "2 allowed, 3 needed."),
    "L-538FCB7D": (2, "AgentCore policy engines", "1 allowed, 0 there, 2 to come."),
}


@pytest.mark.parametrize("code", AGENTCORE)
def test_a_limit_of_agentcore_that_is_one_too_low_is_wrong(
    ready: ModelledAccount, before: MakeBefore, code: str
) -> None:
    needed, subject, found = AGENTCORE[code]

    def applied(less: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
        def answer(parameters: dict[str, Any]) -> dict[str, Any]:
            told = quotas(parameters)
            for quota in told["Quotas"]:
                if quota["QuotaCode"] == code:
                    quota["Value"] = needed - less
            return told

        return answer

    ready.says("servicequotas:ListServiceQuotas", applied(0))
    assert not not_right(of(before(ready), "quotas"))
    ready.says("servicequotas:ListServiceQuotas", applied(1))
    result = only(of(before(ready), "quotas"))
    assert (result.verdict, result.subject, result.found) == (Verdict.WRONG, f"quota: {subject}", found)


def test_the_policies_of_one_engine_are_counted_apart_from_the_others(
    ready: ModelledAccount, before: MakeBefore, needs: Needs
) -> None:
    (result,) = [
        each for each in of(before(ready), "quotas") if each.subject == "quota: AgentCore policies of one engine"
    ]
    needed = int(result.found.removeprefix("1000 allowed, ").removesuffix(" needed."))
    assert 1 < needed < needs.count("AWS::BedrockAgentCore::Policy")


def test_a_fresh_accounts_quotas_of_none_are_all_told(ready: ModelledAccount, before: MakeBefore) -> None:
    def applied(parameters: dict[str, Any]) -> dict[str, Any]:
        told = quotas(parameters)
        none = ("L-F4575653", "L-9B442722", "L-61A3A6D8", "L-3E5722B2")
        return {"Quotas": [{**each, "Value": 0} if each["QuotaCode"] in none else each for each in told["Quotas"]]}

    ready.says("servicequotas:ListServiceQuotas", applied)
    results = not_right(of(before(ready), "quotas"))
    assert {each.verdict for each in results} == {Verdict.WRONG}
    assert len(results) == 4 and all("AWS Support" in each.remedy for each in results)


def test_a_quota_that_is_not_listed_is_unknown(ready: ModelledAccount, before: MakeBefore) -> None:
    ready.says("servicequotas:ListServiceQuotas", {"Quotas": []})
    assert {each.verdict for each in not_right(of(before(ready), "quotas"))} == {Verdict.UNKNOWN}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"ServiceName": "somewhere.else"}, "Not offered"),
        ({"ServiceType": [{"ServiceType": "GatewayLoadBalancer"}]}, "Offered as GatewayLoadBalancer"),
        ({"VpcEndpointPolicySupported": False}, "no endpoint policy"),
        ({"PrivateDnsName": ""}, "no private DNS name"),
        ({"AvailabilityZones": ["eu-west-2b"]}, "Not offered in eu-west-2a"),
    ],
)
def test_an_endpoint_service_that_does_not_fit(
    ready: ModelledAccount, before: MakeBefore, change: dict[str, Any], found: str
) -> None:
    def answer(parameters: dict[str, Any]) -> dict[str, Any]:
        told = offered(parameters)
        for detail in told["ServiceDetails"]:
            if detail["ServiceName"] == "com.amazonaws.eu-west-2.kms":
                detail.update(change)
        return told

    ready.says("ec2:DescribeVpcEndpointServices", answer)
    result = only(of(before(ready), "endpoint-services"))
    assert result.subject == "endpoint service com.amazonaws.eu-west-2.kms"
    assert found in result.found


def test_a_type_that_is_not_offered(ready: ModelledAccount, before: MakeBefore) -> None:
    def answer(parameters: dict[str, Any]) -> Any:
        if parameters["TypeName"] == "AWS::BedrockAgentCore::Policy":
            return Fault("TypeNotFoundException", status=404)
        return {"TypeName": parameters["TypeName"]}

    ready.says("cloudformation:DescribeType", answer)
    result = only(of(before(ready), "resource-types"))
    assert (result.subject, result.verdict) == ("AWS::BedrockAgentCore::Policy", Verdict.WRONG)


@pytest.fixture
def without_service_roles(ready: ModelledAccount) -> Iterator[ModelledAccount]:
    yield ready.says("iam:GetRole", Fault("NoSuchEntity", status=404))


def simulated(decision: str) -> dict[str, Any]:
    return {"EvaluationResults": [{"EvalActionName": "iam:CreateServiceLinkedRole", "EvalDecision": decision}]}


def test_agentcores_service_roles_must_be_there_before_the_first_runtime(
    without_service_roles: ModelledAccount, before: MakeBefore
) -> None:
    without_service_roles.says("iam:SimulatePrincipalPolicy", simulated("allowed"))
    missing = not_right(of(before(without_service_roles), "service-roles"))
    assert {each.remedy for each in missing} == {
        "aws iam create-service-linked-role --aws-service-name network.bedrock-agentcore.amazonaws.com",
        "aws iam create-service-linked-role --aws-service-name runtime-identity.bedrock-agentcore.amazonaws.com",
    }


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (simulated("implicitDeny"), Verdict.WRONG),
        (simulated("explicitDeny"), Verdict.WRONG),
        (Fault("NoSuchEntity", status=404), Verdict.UNKNOWN),
        (Fault("AccessDenied", status=403), Verdict.UNKNOWN),
    ],
)
def test_other_service_roles_must_be_there_or_creatable(
    without_service_roles: ModelledAccount, before: MakeBefore, answer: Any, verdict: Verdict
) -> None:
    without_service_roles.says("iam:SimulatePrincipalPolicy", answer)
    results = [each for each in of(before(without_service_roles), "service-roles") if "AgentCore" not in each.subject]
    assert verdict in {each.verdict for each in results}
    assert Verdict.RIGHT not in {each.verdict for each in results}


GROUP = "/ringfence/example-production/cloudtrail"


def group_is_there(asked: dict[str, Any]) -> dict[str, Any]:
    return {"logGroups": [{"logGroupName": GROUP}] if GROUP.startswith(asked["logGroupNamePrefix"]) else []}


def test_a_name_that_somebody_else_has_is_told_with_the_way_to_adopt_it(
    ready: ModelledAccount, before: MakeBefore
) -> None:
    ready.says(
        "logs:DescribeLogGroups",
        group_is_there,
    )
    result = only(of(before(ready), "names"))
    assert (result.verdict, result.subject) == (Verdict.WRONG, f"Logs LogGroup {GROUP}")
    assert "--import-existing-resources" in result.remedy


@pytest.mark.parametrize(("status", "verdicts"), [("CREATE_COMPLETE", set()), ("DELETE_SKIPPED", {Verdict.WRONG})])
def test_a_name_is_ours_while_our_stack_owns_it(
    ready: ModelledAccount, before: MakeBefore, status: str, verdicts: set[Verdict]
) -> None:
    """A failed first attempt leaves log groups that its stack lists, but no longer owns."""
    ready.says(
        "logs:DescribeLogGroups",
        group_is_there,
    )
    with_stack(ready, "ringfence-example-production-audit", "UPDATE_COMPLETE", ("AWS::Logs::LogGroup", GROUP, status))
    assert {each.verdict for each in not_right(of(before(ready), "names"))} == verdicts


def test_a_web_acl_is_ours_by_a_part_of_its_physical_id(ready: ModelledAccount, before: MakeBefore) -> None:
    name = "ringfence-example-production-auditor"
    ready.says("wafv2:ListWebACLs", {"WebACLs": [{"Name": name, "Id": "0a1b", "ARN": "a" * 20}]})
    assert only(of(before(ready), "names")).subject == f"WAFv2 WebACL {name}"
    with_stack(
        ready,
        "ringfence-example-production-auditor",
        "UPDATE_COMPLETE",
        ("AWS::WAFv2::WebACL", f"{name}|0a1b|REGIONAL", "CREATE_COMPLETE"),
    )
    assert not not_right(of(before(ready), "names"))


def test_the_stack_of_another_department_owns_nothing_of_ours(ready: ModelledAccount, before: MakeBefore) -> None:
    ready.says(
        "logs:DescribeLogGroups",
        group_is_there,
    )
    with_stack(ready, "somebody-else", "UPDATE_COMPLETE", ("AWS::Logs::LogGroup", GROUP, "CREATE_COMPLETE"))
    assert only(of(before(ready), "names")).verdict is Verdict.WRONG


def test_a_cedar_policys_name_is_taken_in_the_whole_account(
    ready: ModelledAccount, before: MakeBefore, needs: Any
) -> None:
    name = next(
        resource.raw["Properties"]["Name"] for resource in needs.assembly.of_type("AWS::BedrockAgentCore::Policy")
    )
    then = "2026-11-01T00:00:00Z"
    dates = {"createdAt": then, "updatedAt": then, "status": "ACTIVE", "statusReasons": []}
    arn = "arn:aws:bedrock-agentcore:eu-west-2:111122223333:policy-engine/other_engine-abcdefghij"
    engine = {"policyEngineId": "other_engine-abcdefghij", "name": "other_engine", "policyEngineArn": arn, **dates}
    policy_there = {
        "policyId": "p-abcdefghij",
        "name": name,
        "policyEngineId": engine["policyEngineId"],
        "policyArn": f"{arn}/policy/p-abcdefghij",
        "definition": {"cedar": {"statement": "x" * 40}},
        **dates,
    }
    ready.says("bedrock-agentcore:ListPolicyEngines", {"policyEngines": [engine]})
    ready.says("bedrock-agentcore:ListPolicies", {"policies": [policy_there]})
    assert {each.subject for each in not_right(of(before(ready), "names"))} == {f"BedrockAgentCore Policy {name}"}


@pytest.mark.parametrize(
    ("status", "protected", "remedy"),
    [
        ("ROLLBACK_COMPLETE", False, "delete-stack"),
        ("ROLLBACK_COMPLETE", True, "--no-enable-termination-protection"),
        ("ROLLBACK_FAILED", True, "--no-enable-termination-protection"),
        ("UPDATE_ROLLBACK_FAILED", False, "continue-update-rollback"),
        ("CREATE_IN_PROGRESS", False, "Wait"),
        ("DELETE_FAILED", False, "delete-stack"),
    ],
)
def test_a_stack_that_no_deployment_can_go_on_from(
    ready: ModelledAccount, before: MakeBefore, status: str, protected: bool, remedy: str
) -> None:
    with_stack(ready, "ringfence-example-production-audit", status, EnableTerminationProtection=protected)
    result = only(of(before(ready), "stacks"))
    assert result.verdict is Verdict.WRONG
    assert remedy in result.remedy


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "CREATE_FAILED", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_a_deployment_can_go_on_from(ready: ModelledAccount, before: MakeBefore, status: str) -> None:
    with_stack(ready, "ringfence-example-production-audit", status)
    assert not not_right(of(before(ready), "stacks"))


def test_an_administrator_who_deploys_to_a_sandbox_is_told_and_not_wrong(
    ready: ModelledAccount, sandbox_needs: Needs
) -> None:
    (result,) = of(
        Before(ready.says(ATTACHED, attached("aws", "AdministratorAccess")).account, sandbox_needs), RIGHTS_OF
    )
    assert result.verdict is Verdict.RIGHT
    assert "everything in the account" in result.found


def test_rights_that_may_not_be_read_are_unknown_and_name_the_role(ready: ModelledAccount, before: MakeBefore) -> None:
    role = "cdk-hnb659fds-cfn-exec-role-111122223333-eu-west-2"
    (result,) = of(before(ready), RIGHTS_OF)
    assert (result.subject, result.verdict) == (f"role {role}", Verdict.RIGHT)
    assert ready.asked == [(ATTACHED, {"RoleName": role})]
    ready.says(ATTACHED, Fault("AccessDenied", status=403))
    assert only(of(before(ready), RIGHTS_OF)).missing_action == ATTACHED


def test_the_prefix_is_ours_when_our_stack_owns_its_pool(ready: ModelledAccount, before: MakeBefore) -> None:
    ready.says(
        "cognito-idp:DescribeUserPoolDomain",
        {"DomainDescription": {"AWSAccountId": ACCOUNT, "UserPoolId": "eu-west-2_x"}},
    )
    with_stack(
        ready,
        "ringfence-example-production-identity",
        "UPDATE_COMPLETE",
        ("AWS::Cognito::UserPool", "eu-west-2_x", "CREATE_COMPLETE"),
    )
    assert not not_right(of(before(ready), "domain"))


def test_the_examples_own_values_are_named_one_by_one(ready: ModelledAccount, before: MakeBefore) -> None:
    file = {
        "account": "111122223333",
        "network": {"s3_prefix_list": "pl-0123456789abcdef0", "cidr": "10.64.0.0/22"},
        "identity": {"issuer": "https://LOGIN.example.org/department", "domain_prefix": "ringfence-example-production"},
        "ingress": {"allowed_networks": ["192.0.2.128/25", "212.58.224.0/24"]},
        "hosts": [{"callback_urls": ["http://localhost:33418/callback", "https://assistant.example.org/cb"]}],
    }
    named = {each.subject for each in not_right(of(before(ready, file=file), "placeholders"))}
    assert named == {
        "account",
        "network.s3_prefix_list",
        "identity.issuer",
        "identity.domain_prefix",
        "ingress.allowed_networks[0]",
        "hosts[0].callback_urls[1]",
    }


def test_a_sandbox_with_another_departments_names_is_told_before_it_is_deployed(
    ready: ModelledAccount, sandbox_needs: Needs
) -> None:
    assert sandbox_needs.others == ("example-production", "example-saml")
    department = sandbox_needs.department.model_copy(update={"name": "trial"})
    file = {"identity": {"domain_prefix": "ringfence-forestry"}, "account": "222233334444"}
    needs = replace(sandbox_needs, department=department, file=file, others=("forestry",))
    results = of(Before(ready.account, needs), "placeholders")
    assert {each.subject for each in not_right(results)} == {"identity.domain_prefix", "account"}
    needs = replace(needs, file={"identity": {"domain_prefix": "ringfence-trial"}})
    assert not not_right(of(Before(ready.account, needs), "placeholders"))


@pytest.mark.parametrize("region", ["us-east-1", None])
def test_another_region_in_the_environment_is_told(
    ready: ModelledAccount, before: MakeBefore, monkeypatch: pytest.MonkeyPatch, region: str | None
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    if region:
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    assert only(of(before(ready), "region")).remedy == "export AWS_REGION=eu-west-2"


def test_another_region_is_told_beside_credentials_that_do_not_work(
    ready: ModelledAccount, before: MakeBefore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    ready.says("sts:GetCallerIdentity", sdk.NoCredentialsError())
    assert "export AWS_REGION=eu-west-2" in [each.remedy for each in everything(before(ready))]


def test_every_question_is_numbered_among_all(ready: ModelledAccount, before: MakeBefore) -> None:
    said: list[str] = []
    answers = ask_everything(before(ready), progress=said.append)
    assert [line.partition(":")[0] for line in said] == [f"{n} of {len(answers)}" for n in range(1, len(answers) + 1)]

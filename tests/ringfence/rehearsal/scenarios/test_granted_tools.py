"""What counts as shown of the tools that a persona is granted, and how a call of each is made."""

from __future__ import annotations

import asyncio
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.model import OperationModel

from ringfence.iam import actions
from ringfence.rehearsal.aws.authorization.arns import ARNS, arns, forms_by_name
from ringfence.rehearsal.aws.authorization.resources import ACTION_OF_OPERATION, finder_of
from ringfence.rehearsal.scenarios import granted
from ringfence.rehearsal.scenarios.calls import Expected, Outcome, Transcript
from ringfence.rehearsal.scenarios.granted import NoExample, granted_tools, problems_of
from ringfence.rehearsal.scenarios.mcp_user import Reply
from tests.catalogue.sdk import service_model

ROOT = Path(__file__).resolve().parents[4]
OPEN = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}},
    "additionalProperties": False,
}
FIXED = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "const": "x"}}}
ANSWER = Outcome(refused=False)
FAILURE = Outcome(refused=False, layer="server", rule="server-error")


EMR, EC2 = "arn:aws:elasticmapreduce:eu-west-2:111122223333:cluster", "arn:aws:ec2:eu-west-2:111122223333:instance"


def aws_call(**said: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"call": "iam:ListUsers", "decision": "allowed", "error_code": None, "event": {}} | said)


def in_context(*tools: tuple[str, dict[str, Any]], aws_calls: tuple[SimpleNamespace, ...] = ()) -> Any:
    assembly = SimpleNamespace(account="111122223333")
    aws = SimpleNamespace(calls_for=lambda _: aws_calls)
    target = SimpleNamespace(name="iam", tools=[{"name": name, "inputSchema": schema} for name, schema in tools])
    inputs = {f"iam___{name}": schema for name, schema in tools}
    return SimpleNamespace(
        persona="reader",
        published={f"iam___{name}" for name, _ in tools},
        transcript=Transcript(persona="reader", calls_for=lambda _: (), tell=lambda _: None),
        gateway=SimpleNamespace(spec=SimpleNamespace(targets=[target], inputs=inputs)),
        department=SimpleNamespace(name="example-production", assembly=assembly, aws=aws),
    )


def played(context: Any, tool: str, outcome: Outcome, expected: Expected | None = None) -> Any:
    asked = {"user": "rea.example-01", "tool": tool, "outcome": outcome, "latency_ms": 1.0}
    return context.transcript.add("a scenario", expected=expected or Expected(), **asked)


@pytest.fixture
def described(tmp_path, monkeypatch):
    def write(text: str) -> None:
        (tmp_path / "iam").mkdir(exist_ok=True)
        (tmp_path / "iam" / "server.toml").write_text(text, encoding="utf-8")

    monkeypatch.setattr(granted, "CATALOGUE", tmp_path)
    return write


def test_a_tool_that_nobody_called_is_a_problem() -> None:
    context = in_context(("list_users", {}), ("get_user", {}))
    played(context, "iam___list_users", ANSWER)
    assert granted_tools(context) == {"iam___get_user": "not called", "iam___list_users": "answered"}
    assert problems_of(context) == ["iam___get_user of reader was never called"]


def test_a_persona_of_which_nothing_was_answered_is_a_problem_though_every_refusal_was_right() -> None:
    context = in_context(("list_users", {}))
    context.transcript.unanswered["iam___list_users"] = "called; the local AWS does not emulate iam:ListUsers"
    refusal = Outcome(refused=True, layer="request", rule="unknown-tool")
    assert played(context, "iam___create_user", refusal, Expected("request")).held
    (problem,) = problems_of(context)
    assert problem == "not one tool of reader was answered, so nothing shows that it can do anything"


@pytest.mark.parametrize("outcome", [FAILURE, Outcome(refused=True, layer="aws", rule="access-denied")])
def test_a_failure_is_no_answer(outcome: Outcome) -> None:
    context = in_context(("list_users", {}))
    assert not played(context, "iam___list_users", outcome).held
    assert granted_tools(context) == {"iam___list_users": "called and not answered"}


def test_an_answer_in_which_aws_refused_something_does_not_hold() -> None:
    refused = SimpleNamespace(
        call="iam:ListUsers",
        decision="refused",
        region="us-east-1",
        source_identity="rea.example-01",
        session_name=None,
        session_policy_actions=(),
    )
    transcript = Transcript(persona="reader", calls_for=lambda _: (refused,), tell=lambda _: None)
    outcome = Outcome(refused=False, call_id="01M8HA8QPW0DCPY83SFJ9NWCH9")
    call = transcript.add(
        "s", user="rea.example-01", tool="iam___x", outcome=outcome, latency_ms=1, expected=Expected()
    )
    assert "AWS refused iam:ListUsers in a call that was answered" in call.problems


def test_a_call_is_made_from_the_schema_where_it_says_everything(described) -> None:
    described("[tools.look]\nlevel = 'read'\n")
    assert granted.example_of(in_context(("look", FIXED)), "iam___look") == ({"kind": "x"}, "")


def test_the_first_example_that_the_persona_may_send_is_sent(described) -> None:
    described('[tools.look]\nexamples = [{ other = "x" }, { name = "{account} {department}" }, { name = "last" }]\n')
    assert granted.example_of(in_context(("look", OPEN)), "iam___look")[0] == {
        "name": "111122223333 example-production"
    }


def test_a_tool_is_called_by_the_name_that_hosts_are_shown_and_told_by_the_gateways(described) -> None:
    described('alias = "id"\n[tools.look]\nalias = "see"\n[tools.list_users]\n')
    context = in_context(("look", FIXED), ("list_users", {"type": "object"}))
    context.member = SimpleNamespace(staff_id="rea.example-01")
    context.department.aws = SimpleNamespace(
        tag=lambda *_: None, region="eu-west-2", account="111122223333", calls_for=lambda _: ()
    )
    called = []

    class Client:
        async def call(self, name: str, arguments: dict[str, Any]) -> Reply:
            called.append(name)
            return Reply(ANSWER, 1.0)

    asyncio.run(granted.each_granted_tool(context, Client()))
    assert sorted(called) == ["id___list_users", "id___see"]
    assert granted_tools(context) == {"iam___list_users": "answered", "iam___look": "answered"}


def test_without_an_example_the_reason_is_listed(described) -> None:
    described('[tools.look]\nno_example = "The name is known only later."\n')
    assert granted.example_of(in_context(("look", OPEN)), "iam___look") == (None, "The name is known only later.")


@pytest.mark.parametrize("examples", ["", "examples = [{ other = 'x' }]"])
def test_a_tool_that_nobody_can_call_stops_the_play_and_names_the_place(described, examples: str) -> None:
    described(f"[tools.look]\n{examples}\n")
    with pytest.raises(NoExample, match=r"\[tools\.look\] of catalogue/servers/iam/server\.toml"):
        granted.example_of(in_context(("look", OPEN)), "iam___look")


def test_a_resource_that_nobody_can_tell_is_told_with_the_place_to_say_it() -> None:
    unmapped = aws_call(decision="refused", error_code="UnmappedResource", event={"errorMessage": "Add it to arns.py."})
    assert granted._unmapped(in_context(aws_calls=(unmapped,)), "01M8HA8QPW0DCPY83SFJ9NWCH9") == "Add it to arns.py."
    assert granted._unmapped(in_context(aws_calls=(aws_call(),)), "01M8HA8QPW0DCPY83SFJ9NWCH9") == ""


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (aws_call(), ""),
        (aws_call(decision="refused", error_code="AccessDenied"), ""),
        (aws_call(error_code="NotImplemented"), "does not emulate iam:ListUsers, which the policies admit"),
        (aws_call(decision="refused", error_code="UnmappedResource"), ""),
        (aws_call(decision="refused", error_code="UnknownService"), "so nothing is shown of its policies"),
        (aws_call(event={"errorMessage": "It does not exist."}), "holds nothing of that name"),
        (aws_call(event={"errorMessage": "State Machine Does Not Exist: 'x'"}), "holds nothing of that name"),
        (aws_call(error_code="ResourceNotFoundException"), "holds nothing of that name"),
        (aws_call(decision="refused", error_code="ResourceNotFoundException"), ""),
        (aws_call(decision="refused", event={"errorMessage": "It does not exist."}), ""),
    ],
)
def test_only_the_limits_of_the_local_aws_excuse_a_call(call: SimpleNamespace, said: str) -> None:
    excuse = granted._excuse(in_context(aws_calls=(call,)), "01M8HA8QPW0DCPY83SFJ9NWCH9")
    assert said in excuse if said else excuse == ""


def restricted() -> dict[str, list[str]]:
    """Every action that a persona may hold on named resources, where AWS's table knows some: with AWS's forms."""
    known, servers = actions.load(), ROOT / "catalogue" / "servers"
    personas = tomllib.loads((ROOT / "catalogue" / "personas.toml").read_text(encoding="utf-8"))["personas"]
    found = {}
    for server, tools in ((server, tools) for each in personas.values() for server, tools in each["servers"].items()):
        entries = tomllib.loads((servers / server / "server.toml").read_text(encoding="utf-8"))["tools"]
        for entry in (entries[tool.partition(".")[0]] for tool in tools):
            parts = [entry, *(each for each in entry.get("operations", {}).values() if "refused" not in each)]
            held = [each for each in parts if each.get("level") in ("read", "write")]
            for grant in (grant for each in held for grant in each.get("grants", [])):
                for action in grant["actions"] if grant.get("resources", ["*"]) != ["*"] else ():
                    if action in known and known[action].resources:
                        found[action] = list(known[action].resources)
    return found


def model_of(called: str) -> OperationModel:
    """A call's operation, by IAM's prefix."""
    prefix, _, name = called.partition(":")
    return service_model(prefix).operation_model(name)


def test_the_local_aws_knows_the_resources_of_whatever_a_granted_tool_asks_for() -> None:
    """What is missing is written into ringfence/rehearsal/aws/authorization/arns.py."""
    found = restricted().keys() - {"iam:PassRole"}
    calls = {action: [call for call, asks in ACTION_OF_OPERATION.items() if asks == action] for action in found}
    unknown = [
        call
        for action, several in calls.items()
        for call in several or [action]
        if finder_of(call, model_of(call), model_of(call).input_shape.members) is None
    ]
    assert len(found) > 120
    assert sorted(unknown) == []


@pytest.mark.parametrize(
    ("called", "parameters", "expected"),
    [
        ("eks:DescribeCluster", {"name": "blue"}, ["arn:aws:eks:eu-west-2:111122223333:cluster/blue"]),
        ("elasticmapreduce:ListSteps", {"ClusterId": "j-1"}, [f"{EMR}/j-1"]),
        ("ec2:RebootInstances", {"InstanceIds": ["i-1", "i-2"]}, [f"{EC2}/i-1", f"{EC2}/i-2"]),
        ("athena:ListNamedQueries", {"WorkGroup": "w"}, ["arn:aws:athena:eu-west-2:111122223333:workgroup/w"]),
        ("athena:GetWorkGroup", {"WorkGroup": "w"}, ["arn:aws:athena:eu-west-2:111122223333:workgroup/w"]),
        ("glue:GetCrawler", {"Name": "c"}, ["arn:aws:glue:eu-west-2:111122223333:crawler/c"]),
        ("glue:StopSession", {"Id": "s"}, ["arn:aws:glue:eu-west-2:111122223333:session/s"]),
        ("iam:GetPolicy", {"PolicyArn": "arn:aws:iam::aws:policy/x"}, ["arn:aws:iam::aws:policy/x"]),
        ("glue:TagResource", {"ResourceArn": "arn:aws:glue:a:b:job/j"}, ["arn:aws:glue:a:b:job/j"]),
        (
            "emr-serverless:GetJobRun",
            {"applicationId": "a", "jobRunId": "r"},
            ["arn:aws:emr-serverless:eu-west-2:111122223333:/applications/a/jobruns/r"],
        ),
    ],
)
def test_aws_own_table_and_the_names_of_parameters_make_an_arn(
    called: str, parameters: dict[str, Any], expected: list[str]
) -> None:
    forms = forms_by_name(actions.load()[called].resources, model_of(called), parameters)
    assert forms is not None
    assert arns(forms, parameters, called.partition(":")[0], region="eu-west-2", account="111122223333") == expected


@pytest.mark.parametrize(
    "called",
    [
        "sagemaker:DescribeCluster",  # a name is no id
        "athena:CreateNamedQuery",  # the name of another thing; the workgroup may be left out
        "rds:DescribeDBInstances",  # not every request names one
        "glue:GetTable",  # several ARNs, one of which the request does not make
    ],
)
def test_what_names_do_not_say_for_certain_is_not_guessed(called: str) -> None:
    assert forms_by_name(actions.load()[called].resources, model_of(called), ()) is None


@pytest.mark.parametrize("action", sorted(ARNS))
def test_an_arn_of_the_table_has_a_form_that_aws_knows_and_parameters_that_the_request_has(action: str) -> None:
    members = model_of(action).input_shape.members
    parameters: dict[str, Any] = {}
    for path in {path for form in ARNS[action] for path in re.findall(r"\{([A-Za-z.]+)", form)}:
        first, _, inner = path.partition(".")
        shape = members[first]  # the request has it
        assert not inner or inner in shape.members
        made = {inner: "made-up"} if inner else "made-up"
        parameters[first] = [made, made] if shape.type_name == "list" else made
    forms = [re.sub(r"\\\$\\\{\w+\\\}", "[^:]+", re.escape(form)) for form in actions.load()[action].resources]
    for arn in arns(ARNS[action], parameters, action.partition(":")[0], region="eu-west-2", account="111122223333"):
        assert any(re.fullmatch(form, arn) for form in forms), (arn, forms)


CLUSTER = "arn:aws:sagemaker:eu-west-2:111122223333:cluster/a1b2c3d4e5f6"


@pytest.mark.parametrize("action", sorted(action for action in ARNS if action.startswith("sagemaker:")))
def test_a_hyperpod_cluster_is_known_to_iam_by_its_id_and_to_callers_by_name_or_arn(action: str) -> None:
    def asked(cluster: str) -> list[str]:
        return arns(ARNS[action], {"ClusterName": cluster}, "sagemaker", region="eu-west-2", account="111122223333")

    assert asked(CLUSTER) == [CLUSTER]
    (made_up,) = asked("training")
    assert re.fullmatch(r"arn:aws:sagemaker:eu-west-2:111122223333:cluster/[a-z0-9]{12}", made_up)  # botocore 1.44.5


def test_a_name_that_may_be_an_arn_is_taken_as_one() -> None:
    function, cluster = (
        "arn:aws:lambda:eu-west-1:444455556666:function:f",
        "arn:aws:ecs:eu-west-2:111122223333:cluster/c",
    )
    where = {"region": "eu-west-2", "account": "111122223333"}
    assert arns(("function:{FunctionName}",), {"FunctionName": function}, "lambda", **where) == [function]
    assert arns(ARNS["ecs:UpdateService"], {"cluster": cluster, "service": "s"}, "ecs", **where) == [
        "arn:aws:ecs:eu-west-2:111122223333:service/c/s"
    ]

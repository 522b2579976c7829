"""Which log groups a persona may query is the department's word, in IAM and in the arguments alike."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callpath.arguments import ToolRule, check_arguments
from callpath.looking import Looking
from callpath.refusal import Refusal
from ringfence.catalogue.catalogue import Catalogue
from ringfence.catalogue.checks.arguments import argument_problems
from ringfence.catalogue.files.catalogue_files import ServerFile
from ringfence.catalogue.files.tool_files import Argument, LockedTool, LockFile, ToolFile
from ringfence.catalogue.grant_checks import persona_problems
from ringfence.catalogue.servers import Tool
from ringfence.catalogue.shown.published import published_definition
from ringfence.compilers.iam import persona_policies
from ringfence.compilers.rules import interceptor_rules, runtime_rules
from ringfence.department.department import Department, load_department
from ringfence.proofs.expected_permissions import ExpectedPermissions
from ringfence.reading.problems import Problem, ProblemsFound

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = (ROOT / "departments" / "example-production.toml").read_text(encoding="utf-8")
QUERY, ANALYSE = "cloudwatch___execute_log_insights_query", "cloudwatch___analyze_log_group"
HERE = "arn:aws:logs:eu-west-2:111122223333:log-group:"
TIMES = {"start_time": "2026-11-27T09:00:00Z", "end_time": "2026-11-27T10:00:00Z"}


def department(real: Catalogue, folder: Path, chosen: str = "") -> Department:
    (folder / "example-production.toml").write_text(f"{EXAMPLE}\n{chosen}", encoding="utf-8")
    return load_department("example-production", catalogue=real, root=folder)


RULES: dict[tuple[str, str], dict[str, Any]] = {}
"""Each persona's compiled rules, by the department's content: the same few are asked again for every value."""


def rule_of(real: Catalogue, found: Department, tool: str, persona: str = "auditor") -> ToolRule:
    place = (found.model_dump_json(), persona)
    entry = (RULES.get(place) or RULES.setdefault(place, interceptor_rules(real, found, persona)))["tools"][tool]
    return ToolRule(tool, entry["definition"]["inputSchema"], entry["forced"], Looking.read(entry))


def query(**arguments: Any) -> dict[str, Any]:
    return {"query_string": "fields @message", "limit": 5, **TIMES, **arguments}


CHOSEN = '[log_groups]\nauditor = ["/fisheries/*", "/aws/lambda/fisheries.api"]'


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("/fisheries/boats/api", True),
        ("/fisheries/", True),
        ("/aws/lambda/fisheries.api", True),
        ("/aws/lambda/fisheries-api", False),
        ("/aws/lambda/fisheries.api/x", False),
        ("/forestry/api", False),
        ("x/fisheries/api", False),
        ("/fisheries/a\n", False),
        ("/fisheries/a b", False),
    ],
)
def test_the_arguments_take_the_departments_groups(real: Catalogue, tmp_path: Path, name: str, passes: bool) -> None:
    found = department(real, tmp_path, CHOSEN)
    calls = [
        (QUERY, query(log_group_names=[name])),
        (QUERY, query(log_group_identifiers=[f"{HERE}{name}"])),
        (QUERY, query(log_group_identifiers=["/fisheries/a", name])),
        (ANALYSE, {"log_group_arn": f"{HERE}{name}", **TIMES}),
    ]
    for tool, arguments in calls:
        if passes:
            assert check_arguments(rule_of(real, found, tool), arguments)
        else:
            with pytest.raises(Refusal):
                check_arguments(rule_of(real, found, tool), arguments)


ELSEWHERE = (
    "filter requestId in (SOURCE '/ringfence/x' | fields requestId)",
    'filter requestId in (\n\tsource"/ringfence/x" | fields requestId)',
    "fields a | join left=l right=r where l.a=r.a (SOURCE '/aws/vendedlogs/x')",
    "stats count(*) by a | appendcols override=true ( SOURCE lg | stats avg(b) by a )",
    "SOURCE lg start=-365d end=now | fields @message",
    "\ufeffSOURCE logGroups()",
    "source[logGroups()]",
    "# whose\nSOURCE logGroups(accountIdentifiers: ['444455556666'])",
    "# whose\rSOURCE logGroups()",
    "fields a | # why\n source logGroups()",
    "pattern @message | diff",
    "pattern @message |\n DIFF previousMonth",
    "fields @message | logcompare timeshift 365d",
    "fields @message | limit # more\n 10000",
    "fields @message | limit (10000)",
    "fields @message | tail\t99999",
    "fields @message | UnMask(@message)",
    "filter a in (SOURCE '/fisheries/a' | fields unmask(@message))",
)
"""Queries that name other groups, accounts, times or rows than the arguments, or what is masked."""


@pytest.mark.parametrize(
    "text",
    [
        "fields source, diff | filter source = 'x' and diff > 3 | sort source",
        "filter (source = 'x' or source != 'y') and isPresent(source) | stats max(diff), count(source) by source, diff",
        "filter @message like /#12345/ | limit 1000",
        "fields eventSource, @source.ip | filter @source in ['a'] # the rest is not needed",
        "filter @message like /rate limit of 10000/",
    ],
)
def test_a_query_that_only_looks_as_if_passes(real: Catalogue, tmp_path: Path, text: str) -> None:
    assert check_arguments(rule_of(real, department(real, tmp_path), QUERY), query(query_string=text))


@pytest.mark.parametrize(
    "arguments",
    [
        query(log_group_identifiers=["arn:aws:logs:eu-west-2:444455556666:log-group:/fisheries/a"]),
        query(log_group_identifiers=["arn:aws:logs:eu-west-1:111122223333:log-group:/fisheries/a"]),
        query(log_group_names=["/ringfence/example-production/cloudtrail"]),
        query(log_group_identifiers=[f"{HERE}/aws/vendedlogs/x:*"]),
        query(log_group_names=[f"/fisheries/{number}" for number in range(11)]),
        query(limit=1001),
        query(limit=0),
        {name: value for name, value in query().items() if name != "limit"},
        query(start_time="2026-11-20T09:59:59Z"),
        query(log_group_identifiers=[f"{HERE}/fisheries/a:*"]),
        *(query(query_string=text) for text in ELSEWHERE),
    ],
)
def test_a_query_beyond_its_bounds_is_refused_without_a_word_of_the_department(
    real: Catalogue, tmp_path: Path, arguments: dict[str, Any]
) -> None:
    rule = rule_of(real, department(real, tmp_path), QUERY)
    assert check_arguments(rule, query(log_group_names=["/anything"], start_time="2026-11-20T10:00:00Z"))
    with pytest.raises(Refusal):
        check_arguments(rule, arguments)


CLUSTER = {"cluster_name": "fish", "resource_type": "cluster", "log_type": "control-plane"}
LOGS_OF_CLUSTERS = """
[[sensitive]]
persona = "developer"
tool = "eks.get_cloudwatch_logs"
reason = "Clusters here run test data only, and developers find faults by their logs."
"""


@pytest.mark.parametrize(
    "arguments",
    [
        {"start_time": "2026-11-20T09:59:59Z", "end_time": "2026-11-27T10:00:00Z"},
        {"minutes": 10081},
        {"minutes": 0},
        {"limit": 1001},
        *({name: text} for name in ("filter_pattern", "fields", "resource_name") for text in ELSEWHERE),
    ],
)
def test_a_query_of_a_clusters_logs_has_the_same_bounds(
    real: Catalogue, tmp_path: Path, arguments: dict[str, Any]
) -> None:
    rule = rule_of(real, sandbox(real, tmp_path, LOGS_OF_CLUSTERS), "eks___get_cloudwatch_logs", "developer")
    assert check_arguments(
        rule, {**CLUSTER, **TIMES, "minutes": 10080, "limit": 1000, "filter_pattern": "filter a = 1"}
    )
    with pytest.raises(Refusal):
        check_arguments(rule, {**CLUSTER, **arguments})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fields @message | unmask(@message)", "unmask"),
        ("fields substr(nino, 0, 4), substr(nino, 4)", "what takes values apart"),
        ("fields CONCAT (a, '-', b)", "what takes values apart"),
        ("fields @message | parse @message '*@*' as a, b", "what takes values apart"),
        ("PARSE @message /(?<a>[0-9]{5})/", "what takes values apart"),
        ("fields replace(dob, '-', 'x'), ltrim(a)", "what takes values apart"),
        ("filter a = 1 | display sort_code as x", "what takes values apart"),
        ("stats latest(sort_code) as x by user", "what takes values apart"),
        ("fields jsonParse(@message) as j | fields j.dob", "what takes values apart"),
        ("stats count(*) by nino as ref", "gives them another name"),
        ("fields a | sort nino as x desc", "gives them another name"),
        ("stats max(nino) as ref by user", "gives them another name"),
        ("stats latest(coalesce(nino)) as y", "gives them another name"),
        ("fields toupper(latest(nino)) as y", "gives them another name"),
        ("fields coalesce(nino, ')') as y", "gives them another name"),
        ("stats count(*) as n, (nino) as y", "gives them another name"),
        ("unnest nino into x", "what takes values apart"),
        ("SOURCE logGroups(namePrefix: ['/ringfence'])", "a source"),
        ("source '/fisheries/a' start=-365d end=now", "a source"),
        ("fields a |\tSource '/fisheries/a'", "a source"),
        ("filter id in (SOURCE '/fisheries/a' start=-365d end=now | fields id)", "a source"),
        ("fields a | join type=inner left=a right=b where a.x=b.x (fields x)", "a join"),
        ("# note\nfields a", "a comment"),
        ("SOURCE#x\nlogGroups()", "a comment"),
        ("fields a | lookup people id OUTPUT name, address", "a lookup"),
        ("pattern @message | diff previousMonth", "another time"),
        ("pattern @message | diff", "another time"),
        ("stats count(*) by p | appendcols (pattern @message | diff)", "another time"),
        ("filter id in (fields a | logcompare)", "another time"),
        ("fields a | append [SOURCE x]", "a source"),
        ("{SOURCE x}", "a source"),
        ("fields @message | head 2000", "a limit"),
        ("fields @message | limit any any 5000", "a limit"),
        ("fields @message | limit 1e9", "a limit"),
        ("fields @message | limit 1,0000", "a limit"),
        ("fields a | appendcols max=100000 (fields b)", "a limit"),
        ("filter g = 'aws-waf-logs-ringfence-x'", "the name of a log group that no persona may query"),
        ("fields a | logcompare timeshift 365d", "another time"),
        ("filter g in ['/aws/vendedlogs/x']", "the name of a log group that no persona may query"),
        (f"filter g = `{HERE}/ringfence/a`", "the name of a log group that no persona may query"),
        ("source=logGroups()", "a source"),
        ("SOURCE,logGroups()", "a source"),
        ("// c\nSOURCE 'x'", "a comment"),
        ("fields a | limit 1000.5e9", "a limit"),
        ("fields a | limit 1000+9000", "a limit"),
        ("fields a | limit (999+9000)", "a limit"),
        ("fields a | limit 9 * (9000)", "a limit"),
        ("fields @message | limit 10000", "a limit"),
        ("fields @message | limit 1001", "a limit"),
        ("fields @message | limit any 100000", "a limit"),
        ("fields @message | LIMIT\n9_999", "a limit"),
        ("fields @message | tail 2000", "a limit"),
    ],
)
def test_a_text_that_looks_beyond_its_arguments_is_refused(
    real: Catalogue, tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(Refusal, match=f"without .*{told}"):
        check_arguments(rule_of(real, department(real, tmp_path), QUERY), query(query_string=text))


@pytest.mark.parametrize(
    "text",
    [
        "fields @timestamp, source,\nsource, @message | filter source = 'x' | sort @timestamp desc | limit 1000",
        "filter (source = 'x' or join != 'y') and @message like /(?i)(error|timed out|ringfence)/",
        "stats count(*) by bin(5m), source | limit any 20",
        "fields @message | limit 20 | sort @timestamp | filter parse = 'x' and concat like /parse|substr/",
        "filter url like /https:\\/\\/a\\/b/ and path = '//x' | stats count(*) as logGroups by source, b | limit 5",
        "stats count(*) as n, max(took) by what | filter id in (source) | dedup what",
        "filter @message like 'limit 99' and path like '/aws/lambda/x'",
    ],
)
def test_an_ordinary_text_passes(real: Catalogue, tmp_path: Path, text: str) -> None:
    rule = rule_of(real, department(real, tmp_path), QUERY)
    assert check_arguments(rule, query(query_string=text))["query_string"] == text


@pytest.mark.parametrize(
    "text",
    ["fields took / 2 | parse @message '*' as a | fields b / 2", "filter @message like /a|parse b/"],
    ids=["between two divisions", "within an expression"],
)
def test_what_stands_between_two_slashes_may_be_a_command(real: Catalogue, tmp_path: Path, text: str) -> None:
    """The second is refused with it: by the slashes alone nobody can tell an expression from what is divided."""
    with pytest.raises(Refusal, match=r"without .*what takes values apart"):
        check_arguments(rule_of(real, department(real, tmp_path), QUERY), query(query_string=text))


def test_the_queries_of_two_servers_are_held_to_the_same_words(real: Catalogue) -> None:
    of_clusters = real.servers["eks"].tools["get_cloudwatch_logs"].without
    of_groups = real.servers["cloudwatch"].tools["execute_log_insights_query"].without
    assert len(of_clusters) == 5
    assert {word: of_groups[word] for word in of_clusters} == of_clusters


@pytest.mark.parametrize(
    "expression",
    [
        'SELECT MAX(x) FROM SCHEMA("n") WHERE "@aws.account" = \'444455556666\'',
        "SEARCH('MetricName=\"x\" NOT :aws.AccountId=\"LOCAL\"', 'Sum')",
        "SEARCH(':aws.AccountId=\"444455556666\" MetricName=\"x\"', 'Sum')",
        "SELECT MAX(x) FROM SCHEMA(\"n\") WHERE AWS.AccountId = '444455556666'",
        'SELECT MAX(x) FROM SCHEMA("n") GROUP BY AWS . "AccountId"',
    ],
)
def test_metrics_of_another_account_are_not_searched(real: Catalogue, tmp_path: Path, expression: str) -> None:
    rule = rule_of(real, department(real, tmp_path), "cloudwatch___get_metric_data")
    assert check_arguments(rule, {"queries": [{"id": "a", "expression": "SEARCH('MetricName=\"x\"', 'Sum')"}]})
    with pytest.raises(Refusal, match="without an account"):
        check_arguments(rule, {"queries": [{"id": "a", "expression": expression}]})


def granted(real: Catalogue) -> dict[str, dict[str, Any]]:
    """Every tool that some persona is granted, as it is published: input schema by name."""
    held = {
        (server, grant.partition(".")[0])
        for persona in real.personas.values()
        for server, grants in persona.servers.items()
        for grant in grants
    }
    servers = real.servers
    return {
        f"{server}.{tool}": published_definition(servers[server], servers[server].tools[tool])["inputSchema"]
        for server, tool in sorted(held)
    }


def numbers(schema: Any, path: tuple[str, ...] = ()) -> list[tuple[str, dict[str, Any]]]:
    """Every part of a schema that says integer or number, wherever it stands."""
    found: list[tuple[str, dict[str, Any]]] = []
    if isinstance(schema, dict) and any(kind in str(schema.get("type")) for kind in ("integer", "number")):
        found.append(("/".join(path), schema))
    for key, part in (
        schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    ):
        found += numbers(part, (*path, str(key)))
    return found


def test_every_number_that_anybody_may_send_has_a_least_and_a_most(real: Catalogue) -> None:
    found = [(tool, *each) for tool, schema in granted(real).items() for each in numbers(schema)]
    assert len(found) > 50
    assert [(tool, path) for tool, path, part in found if not {"minimum", "maximum"} <= part.keys()] == []


def test_every_tool_that_looks_between_times_is_bound_to_hours(real: Catalogue) -> None:
    """Logs and what somebody did: a week at a time. Metrics and states of alarms: ninety days."""
    tools = {name: real.servers[name.partition(".")[0]].tools[name.partition(".")[2]] for name in granted(real)}
    assert {name: tool.window.hours for name, tool in tools.items() if tool.window} == {
        "cloudtrail.lookup_events": 168,
        "cloudwatch.analyze_log_group": 168,
        "cloudwatch.execute_log_insights_query": 168,
        "cloudwatch.get_alarm_history": 2160,
        "cloudwatch.get_metric_data": 2160,
        "eks.get_cloudwatch_logs": 168,
        "eks.get_cloudwatch_metrics": 2160,
        "serverless.get_metrics": 168,
        "serverless.sam_logs": 168,
    }
    assert {name for name, tool in tools.items() if tool.no_window} == {
        "dataprocessing.manage_aws_emr_clusters",
        "dataprocessing.manage_aws_emr_serverless_job_runs",
        "sagemaker.manage_hyperpod_cluster_nodes",
    }


def test_who_asks_for_old_metrics_is_told_which_periods_bring_any(real: Catalogue) -> None:
    """CloudWatch answers any other with no data (MetricStat, Period; botocore 1.44.5, read 29 November 2026)."""
    begins = {}
    for name, schema in granted(real).items():
        tool = real.servers[name.partition(".")[0]].tools[name.partition(".")[2]]
        actions = {action for grant in tool.grants for action in grant.actions}
        if "cloudwatch:GetMetricData" in actions and tool.window:
            begins[name] = schema["properties"][tool.window.begin]["description"]
    assert set(begins) == {"cloudwatch.get_metric_data", "eks.get_cloudwatch_metrics", "serverless.get_metrics"}
    for described in begins.values():
        assert "15 days ago" in described and "multiple of 300" in described
        assert "63 days ago" in described and "of 3600" in described


HELD = [
    *(
        ("cloudwatch", "execute_log_insights_query", "without", word)
        for word in (
            "the name of a log group that no persona may query",
            "a comment before the last line",
            "unmask",
            "what takes values apart or gives them another name",
            "a limit of more than 1,000 rows",
            "a source, a join, a lookup or another time",
        )
    ),
    *(
        ("eks", "get_cloudwatch_logs", "without", word)
        for word in (
            "a comment before the last line",
            "unmask",
            "what takes values apart or gives them another name",
            "a limit of more than 1,000 rows",
            "a source, a join, a lookup or another time",
        )
    ),
    ("cloudwatch", "analyze_log_group", "without", "the name of a log group that no persona may query"),
    ("cloudwatch", "get_metric_data", "without", "an account"),
    ("cloudwatch", "analyze_log_group", "arguments", "log_group_arn"),
    ("cloudwatch", "execute_log_insights_query", "arguments", "log_group_names"),
    ("cloudwatch", "execute_log_insights_query", "arguments", "log_group_identifiers"),
    ("serverless", "sam_logs", "arguments", "cw_log_group"),
]


def grants_of(real: Catalogue, server: str, tool: Tool) -> list[Problem]:
    held = replace(real.servers[server], tools={**real.servers[server].tools, tool.name: tool})
    return persona_problems(real.personas, {**real.servers, server: held}, known={*real.servers}, refused=real.refused)


@pytest.mark.parametrize(("server", "name", "part", "key"), HELD)
def test_what_holds_a_query_cannot_be_forgotten(real: Catalogue, server: str, name: str, part: str, key: str) -> None:
    tool = real.servers[server].tools[name]
    kept = {each: rule for each, rule in getattr(tool, part).items() if each != key}
    assert len(kept) == len(getattr(tool, part)) - 1
    assert grants_of(real, server, tool) == []
    assert grants_of(real, server, replace(tool, **{part: kept}))


def test_every_text_that_no_query_may_hold_is_one_of_these(real: Catalogue) -> None:
    tools = {name: real.servers[name.partition(".")[0]].tools[name.partition(".")[2]] for name in granted(real)}
    said = {(*name.split("."), "without", word) for name, tool in tools.items() for word in tool.without}
    assert said == {each for each in HELD if each[2] == "without"}


def test_a_list_of_groups_that_is_held_to_another_pattern_is_told(real: Catalogue) -> None:
    tool = real.servers["cloudwatch"].tools["execute_log_insights_query"]
    rule = tool.arguments["log_group_names"].model_copy(update={"pattern": "^/[a-z]+$"})
    (message, *_) = [
        problem.message
        for problem in grants_of(
            real, "cloudwatch", replace(tool, arguments={**tool.arguments, "log_group_names": rule})
        )
    ]
    assert message == "Its argument log_group_names names log groups, and no rule holds it to the department's word."


@pytest.mark.parametrize(
    "queries",
    [
        [{"id": f"q{number}", "expression": "1"} for number in range(11)],
        [{"id": "a", "expression": "1", "period": 59}],
        [{"id": "a", "metric_stat": {"namespace": "n", "metric_name": "m", "statistic": "Sum", "period": 86401}}],
    ],
)
def test_a_metric_query_is_held_to_its_number_and_its_periods(
    real: Catalogue, tmp_path: Path, queries: list[dict[str, Any]]
) -> None:
    rule = rule_of(real, department(real, tmp_path), "cloudwatch___get_metric_data")
    stat = {"namespace": "n", "metric_name": "m", "statistic": "p99", "period": 60}
    assert check_arguments(rule, {"queries": [{"id": "a", "metric_stat": stat}, {"id": "b", "period": None}] * 5})
    with pytest.raises(Refusal):
        check_arguments(rule, {"queries": queries})


def test_iam_is_held_to_the_same_groups(real: Catalogue, tmp_path: Path) -> None:
    found = department(real, tmp_path, CHOSEN)
    wanted = {f"{HERE}/fisheries/*", f"{HERE}/aws/lambda/fisheries.api:*"}
    rules = runtime_rules(real, found, "auditor", "cloudwatch")["tools"]
    sessions = [rules[tool.partition("___")[2]]["session_policy"] for tool in (QUERY, ANALYSE)]
    for document in [*sessions, *persona_policies(real, found, "auditor")]:
        for statement in document["Statement"]:
            if "logs:StartQuery" in statement["Action"]:
                assert set(statement["Resource"]) == wanted
    assert "logs:StartQuery" in json.dumps(sessions)


@pytest.mark.parametrize(
    ("chosen", "samples"),
    [
        ("", {"arn:aws:logs:eu-west-2:111122223333:anomaly-detector:*"}),
        ('[log_groups]\nauditor = ["/fisheries/*", "*"]', {"arn:aws:logs:eu-west-2:111122223333:anomaly-detector:*"}),
        (CHOSEN, set()),
        ('[log_groups]\nauditor = ["/*"]', set()),
    ],
)
def test_samples_of_anomalies_are_read_by_those_alone_who_may_query_every_group(
    real: Catalogue, tmp_path: Path, chosen: str, samples: set[str]
) -> None:
    """A detector's samples and patterns are of its log groups, and IAM knows it by an id of its own."""
    found = department(real, tmp_path, chosen)
    session = runtime_rules(real, found, "auditor", "cloudwatch")["tools"]["analyze_log_group"]["session_policy"]
    for documents in ([session], persona_policies(real, found, "auditor")):
        held = [each for document in documents for each in document["Statement"] if each["Effect"] == "Allow"]
        reading = [each["Resource"] for each in held if "logs:ListAnomalies" in each["Action"]]
        assert {resource for resources in reading for resource in resources} == samples
    expected = ExpectedPermissions.read(found.name, catalogue=ROOT / "catalogue", departments=tmp_path)
    needs = [need for call in expected.calls("auditor") for need in call.needs if need.action == "logs:ListAnomalies"]
    assert {resource for need in needs for resource in need.resources} == samples  # the proofs' own reading


SANDBOX = (ROOT / "departments" / "example-sandbox.toml").read_text(encoding="utf-8")
LOGS_OF_FUNCTIONS = LOGS_OF_CLUSTERS.replace("eks.get_cloudwatch_logs", "serverless.sam_logs")
READS_LOGS = {"logs:FilterLogEvents", "logs:GetLogEvents", "logs:GetQueryResults", "logs:StartQuery"}


def sandbox(real: Catalogue, folder: Path, chosen: str) -> Department:
    (folder / "example-sandbox.toml").write_text(f"{SANDBOX}\n{chosen}", encoding="utf-8")
    return load_department("example-sandbox", catalogue=real, root=folder)


def readable(*documents: dict[str, Any]) -> set[str]:
    """The resources on which policies allow what stands in a log group to be read."""
    return {
        resource
        for document in documents
        for statement in document["Statement"]
        if statement["Effect"] == "Allow" and READS_LOGS & {*statement["Action"]}
        for resource in statement["Resource"]
    }


CLUSTERS = {f"{HERE}/aws/containerinsights/*", f"{HERE}/aws/eks/*"}
FUNCTIONS = {f"{HERE}/aws/lambda/ringfence-sandbox-*", f"{HERE}API-Gateway-Execution-Logs_*"}


@pytest.mark.parametrize(
    ("chosen", "of_clusters", "of_functions"),
    [
        ("", CLUSTERS, FUNCTIONS),
        ('developer = ["*"]', CLUSTERS, FUNCTIONS),
        ('developer = ["/aws/*"]', CLUSTERS, {f"{HERE}/aws/lambda/ringfence-sandbox-*"}),
        (
            'developer = ["/aws/eks/fish/*", "/aws/containerinsights/fish/host", "/aws/lambda/ringfence-sandbox-a*"]',
            {f"{HERE}/aws/eks/fish/*", f"{HERE}/aws/containerinsights/fish/host:*"},
            {f"{HERE}/aws/lambda/ringfence-sandbox-a*"},
        ),
        (
            'developer = ["/aws/e*", "API-Gateway-*", "/forestry/*"]',
            {f"{HERE}/aws/eks/*"},
            {f"{HERE}API-Gateway-Execution-Logs_*"},
        ),
    ],
)
def test_the_departments_word_holds_for_the_logs_of_clusters_and_of_functions(
    real: Catalogue, tmp_path: Path, chosen: str, of_clusters: set[str], of_functions: set[str]
) -> None:
    found = sandbox(real, tmp_path, f"{LOGS_OF_CLUSTERS}\n{LOGS_OF_FUNCTIONS}\n[log_groups]\n{chosen}")
    session = {
        server: runtime_rules(real, found, "developer", server)["tools"][tool]["session_policy"]
        for server, tool in (("eks", "get_cloudwatch_logs"), ("serverless", "sam_logs"))
    }
    assert readable(session["eks"]) == of_clusters
    assert readable(session["serverless"]) == of_functions
    assert readable(*persona_policies(real, found, "developer")) == of_clusters | of_functions


@pytest.mark.parametrize(
    ("chosen", "forms"),
    [
        (LOGS_OF_CLUSTERS, "/aws/containerinsights/*, /aws/eks/*"),
        (LOGS_OF_FUNCTIONS, "/aws/lambda/ringfence-sandbox-*, API-Gateway-Execution-Logs_*"),
    ],
)
def test_a_tool_whose_log_groups_nobody_may_query_is_not_named(
    real: Catalogue, tmp_path: Path, chosen: str, forms: str
) -> None:
    with pytest.raises(ProblemsFound) as found:
        sandbox(real, tmp_path, f'{chosen}\n[log_groups]\ndeveloper = ["/forestry/*"]')
    (problem,) = found.value.problems
    assert (problem.field, forms in problem.message) == ("sensitive[0].tool", True)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("eks___get_cloudwatch_logs", {**CLUSTER, "log_type": "/forestry/api"}),
        ("eks___get_cloudwatch_logs", {**CLUSTER, "cluster_name": "fish/../forestry"}),
        ("eks___get_cloudwatch_logs", {**CLUSTER, "cluster_name": "fish\n"}),
        ("serverless___sam_logs", {"stack_name": "forestry"}),
        ("serverless___sam_logs", {"resource_name": "Hello"}),
        ("serverless___sam_logs", {"stack_name": "ringfence-sandbox-shop", "resource_name": "--tail"}),
        ("serverless___sam_logs", {"stack_name": "ringfence-sandbox-shop", "cw_log_group": ["/forestry/api"]}),
        ("serverless___sam_logs", {"stack_name": "ringfence-sandbox-shop", "start_time": "90 days ago"}),
    ],
)
def test_no_argument_of_these_names_another_log_group(
    real: Catalogue, tmp_path: Path, tool: str, arguments: dict[str, Any]
) -> None:
    rule = rule_of(real, sandbox(real, tmp_path, LOGS_OF_CLUSTERS + LOGS_OF_FUNCTIONS), tool, "developer")
    shop = {"stack_name": "ringfence-sandbox-shop", "resource_name": "Hello", **TIMES}
    assert check_arguments(rule, {**CLUSTER, **TIMES} if tool.startswith("eks") else shop)
    with pytest.raises(Refusal):
        check_arguments(rule, arguments)


@pytest.mark.parametrize(
    "name", ["/ringfence/x", "/aws/vendedlogs/x", "/aws/bedrock-agentcore/x", "aws-waf-logs-ringfence-x"]
)
def test_what_nobody_reads_is_not_analysed(real: Catalogue, tmp_path: Path, name: str) -> None:
    rule = rule_of(real, department(real, tmp_path), ANALYSE)
    with pytest.raises(Refusal, match="without the name of a log group that no persona may query"):
        check_arguments(rule, {"log_group_arn": f"{HERE}{name}", **TIMES})


@pytest.mark.parametrize("groups", ["/aws/*", "*", "/ring*"])
def test_a_session_that_could_reach_what_nobody_reads_denies_it(real: Catalogue, tmp_path: Path, groups: str) -> None:
    found = department(real, tmp_path, f'[log_groups]\nauditor = ["{groups}"]')
    policy = runtime_rules(real, found, "auditor", "cloudwatch")["tools"]["execute_log_insights_query"][
        "session_policy"
    ]
    assert any(statement["Effect"] == "Deny" and "/ringfence/" in str(statement) for statement in policy["Statement"])


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        ('[log_groups]\nauditr = ["/a/*"]', "log_groups.auditr"),
        ("[log_groups]\nauditor = []", "log_groups.auditor"),
        ('[log_groups]\nauditor = ["/a b"]', "log_groups.auditor[0]"),
        ('[log_groups]\nauditor = ["/*-*"]', "log_groups.auditor[0]"),
        ('[log_groups]\nauditor = ["/a", "/ringfence/*"]', "log_groups.auditor[1]"),
        ('[log_groups]\nauditor = ["/aws/vendedlogs/x"]', "log_groups.auditor[0]"),
        ('[log_groups]\nauditor = ["aws-waf-logs-ringfence-a"]', "log_groups.auditor[0]"),
        ('[log_groups]\nauditor = ["/a/*", "/b", "/a/*"]', "log_groups.auditor[2]"),
        ('[log_groups]\noperator = ["/a/*"]', "log_groups.operator"),
        ('[log_groups]\nauditor = ["arn:aws:logs:eu-west-2:111122223333:log-group:x"]', "log_groups.auditor[0]"),
    ],
)
def test_a_mistake_of_the_department_is_told(real: Catalogue, tmp_path: Path, chosen: str, field: str) -> None:
    with pytest.raises(ProblemsFound) as found:
        department(real, tmp_path, chosen)
    assert field in {problem.field for problem in found.value.problems}


def test_a_word_on_log_groups_has_an_effect_once_a_tool_that_reads_them_is_named(
    real: Catalogue, tmp_path: Path
) -> None:
    word = '[log_groups]\ndeveloper = ["/aws/eks/*"]'
    with pytest.raises(ProblemsFound, match="None of this persona's tools here reads a log group"):
        sandbox(real, tmp_path, word)
    assert sandbox(real, tmp_path, f"{LOGS_OF_CLUSTERS}\n{word}").queried("developer") == ("/aws/eks/*",)


def test_a_persona_that_the_catalogue_does_not_know_is_nearly_another(real: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(ProblemsFound, match=r"knows no such persona\. Did you mean `auditor`"):
        department(real, tmp_path, '[log_groups]\nauditer = ["/a/*"]')
    with pytest.raises(ProblemsFound, match=r"knows no such persona\. Use: auditor, operator, developer"):
        department(real, tmp_path, '[log_groups]\nwizard = ["/a/*"]')


SCHEMA = {
    "type": "object",
    "properties": {
        "begin": {"type": "string"},
        "end": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "createdAfter": {"type": "string"},
        "createdBefore": {"type": "string"},
        "last_seen": {"type": "string"},
        "rows": {"type": "integer"},
        "names": {"type": "array", "items": {"type": "string"}},
        "parts": {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}]},
    },
    "$defs": {"Part": {"type": "object", "properties": {"size": {"type": "integer"}}}},
}


@pytest.mark.parametrize(
    ("tool", "told"),
    [
        ({"window": {"begin": "begin", "end": "end", "hours": 1}}, []),
        ({"window": {"begin": "begun", "end": "end", "hours": 1}}, ["no such argument that takes text"]),
        ({"window": {"begin": "rows", "end": "end", "hours": 1}}, ["no such argument that takes text"]),
        ({"window": {"begin": "end", "end": "end", "hours": 1}}, ["the same argument"]),
        ({"window": {"begin": "end", "end": "begin", "hours": 1}}, ["the later time is `begin`"]),
        ({"window": {"begin": "createdBefore", "end": "last_seen", "hours": 1}}, ["the later time is `begin`"]),
        ({"window": {"begin": "last_seen", "end": "createdAfter", "hours": 1}}, ["the later time is `begin`"]),
        (
            {"window": {"begin": "begin", "end": "end", "hours": 1}, "arguments": {"end": {"mode": "hidden"}}},
            ["has a rule besides"],
        ),
        ({"arguments": {"rows": {"mode": "bounded", "most": 9}}}, []),
        ({"arguments": {"rows": {"mode": "bounded"}}}, ["needs the most"]),
        ({"arguments": {"begin": {"mode": "bounded", "most": 9}}}, ["takes no number, no list and no object"]),
        ({"arguments": {"names": {"mode": "bounded", "most": 9}}}, []),
        ({"arguments": {"rows": {"mode": "hidden", "least": 0}}}, ["Only a bounded argument"]),
        ({"arguments": {"parts": {"mode": "bounded", "numbers": {"size": [0, 9]}}}}, []),
        ({"arguments": {"parts": {"mode": "bounded", "most": 9}}}, ["Only a number or a list has a most"]),
        ({"arguments": {"parts": {"mode": "bounded", "numbers": {"size": [9, 0]}}}}, ["The least is more"]),
        ({"arguments": {"parts": {"mode": "bounded", "numbers": {"rows": [0, 9]}}}}, ["No number of this name"]),
        ({"arguments": {"names": {"mode": "matching", "pattern": "^a$", "most": 9}}}, []),
        ({"arguments": {"names": {"mode": "matching", "pattern": "^a$"}}}, ["needs the most texts"]),
        ({"arguments": {"begin": {"mode": "matching", "pattern": "^a$", "most": 9}}}, ["Only a number or a list"]),
        ({"arguments": {"rows": {"mode": "hidden", "most": 9}}}, ["Only a number or a list"]),
    ],
)
def test_a_mistake_of_the_catalogue_is_told(tool: dict[str, Any], told: list[str]) -> None:
    parts = {"level": "read", **tool}
    parts["arguments"] = {name: Argument(**rule) for name, rule in tool.get("arguments", {}).items()}
    file = ServerFile(
        name="x", title="x", description="x", package="x", version="1", module="x", tools={"look": ToolFile(**parts)}
    )
    lock = LockFile(
        server="x", package="x", version="1", tools=(LockedTool(name="look", inputSchema=SCHEMA, sha256="0"),)
    )
    found = [problem.message for problem in argument_problems(file, lock, "server.toml")]
    assert len(found) == len(told)
    assert all(words in message for words, message in zip(told, found, strict=True))

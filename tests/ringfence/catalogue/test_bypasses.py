"""Ways to models, hosted MCP servers and keys: every one that AWS's table has is listed, and a new one is told."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from ringfence.catalogue import bypasses
from ringfence.catalogue.actions import known_actions
from ringfence.reading.problems import ProblemsFound


def test_every_bypass_of_the_table_is_listed() -> None:
    assert bypasses.unlisted(known_actions()) == []


@pytest.mark.parametrize(
    ("prefix", "action", "kind"),
    [
        ("aws-mcp", "CallReadWriteTool", "mcp"),
        ("new-mcp", "InvokeMcp", "mcp"),
        ("other-mcp", "Use", "mcp"),
        ("bedrock-next", "CreateInference", "inference"),
        ("bedrock-next", "CallWithBearerToken", "key"),
        ("some-assistant", "SendMessage", "inference"),
        ("s3", "GetWebIdentityToken", "key"),
        ("new-agents", "InvokeHarness", "inference"),
        ("new-agents", "CreateManagedHarness", "inference"),
        ("new-agents", "StartFlowExecution", "inference"),
        ("new-agents", "CreateEvaluationJob", "inference"),
        ("new-agents", "InvokeAssistant", "inference"),
        ("new-agents", "StartBotResourceGeneration", "inference"),
        ("new-agents", "StartMetadataGenerationRun", "inference"),
        ("new-agents", "StartPolicyGeneration", "inference"),
        ("new-agents", "StartAgentRecommendationGeneration", "inference"),
        ("new-agents", "StartAgentSession", "inference"),
        ("new-agents", "StartMedicalScribeJob", "inference"),
        ("new-agents", "TransformCode", "inference"),
    ],
)
def test_a_bypass_that_a_refreshed_table_brings_is_told(prefix: str, action: str, kind: str) -> None:
    table = {**known_actions(), prefix: (*known_actions().get(prefix, ()), action)}
    assert bypasses.unlisted(table) == [f"{kind} {prefix}:{action}"]


def test_the_names_find_what_a_reader_of_the_table_would_call_a_bypass() -> None:
    """Written by hand from the table, not by its patterns."""
    listed = {(bypass.prefix, bypass.kind) for bypass in bypasses.bypasses().bypass}
    assert {
        ("aws-external-anthropic", "inference"),
        ("bedrock-mantle", "inference"),
        ("bedrock-websearch", "inference"),
        ("nova-act", "inference"),
        ("aidevops", "inference"),
        ("aiops", "inference"),
        ("finops-agent", "inference"),
        ("guardduty", "inference"),
        ("quicksight", "inference"),
        ("agentaccess-mcp", "mcp"),
        ("application-signals-mcp", "mcp"),
        ("ecs-mcp", "mcp"),
        ("eks-mcp", "mcp"),
        ("iam", "key"),
        ("sts", "key"),
    } <= listed
    prefixes = {prefix for prefix in known_actions() if prefix.endswith("-mcp")}
    assert prefixes <= {prefix for prefix, kind in listed if kind == "mcp"}


@pytest.mark.parametrize(
    "action",
    [
        "bedrock-agentcore:CreateHarness",
        "bedrock-agentcore:InvokeHarness",
        "bedrock:CreateEvaluationJob",
        "bedrock:CreateModelEvaluationJob",
        "bedrock:StartFlowExecution",
    ],
)
def test_what_asks_a_model_as_a_role_of_its_own_is_denied_to_everybody(action: str) -> None:
    assert any(fnmatchcase(action, each) for each in bypasses.denied("inference"))


@pytest.mark.parametrize(
    "action",
    [
        "bedrock-agentcore:StartRecommendation",
        "datazone:GenerateCode",
        "datazone:InvokeAgent",
        "datazone:SendMessage",
        "datazone:StartConversation",
        "datazone:StartMetadataGenerationRun",
        "detective:InvokeAssistant",
        "health-agent:InvokeAgent",
        "health-agent:StartMedicalScribeListeningSession",
        "health-agent:StartPatientInsightsJob",
        "iotsitewise:InvokeAssistant",
        "lex:GenerateBotElement",
        "lex:StartBotResourceGeneration",
        "qdeveloper:StartAgentSession",
        "qdeveloper:TransformCode",
        "transcribe:StartMedicalScribeJob",
        "transcribe:StartMedicalScribeStream",
        "wellarchitected:CreateAgentProfile",
        "wellarchitected:StartAgentRecommendationGeneration",
    ],
)
def test_what_puts_words_to_a_model_that_aws_chooses_is_denied_to_everybody(action: str) -> None:
    """Written by hand: a service's other denials do not stand in for one that has gone."""
    prefix, _, name = action.partition(":")
    assert name in known_actions()[prefix]
    assert any(fnmatchcase(action, each) for each in bypasses.denied("inference"))


@pytest.mark.parametrize(
    "action", ["detective:StartInvestigation", "lex:StartConversation", "transcribe:StartTranscriptionJob"]
)
def test_what_a_service_does_beside_a_bypass_stays_open(action: str) -> None:
    assert not any(fnmatchcase(action, each) for each in bypasses.denied())


def file(tmp_path: Path, **changes: str) -> Path:
    entry = {
        "prefix": '"q"',
        "kind": '"inference"',
        "state": '"governed"',
        "deny": '["SendMessage"]',
        "because": '"AWS does not say where it asks a model."',
        **changes,
    }
    text = "[looks_like]\nmcp = ['\\w*Mcp']\n[[bypass]]\n"
    text += "\n".join(f"{name} = {value}" for name, value in entry.items() if value)
    path = tmp_path / "bypasses.toml"
    path.write_text(text)
    return path


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    (bypass,) = bypasses.bypasses(file(tmp_path)).bypass
    assert bypass.denied == ("q:SendMessage",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prefix": '"qq"'}, "no such prefix"),
        ({"deny": '["SendMassage"]'}, "no such action"),
        ({"deny": ""}, "Only a governed bypass"),
        ({"state": '"no bypass"'}, "Only a governed bypass"),
        ({"state": '"open"'}, "bypass[0].state"),
        ({"kind": '"window"'}, "bypass[0].kind"),
        ({"because": '"so"'}, "bypass[0].because"),
        ({"until": '"2027"'}, "until"),
    ],
)
def test_each_mistake_in_the_file_is_told(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(ProblemsFound, match=message.replace("[", r"\[").replace("]", r"\]")):
        bypasses.bypasses(file(tmp_path, **changes))


def test_two_entries_about_one_bypass_are_told(tmp_path: Path) -> None:
    path = file(tmp_path)
    path.write_text(path.read_text() + path.read_text().partition("[[bypass]]")[2].join(["\n[[bypass]]", ""]))
    with pytest.raises(ProblemsFound, match="Two entries"):
        bypasses.bypasses(path)

"""The models that staff's hosts may ask in London, and the policy that admits these and nothing else.

Facts: a model that runs on demand is invoked by its plain id, on `arn:aws:bedrock:<region>::foundation-model/<id>`; a
profile routes a call to other regions, and the routed half carries `bedrock:InferenceProfileArn` (Amazon Bedrock user
guide, cross-region inference; service authorization reference; read 29 November 2026).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from ringfence.catalogue.bypasses import denied
from ringfence.catalogue.iam_statements import Document, Statement, document
from ringfence.reading.documents import Strict, read_checked
from ringfence.reading.problems import Problem, shown
from ringfence.reading.region import REGION

FILE: Final = Path(__file__).resolve().parents[2] / "catalogue" / "models.toml"
INVOKE: Final = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
"""They decide Converse, ConverseStream and StartAsyncInvoke too (API reference of each), and chat completions and
responses on `bedrock-runtime` (Amazon Bedrock user guide, making inference requests, read 29 November 2026)."""

ModelId = Annotated[str, Field(pattern=r"^[a-z0-9]+\.[A-Za-z0-9._-]+(:[0-9]+)?$")]


class Model(Strict):
    """A model that runs on demand in eu-west-2, without a profile.

    Attributes:
        told: How this is known; the file says where it was read.
        ends: The day before which AWS does not end it, where that is known.
    """

    id: ModelId
    title: Annotated[str, Field(min_length=3)]
    told: Literal["documented", "second-hand", "seen live"]
    ends: Annotated[date | None, Field(strict=False)] = None


class ModelsFile(Strict):
    """`models.toml`."""

    model: Annotated[tuple[Model, ...], Field(strict=False, min_length=1)]


class Models(Strict):
    """Which models a department's hosts ask; without this part of the file, Ringfence says nothing about models.

    Attributes:
        main: What a host asks unless it is told otherwise.
        strongest: What it asks for hard work; `main`, where the file names none.
        fast: What it asks in the background; likewise.
    """

    main: ModelId
    strongest: ModelId | None = None
    fast: ModelId | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """Each model once, sorted."""
        return tuple(sorted({self.main, *filter(None, (self.strongest, self.fast))}))


def known_models(path: Path = FILE) -> dict[str, Model]:
    """Returns the models of the catalogue, by id; raises as `read_checked`."""
    file = read_checked(path, ModelsFile, distinct={"model": ("id",)})
    return {model.id: model for model in file.model}


def problems(data: Mapping[str, Any], known: Mapping[str, Model]) -> list[Problem]:
    """Returns the models of a department file that do not run in London by themselves."""
    chosen = data.get("models")
    if not isinstance(chosen, dict):
        return []
    found = []
    for key in ("main", "strongest", "fast"):
        name = chosen.get(key)
        if isinstance(name, str) and name not in known:
            message = "The catalogue knows no such model that runs in London without an inference profile."
            remedy = f"Choose one of catalogue/models.toml: {', '.join(sorted(known))}."
            found.append(Problem(f"models.{key}", shown(name), message, remedy))
    return found


def notes(models: Models | None, known: Mapping[str, Model]) -> Iterator[Problem]:
    """Yields each model of a department that AWS may end on a day that is known."""
    for name in models.ids if models else ():
        if ends := known[name].ends:
            message = f"AWS may end this model on {ends:%-d %B %Y} or later."
            yield Problem("models", shown(name), message, "Look at its model card before that day, and choose another.")


def model_policy(models: Models) -> Document:
    """Returns the policy for staff's role: these models in London, and the known other ways to a model, denied.

    Known are those of `catalogue/bypasses.toml` and what of Bedrock and AgentCore asks a model for its caller. The
    setting that records what is asked is held too: it is the account owner's, and no business of who is recorded.
    """
    arns = [f"arn:aws:bedrock:{REGION}::foundation-model/{each}" for each in models.ids]
    in_london = {"aws:RequestedRegion": REGION}
    return document(
        [
            {
                "Sid": "InvokeListedModels",
                "Effect": "Allow",
                "Action": list(INVOKE),
                "Resource": arns,
                "Condition": {"StringEquals": in_london, "Null": {"bedrock:InferenceProfileArn": "true"}},
            },
            # A role may have more policies than this one: what they allow is denied here.
            {"Sid": "DenyOtherModels", "Effect": "Deny", "Action": ["bedrock:InvokeModel*"], "NotResource": arns},
            _deny("DenyProfiles", ["bedrock:InvokeModel*"], {"Null": {"bedrock:InferenceProfileArn": "false"}}),
            _deny("DenyOtherRegions", [f"{each}:*" for each in _BEDROCK], {"StringNotEquals": in_london}),
            # A guardrail of the standard tier checks text in the regions that its profile names: London alone for the
            # United Kingdom's (Bedrock user guide, guardrail profiles and their permissions; read 29 November 2026).
            {
                "Sid": "DenyGuardrailsOutsideLondon",
                "Effect": "Deny",
                "Action": ["bedrock:ApplyGuardrail"],
                "NotResource": [f"arn:aws:bedrock:{REGION}:*:{each}" for each in _GUARDRAILS],
            },
            _deny("DenyOtherWays", sorted({*_ASK_BY_THEMSELVES, *denied("inference")})),
            _deny("DenyKeys", denied("key")),
            _deny("DenyUnrecorded", list(_SWITCH_THE_RECORD)),
        ]
    )


_BEDROCK: Final = ("agent-registry", "bedrock", "bedrock-agentcore")
"""Prefixes that are asked in London alone; the others of Bedrock are denied as a whole."""
_GUARDRAILS: Final = ("guardrail/*", "guardrail-profile/uk.*")
# They ask a model for the caller, by the service's own choice, as a role of its own, or in a batch. A flow, an agent or
# a runtime may be sound for others; for whoever has this policy, each is a way past its models and its record. A
# gateway can lead to a runtime (AgentCore guide, A/B testing); those of Ringfence take tokens, and no policy of a role
# decides them. What is put into a memory is read by a model, perhaps in another region (same guide, memory strategies);
# a knowledge base can have its documents read by one (Bedrock user guide, parsing options). Whoever retrieves from one
# names a model that makes filters and one that ranks (API reference, Retrieve), the second asked as the base's role
# (Bedrock user guide, permissions for reranking). A registry's search asks a model in any region (AgentCore guide,
# cross-region inference in Agent Registry). All read 29 November 2026.
_ASK_BY_THEMSELVES: Final = (
    "agent-registry:InvokeRegistryMcp",
    "agent-registry:SearchDiscoverableRegistryRecords",
    "bedrock-agentcore:CreateABTest",
    "bedrock-agentcore:CreateEvent",
    "bedrock-agentcore:InvokeAgentRuntime*",
    "bedrock-agentcore:InvokeGateway",
    "bedrock-agentcore:InvokeRegistryMcp",
    "bedrock-agentcore:SearchRegistryRecords",
    "bedrock-agentcore:StartMemoryExtractionJob",
    "bedrock-agentcore:StartPolicyGeneration",
    "bedrock-agentcore:StartRecommendation",
    "bedrock-agentcore:UpdateABTest",
    "bedrock-agentcore:UpdateMemory",
    "bedrock-agentcore:UpdateOnlineEvaluationConfig",
    "bedrock:AgenticRetrieveStream",
    "bedrock:CreateInferenceProfile",
    "bedrock:CreateModelCustomizationJob",
    "bedrock:CreateModelInvocationJob",
    "bedrock:DetectGeneratedContent",
    "bedrock:IngestKnowledgeBaseDocuments",
    "bedrock:InvokeAgent",
    "bedrock:InvokeAutomatedReasoningPolicy",
    "bedrock:InvokeBlueprint*",
    "bedrock:InvokeBuilder",
    "bedrock:InvokeDataAutomation*",
    "bedrock:InvokeFlow",
    "bedrock:InvokeInlineAgent",
    "bedrock:InvokeTool",
    "bedrock:Retrieve*",
    "bedrock:StartAutomatedReasoningPolicy*",
    "bedrock:StartIngestionJob",
)
_SWITCH_THE_RECORD: Final = (
    "bedrock:DeleteModelInvocationLoggingConfiguration",
    "bedrock:PutModelInvocationLoggingConfiguration",
)


def permission_set(department: str, models: Models) -> dict[str, Any]:
    """Returns a permission set of IAM Identity Center: the properties of `AWS::SSO::PermissionSet` but `InstanceArn`.

    The commands of `aws sso-admin` are two, and the second takes the policy as a text (docs/hosts.md).
    """
    return {
        "Name": f"ringfence-{department}-models"[:32].rstrip("-"),
        "Description": f"Ask {', '.join(models.ids)} in London, and no other model.",
        "SessionDuration": "PT8H",
        "InlinePolicy": model_policy(models),
    }


def host_environment(models: Models) -> dict[str, str]:
    """Returns what Claude Code is told of its models: all five variables, or it asks others through a profile.

    It falls back to us-east-1 without a region, and takes a model of its own choice in the background
    (anthropics/claude-code, issue 20594); each family of models has a variable, Fable's among them (code.claude.com,
    model configuration; both read 29 November 2026).
    """
    return {
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "AWS_REGION": REGION,
        "ANTHROPIC_MODEL": models.main,
        "ANTHROPIC_DEFAULT_FABLE_MODEL": models.strongest or models.main,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": models.strongest or models.main,
        "ANTHROPIC_DEFAULT_SONNET_MODEL": models.main,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": models.fast or models.main,
    }


def _deny(sid: str, actions: list[str], condition: Mapping[str, Any] | None = None) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": ["*"]}
    return statement | ({"Condition": dict(condition)} if condition else {})

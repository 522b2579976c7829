"""Every exception that reaches a person says what is wrong and what to do: it has one root, `ringfence.CannotGoOn`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from ringfence import CannotGoOn
from ringfence.iam.problems import UndecidablePolicy
from tests.architecture.imports import files, room_of

# module -> those of its exceptions that no command ends with, and where each of them ends instead.
ANSWERED = {
    "ringfence.rehearsal.aws.protocol.wire": {"AwsError"},  # an answer of the local AWS
    "ringfence.rehearsal.aws.services.insights_language": {"MalformedQuery"},
    "ringfence.rehearsal.aws.services.stack_making": {"Refused"},
    "ringfence.rehearsal.compute.function_process": {"FunctionError"},  # what Lambda answers
    "ringfence.rehearsal.gateway.messages": {"BadMessage"},  # answers of a gateway
    "ringfence.rehearsal.gateway.request_trace": {"EndRequest"},
    "ringfence.rehearsal.gateway.sessions": {"SessionBusy"},
    "ringfence.rehearsal.gateway.target_calls": {"_NotInitialized"},
    "ringfence.rehearsal.identity.authorizer": {"NotAuthorized"},
    "ringfence.rehearsal.sign_in.problems": {"OAuthError", "Refused"},  # a page, or an answer of the token endpoint
    "ringfence.rehearsal.serving": {"_Refused"},  # answers of any of the rehearsal's servers
}
CAUGHT = {
    "ringfence.assets.listing": {"_Broken"},  # by what adds the name of the server
    "ringfence.assets.pruning": {"NothingToLeaveOut"},
    "ringfence.catalogue.references": {"RecursiveSchema"},  # by what makes a problem, a finding or a breach of it
    "ringfence.cedar.schema": {"NoCedarSchema"},
    "ringfence.cedar.values": {"Misfit"},
    "ringfence.rehearsal.scenarios.granted": {"NoExample"},  # lines of a rehearsal's report
    "ringfence.rehearsal.scenarios.persona_scenarios": {"ScenarioStopped"},
}


def exceptions() -> Iterator[tuple[str, str, set[str]]]:
    """Module, name and bases of every class of ours that is made to be raised."""
    found = {
        (module, node.name): {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for module, path in files().items()
        if room_of(module).startswith("ringfence") or room_of(module) in {"stacks", "constructs", "app"}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    raised = {"Exception", "BaseException", "ValueError", "RuntimeError", "LookupError", "OSError", "KeyError"}
    raised |= {"CannotGoOn", "CannotStart"}
    for (module, name), bases in found.items():
        if bases & raised:
            yield module, name, bases


def test_what_reaches_a_person_has_one_root() -> None:
    others: dict[str, set[str]] = {}
    for module, name, bases in exceptions():
        if not bases & {"CannotGoOn", "CannotStart"} and name != "CannotGoOn":
            others.setdefault(module, set()).add(name)
    assert others == ANSWERED | CAUGHT


def test_it_says_both_and_is_never_without_a_remedy() -> None:
    assert str(CannotGoOn("the zip is gone", "Build it.")) == "the zip is gone. Build it."
    assert str(UndecidablePolicy("the operator Near is unknown.")).startswith("the operator Near is unknown. Correct")
    with pytest.raises(ValueError, match="CannotGoOn needs a remedy: nothing"):
        CannotGoOn("nothing")

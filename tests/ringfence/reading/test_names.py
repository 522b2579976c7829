"""Fixed names: what AWS accepts, and never one name for two things, whatever departments share an account."""

from __future__ import annotations

import itertools
import json
import re

import botocore.session
import pytest

from ringfence.reading import names

LONGEST_DEPARTMENT = "a-department-of-28-letters-x"
# Words whose hyphens could be read as the end of one part and the beginning of the next.
DEPARTMENTS = ("d", "a-d", "b-a-d", "d-auditor", LONGEST_DEPARTMENT, f"{LONGEST_DEPARTMENT[:-1]}y")
PERSONAS = ("auditor", "developer", "a", "b")
SERVERS = ("iam", "b", "a", "a-b", "b-a", "a-server-with-28-letters-yes", "a-server-with-28-letters-yet")
PARTS = list(itertools.product(PERSONAS, SERVERS))
TOOLS = ("t", "b_t", "a_b_t", "t_", "t__a", f"get_{'very_' * 9}long_name_a", f"get_{'very_' * 9}long_name_b")


def pattern(shape: str) -> str:
    loader = botocore.session.get_session().get_component("data_loader")
    return loader.load_service_model("bedrock-agentcore-control", "service-2")["shapes"][shape]["pattern"]


def all_runtimes() -> list[str]:
    return [names.runtime(*parts) for parts in itertools.product(DEPARTMENTS, PERSONAS, SERVERS)]


def all_policies() -> list[str]:
    return [names.cedar_policy(*parts) for parts in itertools.product(DEPARTMENTS, PERSONAS, SERVERS, TOOLS)]


def all_gateways() -> list[str]:
    return [names.gateway(*parts) for parts in itertools.product(DEPARTMENTS, PERSONAS)]


@pytest.mark.parametrize("made", [all_runtimes(), all_policies(), all_gateways()], ids=["runtime", "policy", "gateway"])
def test_no_two_things_have_one_name(made: list[str]) -> None:
    assert len(set(made)) == len(made)


@pytest.mark.parametrize(
    ("made", "shape", "longest"),
    [
        (all_runtimes(), "AgentRuntimeName", 48),
        (all_policies(), "PolicyName", 48),
        (all_gateways(), "GatewayName", 39),
        ([name.replace("-", "_") for name in all_gateways()], "PolicyEngineName", 48),
    ],
    ids=["runtime", "policy", "gateway", "engine"],
)
def test_every_name_is_one_that_agentcore_accepts(made: list[str], shape: str, longest: int) -> None:
    wanted = re.compile(pattern(shape))
    assert [name for name in made if not wanted.fullmatch(name) or len(name) > longest] == []


def test_a_name_that_fits_says_all_of_it_and_one_that_does_not_says_the_beginning() -> None:
    assert names.runtime("example-production", "auditor", "iam") == "ringfence_example_production__auditor_iam"
    assert names.gateway("example-production", "auditor") == "ringfence-example-production-auditor"
    cut = names.runtime("example-production", "developer", "dataprocessing")
    assert re.fullmatch(r"ringfence_example_production__developer_[0-9a-f]{8}", cut), cut
    bare = names.runtime(LONGEST_DEPARTMENT, "developer", "dataprocessing")
    assert re.fullmatch(r"ringfence_a_department_of_28_letters_x__[0-9a-f]{8}", bare), bare
    policy = names.cedar_policy("example-production", "auditor", "iam", "list_users")
    assert policy == "auditor_iam__list_users__example_production"


def test_a_runtime_begins_with_its_own_departments_beginning_and_no_others() -> None:
    """What IAM and the keeper of log groups tell departments of one account apart by."""
    for department, other in itertools.product(DEPARTMENTS, DEPARTMENTS):
        begins = [names.runtime(other, *rest).startswith(names.runtimes_of(department)) for rest in PARTS]
        assert set(begins) == {other == department}, (department, other)


def test_a_gateways_persona_is_the_last_part_of_its_name_even_when_it_is_cut() -> None:
    assert names.gateway(LONGEST_DEPARTMENT, "developer").rpartition("-")[2] == "developer"
    assert re.fullmatch(
        r"ringfence-a-departm[a-z-]*-[0-9a-f]{8}-developer", names.gateway(LONGEST_DEPARTMENT, "developer")
    )


def test_names_are_the_same_everywhere_and_every_day() -> None:
    """A digest that changed would replace every runtime."""
    assert json.dumps(names.cedar_policy("example-sandbox", "developer", "dataprocessing", "list_s3_buckets")) == (
        '"developer_dataprocessing__list_s3_bucke_131dd91d"'
    )


@pytest.mark.parametrize(
    ("personas", "told"),
    [
        (["auditor", "operator"], ["rf-aud", "rf-ope"]),
        (["auditor", "auditee"], ["rf-audito", "rf-audite"]),
        (["auditor", "audit"], ["rf-audito", "rf-audit"]),
        (["auditor"], ["rf-aud"]),
    ],
)
def test_hosts_call_servers_by_as_many_letters_as_keep_personas_apart(personas: list[str], told: list[str]) -> None:
    assert list(names.server_names(personas).values()) == told

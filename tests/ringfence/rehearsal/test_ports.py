"""Where the rehearsal listens: the same ports every day, and a clear word where one is taken."""

from __future__ import annotations

import socket
import tomllib
from pathlib import Path

import pytest

from ringfence.rehearsal.ports import SIGN_IN_NAME, ports, take_port
from ringfence.rehearsal.problems import CannotStart

PERSONAS = Path(__file__).resolve().parents[3] / "catalogue" / "personas.toml"
KNOWN = len(tomllib.loads(PERSONAS.read_text(encoding="utf-8"))["personas"])


def test_each_persona_has_a_port_that_does_not_depend_on_the_others() -> None:
    assert ports(["auditor", "operator", "developer"], first=8710) == {
        SIGN_IN_NAME: 8710, "auditor": 8711, "operator": 8712, "developer": 8713,
    }  # fmt: skip
    assert ports(["developer"], first=8710) == {SIGN_IN_NAME: 8710, "developer": 8713}


def test_another_first_port_moves_all() -> None:
    assert ports(["operator"], first=9000) == {SIGN_IN_NAME: 9000, "operator": 9002}


def test_a_persona_that_the_catalogue_does_not_know_comes_after_those_it_knows() -> None:
    assert ports(["reader", "archivist"], first=9000) == {
        SIGN_IN_NAME: 9000, "archivist": 9001 + KNOWN, "reader": 9002 + KNOWN,
    }  # fmt: skip


def test_free_ports_are_asked_for_by_nought() -> None:
    assert ports(["auditor"], first=0) == {SIGN_IN_NAME: 0, "auditor": 0}


def test_ports_end_at_65535() -> None:
    with pytest.raises(CannotStart, match="port 65534 leaves no room for 2 personas") as stopped:
        ports(["auditor", "operator"], first=65534)
    assert f"at most {65535 - KNOWN}" in stopped.value.remedy


def test_a_taken_port_is_named_with_what_it_is_for_and_how_to_move_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"port {port} of 127.0.0.1, for the auditor, cannot be used") as stopped:
            take_port(port, name="the auditor")
    assert "PORT=9000" in stopped.value.remedy

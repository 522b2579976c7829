"""The points that only a live account can show: data, page and checks agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.live.verification.checks import CHECKS
from ringfence.live.verification.points import BEGIN, PAGE, read_points, with_points
from ringfence.reading.problems import ProblemsFound

OWNERS = {"platform engineer", "security reviewer", "identity administrator"}


def test_the_page_is_made_from_the_data() -> None:
    """`make pages` makes it again."""
    page = PAGE.read_text()
    assert with_points(page, read_points()) == page


def test_ids_run_without_a_gap_so_that_none_is_given_again() -> None:
    ids = [point.id for point in read_points()]
    assert ids == [f"LIVE-{number:02}" for number in range(1, len(ids) + 1)]
    assert len(ids) >= 31


def test_every_point_has_an_owner_a_command_and_a_way_to_judge_it() -> None:
    for point in read_points():
        assert point.owner in OWNERS, point.id
        assert point.claim.endswith(".") and point.how and point.command, point.id


def test_every_check_closes_a_point_and_every_named_check_exists() -> None:
    named = {name for point in read_points() for name in point.check}
    assert named == {check.name for check in CHECKS} - {"account"}


def test_what_needs_a_deliberate_fault_says_so() -> None:
    drills = {"interceptor-failure", "around-the-gateway"}
    for point in read_points():
        assert point.drill == bool(drills & set(point.check)) == ("--drill" in point.command), point.id


def test_a_point_that_verify_live_closes_names_its_command_and_others_do_not() -> None:
    for point in read_points():
        assert bool(point.check) <= ("verify-live" in point.command or point.command == "make preflight"), point.id
        assert bool(point.check) >= point.command.startswith("make verify-live"), point.id


def test_an_id_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    twice = tmp_path / "points.toml"
    one = '[[point]]\nid = "LIVE-01"\nclaim = "x"\nowner = "x"\ncommand = "x"\nhow = "x"\n'
    twice.write_text(one + one)
    with pytest.raises(ProblemsFound, match="LIVE-01"):
        read_points(twice)


def test_a_page_without_its_marks_is_not_written_over() -> None:
    with pytest.raises(ValueError, match="lacks"):
        with_points(f"a page with {BEGIN} alone", read_points())

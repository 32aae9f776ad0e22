"""What ``harness rate status`` says comes next."""

from __future__ import annotations

import pytest


def last(desk, *arguments):
    done = desk.rate("status", *arguments)
    assert done.code == 0, done.err
    return done.out.splitlines()[-1]


def test_while_something_is_open_it_is_to_be_rated(desk):
    serve = f"next: harness rate serve {desk.name}"
    assert last(desk) == serve
    item = desk.batch.assignments["ana"][0]
    desk.says("ana", item, "right", 3)
    desk.says("ana", item, "polite", True)
    assert last(desk) == serve


def test_when_all_is_done_one_round_has_its_agreement(rated):
    assert last(rated) == f"next: harness rate agreement {rated.name}"


def test_when_all_is_done_the_run_that_waits_goes_on_as_it_was_given(rated):
    folder = rated.folder / ".harness" / "runs" / rated.run
    (folder / "waiting.json").write_text('{"arm": "main", "round": 9, "generate": "x"}')
    (folder / "command.json").write_text('["harness", "iterate", "-c", "my exp.yaml"]')
    assert last(rated) == "next: harness iterate -c 'my exp.yaml'"
    (folder / "command.json").unlink()  # of a run that was begun before this was kept
    assert last(rated) == "next: harness iterate"
    (folder / "waiting.json").write_text('{"arm": "main", "round": 0, "generate": "x"}')  # closed
    assert last(rated) == f"next: harness rate agreement {rated.name}"


@pytest.mark.parametrize("versus", [("--vs", "0"), ()])
def test_two_rounds_have_a_verdict_and_one_raters_scores_are_there_too(desk, versus):
    made = desk.rate(*("create", "--rubric", "short.yaml", "-n", "5", "--raters", "ana", *versus))
    assert made.code == 0, made.err
    desk.name = next(one.name for one in desk.ratings.iterdir() if one.name != desk.name)
    desk.fill()
    assert last(desk, desk.name) == f"next: harness rate verdict {desk.name}"

"""What the probe of ``harness plan`` trains and measures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.plugins.plan.conftest import planned, trained


def test_seconds_come_from_a_short_probe_and_are_found_again(timed):
    found = planned(timed, "--rounds", "1")
    train = next(s for s in found["stages"] if s["stage"] == "train")
    # 36 steps of 20 ms, of which the probe makes those of eight rows.
    assert 0.6 < train["seconds"] < 3
    assert found["seconds"] >= train["seconds"]
    assert found["needs"]["memory"] > 1e6
    assert found["needs"]["disk"] >= 1000
    again = planned(timed, "--rounds", "1", "--no-probe")
    assert again["measured"] == found["measured"]
    assert again["seconds"] == found["seconds"]
    changed = planned(timed, "--rounds", "1", "--no-probe", "--set", "train.gain=0.1")
    assert changed["seconds"] is None


FIXED = ("--rounds", "2", "--set", "train.steps=40")
"""As many steps for one row as for all: 0.8 s each training."""


def test_a_fixed_number_of_steps_takes_as_long_on_more_rows(timed):
    found = planned(timed, *FIXED)
    first, second = (s for s in found["stages"] if s["stage"] == "train")
    assert (first["steps"], second["steps"]) == (40, 40)
    assert first["passes"] == 40 / 18
    assert 0.7 < first["seconds"] < 1.6
    assert 0.7 < second["seconds"] < 1.6


@pytest.mark.nightly
@pytest.mark.usefixtures("in_real_time")
def test_what_was_made_before_counts_by_its_passes(timed):
    done = timed.inside("iterate", "--rounds", "1", *FIXED[2:], "--no-test", "--json")
    found = planned(timed, "--no-probe", *FIXED)
    first, second = (s for s in found["stages"] if s["stage"] == "train")
    assert first["stored"]
    assert second["seconds"] == pytest.approx(done.document["seconds"]["train"], rel=0.1)


def test_a_training_of_the_probe_that_takes_long_is_stopped(timed, monkeypatch):
    from harness_plan import measuring

    monkeypatch.setattr(measuring, "LONGEST", 0.2)
    found = planned(timed, *FIXED)
    first, answers = (s for s in found["stages"] if s["round"] == 1)
    assert 0.7 < first["seconds"] < 1.6
    assert answers["seconds"] is not None
    assert found["needs"]["disk"] is None
    assert planned(timed, *FIXED, "--no-probe")["seconds"] == found["seconds"]
    assert list((timed.folder / ".harness" / "work").iterdir()) == []


@pytest.mark.nightly
def test_a_trainer_is_told_that_it_is_only_measured(timed):
    planned(timed, "--rounds", "1")
    assert timed.inside("iterate", "--rounds", "1", "--no-test").code == 0
    assert [one["probe"] for one in trained(timed)] == [True, False]


@pytest.mark.parametrize(("valid", "held"), [("0.03", 1), ("0", 0)])
def test_the_training_of_the_probe_has_validation_rows_where_the_run_has(timed, valid, held):
    planned(timed, "--rounds", "1", "--set", f"valid={valid}")
    assert [(one["train"], one["valid"]) for one in trained(timed)] == [(8, held)]


def test_what_was_measured_is_not_measured_again(timed):
    before = planned(timed, "--rounds", "1")
    again = planned(timed, "--rounds", "2")
    assert again["measured"] == before["measured"]
    assert again["needs"]["memory"] == before["needs"]["memory"]
    assert len(trained(timed)) == 1


def write_rows(project: Any, words: int) -> None:
    """Six rows of each split with prompts of so many words."""
    rows = [
        {"id": f"{split}{n}", "split": split, "references": [f"{n}"],
         "messages": [{"role": "user", "content": f"say: {split} {n}" + " word" * words}]}
        for split in ("train", "dev", "test") for n in range(6)
    ]  # fmt: skip
    lines = map(json.dumps, rows)
    (project.folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.nightly
def test_rows_that_are_longer_than_those_of_the_probe_are_measured(timed):
    """What the longest row needs of memory would not be known."""
    text = (timed.folder / "harness.yaml").read_text("utf-8")
    rows = "{source: jsonl, path: rows.jsonl}\nmodel"
    timed.write(text.replace("{source: fake}\nmodel", rows))
    given = ("--rounds", "1", "--set", "augment=[]")
    write_rows(timed, 5)
    planned(timed, *given)
    write_rows(timed, 50)
    assert planned(timed, *given, "--no-probe")["needs"]["memory"] is None
    assert planned(timed, *given)["needs"]["memory"] > 1e6
    assert len(trained(timed)) == 2


def test_the_runs_own_stages_come_before_what_was_measured(timed):
    planned(timed, "--rounds", "1")
    assert timed.inside("iterate", "--rounds", "1", "--no-test").code == 0
    found = planned(timed, "--rounds", "2")
    assert found["measured"] == "earlier stages of this run"
    assert found["needs"]["memory"] > 1e6

"""The default experiment and its second config, and what the benchmark reads off their runs."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.kit import yaml_file
from harness_sources.python_questions import PythonQuestions

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
import story

CONTROL = story.ROOT / "datasets" / "python-questions" / "control.yaml"
NAMED = [["kind = raises", 20], ["kind = defaults and form = method", 10]]


def settings(path: Path) -> dict[str, Any]:
    return yaml_file.read(path)[0]


def test_the_configs_differ_in_the_control_arm_alone() -> None:
    default, control = settings(story.CONFIG), settings(CONTROL)
    assert [entry.pop("control") for entry in control["augment"]] == ["random"]
    assert [entry.pop("control", None) for entry in default["augment"]] == [None]
    assert control == default


def test_rare_kinds_have_rows_enough_in_dev_and_test(tmp_path: Path) -> None:
    given = settings(story.CONFIG)["data"]
    options = {key: value for key, value in given.items() if key != "source"}
    assert tuple(options["rare"]["train"]) == tuple(options["rare"]["pool"]) == story.RARE
    source = PythonQuestions(PythonQuestions.Options.model_validate(options))
    counts: Counter[tuple[str, str]] = Counter()
    for row in source.load(harness.Context(tmp_path)):
        counts[row.split, row.meta["kind"]] += 1
    for kind in story.RARE:
        assert counts["train", kind] == 3 and counts["pool", kind] == 40
        assert counts["dev", kind] >= 24 and counts["test", kind] >= 20


@pytest.mark.parametrize(
    ("plan", "share"),
    [
        ([["kind = raises", 30], ["everywhere", 10]], 0.75),
        ([*NAMED, ["everywhere", 30]], 0.5),
        ([["kind = calls", 48], ["asks = which", 10], ["everywhere", 2]], 0.0),
        ([], None),
    ],
)
def test_share_of_a_plan_for_rare_kinds(plan: list[tuple[str, int]], share: float | None) -> None:
    assert story.share(plan) == share


def record(**changes: object) -> dict[str, Any]:
    rounds = [
        {"label": "baseline", "against": "", "score": 0.0, "difference": None, "plan": []},
        {"label": "improved", "against": "round 0", "score": 0.4, "difference": 0.4,
         "plan": [*NAMED, ["everywhere", 10]]},
        {"label": "improved", "against": "round 1", "score": 0.6, "difference": 0.2, "plan": []},
    ]  # fmt: skip
    test = {"label": "improved", "baseline": 0.0, "best": 0.6}
    return {"seed": 101, "seconds": 200.4, "rounds": rounds, "test": test} | changes


def test_a_run_meets_what_is_asked_in_each_point_by_itself() -> None:
    assert all(story.met(record()).values())
    assert story.met(record(test=None))["test improved"] is False
    worse = record()
    worse["rounds"][2] |= {"label": "no evidence"}
    assert [name for name, value in story.met(worse).items() if not value] == ["round 2 improved"]
    worse = record()
    worse["rounds"][1] |= {"plan": [["everywhere", 40]]}
    assert [name for name, value in story.met(worse).items() if not value] == ["half for rare"]


def test_a_run_that_stopped_early_misses_its_later_rounds() -> None:
    for rounds, missed in ((1, 3), (2, 1)):
        found = story.met(record(rounds=record()["rounds"][:rounds]))
        assert list(found.values()).count(False) == missed
        assert not found["round 2 improved"]


def test_a_record_holds_runs_of_several_configs(tmp_path: Path) -> None:
    path = tmp_path / "story.jsonl"
    lines = [
        record(config=story.name_of(path), settings=story.digest(path), seed=101 + place)
        for place, path in enumerate((story.CONFIG, CONTROL))
    ] + [record(config="harness.yaml", settings="of before", seed=103)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert [run["seed"] for run in story.read(path, story.CONFIG)] == [101]
    assert [run["seed"] for run in story.read(path, CONTROL)] == [102]


def test_the_runs_of_the_docs_are_of_the_config_as_it_is() -> None:
    runs = story.read(story.RECORD, story.CONFIG)
    assert [run["seed"] for run in runs] == list(story.SEEDS)
    told = (story.ROOT / "docs" / "figures.md").read_text("utf-8")
    met = sum(all(story.met(run).values()) for run in runs)
    assert f"{met} of {len(runs)} met\nall four" in told or f"{met} of {len(runs)} met all" in told


def test_a_round_that_was_not_compared_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    found = record()
    found["rounds"][2] |= {"label": "no evidence", "difference": None}
    story.show([found])
    assert "no evidence, 0.60 (–)" in capsys.readouterr().out


def test_the_table_counts_runs_that_miss_a_point(capsys: pytest.CaptureFixture[str]) -> None:
    story.show([record(), record(seed=102, test=None)])
    shown = capsys.readouterr().out
    assert "| 101 | 0.00 | improved, 0.40 (+0.40) | improved, 0.60 (+0.20) | 75% |" in shown
    assert "test improved: 1 of 2" in shown and "all of these: 1 of 2" in shown

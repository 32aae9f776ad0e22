"""The shipped rows, the default experiment, its second config, and what their benchmark reads."""

from __future__ import annotations

import ast
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.kit import yaml_file
from harness_levers.advise.evidence.forgetting import MEASURED
from harness_rows.options import RowsOptions
from harness_rows.reading import read
from harness_rows.splitting import dealt

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import frontier
import story

FOLDER = story.ROOT / "datasets" / "python-questions"
CONTROL = FOLDER / "control.yaml"
SPLITS = ("train", "pool", "dev", "test")
ROWS = {
    split: [json.loads(line) for line in (FOLDER / f"{split}.jsonl").read_bytes().splitlines()]
    for split in SPLITS
}
NAMED = [["kind = raises", 20], ["kind = defaults and form = method", 10]]


def settings(path: Path) -> dict[str, Any]:
    return yaml_file.read(path)[0]


def test_each_row_asks_one_question_and_its_answer_is_json() -> None:
    everything = [row for rows in ROWS.values() for row in rows]
    assert len({row["id"] for row in everything}) == len(everything)
    for row in everything:
        _, question, answer = row["messages"]
        assert [turn["role"] for turn in row["messages"]] == ["system", "user", "assistant"]
        value = json.loads(answer["content"])
        assert isinstance(value, dict if row["kind"] in story.RARE else list)
        assert 1 <= len(value) <= 3 and len(answer["content"]) <= 50
        code = question["content"].partition("```python\n")[2].removesuffix("\n```")
        assert 50 <= len(code) <= 220 and ast.parse(code)
    assert len({row["messages"][0]["content"] for row in everything}) == 1


def test_no_module_is_on_two_sides() -> None:
    sides = (("train", "pool"), ("dev",), ("test",))
    modules = [{row["group"] for split in side for row in ROWS[split]} for side in sides]
    assert sum(map(len, modules)) == len(set.union(*modules))


def test_the_folder_says_how_many_rows_and_whose_they_are() -> None:
    page = (FOLDER / "README.md").read_text("utf-8")
    for split, rows in ROWS.items():
        assert f"| `{split}.jsonl` | {len(rows):,} |" in page
    licence = (FOLDER / "LICENSE-PSF.txt").read_text("utf-8")
    assert "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2" in licence
    assert "Copyright (c) 2001" in licence and "Python Software Foundation" in licence


def test_the_configs_differ_in_the_control_arm_and_the_path_alone() -> None:
    default, control = settings(story.CONFIG), settings(CONTROL)
    assert [entry.pop("control") for entry in control["augment"]] == ["random"]
    assert [entry.pop("control", None) for entry in default["augment"]] == [None]
    paths = [config["data"].pop("path") for config in (default, control)]
    assert [(story.ROOT / paths[0]).resolve(), (FOLDER / paths[1]).resolve()] == [FOLDER, FOLDER]
    assert control == default


@pytest.mark.parametrize("draw", [0, 1, 7])
def test_each_draw_has_three_rows_of_each_rare_kind_in_train(draw: int) -> None:
    given = {key: value for key, value in settings(story.CONFIG)["data"].items() if key != "source"}
    options = RowsOptions.model_validate({**given, "path": FOLDER, "draw": draw})
    counts = Counter((row.split, row.meta["kind"]) for row in dealt(read(options), options))
    for kind in story.RARE:
        assert [counts[split, kind] for split in SPLITS] == [3, 40, 30, 20]
    assert [sum(n for (split, _), n in counts.items() if split == name) for name in SPLITS] == [
        100, 350, 150, 100,
    ]  # fmt: skip


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


def test_the_docs_have_what_general_rows_kept_as_it_was_recorded() -> None:
    records = frontier.read()
    page = (story.ROOT / "benchmarks" / "forgetting.md").read_text("utf-8")
    table = frontier.table(records)
    assert table in page
    for line in table.splitlines()[2:]:
        asked, point, seeds, _, score, *_, share = line.strip("| ").split(" | ")
        if asked == "general" and point.startswith("lr 0.001, 2 epochs, r 16, replay"):
            figures = (f"{float(share):.0%}".replace("%", " %"), score, f"({seeds} ")
            assert [figure for figure in figures if figure not in MEASURED] == []
    chosen = settings(story.CONFIG)
    point = (
        f"lr {chosen['train']['learning_rate']:g}, {chosen['train']['epochs']} epochs, "
        f"r {chosen['train']['r']}, replay {chosen['replay']:g}"
    )
    assert {record["asked"] for record in records if record["point"] == point} == {"general", "new"}

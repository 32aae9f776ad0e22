"""The measurement of targeting: what its arms change, what ``repeat`` adds, what the tables say."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from harness import Example, PlanItem, query, stats
from harness.data.augmentation import AugmenterPlan, collect
from harness.data.filters import RowGate
from harness.records import Dataset, Plan
from harness.records.context import Context
from tests.support.project import CONFIG, FAKES

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import repeats
import targeting
import targeting_table as table


def changed(arm: str) -> dict[str, Any]:
    task = targeting.TASKS["library-desk"]
    given = targeting.overrides(task, arm, {"epochs": 6.0, "train_rows": 84})
    pairs = (one.split("=", 1) for one in given)
    return {key: value if key == "plan.strategy" else json.loads(value) for key, value in pairs}


def test_arms_get_the_same_rows_or_as_many_visits() -> None:
    arms = {arm: changed(arm) for arm in targeting.ARMS}
    for arm in ("targeted", "random", "repeated"):
        assert arms[arm]["rounds"] == 2 and arms[arm]["augment"][0]["rows"] == 30
    assert arms["targeted"]["plan.strategy"] == "targeted" != arms["random"]["plan.strategy"]
    assert arms["none"]["plan.strategy"] == "none"
    assert arms["epochs"]["train.epochs"] * 84 == pytest.approx(6.0 * (84 + 30))


def test_repeated_rows_pass_the_gate_once_and_teach_what_they_taught(tmp_path: Path) -> None:
    rows = [
        Example(f"t{number}", ({"role": "user", "content": text},), (text[:3],), split="train")
        for number, text in enumerate(("where is the atlas?", "may I stay?", "who sang today?"))
    ]
    gate = RowGate([Example("d0", ({"role": "user", "content": "is it late?"},), ("x",))], rows)
    asked = Plan("random", (PlanItem(None, 5, "repeat", ""),))
    entry = AugmenterPlan("repeat", repeats.Repeat(None), asked)
    accepted, growth = collect([entry], Dataset(tuple(rows)), gate, Context(tmp_path))
    assert growth.added == 3 and len({row.id for row in accepted}) == 3
    taught = {(row.messages[0]["content"], row.references[0]) for row in accepted}
    assert taught == {(row.messages[0]["content"], row.references[0]) for row in rows}


def test_rows_that_were_repeated_are_counted_with_their_classes(project: Any) -> None:
    project.write(CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, {targeting.REPEATS}]").replace(
        "{plugin: fake, rows: 10}", "{plugin: repeat, rows: 10}"
    ).replace("rounds: 3", "rounds: 1"))  # fmt: skip
    summary = project.inside("iterate", "--json").document
    database = project.folder / "reports" / summary["run"] / "run.duckdb"
    field = next(iter(json.loads(query(database, "SELECT meta FROM examples LIMIT 1").rows[0][0])))
    assert summary["rounds"][1]["added"] == 10
    assert (
        sum(count for _, count in query(database, targeting.ADDED.format(field=field)).rows) == 10
    )
    learned = query(database, targeting.LEARNED.format(round=2)).rows
    assert len(learned) == summary["rounds"][1]["train_rows"] + 10


def record(seed: int, arm: str, values: Sequence[float], **more: Any) -> dict[str, Any]:
    line = {"task": "t", "seed": seed, "arm": arm, "primary": "exact", "values": values}
    line |= {"tokens": 7, "seconds": 1.0, "stages": {"train": 1.0}, "added": {}, "plan": []}
    names = ["scarce" if place < 4 else "plenty" for place in range(len(values))]
    dev = [[f"d{place}", f"g{place}", name] for place, name in enumerate(names)]
    return line | {"dev": dev} | more


DRAW = random.Random(3)
SCORES = {arm: [[DRAW.random() for _ in range(20)] for _ in range(3)] for arm in table.ARMS}
PARTS = ((6, slice(None)), (8, slice(4)))
"""The columns of differences, and the rows that each speaks of."""


def differences(rows: slice) -> np.ndarray:
    return np.array(SCORES["targeted"])[:, rows] - np.array(SCORES["random"])[:, rows]


def cells_of_random(capsys: Any, *more: dict[str, Any], **other: Any) -> list[str]:
    records = [
        record(seed, arm, SCORES[arm][seed], added={"scarce": seed, "plenty": 1})
        for arm in table.ARMS
        for seed in range(3)
    ]
    for line in records:
        line["dev"] = [[f"{name}{other.get('draw', '') and line['seed']}" for name in row[:2]]
                       + row[2:] for row in line["dev"]]  # fmt: skip
    table.show([*records, *more], {"t": ("scarce",), "unseen": ()})
    lines = capsys.readouterr().out.splitlines()
    assert "unseen" not in " ".join(lines) and "seeds 0, 1, 2" in lines[1]
    return [cell.strip() for cell in next(line for line in lines if "| random" in line).split("|")]


def test_seeds_with_rows_of_their_own_have_a_t_interval(capsys: Any) -> None:
    cells = cells_of_random(capsys, record(9, "random", [1.0] * 20), draw="own")
    for place, rows in PARTS:
        found = ttest_1samp(differences(rows).mean(axis=1), 0)
        bounds = found.confidence_interval(0.95)
        middle = differences(rows).mean()
        assert cells[place] == f"{middle:+.3f} [{bounds.low:+.3f}, {bounds.high:+.3f}]"
    assert cells[2:5] == ["3", "2", "1.0"]


def test_seeds_with_the_same_rows_are_crossed_with_their_groups(capsys: Any) -> None:
    cells = cells_of_random(capsys)
    for place, rows in PARTS:
        # Groups of single rows: the cells are the differences themselves.
        low, high = stats.crossed(differences(rows)).bounds(0.975)
        assert cells[place] == f"{differences(rows).mean():+.3f} [{low:+.3f}, {high:+.3f}]"

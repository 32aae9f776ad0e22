"""The situations in which the first advice was tried; ``benchmarks/advice.py`` runs them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4] / "benchmarks"))
import advice_rows as rows
import advice_situations as situations

RECORD = Path(situations.__file__).parent / "recorded" / "advice.jsonl"


def test_the_record_is_of_these_situations_and_those_changed_since_are_named():
    text = RECORD.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["situation"] for line in lines} == {case.name for case in situations.SITUATIONS}
    recorded = {(line["situation"], line["settings"]) for line in lines}
    for case in situations.SITUATIONS:
        as_recorded = (case.name, situations.digest(case)) in recorded
        assert as_recorded == (case.name not in situations.SINCE_CHANGED)


def test_wrong_labels_change_a_fifth_of_the_answers_and_no_text():
    sizes = {"train": 160, "dev": 120}
    right, wrong = (rows.tickets(situations.SEED, sizes, wrong=share) for share in (0.0, 0.2))
    assert [row["messages"] for row in right] == [row["messages"] for row in wrong]
    changed = [
        one["split"]
        for one, other in zip(right, wrong, strict=True)
        if one["references"] != other["references"]
    ]
    assert 0.15 < changed.count("train") / 160 < 0.25
    assert 0.15 < changed.count("dev") / 120 < 0.25


def test_no_prompt_of_dev_is_in_train():
    for case in situations.SITUATIONS:
        if isinstance(case.data, list):
            texts = {"train": set(), "dev": set(), "test": set()}
            for row in case.data:
                texts[row["split"]].add(row["messages"][-1]["content"])
            assert not texts["train"] & texts["dev"], case.name
            assert len(texts["dev"]) >= 100, case.name

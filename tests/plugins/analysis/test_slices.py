from __future__ import annotations

import json
import time

import numpy as np
import pytest

from harness.context import Context
from harness.features import addresses
from harness.planner import plan
from harness.records import Example, Prediction, ScoredExample, to_json
from harness.stages import Evidence
from harness_slices import Slices

INTENTS = ("Invoice", "Refund", "Roaming", "RateBook")


def context(tmp_path):
    return Context(tmp_path, seed=1)


def scored(i, value, meta, reply="a fine answer", finish="stop", group=None, prompt="why is it?"):
    example = Example(
        f"d{i}", ({"role": "user", "content": prompt},), ("ref",), "dev", group or f"g{i}", meta
    )
    return ScoredExample(example, Prediction(f"d{i}", reply, finish), {"rougeL": value})


def rows(seed=0, n=160, weak=0.0, groups=60, **meta):
    draw = np.random.default_rng(seed)
    effects = draw.normal(0, 0.1, groups)
    made = []
    for i in range(n):
        group = int(draw.integers(groups))
        own = {
            "intent": INTENTS[draw.integers(4)],
            "urgent": bool(draw.integers(2)),
            "level": int(draw.integers(3)),
            "age": float(draw.normal(40, 10)),
            **meta,
        }
        value = 0.5 + effects[group] + draw.normal(0, 0.15)
        value -= weak * (own["intent"] == "RateBook")
        words = " ".join(["word"] * int(draw.integers(1, 60)))
        made.append(
            scored(i, value, own, words, str(draw.choice(["stop", "length"])), f"g{group}", words)
        )
    return tuple(made)


def analyze(tmp_path, data, better=True, **options):
    analyzer = Slices(Slices.Options(**options))
    return analyzer.analyze(Evidence(tuple(data), "rougeL", better), context(tmp_path))


def weak(findings):
    return [s for s in findings.slices if s.q <= 0.1 and s.gap > 0]


def test_a_planted_weak_slice_is_found_first(tmp_path):
    found = analyze(tmp_path, rows(1, weak=0.2))
    best = found.slices[0]
    assert best.words == "intent = RateBook"
    assert best.from_prompt
    assert best.low < 0.2 < best.high
    assert best.q < 0.01
    assert found.notes[0].endswith("weak (q <= 0.1)")
    assert plan(found, 50).items[0].slice == best


def test_the_numbers_of_a_slice_are_those_of_its_rows(tmp_path):
    data = rows(2, weak=0.2)
    best = next(s for s in analyze(tmp_path, data).slices if s.words == "intent = RateBook")
    inside = [r for r in data if addresses(best.conditions, r.example)]
    outside = [r.values["rougeL"] for r in data if r not in inside]
    score = np.mean([r.values["rougeL"] for r in inside])
    assert (best.n, best.groups) == (len(inside), len({r.example.group for r in inside}))
    assert best.score == pytest.approx(score)
    assert best.gap == pytest.approx(np.mean(outside) - score)


def test_a_loss_is_turned_round(tmp_path):
    data = [
        ScoredExample(r.example, r.prediction, {"rougeL": 1 - r.values["rougeL"]})
        for r in rows(1, weak=0.2)
    ]
    best = analyze(tmp_path, data, better=False).slices[0]
    assert (best.words, best.gap > 0.1, best.score > 0.6) == ("intent = RateBook", True, True)


def test_null_data_seldom_show_a_weak_slice(tmp_path):
    """Prompt and reply features are two families, each with a false discovery rate of 10 %."""
    trials = 150
    prompt = reply = 0
    for seed in range(trials):
        found = weak(analyze(tmp_path, rows(1000 + seed)))
        prompt += any(s.from_prompt for s in found)
        reply += any(not s.from_prompt for s in found)
    # 22 or fewer of 150 have a chance of 96 % at a rate of 10 %; mirrored tests make it less.
    assert prompt <= 22
    assert reply <= 22


def test_reply_slices_never_enter_a_plan(tmp_path):
    data = []
    for i in range(120):
        cut = i % 3 == 0
        data.append(
            scored(i, 0.1 if cut else 0.6 + i / 1000, {"a": "xy"[i % 2]}, "w " * 9,
                   "length" if cut else "stop")
        )  # fmt: skip
    found = analyze(tmp_path, data)
    assert found.slices[0].words == "finish_reason = length"
    assert not found.slices[0].from_prompt
    items = plan(found, 40).items
    assert all(item.slice is None or item.slice.from_prompt for item in items)
    assert [item.slice for item in items] == [None]


def test_small_slices_are_named_but_not_judged(tmp_path):
    data = [scored(i, 0.5 + i / 900, {"kind": "rare" if i < 5 else "common"}) for i in range(90)]
    few_groups = [
        scored(100 + i, 0.1, {"kind": "clump"}, group=f"c{i % 3}", prompt="x") for i in range(40)
    ]
    found = analyze(tmp_path, data + few_groups, include=["kind"])
    assert [s.words for s in found.slices] == ["kind = common"]
    assert "too small to judge: 2 " in found.notes[1]
    assert "kind = rare" in found.notes[1]
    assert "kind = clump" in found.notes[1]


def test_unscored_rows_are_left_out(tmp_path):
    data = rows(1, weak=0.2)
    holes = [
        ScoredExample(r.example, r.prediction, {"rougeL": value})
        for r, value in zip(data[:10], [None, float("nan")] * 5, strict=True)
    ]
    found = analyze(tmp_path, (*holes, *data[10:]))
    assert "10 of 160 rows have no score" in found.notes[-1]
    assert found.slices == analyze(tmp_path, data[10:]).slices
    assert analyze(tmp_path, holes).slices == ()


def test_no_text_of_dev_leaves(tmp_path):
    secret = "the customer of Herzog street 9 wrote: " + "please " * 8
    data = []
    for i, row in enumerate(rows(3)):
        meta = {**row.example.meta, "note": secret, "free": f"remark {i}", "list": [secret]}
        data.append(scored(i, row.values["rougeL"], meta, secret, prompt=secret))
    text = json.dumps(to_json(analyze(tmp_path, data, max_slices=100)))
    assert "Herzog" not in text
    assert "remark" not in text


def test_titles_are_no_slices_on_a_small_dev_set_either(tmp_path):
    titles = [f"letter about {i}" for i in range(30)]
    data = [scored(i, i / 40, {"title": titles[i % 30], "kind": "ab"[i % 2]}) for i in range(40)]
    data += [scored(50, 0.5, {"kind": "Ms Herzog"})]
    found = analyze(tmp_path, data)
    assert "kind = a" in [s.words for s in found.slices]
    assert "letter" not in json.dumps(to_json(found))
    assert "Herzog" not in json.dumps(to_json(found))


def test_mixed_and_broken_values_are_no_slices(tmp_path):
    data = [
        scored(i, i / 60, {"mixed": 1 if i % 2 else "1", "nan": float("nan"), "inf": float("inf"),
                           "ok": i % 2 == 0})
        for i in range(60)
    ]  # fmt: skip
    features = {s.conditions[0].feature for s in analyze(tmp_path, data, max_slices=99).slices}
    assert "ok" in features
    assert not features & {"mixed", "nan", "inf"}


def test_numbers_are_cut_at_values_that_occur(tmp_path):
    data = [scored(i, i / 90, {"size": i}) for i in range(90)]
    three = {s.words for s in analyze(tmp_path, data, include=["size"]).slices}
    two = {s.words for s in analyze(tmp_path, data, include=["size"], bins=2).slices}
    assert three == {"size <= 29", "size > 59"}
    assert two == {"size <= 44", "size > 44"}


def test_options_choose_features_and_length(tmp_path):
    data = rows(4)
    assert not any("turns" in note for note in analyze(tmp_path, data).notes)
    only = analyze(tmp_path, data, include=["intent", "age"], exclude=["age"]).slices
    assert {s.conditions[0].feature for s in only} == {"intent"}
    assert len(analyze(tmp_path, data, max_slices=3).slices) == 3


def test_conditions_with_the_same_rows_are_tested_once(tmp_path):
    data = [scored(i, i / 60, {"a": "xy"[i % 2], "b": "xy"[i % 2]}) for i in range(60)]
    assert len(analyze(tmp_path, data, include=["a", "b"]).slices) == 2


def test_five_thousand_rows_are_quick(tmp_path):
    data = rows(5, n=5000, groups=400)
    start = time.process_time()
    analyze(tmp_path, data)
    assert time.process_time() - start < 5

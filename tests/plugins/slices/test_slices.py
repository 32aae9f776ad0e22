from __future__ import annotations

import dataclasses
import json
import random

import numpy as np
import pytest
from hypothesis import given, strategies as st

from harness.data.planner import plan
from harness.kit.features import addresses, prompt_features
from harness.records import (
    Answer,
    Example,
    Findings,
    Prediction,
    ScoredExample,
    ToolCall,
    from_json,
    to_json,
)
from harness.records.context import Context
from harness.stages import Evidence
from harness_slices import Slices
from harness_slices.analysis import REPLIES
from harness_slices.shrink import prior
from harness_slices.topics import words
from tests.support.effort import effort
from tests.support.nightly import draws

SEEDS = range(draws(20, 8))

INTENTS = ("Invoice", "Refund", "Roaming", "RateBook")


def context(tmp_path):
    return Context(tmp_path, seed=1)


def scored(i, value, meta, reply="a fine answer", finish="stop", group=None, prompt="why is it?"):
    example = Example(
        f"d{i}", ({"role": "user", "content": prompt},), ("ref",), "dev", group or f"g{i}", meta
    )
    return ScoredExample(example, Prediction(f"d{i}", reply, finish), {"rougeL": value})


def rows(seed=0, n=400, weak=0.0, groups=150, **meta):
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


def analyze(tmp_path, data, better=True, seed=1, train=(), **options):
    analyzer = Slices(Slices.Options(**options))
    evidence = Evidence(tuple(data), "rougeL", better, seed=seed, train=tuple(train))
    return analyzer.analyze(evidence, context(tmp_path))


def rescored(row, value):
    return dataclasses.replace(row, values={"rougeL": value})


def held(findings):
    return [s for s in findings.slices if s.holds]


def words_of(slices):
    return [s.words for s in slices]


# -- finding --------------------------------------------------------------------------------


def test_a_planted_weak_slice_is_found_first(tmp_path):
    found = analyze(tmp_path, rows(1, weak=0.2))
    best = found.slices[0]
    assert best.words == "intent = RateBook"
    assert best.from_prompt
    assert best.holds
    assert best.low < 0.2 < best.high
    assert best.q < 0.01
    assert 0.1 < best.shrunken < 0.25
    assert "underperforming (a find by chance in 3 % of dev sets at most): 1" in found.notes[0]
    assert plan(found, 50).items[0].slice == best


@pytest.mark.nightly
def test_most_planted_slices_are_found_and_little_else(tmp_path):
    """The same at other seeds: of 20, 18 or more (19.8 are to be expected)."""
    finds = [held(analyze(tmp_path, rows(seed, weak=0.2), clusters=0)) for seed in SEEDS]
    right = sum("intent = RateBook" in words_of(found) for found in finds)
    assert right >= len(SEEDS) - 2
    assert sum(map(len, finds)) <= right + 4


def test_the_numbers_of_a_slice_are_those_of_its_rows(tmp_path):
    data = rows(2, weak=0.2)
    best = next(s for s in analyze(tmp_path, data).slices if s.words == "intent = RateBook")
    inside = np.array([addresses(best.conditions, r.example) for r in data])
    values = np.array([r.values["rougeL"] for r in data])
    groups = np.array([r.example.group for r in data])
    assert (best.n, best.groups) == (inside.sum(), len(set(groups[inside])))
    assert best.score == pytest.approx(values[inside].mean())
    assert best.weight == pytest.approx(inside.mean())
    gap = values[~inside].mean() - values[inside].mean()
    assert best.gap == pytest.approx(gap)
    assert best.half is None  # all rows
    assert 0 < best.shrunken < best.gap


def test_a_loss_is_turned_round(tmp_path):
    data = [rescored(r, 1 - r.values["rougeL"]) for r in rows(1, weak=0.2)]
    best = analyze(tmp_path, data, better=False).slices[0]
    assert (best.words, best.gap > 0.1, best.score > 0.6) == ("intent = RateBook", True, True)


@pytest.mark.nightly
def test_null_data_seldom_show_a_weak_slice(tmp_path):
    """Two of sixty are to be expected at most; six or more are one in a hundred."""
    trials = draws(60)
    wrong = sum(
        bool(held(analyze(tmp_path, rows(1000 + s, n=160, groups=65)))) for s in range(trials)
    )
    assert wrong < (6 if trials == 60 else 4)


def test_an_interaction_is_found_as_a_pair(tmp_path):
    data = []
    for row in rows(3, n=800, groups=300):
        both = row.example.meta["intent"] == "Refund" and row.example.meta["urgent"]
        data.append(rescored(row, row.values["rougeL"] - 0.35 * both))
    found = held(analyze(tmp_path, data))
    assert words_of(found)[0] == "intent = Refund and urgent = True"
    assert found[0].from_prompt
    assert addresses(found[0].conditions, Example("x", (), meta={"intent": "Refund",
                                                                "urgent": True}))  # fmt: skip
    assert not held(analyze(tmp_path, rows(3, n=800, groups=300)))


def test_a_pair_is_not_named_where_its_condition_alone_is_weak(tmp_path):
    found = held(analyze(tmp_path, rows(4, n=800, groups=300, weak=0.25)))
    assert words_of(found) == ["intent = RateBook"]


def test_overlapping_slices_are_merged_into_the_stronger(tmp_path):
    draw = random.Random(1)
    data = []
    for row in rows(5, weak=0.25):
        weak = row.example.meta["intent"] == "RateBook"
        meta = {**row.example.meta, "desk": "billing" if weak ^ (draw.random() < 0.08) else "x"}
        data.append(dataclasses.replace(row, example=dataclasses.replace(row.example, meta=meta)))
    found = analyze(tmp_path, data, pairs=0)
    assert words_of(held(found)) == ["intent = RateBook"]
    assert "desk = billing" not in words_of(found.slices)
    assert any("because others explain them: 1" in note for note in found.notes)


def test_two_weak_slices_are_both_named(tmp_path):
    data = [
        rescored(r, r.values["rougeL"] - 0.2 * (r.example.meta["level"] == 2))
        for r in rows(6, n=800, groups=300, weak=0.25)
    ]
    assert {"intent = RateBook", "level = 2"} <= set(words_of(held(analyze(tmp_path, data))))


# -- one rule on all rows -------------------------------------------------------------------


def spread_of_scores(*parts):
    """Rows ``(value, number, meta)`` with some noise."""
    draw = np.random.default_rng(5)
    rows = [(value, own) for value, number, own in parts for _ in range(number)]
    return [
        scored(i, value + float(draw.normal(0, 0.1)), own) for i, (value, own) in enumerate(rows)
    ]


def test_gaps_of_several_slices_are_those_from_rows_that_none_has(tmp_path):
    """Refund (.5) scores above the mean of its rest (.375), since half of all rows are at 0."""
    parts = [(0.0, 100, "Invoice"), (0.5, 40, "Refund"), (1.0, 60, "Roaming")]
    rows = spread_of_scores(*((value, n, {"intent": name}) for value, n, name in parts))
    found = analyze(tmp_path, rows, clusters=0)
    first, second = held(found)
    assert (first.words, second.words) == ("intent = Invoice", "intent = Refund")
    assert first.gap == pytest.approx(1.0, abs=0.05)
    assert second.gap == pytest.approx(0.5, abs=0.05)
    assert 0 < second.low < 0.5 < second.high and 0.3 < second.shrunken < 0.55
    items = plan(found, 100).items
    assert [item.rows > 10 for item in items] == [True, True, True]


def test_a_slice_that_later_ones_explain_is_not_named(tmp_path):
    """Most rows of two weak intents are mails, so that mails seem weak, which they are not."""
    weak = [(0.0, 32, {"intent": name, "channel": "mail"}) for name in ("Invoice", "Refund")]
    weak += [(0.0, 8, {"intent": name, "channel": "chat"}) for name in ("Invoice", "Refund")]
    fine = [(1.0, 30, {"intent": "Roaming", "channel": "mail"})]
    fine += [(1.0, 90, {"intent": "Roaming", "channel": "chat"})]
    rows = spread_of_scores(*weak, *fine)
    others = [scored(900 + i, 1.0, {"intent": "Other", "channel": "chat"}) for i in range(60)]
    found = held(analyze(tmp_path, [*rows, *others], clusters=0))
    assert sorted(words_of(found)) == ["intent = Invoice", "intent = Refund"]


def test_what_a_slice_explained_that_others_explain_is_looked_at_again(tmp_path):
    """Mails seem weak for three intents, and take out Draft, which all but lies within them."""
    names = ("Invoice", "Refund", "Roaming")
    weak = [(0.0, n, {"intent": name, "channel": channel})
            for name in names for n, channel in ((32, "mail"), (8, "chat"))]  # fmt: skip
    draft = (0.5, 8, {"intent": "Draft", "channel": "mail"})
    fine = [(1.0, n, {"intent": name, "channel": channel})
            for name, n, channel in (("Ok", 30, "mail"), ("Ok", 90, "chat"), ("Other", 60, "chat"))
            ]  # fmt: skip
    found = held(analyze(tmp_path, spread_of_scores(*weak, draft, *fine), clusters=0))
    assert sorted(words_of(found)) == [f"intent = {name}" for name in ("Draft", *names)]


@pytest.mark.nightly
def test_q_is_the_smallest_level_at_which_a_slice_holds(tmp_path):
    tried = 0
    for seed in range(draws(40)):
        draw = np.random.default_rng(seed)
        kinds = draw.integers(6, size=160)
        passed = draw.random(160) < np.where(kinds < 2, 0.4, 0.75)
        data = [
            scored(i, float(one), {"kind": f"k{kind}"})
            for i, (one, kind) in enumerate(zip(passed, kinds, strict=True))
        ]
        for piece in held(analyze(tmp_path, data, clusters=0, alpha=0.1)):
            level = piece.q / (1 - REPLIES) + 1e-9
            if piece.from_prompt and level >= 0.01:
                tried += 1
                again = analyze(tmp_path, data, clusters=0, alpha=level)
                assert piece.words in words_of(held(again))
    assert tried >= draws(10, 3)


def test_the_order_of_rows_changes_nothing(tmp_path):
    data = list(rows(7, weak=0.2, n=200))
    before = analyze(tmp_path, data)
    random.Random(3).shuffle(data)
    after = analyze(tmp_path, data)
    assert words_of(after.slices) == words_of(before.slices)
    assert after.notes == before.notes
    for one, other in zip(before.slices, after.slices, strict=True):
        for name in ("gap", "low", "high", "q", "score", "shrunken"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9, abs=1e-12)


def starved(rows_of, right, n=210, seed=0):
    """Passes and fails of seven intents, one of which has few rows and is seldom right."""
    draw = np.random.default_rng(seed)
    data = []
    for i in range(n):
        own = i < rows_of
        meta = {"intent": f"i{0 if own else 1 + i % 6}"}
        meta |= {f"m{k}": int(draw.integers(2 + k)) for k in range(8)}
        value = float(draw.random() < (right if own else 0.85))
        data.append(scored(f"{i:03}", value, meta))
    return data


@pytest.mark.nightly
def test_an_intent_of_few_rows_is_found(tmp_path):
    """12 rows that are right in 15 % of cases: in 9 of 10 dev sets and more."""
    finds = [
        words_of(held(analyze(tmp_path, starved(12, 0.15, seed=seed), clusters=0)))
        for seed in SEEDS
    ]
    assert sum("intent = i0" in found for found in finds) >= len(SEEDS) - 2
    assert sum(len(found) - ("intent = i0" in found) for found in finds) <= 3


def test_what_train_hardly_has_is_found_sooner(tmp_path):
    """Before a score is seen, what train has few rows of gets more of the level."""
    data = starved(12, 0.45, seed=3)
    even = [row.example for row in data]
    without = [example for example in even if example.meta["intent"] != "i0"]
    q = [
        next(
            piece.q
            for piece in analyze(tmp_path, data, train=train, max_slices=99).slices
            if piece.words == "intent = i0"
        )
        for train in (even, without)
    ]
    assert q[1] < q[0] / 3


@pytest.mark.nightly
def test_a_find_is_one_whose_interval_leaves_out_zero(tmp_path):
    """The interval and the find come from one test, so they never contradict each other."""
    for seed in range(10):
        found = analyze(tmp_path, rows(seed, n=300, weak=0.12), max_slices=99, pairs=0)
        for piece in found.slices:
            assert piece.low < piece.gap < piece.high
        first = held(found)[:1]
        assert all(piece.low >= 0 for piece in first)
        assert all(piece.low < 0 for piece in found.slices if not piece.holds)


@pytest.mark.nightly
def test_chance_is_the_same_in_every_round(tmp_path):
    """It depends on the run's seed, not on the round's own."""
    data = rows(10)
    evidence = Evidence(data, "rougeL", True, seed=5)
    one = Slices(Slices.Options()).analyze(evidence, Context(tmp_path, seed=1))
    other = Slices(Slices.Options()).analyze(evidence, Context(tmp_path, seed=99, round=2))
    assert one == other
    assert one != analyze(tmp_path, data, seed=6)


def test_a_slice_that_holds_gets_rows(tmp_path):
    """Two intents with few rows get at least half of a plan's rows."""
    data = starved(16, 0.2, seed=5)
    second = starved(16, 0.2, seed=6)[:16]
    for i, row in enumerate(second):
        meta = {**row.example.meta, "intent": "i9"}
        example = dataclasses.replace(row.example, id=f"s{i:02}", group=f"s{i:02}", meta=meta)
        data.append(dataclasses.replace(row, example=example))
    found = analyze(tmp_path, data)
    assert {"intent = i0", "intent = i9"} <= set(words_of(held(found)))
    assert all(piece.shrunken > 0 for piece in held(found))
    items = plan(found, 60).items
    aimed = [i.rows for i in items if i.slice and i.slice.words in ("intent = i0", "intent = i9")]
    assert len(aimed) == 2
    assert sum(aimed) >= 30


# -- prompts, training and replies ----------------------------------------------------------


def test_reply_slices_never_enter_a_plan(tmp_path):
    data = []
    for i in range(160):
        cut = i % 3 == 0
        data.append(
            scored(i, 0.1 if cut else 0.6 + i / 1000, {"a": "xy"[i % 2]}, "w " * 9,
                   "length" if cut else "stop")
        )  # fmt: skip
    found = analyze(tmp_path, data)
    assert found.slices[0].words == "finish_reason = length"
    assert found.slices[0].holds
    assert not found.slices[0].from_prompt
    assert [item.slice for item in plan(found, 40).items] == [None]


TOPICS = {
    "money": ["invoice", "refund", "charge", "payment", "balance"],
    "travel": ["roaming", "abroad", "border", "country", "flight"],
    "phone": ["screen", "battery", "handset", "repair", "warranty"],
}


def topical(seed=0, n=300, weak="travel"):
    draw = random.Random(seed)
    data = []
    for i in range(n):
        topic = draw.choice(list(TOPICS))
        text = "please help with " + " ".join(draw.sample(TOPICS[topic], 3))
        value = draw.gauss(0.6, 0.15) - 0.3 * (topic == weak)
        data.append(scored(i, value, {}, prompt=text))
    return data


def test_a_weak_topic_is_found_without_meta(tmp_path):
    found = held(analyze(tmp_path, topical()))
    best = found[0].conditions[0]
    assert best.feature.startswith("mentions of ")
    assert set(best.feature.removeprefix("mentions of ").split("/")) <= set(TOPICS["travel"])
    # Nobody stores how often a row of the pool mentions these: the plan cannot ask for them.
    assert not found[0].from_prompt


def test_a_topic_means_just_what_it_says(tmp_path):
    data = topical()
    found = held(analyze(tmp_path, data, include=["topics"]))[0]
    terms = set(found.conditions[0].feature.removeprefix("mentions of ").split("/"))
    mentions = [len(terms & set(r.example.prompt.split())) for r in data]
    assert found.n == sum(count > found.conditions[0].value for count in mentions)


def test_what_training_does_not_cover_is_found(tmp_path):
    train = [row.example for row in topical(9) if not set(TOPICS["travel"]) & set(
        row.example.prompt.split())]  # fmt: skip
    found = held(
        analyze(tmp_path, topical(), train=train, include=["rare_words", "train_distance"])
    )
    assert found
    assert found[0].conditions[0].feature in ("rare_words", "train_distance")
    assert found[0].conditions[0].op in (">", "=")
    assert not found[0].from_prompt
    assert not analyze(tmp_path, topical(), include=["rare_words"]).slices


def test_the_text_of_prompts_is_looked_at(tmp_path):
    data = []
    for i in range(200):
        asks = ("what is it", "how do you do it", "do it")[i % 3]
        text = asks + (" 42" if i % 2 else "") + ("\nreturn f(x);" if i % 5 == 0 else "")
        data.append(scored(i, 0.5 + i / 500 - 0.4 * (i % 2), {}, prompt=text))
    found = analyze(tmp_path, data, max_slices=99)
    assert held(found)[0].words == "has_digits = True"
    features = {s.conditions[0].feature for s in found.slices}
    assert {"asks", "has_code"} <= features


def test_a_long_text_of_any_kind_is_read_in_a_moment():
    for piece in ["\n", "{ ", "a(", "; " + " " * 140, "what", "?", " ", "x" * 50]:
        text = piece * (1_000_000 // len(piece))
        row = Example("a", ({"role": "user", "content": text},))
        assert effort(lambda row=row: (prompt_features(row), words(row.prompt))) < 100, piece


def test_a_slice_that_rows_can_be_addressed_by_is_never_left_out_for_one_that_cannot(tmp_path):
    data = []
    for i, row in enumerate(topical()):
        weak = bool(set(TOPICS["travel"]) & set(row.example.prompt.split()))
        # Almost the topic, but one row in ten stands elsewhere: the topic itself is stronger.
        meta = {"desk": "abroad" if weak ^ (i % 10 == 0) else "home"}
        data.append(dataclasses.replace(row, example=dataclasses.replace(row.example, meta=meta)))
    found = held(analyze(tmp_path, data))
    assert words_of([s for s in found if s.from_prompt]) == ["desk = abroad"]


# -- what may not be judged, and what may not be told ---------------------------------------


def test_small_slices_are_named_but_not_judged(tmp_path):
    data = [scored(i, 0.5 + i / 900, {"kind": "rare" if i < 4 else "common"}) for i in range(90)]
    few_groups = [
        scored(100 + i, 0.1, {"kind": "clump"}, group=f"c{i % 3}", prompt="x") for i in range(40)
    ]
    found = analyze(tmp_path, data + few_groups, include=["kind"], min_groups=2, min_rows=2)
    assert "kind = common" in words_of(found.slices)
    found = analyze(tmp_path, data + few_groups, include=["kind"])
    assert not held(found)
    small = next(note for note in found.notes if note.startswith("too small"))
    assert "kind = rare" in small
    assert "kind = clump" in small


def test_a_value_of_fewer_than_three_groups_is_not_named(tmp_path):
    data = [scored(i, i / 90, {"kind": "ab"[i % 2]}) for i in range(90)]
    data += [scored(90 + i, 0.1, {"kind": "Herzog"}, group=f"h{i % 2}") for i in range(30)]
    found = analyze(tmp_path, data)
    assert "Herzog" not in json.dumps(to_json(found))


def test_unscored_rows_are_left_out(tmp_path):
    data = rows(1, weak=0.2)
    holes = [
        rescored(r, value) for r, value in zip(data[:10], [None, float("nan")] * 5, strict=True)
    ]
    found = analyze(tmp_path, (*holes, *data[10:]))
    assert "10 of 400 rows have no score and were left out" in found.notes
    for piece in found.slices:
        assert piece.n <= 390
    assert analyze(tmp_path, holes).slices == ()


def test_no_text_of_dev_leaves(tmp_path):
    secret = "the customer of Herzog street 9 wrote: " + "please " * 8
    data = []
    for i, row in enumerate(rows(3, n=160)):
        meta = {**row.example.meta, "note": secret, "free": f"remark {i}", "list": [secret]}
        data.append(scored(i, row.values["rougeL"], meta, secret, prompt=secret))
    text = json.dumps(to_json(analyze(tmp_path, data, max_slices=100)))
    assert "erzog" not in text
    assert "remark" not in text


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_terms_stand_in_three_groups_or_are_not_told(tmp_path_factory, seed, people):
    """Each person has words that nobody else uses, however often."""
    draw = random.Random(seed)
    data = []
    for i in range(120):
        person = draw.randrange(2 * people)
        own = f"zq{chr(97 + person // 2)}secret" if draw.random() < 0.7 else "common"
        text = f"{own} {draw.choice(['invoice', 'refund', 'roaming', 'screen'])} {own}"
        data.append(scored(i, draw.random(), {}, prompt=text, group=f"g{person}"))
    found = analyze(tmp_path_factory.mktemp("x"), data, max_slices=999, min_groups=2, min_rows=2)
    # Word zqX belongs to two people at most, so to two groups.
    assert "secret" not in json.dumps(to_json(found))


def test_titles_are_no_slices_on_a_small_dev_set_either(tmp_path):
    titles = [f"letter about {i}" for i in range(30)]
    data = [scored(i, i / 40, {"title": titles[i % 30], "kind": "ab"[i % 2]}) for i in range(40)]
    data += [scored(50, 0.5, {"kind": "Ms Herzog"})]
    found = analyze(tmp_path, data)
    assert "kind = a" in words_of(found.slices)
    assert "letter" not in json.dumps(to_json(found))
    assert "Herzog" not in json.dumps(to_json(found))


def test_mixed_and_broken_values_are_no_slices(tmp_path):
    data = [
        scored(i, i / 60, {"mixed": 1 if i % 2 else "1", "nan": float("nan"), "inf": float("inf"),
                           "huge": 10**400 + i, "exact": 2**60 + i % 2, "none": None, "same": 7,
                           "k" * 81: i % 2, "ok": i % 2 == 0})
        for i in range(60)
    ]  # fmt: skip
    features = {s.conditions[0].feature for s in analyze(tmp_path, data, max_slices=99).slices}
    assert "ok" in features
    assert features <= {"ok", "prompt_words", "reply_words", "turns", "asks"}


def test_rows_without_a_value_are_on_the_other_side(tmp_path):
    data = [
        scored(i, 0.5 + i / 900, {"kind": "ab"[i % 2]} | ({"size": i} if i % 3 else {}))
        for i in range(120)
    ]
    found = {s.words: s for s in analyze(tmp_path, data, include=["size", "kind"]).slices}
    sizes = [s for words, s in found.items() if words.startswith("size")]
    assert len(sizes) == 2
    assert sum(s.n for s in sizes) <= 80
    for piece in sizes:
        assert piece.n == sum(addresses(piece.conditions, r.example) for r in data)


HOSTILE = ["\x00", "\ud800", "[/red]", "<script>alert(1)</script>", "‮abc", "'; DROP TABLE x; --",
           "\x1b[31m", "=1+1", "a\nb", ""]  # fmt: skip


def test_hostile_texts_do_no_harm(tmp_path):
    data = [
        scored(i, i / 200, {"kind": HOSTILE[i % 3], HOSTILE[i % 5]: "x"},
               prompt=" ".join(HOSTILE) * (i % 7), reply=HOSTILE[i % 10], finish=HOSTILE[i % 2])
        for i in range(120)
    ]  # fmt: skip
    data.append(scored(120, 0.5, {}, prompt="(" * 200_000, group="\ud800"))
    found = analyze(tmp_path, data, max_slices=99)
    assert len(found.slices) >= 3
    for piece in found.slices:
        if piece.from_prompt:
            assert piece.n == sum(addresses(piece.conditions, r.example) for r in data)


def test_scores_that_are_all_alike_have_no_weak_slice(tmp_path):
    found = analyze(tmp_path, [rescored(r, 0.3) for r in rows(12)])
    assert not held(found)
    assert all(s.gap == s.shrunken == 0 for s in found.slices)


def test_very_wide_meta_is_cut_short_and_said(tmp_path):
    data = [scored(i, i / 60, {f"m{k}": (i * (k + 3)) % 5 for k in range(250)}) for i in range(60)]
    found = []
    assert effort(lambda: found.append(analyze(tmp_path, data))) < 1000
    assert any(note.startswith("only 1000 of ") for note in found[0].notes)


# -- options, notes, records ----------------------------------------------------------------


def test_numbers_are_cut_at_values_that_occur(tmp_path):
    data = [scored(i, i / 90, {"size": i}) for i in range(90)]
    three = set(words_of(analyze(tmp_path, data, include=["size"]).slices))
    two = set(words_of(analyze(tmp_path, data, include=["size"], bins=2).slices))
    assert three == {"size <= 29", "size > 59"}
    assert two == {"size <= 44", "size > 44"}


def test_options_choose_features_and_length(tmp_path):
    data = rows(4)
    only = analyze(tmp_path, data, include=["intent", "age"], exclude=["age"]).slices
    assert {s.conditions[0].feature for s in only} == {"intent"}
    assert len(analyze(tmp_path, data, max_slices=3).slices) == 3
    assert " 0 pairs of these" in analyze(tmp_path, data, pairs=0).notes[0]
    assert " 7 pairs of these" in analyze(tmp_path, data, pairs=7).notes[0]


def test_a_stricter_level_finds_less(tmp_path):
    data = rows(14, weak=0.07)
    lenient, strict = (analyze(tmp_path, data, alpha=alpha, pairs=0) for alpha in (0.5, 0.01))
    assert "intent = RateBook" in words_of(held(lenient))
    assert not held(strict)
    assert plan(strict, 10).items[0].slice is None


def test_conditions_with_the_same_rows_are_tested_once(tmp_path):
    data = [scored(i, i / 60, {"a": "xy"[i % 2], "b": "xy"[i % 2]}) for i in range(60)]
    assert len(analyze(tmp_path, data, include=["a", "b"]).slices) == 2


def test_notes_say_what_could_be_found(tmp_path):
    notes = analyze(tmp_path, rows(15, n=160, groups=65)).notes
    power = next(note for note in notes if "minimum detectable gap" in note)
    assert power.startswith("160 dev rows in ")
    assert any(note.startswith("not confirmed, with the most evidence: ") for note in notes)
    needed = float(power.split("about ")[1].split()[0])
    assert 0.1 < needed < 0.4
    few = analyze(tmp_path, rows(15, n=8, groups=8)).notes
    assert any("no slice of prompts is large enough to be judged" in note for note in few)


def test_findings_survive_the_way_through_a_file(tmp_path):
    found = analyze(tmp_path, rows(1, weak=0.2))
    assert from_json(Findings, json.loads(json.dumps(to_json(found)))) == found


@pytest.mark.nightly
def test_five_thousand_rows_are_quick(tmp_path):
    data = rows(5, n=5000, groups=400)
    assert effort(lambda: analyze(tmp_path, data)) < 500


# -- shrinking ------------------------------------------------------------------------------


def test_gaps_that_chance_alone_explains_have_no_spread():
    draw = np.random.default_rng(1)
    ses = draw.uniform(0.02, 0.06, 80)
    found = prior(ses * draw.normal(0, 0.7, 80), ses)
    assert found.variance == 0
    assert found.shrink(np.array([0.3, -0.2]), np.array([0.05, 0.05])).tolist() == [0, 0]
    assert prior(np.array([np.nan, 0.1]), np.array([0.1, 0.0])).variance == 0
    assert prior(np.zeros(0), np.zeros(0)).variance == 0


def test_the_spread_of_the_true_gaps_is_found():
    draw = np.random.default_rng(2)
    true, ses = draw.normal(0, 0.1, 3000), draw.uniform(0.05, 0.15, 3000)
    seen = true + ses * draw.normal(size=3000)
    belief = prior(seen, ses)
    assert belief.variance == pytest.approx(0.01, rel=0.15)
    best = 0.01 / (0.01 + ses**2) * seen  # what one would say if one knew the spread
    made = np.mean((belief.shrink(seen, ses) - true) ** 2)
    assert made < 1.02 * np.mean((best - true) ** 2)
    assert made < 0.7 * np.mean((seen - true) ** 2)


def test_a_lone_weak_slice_keeps_its_gap_and_luck_does_not():
    draw = np.random.default_rng(3)
    ses = np.full(100, 0.03)
    seen = ses * draw.normal(size=100)
    seen[0] = 0.2
    left = prior(seen, ses).shrink(seen, ses)
    assert left[0] > 0.85 * 0.2
    assert np.sqrt(np.mean(left[1:] ** 2)) < 0.4 * np.sqrt(np.mean(seen[1:] ** 2))


def test_the_more_slices_are_like_chance_the_more_is_taken_off():
    few = np.array([0.12, *np.tile([0.01, -0.02], 5)])
    many = np.array([0.12, *np.tile([0.01, -0.02], 40)])
    left = [
        prior(g, np.full(len(g), 0.03)).shrink(g, np.full(len(g), 0.03))[0] for g in (few, many)
    ]
    assert 0 < left[1] < left[0] < 0.12


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0.001, 1)), min_size=1, max_size=40),
    st.floats(0.01, 100),
)
def test_shrinking_never_turns_or_widens_a_gap_and_knows_no_unit(pairs, unit):
    gaps, ses = np.array(pairs).T
    left = prior(gaps, ses).shrink(gaps, ses)
    assert np.all(left * gaps >= 0)
    assert np.all(np.abs(left) <= np.abs(gaps) + 1e-15)
    scaled = prior(gaps * unit, ses * unit).shrink(gaps * unit, ses * unit)
    np.testing.assert_allclose(scaled, left * unit, rtol=1e-3, atol=1e-6 * unit)


def test_what_was_found_keeps_a_part_of_its_gap():
    """Where the prior alone would take it for chance, the plan still gives it rows."""
    draw = np.random.default_rng(4)
    ses = np.full(160, 0.1)
    gaps = ses * draw.normal(0, 0.8, 160)
    gaps[0] = 0.36
    found = np.arange(160) == 0
    alone, known = prior(gaps, ses), prior(gaps, ses, found)
    assert alone.shrink(gaps, ses)[0] < 0.1
    assert 0.15 < known.shrink(gaps, ses)[0] < 0.36
    assert np.abs(known.shrink(gaps, ses)[1:]).max() < 0.05


@pytest.mark.parametrize(
    ("calls", "tool"), [((), "none"), (("b",), "b"), (("b", "a", "b"), "a + b")]
)
def test_rows_with_tools_are_sliced_by_the_functions_that_the_reference_calls(calls, tool):
    answer = Answer("" if calls else "No.", tuple(ToolCall(name, {}) for name in calls))
    tools = tuple({"type": "function", "function": {"name": name}} for name in "ab")
    asked = ({"role": "user", "content": "Go"},)
    assert prompt_features(Example("r", asked, (answer.text,), tools=tools))["tool"] == tool
    assert "tool" not in prompt_features(Example("r", asked, (answer.text,)))

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from harness.data.augmentation import AugmenterPlan, collect
from harness.data.filters import (
    DESCENDS,
    INVALID,
    NEAR_REPEAT,
    NO_ORIGIN,
    REPEAT,
    REPEATS_TRAIN,
    RowGate,
)
from harness.errors import Cancelled, PluginError
from harness.kit.features import addresses
from harness.records import Condition, Dataset, Example, Plan, PlanItem, Slice
from harness.records.context import Context
from harness.stages import Augmenter

WORDS = (
    "apple", "brick", "cloud", "drain", "eagle", "frost",
    "glove", "honey", "igloo", "jelly", "knife", "lemon",
)  # fmt: skip
WEAK = Slice((Condition("kind", "=", "weak"),), 20, 20, 0.1, 0.2, 0.1, 0.3, 0.01)


def sentence(number):
    """Texts with little in common, one for each number."""
    parts = [WORDS[(number // 12**power) % 12] for power in range(4)]
    return f"{' '.join(parts)} {number * 7919} {number * 104729}?"


def row(number, split="pool", kind="plain", **fields):
    turns = ({"role": "user", "content": sentence(number)},)
    return Example(
        f"{split}-{number}", turns, ("An answer.",), split, meta={"kind": kind}, **fields
    )


DEV = tuple(row(i, "dev") for i in range(1000, 1010))
TRAIN = tuple(row(i, "train") for i in range(10))
POOL = tuple(row(i, "pool", "weak" if i < 120 else "plain") for i in range(100, 200))
DATA = Dataset((*TRAIN, *POOL, *DEV))


class FromPool(Augmenter):
    name = "from-pool"

    def propose(self, item, data, context):
        for candidate in data.split("pool"):
            if item.slice is None or addresses(item.slice.conditions, candidate):
                yield candidate


def the_gate():
    return RowGate(DEV, TRAIN, POOL)


def the_context(**fields):
    return Context(None, seed=4, round=2, **fields)


def the_plan(*items):
    return Plan("targeted", tuple(PlanItem(piece, rows, "add") for piece, rows in items))


def run(augmenter, *items, context=None):
    entry = AugmenterPlan("entry", augmenter, the_plan(*items))
    return collect([entry], DATA, the_gate(), context or the_context())


def test_the_budget_is_met_and_origins_are_written():
    rows, growth = run(FromPool(), (WEAK, 8), (None, 4))
    assert [r.split for r in rows] == ["train"] * 12
    assert [r.origin for r in rows[:8]] == [{"by": "entry", "round": 2, "slice": "kind = weak"}] * 8
    assert [r.origin["slice"] for r in rows[8:]] == [None] * 4
    assert len({r.id for r in rows}) == 12
    assert (growth.added, growth.by, growth.refused) == (12, {"entry": 12}, {})


def test_what_a_slice_cannot_give_comes_from_everywhere():
    rows, growth = run(FromPool(), (WEAK, 30), (None, 10))
    assert growth.added == 40
    assert sum(r.origin["slice"] is not None for r in rows) == 20


def test_an_exhausted_pool_ends_below_the_budget():
    rows, growth = run(FromPool(), (WEAK, 80), (None, 80))
    assert growth.added == len(rows) == len(POOL)
    assert growth.refused == {}


def test_several_entries_share_the_gate():
    entries = [AugmenterPlan(n, FromPool(), the_plan((WEAK, 15))) for n in ("first", "second")]
    rows, growth = collect(entries, DATA, the_gate(), the_context())
    assert growth.by == {"first": 15, "second": 15}
    assert len({r.id for r in rows}) == 30


class Leaky(Augmenter):
    """Plants one leak of each kind before every good row."""

    name = "leaky"

    def propose(self, item, data, context):
        numbers = count()
        for good in data.split("pool"):
            n = next(numbers)
            dev = DEV[n % len(DEV)]
            new = {"split": "train", "references": ("An answer.",)}
            turns = ({"role": "user", "content": dev.prompt.upper()},)
            near = ({"role": "user", "content": dev.prompt.replace("?", "") + "or so"},)
            fresh = ({"role": "user", "content": sentence(5000 + n)},)
            yield dev
            yield Example(f"a{n}", fresh, parent=dev.id, **new)
            yield Example(f"b{n}", turns, parent=good.id, **new)
            yield Example(f"c{n}", near, parent=good.id, **new)
            yield Example(f"d{n}", fresh, **new)
            yield Example(f"e{n}", fresh, ("",), parent=good.id)
            yield TRAIN[n % len(TRAIN)]
            yield good


def test_no_planted_leak_gets_through_and_each_is_counted():
    rows, growth = run(Leaky(), (None, 12))
    assert [r.id for r in rows] == [p.id for p in POOL[:12]]
    assert growth.refused == {
        DESCENDS: len(DEV) + 12,  # a row refused twice counts once
        REPEAT: 12,
        NEAR_REPEAT: 12,
        NO_ORIGIN: 12,
        INVALID: 12,
        REPEATS_TRAIN: len(TRAIN),
    }


class Endless(Augmenter):
    name = "endless"
    asked = 0

    def propose(self, item, data, context):
        while True:
            Endless.asked += 1
            yield DEV[0]


def test_an_augmenter_that_never_gives_a_good_row_is_stopped():
    _, growth = run(Endless(), (WEAK, 3))
    assert growth.added == 0
    assert Endless.asked <= 2 * 50 * 3
    assert growth.refused == {DESCENDS: 1}


class Curious(Augmenter):
    name = "curious"

    def propose(self, item, data, context):
        assert {r.split for r in data.examples} <= {"train", "pool"}
        assert context.seed == 4
        ids = [r.id for r in data.examples]
        assert len(ids) == len(set(ids)) == len(TRAIN) + len(POOL)
        yield from data.split("pool")


def test_augmenters_see_train_and_pool_only_and_each_row_once():
    assert run(Curious(), (WEAK, 3), (None, 3))[1].added == 6


class Broken(Augmenter):
    name = "broken"

    def propose(self, item, data, context):
        yield POOL[0]
        raise RuntimeError("no more [ideas]")


def test_a_failure_names_the_entry_and_the_round():
    with pytest.raises(PluginError, match="no more") as caught:
        run(Broken(), (WEAK, 3))
    assert "'entry' (broken), round 2" in caught.value.where


class Wrong(Augmenter):
    name = "wrong"
    rows: object = ()

    def propose(self, item, data, context):
        return self.rows


def test_a_proposal_of_the_wrong_kind_is_a_failure_of_the_augmenter():
    for rows, words in [
        (None, "propose() is None"),
        (["no row"], 'item 1 is the text "no row"'),
        ([replace(POOL[0], id=None)], "item 1: id is None"),
        ([replace(POOL[0], messages="hi")], "): messages is the text"),
        ([replace(POOL[0], references=(3,))], "): references[0] is the number 3"),
    ]:
        wrong = Wrong()
        wrong.rows = rows
        with pytest.raises(PluginError) as caught:
            run(wrong, (WEAK, 3))
        assert words in caught.value.what, rows


def test_it_can_be_cancelled():
    with pytest.raises(Cancelled):
        run(Endless(), (WEAK, 3), context=the_context(cancelled=lambda: True))


def test_progress_is_told():
    seen = []
    run(FromPool(), (None, 3), context=the_context(report=lambda *told: seen.append(told)))
    assert seen == [(1, 3, "entry"), (2, 3, "entry"), (3, 3, "entry")]


def test_an_empty_plan_adds_nothing():
    rows, growth = run(FromPool())
    assert (rows, growth.added, growth.by) == ((), 0, {})


class FromModel(Augmenter):
    """Makes rows, and refuses every second one itself."""

    name = "from-model"

    def propose(self, item, data, context):
        for place, parent in enumerate(data.split("train")):
            if place % 2:
                context.refuse("verify: json")
                continue
            made = {"by": "somebody else", "teacher": "big", "verified": {"json": "1.0"}}
            yield replace(row(500 + place), id=f"m{place}", parent=parent.id, origin=made)


def test_how_a_row_was_made_is_kept_with_it_and_own_refusals_are_counted():
    context = the_context()
    work = [AugmenterPlan("teacher", FromModel(), the_plan((None, 3)))]
    rows, growth = collect(work, DATA, the_gate(), context)
    assert [dict(one.origin) for one in rows] == 3 * [
        {"teacher": "big", "verified": {"json": "1.0"}, "by": "teacher", "round": 2, "slice": None}
    ]
    assert growth.refused == {"verify: json": 2}


def test_a_row_of_the_pool_brings_no_origin_along():
    pool = tuple(replace(one, origin={"by": "before"}) for one in POOL)
    rows, _ = collect(
        [AugmenterPlan("a", FromPool(), the_plan((None, 2)))], Dataset((*TRAIN, *pool)),
        the_gate(), the_context(),
    )  # fmt: skip
    assert [set(one.origin) for one in rows] == 2 * [{"by", "round", "slice"}]


@pytest.mark.parametrize("reason", ["", 5, "x" * 201, None])
def test_a_reason_that_is_none_is_refused(reason):
    with pytest.raises(PluginError, match="a reason of 1 to 200"):
        the_context().refuse(reason)

"""``better-answers``: a typed text trains where its row is of the pool, and nowhere else."""

from __future__ import annotations

import dataclasses
import json
import uuid

import pytest

from harness.config import loading
from harness.data import augmentation, correction_file
from harness.data.corrections import Correction, prompt_digest
from harness.data.filters import DESCENDS, RowGate
from harness.errors import DataError
from harness.records import Condition, Dataset, Example, Plan, PlanItem, Slice
from harness.records.context import Context, Quiet
from harness.records.rubrics import Item
from harness.run.run import Run
from harness.steps import Steps
from harness_rating import BetterAnswers
from harness_rating.batches.records import Batch, Event, Placing
from harness_rating.ratings import events
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.typed_answers import corrections
from harness_rating.rubric.file import load
from tests.support import fakes

ORIGIN = {"batch": "b", "item": "i", "rater": "ana", "at": "2026-11-25T15:00:00.000Z"}
HARD = Slice((Condition("kind", "=", "hard"),), 9, 9, 0.1, 0.2, 0.1, 0.3, 0.01)
ANYWHERE = PlanItem(None, 9, "")


def row(number: int, split="pool") -> Example:
    return fakes._row(split, number, 24)


def typed(example: Example, text: str, **changed) -> Correction:
    fields = {"split": example.split, "prompt": prompt_digest(example.messages), **changed}
    return Correction(example.id, reference=text, origin=ORIGIN, **fields)


@pytest.fixture
def augmenter(tmp_path):
    def make(*found: Correction) -> BetterAnswers:
        path = tmp_path / "better.jsonl"
        path.write_bytes(correction_file.encoded_corrections(found))
        return BetterAnswers(BetterAnswers.Options(file=path))

    return make


def propose(augmenter, rows, item=ANYWHERE):
    return list(augmenter.propose(item, Dataset(tuple(rows)), Context(None, seed=1)))


def test_what_was_preferred_is_a_row_with_rejected_answers(augmenter):
    made = augmenter(
        typed(row(3), "Better.", rejected=("Worse.",)), typed(row(1), "", rejected=("Bad.",)),
        typed(row(3), "Worse.", rejected=("Worst.",)),
    )  # fmt: skip
    first, second = propose(made, [row(n) for n in range(5)])
    assert (first.references, first.rejected) == (("Better.", "Worse."), ("Worst.",))
    assert (second.references, second.rejected) == ((), ("Bad.",))
    gate = RowGate([row(0, "dev")], [], [row(n) for n in range(5)])
    assert gate.refuse(first) is None is gate.refuse(second)


def test_a_corrected_row_of_the_pool_is_a_new_row_that_says_where_it_is_from(augmenter, tmp_path):
    made = augmenter(typed(row(3), "Better."), typed(row(1), "Best."), typed(row(3), "Also good."))
    first, second = propose(made, [row(n) for n in range(5)])
    old = row(3)
    assert first == dataclasses.replace(
        old, id="pool-3~better", references=("Better.", "Also good."), parent="pool-3",
        place=f"{tmp_path / 'better.jsonl'}:2",
    )  # fmt: skip
    assert (second.id, second.references) == ("pool-1~better", ("Best.",))
    assert list(made.inputs()) == [tmp_path / "better.jsonl"]


def test_only_rows_of_the_slice_that_are_not_in_train_yet(augmenter):
    made = augmenter(*(typed(row(n), "Better.") for n in (4, 5, 8, 12)))
    pool = [row(n) for n in range(20)]
    hard = PlanItem(HARD, 5, "")
    names = [one.id for one in propose(made, pool, hard)]
    assert names == ["pool-4~better", "pool-8~better", "pool-12~better"]
    taken = dataclasses.replace(row(8), id="pool-8~better", split="train", parent="pool-8")
    moved = dataclasses.replace(row(12), split="train")
    left = [one for one in pool if one.id != "pool-12"]
    names = [one.id for one in propose(made, [taken, moved, *left])]
    assert names == ["pool-4~better", "pool-5~better"]


def test_a_prompt_that_has_changed_is_refused_with_its_line(augmenter, tmp_path):
    made = augmenter(typed(row(1), "Better."), typed(row(2), "Better.", prompt="a" * 64))
    with pytest.raises(DataError, match="the prompt of 'pool-2' is not the one") as caught:
        propose(made, [row(1), row(2)])
    assert caught.value.where == f"{tmp_path / 'better.jsonl'}:3"


def test_a_row_of_dev_is_never_proposed(augmenter):
    made = augmenter(typed(row(1, "dev"), "Better."), typed(row(2), "Better."))
    shown = [row(1, "dev"), row(1), row(2), dataclasses.replace(row(1, "dev"), split="pool")]
    assert [one.id for one in propose(made, shown)] == ["pool-2~better"]


def test_were_a_row_of_dev_proposed_the_gate_would_refuse_it_by_its_lineage(augmenter):
    """The file says pool, and a pool with a row of dev's id and other words is handed over."""
    words = ({"role": "user", "content": "Something quite different, honestly made."},)
    smuggled = dataclasses.replace(row(1, "dev"), split="pool", messages=words)
    made = augmenter(typed(smuggled, "Better."))
    pool = [smuggled, row(2)]
    gate = RowGate([row(1, "dev")], known=pool)
    (proposed,) = propose(made, pool)
    assert gate.refuse(proposed) == DESCENDS
    entry = augmentation.AugmenterPlan("better", made, Plan("random", (PlanItem(None, 3, ""),)))
    rows, growth = augmentation.collect([entry], Dataset(tuple(pool)), gate, Context(None))
    assert (rows, growth.refused) == ((), {DESCENDS: 1})


# -- a run --------------------------------------------------------------------------------

RUBRIC = """\
schema: harness.rubric/1
id: better
version: 1
title: Better
language: en
instructions: Say it better.
criteria:
  - id: quality
    title: Quality
    question: How good?
    scale: {kind: ordinal, min: 1, max: 5, anchors: {1: wrong, 5: right}}
  - {id: better, title: Better, question: How?, scale: text, use_as: reference}
"""


def pool_batch(project, rows) -> Batch:
    """A batch of answers to rows of the pool and of dev, with what ana typed."""
    rules = load(project.write(RUBRIC, "better.yaml"))
    items = tuple(Item(f"i{n}", one.messages, ("hm",)) for n, one in enumerate(rows))
    placings = {
        f"i{n}": Placing(f"i{n}", one.id, rounds=(0,), split=one.split)
        for n, one in enumerate(rows)
    }
    made = Batch(
        "better-1", "run", rules, "worst", 0, ("ana",), {"ana": tuple(placings)}, items, placings,
        "2026-11-25", False,
    )  # fmt: skip
    log = events.Events(project.folder / "ratings" / made.name, "ana")
    for n, one in enumerate(rows):
        said = f"typed for {one.id}"
        log.append(Event(uuid.uuid4().hex, "ana", f"i{n}", "better", "set", said, events.now()))
    return made


def test_a_run_trains_on_typed_texts_of_the_pool_with_their_origin(project):
    spy = project.folder / "seen.jsonl"
    settings = loading.load(project.folder / "harness.yaml")
    chosen = Steps(Run(settings, Quiet(), root=project.folder)).data().split("pool")[:3]
    assert len(chosen) == 3
    made = pool_batch(project, [row(2, "dev"), *chosen])
    path = project.folder / "better.jsonl"
    typed = corrections(made, RatingsFolder(project.folder / "ratings"))
    path.write_bytes(correction_file.encoded_corrections(typed))

    sets = ("augment=[{plugin: better-answers, file: better.jsonl, rows: 5}]", "report=[]")
    done = project.inside(
        "iterate", "--rounds", "2", "--json", "--set", sets[0], "--set", sets[1],
        FAKE_SPY=str(spy),
    )  # fmt: skip
    assert done.code == 0, done.err
    first, second = done.document["rounds"][1:]
    assert (first["added"], first["added_by"]) == (3, {"better-answers": 3})
    assert second["added"] == 0
    trained = {
        one["id"]: one
        for line in map(json.loads, spy.read_text().splitlines())
        if line["who"] == "trainer" and line["round"] == 2
        for one in line["rows"]
    }
    for old in chosen:
        new = trained[f"{old.id}~better"]
        assert new["references"] == [f"typed for {old.id}"]
        assert (new["parent"], new["split"], new["group"]) == (old.id, "train", old.group)
        assert (new["origin"]["by"], new["origin"]["round"]) == ("better-answers", 1)
        assert new["place"].startswith(f"{path}:")
    assert not [name for name in trained if name.startswith("dev-")]
